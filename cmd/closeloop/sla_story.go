package main

import (
	"slices"
	"strings"
	"time"

	"closeloop/requirement"
	"closeloop/sla"
)

// storyLine is one line of a clock's story: an interval, or something that
// happened at an instant.
type storyLine struct {
	at    time.Time
	cells []string
}

// roomForColumns is the width from which the story of a clock is a table.
const roomForColumns = 120

// story prints every interval with running totals, and in between what happened.
func (x *explainer) story(c requirement.ClockExplanation, unfolded bool) {
	intervals := c.Intervals
	if !unfolded {
		intervals = folded(intervals, c.Timezone)
	}
	lines := x.happened(c)
	for _, v := range intervals {
		counted, total := "", ""
		if v.CountedSeconds > 0 {
			counted, total = x.length(v.CountedSeconds), x.length(v.TotalSeconds)
		}
		share := ""
		if counted != "" && c.TargetSeconds > 0 {
			share = percent(v.Share)
		}
		lines = append(lines, storyLine{v.From, []string{
			x.span(v.From, v.To), x.what(v), counted, total, share, x.holder(v.Owner, v.Department),
		}})
	}
	slices.SortStableFunc(lines, func(a, b storyLine) int { return a.at.Compare(b.at) })
	if x.s.width > 0 && x.s.width < roomForColumns {
		x.narrow(lines)
	} else {
		rows := make([][]string, len(lines))
		for i, l := range lines {
			rows[i] = l.cells
		}
		x.s.table(x.headers("time", "interval", "counted", "total", "share", "held_by"), rows, 1, 5)
	}
	if len(intervals) < len(c.Intervals) && !x.quiet {
		x.s.line(x.s.faint.Render(x.say("cli.sla.explain.folded", nil)))
	}
}

// narrow prints the story in two columns. Who holds the requirement is said where
// it changes, and in what is drawn.
func (x *explainer) narrow(lines []storyLine) {
	var pairs []string
	for _, l := range lines {
		when, what, counted, total, share := l.cells[0], l.cells[1], l.cells[2], l.cells[3], l.cells[4]
		if total != "" {
			total = x.say("cli.sla.explain.so_far", map[string]any{"Total": total})
		}
		pairs = append(pairs, when, x.s.facts(what, counted, total, share))
	}
	x.s.fields(pairs...)
}

// happened are the lines of what happened at an instant.
func (x *explainer) happened(c requirement.ClockExplanation) []storyLine {
	var lines []storyLine
	tell := func(at time.Time, text string) {
		lines = append(lines, storyLine{at, []string{x.time(at), text, "", "", "", ""}})
	}
	for _, h := range c.HandOvers {
		what := ""
		if h.Owner == "" {
			what = x.text.Name("event", string(h.Kind))
		}
		tell(h.At, x.s.facts("→ "+x.holder(h.Owner, h.Department), what, x.say("cli.sla.explain.by", map[string]any{"By": x.person(h.By)}), clean(h.Reason)))
	}
	for i, t := range c.Terms {
		if i > 0 {
			tell(t.At, x.say("cli.sla.explain.retargeted", map[string]any{"Before": x.duration(c.Terms[i-1].Target), "After": x.duration(t.Target)}))
		}
	}
	for _, m := range c.Marks {
		tell(m.At, x.markOf(c, m))
	}
	if c.StoppedAt != nil {
		tell(*c.StoppedAt, x.s.facts(x.say("cli.sla.explain.pointer.end", nil), x.clockState(x.s, c.ClockView)))
	}
	return lines
}

// markOf words a mark that was reached.
func (x *explainer) markOf(c requirement.ClockExplanation, m sla.Fired) string {
	text := x.say("cli.sla.explain.mark", map[string]any{"Mark": m.Mark})
	switch {
	case m.Breach() && c.BreachedAt != nil:
		text = x.s.bad.Render(x.say("cli.sla.explain.ran_out", nil))
	case m.Breach():
		text = x.say("cli.sla.explain.field.deadline", nil)
	case m.Repeated():
		text = x.s.bad.Render(x.text.Name("event", string(requirement.ClockRepeated)))
	}
	if m.Superseded {
		return x.s.facts(text, x.say("cli.sla.explain.untold", nil))
	}
	if late := m.DetectedAt.Sub(m.At); late >= time.Second {
		return x.s.facts(text, x.say("cli.sla.explain.noticed", map[string]any{"Late": x.length(late.Seconds())}))
	}
	return text
}

// span is from when to when; the date is said once where it is one.
func (x *explainer) span(from, to time.Time) string {
	if x.midnight(from) && x.midnight(to) {
		day := func(t time.Time) string { return strings.TrimSpace(x.text.Moment(t, x.zone, "")) }
		if last := to.In(x.zone).AddDate(0, 0, -1); last.After(from) {
			return day(from) + " – " + day(last)
		}
		return day(from)
	}
	if from.In(x.zone).Format(time.DateOnly) == to.In(x.zone).Format(time.DateOnly) {
		return x.time(from) + "–" + to.In(x.zone).Format(x.layout)
	}
	return x.time(from) + " – " + x.time(to)
}

func (x *explainer) midnight(t time.Time) bool {
	t = t.In(x.zone)
	return t.Equal(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, x.zone))
}

// what words what became of an interval.
func (x *explainer) what(v requirement.IntervalView) string {
	name := func(kind string) string { return x.say("cli.sla.explain.kind."+kind, nil) }
	hold := x.s.facts(x.text.Name("role", v.Hold), x.person(v.By), clean(v.Reason))
	switch {
	case v.Kind == sla.IntervalPaused:
		why := hold
		if v.Stage != "" {
			why = x.text.Name("stage", string(v.Stage))
		}
		out := ""
		if v.WorkingSeconds > 0 {
			out = x.say("cli.sla.explain.took_out", map[string]any{"Work": x.length(v.WorkingSeconds)})
		}
		return x.s.facts(x.s.warn.Render(name(string(v.Kind))), out, why)
	case v.Kind == sla.IntervalHoliday:
		return x.s.facts(name(string(v.Kind)), x.text.Holiday(v.Name))
	case v.Kind == sla.IntervalUnknown:
		return x.say("cli.sla.explain.unknown", map[string]any{"Year": v.Name})
	case v.Kind == sla.IntervalOutside:
		return name(string(v.Kind))
	}
	text := name(string(v.Kind))
	if v.Overdue {
		text = x.s.bad.Render(name("overdue"))
	}
	makeup := ""
	if v.Day == sla.MakeupDay {
		makeup = x.say("cli.sla.explain.makeup", map[string]any{"Name": x.text.Holiday(v.Name)})
	}
	why := ""
	if v.HoldCounts != "" {
		why = x.say("cli.sla.explain.hold_counts."+string(v.HoldCounts), map[string]any{"Hold": hold})
	}
	return x.s.facts(text, makeup, why)
}

// shortClosed is closed time that needs no line: nights and breaks.
const shortClosed = 24 * time.Hour

// folded leaves out nights and breaks, and puts what counted on one day into one
// line, unless something else changed meanwhile.
func folded(list []requirement.IntervalView, timezone string) []requirement.IntervalView {
	zone, err := sla.FindZone(timezone)
	if err != nil {
		zone = time.UTC
	}
	sameDay := func(a, b time.Time) bool { return sla.DateOf(a, zone) == sla.DateOf(b, zone) }
	var rows []requirement.IntervalView
	for i, v := range list {
		inside := i > 0 && i < len(list)-1
		if v.Kind == sla.IntervalOutside && inside && v.To.Sub(v.From) < shortClosed {
			continue
		}
		if n := len(rows); n > 0 && v.Kind == sla.IntervalCounted && sameDay(rows[n-1].From, v.From) && alike(rows[n-1], v) {
			last := &rows[n-1]
			last.To = v.To
			last.WorkingSeconds += v.WorkingSeconds
			last.CountedSeconds += v.CountedSeconds
			last.TotalSeconds, last.Share = v.TotalSeconds, v.Share
			continue
		}
		rows = append(rows, v)
	}
	return rows
}

// alike reports whether the same can be said of two intervals.
func alike(a, b requirement.IntervalView) bool {
	b.From, b.To = a.From, a.To
	b.WorkingSeconds, b.CountedSeconds, b.TotalSeconds, b.Share = a.WorkingSeconds, a.CountedSeconds, a.TotalSeconds, a.Share
	return a == b
}
