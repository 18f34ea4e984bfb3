package main

import (
	"fmt"
	"time"

	"closeloop/requirement"
	"closeloop/sla"
)

// previewAdoption shows which requirements get which new deadlines.
func (a *app) previewAdoption(s *screen, answer applied) {
	if len(answer.Requirements) > 0 {
		var rows [][]string
		for _, r := range answer.Requirements {
			rows = append(rows, a.adoptionRows(s, r)...)
		}
		s.table(a.headers("id", "clock", "target", "deadline", "change"), rows, 4)
		if more := answer.Changed - len(answer.Requirements); more > 0 {
			s.line(s.faint.Render(a.say("cli.policy.apply.more", map[string]any{"Count": more})))
		}
		s.line()
	}
	if answer.Open == answer.Already {
		s.line(a.say("cli.policy.apply.nothing", map[string]any{"Count": answer.Open, "Digest": answer.Policy}))
		if answer.Ended > 0 {
			s.line(a.say("cli.policy.apply.ended", map[string]any{"Count": answer.Ended}))
		}
		return
	}
	s.line(a.say("cli.policy.apply.preview", map[string]any{
		"Count": answer.Open - answer.Already, "Changed": answer.Changed, "Already": answer.Already, "Digest": answer.Policy,
	}))
	var parts []string
	for _, p := range []struct {
		key   string
		count int
	}{
		{"retargeted", answer.Retargeted},
		{"breaching", answer.Breaching},
		{"relieved", answer.Relieved},
		{"appearing", answer.Appearing},
		{"vanishing", answer.Vanishing},
		{"ending", answer.EscalationsEnd},
		{"starting", answer.EscalationsStart},
	} {
		if p.count > 0 {
			parts = append(parts, a.say("cli.policy.apply."+p.key, map[string]any{"Count": p.count}))
		}
	}
	if len(parts) > 0 {
		s.line(s.facts(parts...))
	}
}

// adoptionRows are what changes for one requirement: its clocks, and then what
// becomes of itself and its escalations.
func (a *app) adoptionRows(s *screen, r requirement.Adoption) [][]string {
	var rows [][]string
	id := r.ID
	add := func(clock, target, deadline, change string) {
		rows = append(rows, []string{id, clock, target, deadline, change})
		id = ""
	}
	for _, c := range r.Clocks {
		name := a.text.Name("clock", string(c.Clock))
		if c.Cycle > 1 {
			name += fmt.Sprintf(" (%d)", c.Cycle)
		}
		add(name, arrow(a.targetOf(c.Before), a.targetOf(c.After)), arrow(a.deadlineOf(c.Before), a.deadlineOf(c.After)), a.changeOf(s, c))
	}
	if r.Becomes != "" {
		add("", "", "", s.warn.Render(arrow(a.text.Name("stage", string(r.Stage)), a.text.Name("stage", string(r.Becomes)))))
	}
	if len(r.Ends) > 0 {
		add("", "", "", a.say("cli.policy.apply.ends", map[string]any{"Escalations": joined(r.Ends)}))
	}
	if len(r.Starts) > 0 {
		add("", "", "", s.warn.Render(a.say("cli.policy.apply.starts", map[string]any{"Escalations": joined(r.Starts)})))
	}
	return rows
}

// changeOf words what happens to a clock, the worst first.
func (a *app) changeOf(s *screen, c requirement.ClockChange) string {
	switch {
	case c.Breaches:
		return s.bad.Render(a.say("cli.policy.apply.breaches", nil))
	case c.Relieved:
		return a.say("cli.policy.apply.relieves", nil)
	case c.Change == requirement.ClockRetargets && c.Before.Calendar != c.After.Calendar:
		return a.say("cli.policy.apply.calendar", map[string]any{"Calendar": arrow(c.Before.Calendar, c.After.Calendar)})
	case c.Change == requirement.ClockRepaces:
		return arrow(a.text.Name("clock_state", string(c.Before.State)), a.text.Name("clock_state", string(c.After.State)))
	default:
		return a.say("cli.policy.apply."+string(c.Change), nil)
	}
}

func (a *app) targetOf(t *requirement.ClockTerms) string {
	if t == nil {
		return ""
	}
	d, err := sla.ParseDuration(t.Target)
	if err != nil {
		return t.Target
	}
	return a.text.Target(d)
}

// deadlineOf words a deadline, or why there is none.
func (a *app) deadlineOf(t *requirement.ClockTerms) string {
	switch {
	case t == nil:
		return ""
	case t.Deadline != nil:
		return a.at(t.Deadline.Truncate(time.Second))
	case t.Lacks != nil:
		return a.say("cli.policy.apply.undated", map[string]any{"Calendar": t.Lacks.Calendar, "Year": t.Lacks.Year})
	default:
		return a.text.Name("clock_state", string(t.State))
	}
}

// arrow shows a change; what stays is shown once, what is missing left out.
func arrow(before, after string) string {
	switch {
	case before == after, after == "":
		return before
	case before == "":
		return after
	default:
		return before + " → " + after
	}
}

// showApplied says how far it got, and what new requirements live by.
func (a *app) showApplied(s *screen, answer applied, path string) {
	for i, u := range answer.Failed {
		if i == applyShown {
			s.line(s.faint.Render("  " + a.say("cli.policy.apply.more_unreached", map[string]any{"Count": len(answer.Failed) - i})))
			break
		}
		s.line(s.bad.Render("✗ "), u.ID, ": ", clean(u.Reason))
	}
	s.line(s.good.Render(a.say("cli.policy.apply.done", map[string]any{"Count": answer.Applied, "Digest": answer.Policy})))
	if answer.Ended > 0 {
		s.line(a.say("cli.policy.apply.ended", map[string]any{"Count": answer.Ended}))
	}
	if a.quiet {
		return
	}
	if here, err := a.policy(); err != nil || here.Digest != answer.Policy {
		s.line(s.faint.Render(a.say("cli.policy.apply.new_ones", map[string]any{"File": path})))
	}
}
