package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"closeloop/policy"
	"closeloop/sla"
)

func (a *app) policyCommand() *cobra.Command {
	c := a.command("policy", "policy", "closeloop policy lint policy.yaml\ncloseloop policy show -o yaml")
	a.parent(c)
	c.AddCommand(a.policyLintCommand(), a.policyShowCommand(), a.policyApplyCommand())
	return c
}

// knownAhead is for how many days beforehand the holidays of a calendar should be
// known: longer than nearly all targets, and the authorities publish those of a
// year in November of the year before.
const knownAhead = 60

// findings is what a policy file was found to be.
type findings struct {
	File     string           `json:"file"`
	Valid    bool             `json:"valid"`
	Digest   string           `json:"digest,omitempty"`
	Problems policy.Problems  `json:"problems"`
	Warnings []policy.Problem `json:"warnings"`
}

func (a *app) policyLintCommand() *cobra.Command {
	c := a.command("policy.lint", "lint FILE", "closeloop policy lint policy.yaml")
	c.Args = a.takes(1, "FILE")
	c.ValidArgsFunction = cobra.FixedCompletions([]string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt)
	c.RunE = func(_ *cobra.Command, args []string) error {
		f, p, err := lint(args[0])
		if err != nil {
			return err
		}
		if p != nil {
			f.Warnings = append(f.Warnings, p.Expiring(a.now(), knownAhead)...)
		}
		return a.tellFindings(f)
	}
	return c
}

// tellFindings prints what a policy file was found to be; the error says that it
// is none.
func (a *app) tellFindings(f findings) error {
	err := a.print(f, func(s *screen) {
		for _, p := range f.Problems {
			s.line(s.bad.Render(a.say("cli.policy.problem", nil)), " ", clean(p.Error()))
		}
		for _, w := range f.Warnings {
			s.line(s.warn.Render(a.say("cli.policy.warning", nil)), " ", clean(w.Error()))
		}
		if f.Valid && !a.quiet {
			s.line(s.good.Render(a.say("cli.policy.valid", map[string]any{"File": f.File, "Digest": f.Digest})))
		}
	})
	if err == nil && !f.Valid {
		return &failure{
			exitFailure, "policy",
			a.say("cli.policy.invalid", map[string]any{"File": f.File, "Count": len(f.Problems)}),
			a.say("cli.hint.policy", nil),
		}
	}
	return err
}

// lint checks a policy file. The policy is nil when it is not valid.
func lint(path string) (findings, *policy.Policy, error) {
	f := findings{File: path, Problems: policy.Problems{}, Warnings: []policy.Problem{}}
	p, err := policy.Load(path)
	if problems, ok := errors.AsType[policy.Problems](err); ok {
		f.Problems = problems
		return f, nil, nil
	}
	if errors.Is(err, os.ErrNotExist) {
		return f, nil, &failure{exitNotFound, "not_found", err.Error(), ""}
	}
	if err != nil {
		return f, nil, err
	}
	f.Valid, f.Digest = true, p.Digest
	f.Warnings = append(f.Warnings, p.Warnings()...)
	return f, p, nil
}

func (a *app) policyShowCommand() *cobra.Command {
	var file string
	c := a.command("policy.show", "show", "closeloop policy show\ncloseloop policy show --file examples/policy-fast.yaml -o json")
	c.Args = a.takes(0)
	a.flags(c).file(&file, "file", "yaml", "yml")
	c.RunE = func(*cobra.Command, []string) error {
		if file != "" {
			a.env[envPolicy] = file
		}
		p, err := a.policy()
		if file != "" && errors.Is(err, os.ErrNotExist) {
			return &failure{exitNotFound, "not_found", err.Error(), ""}
		}
		if err != nil {
			return err
		}
		return a.print(p, func(s *screen) { a.showPolicy(s, p) })
	}
	return c
}

// showPolicy is the policy in short: what is promised, who decides, who works.
func (a *app) showPolicy(s *screen, p *policy.Policy) {
	name := a.env[envPolicy]
	if name == "" {
		name = a.say("cli.policy.built_in", nil)
	}
	s.fields(
		a.say("cli.policy.source", nil), name,
		a.say("cli.policy.digest", nil), p.Digest,
		a.say("cli.policy.types", nil), a.names("type", p.Types),
		a.say("cli.policy.channels", nil), a.names("channel", p.Process.Channels),
		a.say("cli.policy.holds", nil), joined(p.HoldKinds()),
	)

	s.title(a.say("cli.policy.clocks", nil))
	var rows [][]string
	for _, c := range p.Clocks {
		rows = append(rows, []string{a.text.Name("clock", string(c.Name)), a.text.Target(c.Target), "", c.Calendar, a.pausing(c), c.Chain})
		for _, t := range c.Targets {
			rows = append(rows, []string{"", a.text.Target(t.Target), a.when(t.When), "", "", ""})
		}
		for _, t := range c.Caps {
			rows = append(rows, []string{"", a.say("cli.policy.at_most", map[string]any{"Target": a.text.Target(t.Target)}), a.when(t.When), "", "", ""})
		}
	}
	s.table(a.headers("clock", "target", "when", "calendar", "on_hold", "chain"), rows, 4, 2)

	a.showWorkingTime(s, p)

	s.title(a.say("cli.policy.approvals", nil))
	rows = nil
	for _, r := range p.Approvals {
		rows = append(rows, []string{r.Name, a.when(r.When), joined(r.Seats), string(r.Need), string(r.OnTimeout)})
	}
	s.table(a.headers("rule", "when", "seats", "need", "on_timeout"), rows, 2, 1)

	s.title(a.say("cli.policy.chains", nil))
	rows = nil
	for _, c := range p.Chains {
		for i, l := range c.Levels {
			name := ""
			if i == 0 {
				name = c.Name
			}
			rows = append(rows, []string{name, fmt.Sprint(i + 1), joined(l.People), a.text.Target(l.AcknowledgeWithin), l.Calendar})
		}
	}
	s.table(a.headers("chain", "level", "people", "acknowledge_within", "calendar"), rows)

	s.title(a.say("cli.policy.departments", nil))
	rows = nil
	for _, d := range p.Departments {
		rows = append(rows, []string{d.ID, a.pick(d.Name, d.NameEN), d.Head, d.Tracker})
	}
	s.table(a.headers("id", "name", "head", "tracker"), rows)

	s.title(a.say("cli.policy.people", nil))
	rows = nil
	for _, person := range p.People {
		rows = append(rows, []string{
			person.ID, a.pick(person.Name, person.NameEN), person.Department,
			a.names("role", person.Roles), person.Substitute,
		})
	}
	s.table(a.headers("id", "name", "department", "roles", "substitute"), rows, 3)

	if len(p.Upstreams) > 0 {
		s.title(a.say("cli.policy.upstreams", nil))
		rows = nil
		for _, u := range p.Upstreams {
			var own []string
			for _, f := range u.Fields {
				own = append(own, f.Field)
			}
			on := fmt.Sprintf("commented: %s, reopened: %s, closed: %s, deleted: %s, updated: %s",
				u.On.Commented, u.On.Reopened, u.On.Closed, u.On.Deleted, u.On.Updated)
			target := ""
			if u.WriteBack != nil {
				target = u.WriteBack.URL
			}
			rows = append(rows, []string{u.Name, string(u.Kind), joined(own), on, clean(target)})
		}
		s.table(a.headers("name", "kind", "fields", "reactions", "write_back"), rows, 3, 4)
	}
}

// showWorkingTime are the calendars there are, and the years of those holidays
// that calendars in use observe.
func (a *app) showWorkingTime(s *screen, p *policy.Policy) {
	calendars, err := a.calendarRows(p)
	if err != nil {
		// A policy with such a calendar is not loaded.
		return
	}
	s.title(a.say("cli.policy.calendars", nil))
	a.showCalendars(s, calendars)

	var rows [][]string
	var sets []string
	for _, t := range p.Process.Calendars {
		if t.HolidaysOf == "" || slices.Contains(sets, t.HolidaysOf) {
			continue
		}
		sets = append(sets, t.HolidaysOf)
		for _, y := range p.HolidayYears(t.HolidaysOf) {
			own := slices.ContainsFunc(p.Holidays, func(o sla.HolidayYear) bool { return o.Set == y.Set && o.Year == y.Year })
			rows = append(rows, []string{y.Set, fmt.Sprint(y.Year), fmt.Sprint(len(y.Off)), fmt.Sprint(len(y.Work)), a.origin(!own)})
		}
	}
	if len(rows) > 0 {
		s.title(a.say("cli.policy.holidays", nil))
		s.table(a.headers("name", "year", "days_off", "makeup_days", "from"), rows)
	}
}

// pausing says which holds pause a clock, and for how long at most.
func (a *app) pausing(c policy.ClockRule) string {
	if len(c.PausesOnHold) == 0 {
		return a.say("cli.policy.runs_on", nil)
	}
	kinds, limit := "", ""
	if !slices.Equal(c.PausesOnHold, policy.AllHolds) {
		kinds = joined([]string(c.PausesOnHold))
	}
	if !c.MaxPause.IsZero() {
		limit = a.say("cli.policy.at_most", map[string]any{"Target": a.text.Target(c.MaxPause)})
	}
	s := &screen{}
	return s.facts(a.say("cli.policy.pauses", nil), kinds, limit)
}

// when words a condition.
func (a *app) when(w policy.When) string {
	s := &screen{}
	return s.facts(
		a.names("priority", w.Priority), a.names("urgency", w.Urgency), a.names("tier", w.Tier),
		a.names("type", w.Type), a.names("channel", w.Channel),
	)
}

// names are the names of values, in a list.
func (a *app) names(kind string, values []string) string {
	named := make([]string, len(values))
	for i, v := range values {
		named[i] = a.text.Name(kind, v)
	}
	return joined(named)
}

// headers are the heads of a table's columns.
func (a *app) headers(columns ...string) []string {
	for i, c := range columns {
		columns[i] = a.say("cli.column."+c, nil)
	}
	return columns
}
