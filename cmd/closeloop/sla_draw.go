package main

import (
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"closeloop/requirement"
)

// indent of what is drawn.
const indent = "  "

// manyDays is the length of a way from which its ruler has dates instead of
// times of day.
const manyDays = 36 * time.Hour

// draw draws a clock's way: the bar, dates, who held the requirement, marks.
func (x *explainer) draw(c requirement.ClockExplanation) {
	s := x.s
	if len(c.Intervals)+len(c.Ahead) == 0 {
		return
	}
	width := x.width - 2*len(indent)
	holiday := x.say("cli.sla.explain.sign.holiday", nil)
	t := newTimeline(c, width, lipgloss.Width(holiday))
	show := func(line string) {
		if line != "" {
			s.line(indent, line)
		}
	}
	show(t.bar(holiday, x.coloured))
	show(s.faint.Render(t.ruled(x.ruler(&t), false)))
	show(t.ruled(x.holders(&t, c), true))
	for _, line := range t.pointed(x.pointers(&t, c), width) {
		show(line)
	}
	show(s.faint.Render(x.legend(&t, holiday)))
}

// coloured gives a sign its colour.
func (x *explainer) coloured(sign sign, text string) string {
	switch sign {
	case signOverdue, signUnknown:
		return x.s.bad.Render(text)
	case signCounted:
		return x.s.good.Render(text)
	case signPaused:
		return x.s.warn.Render(text)
	default:
		return x.s.faint.Render(text)
	}
}

// ruler are the dates, or the times of day on a short way.
func (x *explainer) ruler(t *timeline) []label {
	from, to := t.parts[0].From, t.parts[len(t.parts)-1].To
	if to.Sub(from) < manyDays {
		layout, _, _ := strings.Cut(layoutOf(to.Sub(from)), ".")
		labels := []label{{0, x.text.Date(from, x.zone) + " " + from.In(x.zone).Format(layout)}}
		for _, at := range t.hours(x.zone, len(layout)+3) {
			labels = append(labels, label{t.column(at), at.In(x.zone).Format(layout)})
		}
		return labels
	}
	var labels []label
	month, end := time.Month(0), 0
	for _, at := range t.days(x.zone) {
		text, column := at.In(x.zone).Format("2"), t.workday(at)
		if at.Month() != month {
			text = x.text.Date(at, x.zone)
		}
		if len(labels) > 0 && (column < end || column >= t.width) {
			continue
		}
		month, end = at.Month(), column+len(text)+2
		labels = append(labels, label{column, text})
	}
	return labels
}

// holders are who held the requirement, from where on.
func (x *explainer) holders(t *timeline, c requirement.ClockExplanation) []label {
	var labels []label
	for i, v := range c.Intervals {
		if i > 0 && v.Owner == c.Intervals[i-1].Owner && v.Department == c.Intervals[i-1].Department {
			continue
		}
		text := x.holder(v.Owner, v.Department)
		at := t.column(v.From)
		if n := len(labels); n > 0 && labels[n-1].at == at {
			labels = labels[:n-1]
		}
		labels = append(labels, label{at, text})
	}
	return labels
}

// pointers are the marks, the deadline, changes of the target, and the end.
func (x *explainer) pointers(t *timeline, c requirement.ClockExplanation) []label {
	var labels []label
	point := func(at time.Time, text string) { labels = append(labels, label{t.column(at), text}) }
	for _, m := range c.Marks {
		if !m.Superseded && !m.Repeated() && !m.Breach() {
			point(m.At, m.Mark)
		}
	}
	for i, terms := range c.Terms {
		if i > 0 {
			point(terms.At, x.say("cli.sla.explain.pointer.target", map[string]any{"Target": x.duration(terms.Target)}))
		}
	}
	deadline := x.say("cli.sla.explain.field.deadline", nil)
	if c.Deadline != nil && (c.StoppedAt == nil || !c.Deadline.After(*c.StoppedAt)) {
		point(*c.Deadline, deadline)
	}
	if c.BreachedAt != nil && (c.Deadline == nil || !c.Deadline.Equal(*c.BreachedAt)) {
		point(*c.BreachedAt, x.say("cli.sla.explain.field.breach", nil))
	}
	switch {
	case c.StoppedAt != nil:
		point(*c.StoppedAt, x.say("cli.sla.explain.pointer.end", nil))
	default:
		point(x.at, x.say("cli.sla.explain.pointer.now", nil))
	}
	return labels
}

// legend explains the signs that are drawn, and the scale.
func (x *explainer) legend(t *timeline, holiday string) string {
	var known []string
	for _, sign := range signs {
		if t.has(sign) {
			drawn := string(sign)
			if sign == signHoliday {
				drawn = holiday
			}
			known = append(known, drawn+" "+x.say("cli.sla.explain.kind."+signNames[sign], nil))
		}
	}
	length := x.text.Duration(t.scale)
	if t.scale < time.Second {
		length = t.scale.String()
	}
	scale := x.say("cli.sla.explain.scale", map[string]any{"Length": length})
	return strings.Join(append(known, scale), "  ")
}

// signNames are the names of signs in the catalogue.
var signNames = map[sign]string{
	signCounted: "counted", signOverdue: "overdue", signPaused: "paused", signOutside: "outside_hours",
	signHoliday: "holiday", signUnknown: "unknown", signAhead: "ahead",
}
