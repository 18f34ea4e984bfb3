package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"closeloop/requirement"
	"closeloop/sla"
)

func (a *app) slaExplainCommand() *cobra.Command {
	var which requirement.Which
	var clock, at string
	var unfolded bool
	c := a.command("sla.explain", "explain ID", "closeloop sla explain REQ-7K2M9QXA\n"+
		"closeloop sla explain 7k2m9qxa --clock resolution --cycle 2 -o json\n"+
		`closeloop sla explain 7k2m9qxa --at "2026-10-09 18:00"`)
	c.Args = a.takes(1, "ID")
	c.ValidArgsFunction = a.completeIDs("")
	f := a.flags(c)
	f.choice(&clock, "clock", clockNames())
	f.number(&which.Cycle, "cycle")
	f.text(&at, "at")
	f.truth(&which.All, "all")
	f.truth(&unfolded, "unfolded")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		id, err := a.requirementID(args[0])
		if err != nil {
			return err
		}
		if which.Clock = sla.Name(clock); clock != "" && !slices.Contains(sla.Names, which.Clock) {
			return a.misused(cmd, "not_one_of", map[string]any{"Flag": "clock", "Value": clock, "Allowed": joined(sla.Names)})
		}
		if which.Cycle < 0 {
			return a.misused(cmd, "invalid", map[string]any{"Flag": "cycle", "Reason": fmt.Sprint(which.Cycle)})
		}
		instant, err := a.instant(cmd, "at", at)
		if err != nil {
			return err
		}
		e, err := a.explanation(cmd.Context(), id, which, instant)
		if err != nil {
			return err
		}
		return a.print(e, func(s *screen) { a.showExplanation(s, e, unfolded) })
	}
	return c
}

func clockNames() []string {
	names := make([]string, len(sla.Names))
	for i, n := range sla.Names {
		names[i] = string(n)
	}
	return names
}

// instant reads the instant that a flag names; now when it names none. One
// without an offset is meant in the person's zone.
func (a *app) instant(cmd *cobra.Command, flag, text string) (time.Time, error) {
	if text == "" {
		return a.now().UTC(), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC(), nil
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, a.zone); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, a.misused(cmd, "instant", map[string]any{"Flag": flag, "Value": text})
}

// explanation reads the ledger: nobody else has the whole story.
func (a *app) explanation(ctx context.Context, id string, which requirement.Which, at time.Time) (requirement.Explanation, error) {
	books, err := a.open(ctx)
	if err != nil {
		return requirement.Explanation{}, err
	}
	defer books.Close()
	record, err := books.Account(ctx, id)
	if err != nil {
		return requirement.Explanation{}, err
	}
	e, err := requirement.Explain(record, which, at)
	if err != nil || len(e.Clocks) > 0 {
		return e, err
	}
	params := map[string]any{"ID": id, "Clock": a.text.Name("clock", string(which.Clock)), "Cycle": which.Cycle, "At": a.at(at)}
	there := make([]string, len(e.Others))
	for i, o := range e.Others {
		there[i] = fmt.Sprintf("%s %d", o.Name, o.Cycle)
	}
	hint := ""
	if len(there) > 0 {
		hint = a.say("cli.sla.explain.there_is", map[string]any{"Clocks": strings.Join(there, ", ")})
	}
	return e, &failure{exitNotFound, "not_found", a.say("cli.sla.explain.no_clock", params), hint}
}

// widthElsewhere is the width of what is drawn where there is no terminal.
const widthElsewhere = 80

func (a *app) showExplanation(s *screen, e requirement.Explanation, unfolded bool) {
	x := &explainer{app: a, s: s, people: a.people(), at: e.At, width: s.width}
	if x.width == 0 {
		x.width = widthElsewhere
	}
	s.line(s.strong.Render(e.ID), "  ", s.strong.Render(clean(e.Title)))
	s.line(s.facts(
		a.text.Name("stage", string(e.Stage)), x.holder(e.Owner, e.Department),
		a.say("cli.sla.explain.as_of", map[string]any{"At": a.at(e.At)}),
	))
	for _, c := range e.Clocks {
		x.clock(c, unfolded)
	}
	if len(e.Others) > 0 && !a.quiet {
		others := make([]string, len(e.Others))
		for i, o := range e.Others {
			others[i] = a.say("cli.sla.explain.other", map[string]any{
				"Clock": x.named(o.Name, o.Cycle), "State": a.text.Name("clock_state", string(o.State)),
			})
		}
		s.line()
		s.line(s.faint.Render(a.say("cli.sla.explain.others", map[string]any{"Clocks": strings.Join(others, gap)})))
	}
}

// explainer words explanations for people.
type explainer struct {
	*app
	s      *screen
	people []person
	at     time.Time
	width  int
	// layout is that of times of day: seconds tell on a short way, and parts of them
	// on a very short one.
	layout string
}

// layoutOf is the layout for times of day on a way of that length.
func layoutOf(way time.Duration) string {
	switch {
	case way < time.Minute:
		return "15:04:05.0"
	case way < 10*time.Minute:
		return time.TimeOnly
	default:
		return "15:04"
	}
}

func (x *explainer) clock(c requirement.ClockExplanation, unfolded bool) {
	s := x.s
	end := x.at
	if c.StoppedAt != nil {
		end = *c.StoppedAt
	}
	x.layout = layoutOf(end.Sub(c.StartedAt))
	s.line()
	s.line(s.head.Render(x.named(c.Name, c.Cycle)), "  ", x.clockState(s, c.ClockView))
	x.why(c)
	s.line()
	x.draw(c)
	s.line()
	x.story(c, unfolded)
	x.used(c)
}

func (x *explainer) named(name sla.Name, cycle int) string {
	text := x.text.Name("clock", string(name))
	if cycle > 1 {
		text += fmt.Sprintf(" (%d)", cycle)
	}
	return text
}

// person is somebody's name alone.
func (x *explainer) person(id string) string {
	name, _, _ := strings.Cut(x.withName(x.people, x.actor(id)), " (")
	return name
}

// holder is who holds a requirement.
func (x *explainer) holder(owner, department string) string {
	switch {
	case owner == "" && department == "":
		return x.say("cli.sla.explain.nobody", nil)
	case owner == "":
		return x.team(department)
	case department == "":
		return x.person(owner)
	default:
		return x.say("cli.sla.explain.holder", map[string]any{"Owner": x.person(owner), "Department": x.team(department)})
	}
}

// team is a department's name alone.
func (x *explainer) team(id string) string {
	name, _, _ := strings.Cut(x.department(id), " (")
	return name
}

// length words seconds; of few of them also the parts, where they tell.
func (x *explainer) length(seconds float64) string {
	if math.Abs(seconds) < 60 && seconds != 0 {
		tenths := strconv.FormatFloat(math.Round(math.Abs(seconds)*10)/10, 'f', -1, 64)
		if tenths != "0" {
			return x.say("duration.seconds", map[string]any{"N": tenths})
		}
	}
	return x.text.Duration(time.Duration(math.Round(seconds * float64(time.Second))))
}

// time is an instant within the story of a clock, whose head has said the year.
func (x *explainer) time(t time.Time) string { return x.text.Moment(t, x.zone, x.layout) }

// full is an instant with everything that tells.
func (x *explainer) full(t time.Time) string {
	if x.layout != "15:04" {
		return x.time(t)
	}
	return x.app.at(t)
}

// why explains the deadline.
func (x *explainer) why(c requirement.ClockExplanation) {
	s := x.s
	field := func(name string) string { return x.say("cli.sla.explain.field."+name, nil) }
	pairs := []string{field("target"), x.targetOf(c), field("calendar"), x.calendarOf(c)}
	for i, t := range c.Terms {
		if i > 0 {
			pairs = append(pairs, field("changed"), x.change(c.Terms[i-1], t))
		}
	}
	pairs = append(pairs, field("start"), x.full(c.StartedAt))
	deadline, without := x.undated(c), ""
	if c.Deadline != nil {
		deadline = x.full(*c.Deadline)
	}
	if c.PausedSeconds > 0 && c.DeadlineWithoutPauses != nil {
		params := map[string]any{"Due": x.full(*c.DeadlineWithoutPauses), "Work": x.length(c.PausedSeconds)}
		without = x.say("cli.sla.explain.put_off", params)
	}
	used := x.say("cli.sla.explain.used", map[string]any{"Used": x.length(c.ElapsedSeconds), "Target": x.length(c.TargetSeconds)})
	if c.TargetSeconds > 0 {
		used = s.facts(used, percent(c.ElapsedSeconds/c.TargetSeconds))
	}
	if c.StoppedAt == nil && c.TargetSeconds > 0 {
		used = s.facts(used, x.remains(c))
	}
	breach := ""
	if b := c.Breach; b != nil {
		breach = s.bad.Render(x.say("cli.sla.explain.breach", map[string]any{"At": x.full(b.At), "Holder": x.holder(b.Owner, b.Department)}))
		breach += gap + x.noticed(b)
	}
	s.fields(append(pairs, field("deadline"), deadline, "", without, field("used"), used, field("breach"), breach)...)
}

// remains says what is left of the target, in working time.
func (x *explainer) remains(c requirement.ClockExplanation) string {
	params := map[string]any{"Duration": x.length(c.RemainingSeconds)}
	switch {
	case c.RemainingSeconds < 0:
		return x.s.bad.Render(x.say("duration.overdue", params))
	case c.RemainingSeconds < soon*c.TargetSeconds:
		return x.s.warn.Render(x.say("duration.left", params))
	default:
		return x.s.good.Render(x.say("duration.left", params))
	}
}

func percent(share float64) string { return fmt.Sprintf("%d%%", int(share*100+1e-9)) }

// noticed says when a breach was found, and by whom it was held then if that
// was somebody else.
func (x *explainer) noticed(b *requirement.BreachView) string {
	text := x.say("cli.sla.explain.noticed", map[string]any{"Late": x.length(b.LateSeconds)})
	if b.DetectedOwner != b.Owner || b.DetectedDepartment != b.Department {
		holder := x.holder(b.DetectedOwner, b.DetectedDepartment)
		text += gap + x.say("cli.sla.explain.noticed_with", map[string]any{"Holder": holder})
	}
	return text
}

// targetOf says what the target means.
func (x *explainer) targetOf(c requirement.ClockExplanation) string {
	params := map[string]any{"Target": x.duration(c.Target), "Work": x.length(c.TargetSeconds)}
	if c.Due != nil {
		params["Due"] = x.full(*c.Due)
	}
	text := x.say("cli.sla.explain.basis."+string(c.Basis), params)
	if c.MaxPauseSeconds > 0 {
		text = x.s.facts(text, x.say("cli.sla.explain.max_pause", map[string]any{"Limit": x.length(c.MaxPauseSeconds)}))
	}
	return text
}

// calendarOf names the calendar and its zone, and the reader's where they differ.
func (x *explainer) calendarOf(c requirement.ClockExplanation) string {
	if c.Calendar == sla.AlwaysOpen {
		return x.say("cli.sla.explain.always", map[string]any{"Calendar": c.Calendar})
	}
	return x.say("cli.sla.explain.calendar", map[string]any{"Calendar": c.Calendar, "Zone": c.Timezone})
}

// shownDigest is how much of the digest of rules people are shown.
const shownDigest = 12

// change says which terms replaced which, when, by whom and why.
func (x *explainer) change(before, t requirement.TermsView) string {
	params := map[string]any{
		"At": x.time(t.At), "Before": x.duration(before.Target), "After": x.duration(t.Target),
		"By": x.person(t.By), "Cause": x.text.Name("event", string(t.Cause)),
	}
	if before.Calendar != t.Calendar {
		params["Before"], params["After"] = params["Before"].(string)+" "+before.Calendar, params["After"].(string)+" "+t.Calendar
	}
	switch {
	case t.Priority != "":
		params["Detail"] = x.text.Name("priority", t.PriorityBefore) + " → " + x.text.Name("priority", t.Priority)
	case t.Policy != "":
		params["Detail"] = short(t.PolicyBefore, shownDigest) + " → " + short(t.Policy, shownDigest)
	}
	return x.s.facts(x.say("cli.sla.explain.change", params), clean(t.Reason))
}

// duration words a target.
func (x *explainer) duration(text string) string {
	d, err := sla.ParseDuration(text)
	if err == nil && d.WorkingDays == 0 {
		return x.length(d.Time.Seconds())
	}
	return x.target(requirement.ClockView{Target: text})
}

// undated says why there is no deadline.
func (x *explainer) undated(c requirement.ClockExplanation) string {
	switch {
	case c.Lacks != nil && c.Lacks.Year != 0:
		return x.s.warn.Render(x.say("cli.sla.explain.lacks_year", map[string]any{"Calendar": c.Lacks.Calendar, "Year": c.Lacks.Year}))
	case c.Lacks != nil:
		return x.s.warn.Render(x.say("cli.sla.explain.lacks_hours", map[string]any{"Calendar": c.Lacks.Calendar}))
	case c.State == sla.Paused:
		return x.s.warn.Render(x.say("cli.sla.explain.while_paused", nil))
	default:
		return x.say("cli.sla.explain.no_deadline", nil)
	}
}

// used says who used how much of the time.
func (x *explainer) used(c requirement.ClockExplanation) {
	if c.ElapsedSeconds == 0 || len(c.Holders) < 2 {
		return
	}
	x.s.line()
	var rows [][]string
	row := func(department, owner string, u requirement.Use) {
		overdue, paused := "", ""
		if u.OverdueSeconds > 0 {
			overdue = x.s.bad.Render(x.length(u.OverdueSeconds))
		}
		if u.PausedSeconds > 0 {
			paused = x.length(u.PausedSeconds)
		}
		rows = append(rows, []string{department, owner, x.length(u.CountedSeconds), percent(u.Share), overdue, paused})
	}
	for _, d := range c.Departments {
		name := ""
		if d.Department != "" {
			name = x.team(d.Department)
		}
		var owners []requirement.Use
		for _, h := range c.Holders {
			if h.Department == d.Department {
				owners = append(owners, h)
			}
		}
		if len(owners) == 1 {
			row(name, x.ownerOf(owners[0]), d)
			continue
		}
		row(name, "", d)
		for _, h := range owners {
			row("", x.ownerOf(h), h)
		}
	}
	x.s.table(x.headers("department", "owner", "counted", "share", "overdue", "paused"), rows)
}

func (x *explainer) ownerOf(u requirement.Use) string {
	return x.holder(*u.Owner, "")
}
