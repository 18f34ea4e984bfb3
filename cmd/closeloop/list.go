package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"closeloop/ledger"
	"closeloop/requirement"
	"closeloop/sla"
)

// listColumns are the columns of a list in CSV: the names of the JSON fields.
var listColumns = []string{
	"id", "title", "customer", "stage", "status", "on_hold", "priority", "urgency", "type", "tier", "channel",
	"department", "owner", "tracker", "next_deadline", "breached", "waiting_for", "created_at", "updated_at", "closed_at",
}

// listFlags are the filters as they are typed.
type listFlags struct {
	stages, statuses, priorities   []string
	departments, owners, customers []string
	breached, onHold, open         bool
	dueWithin, search, cursor      string
	limit                          int
}

func (a *app) listCommand() *cobra.Command {
	var f listFlags
	c := a.command("list", "list",
		"closeloop list\n"+
			"closeloop list --due-within 2h --priority high\n"+
			"closeloop list --stage executing,confirming --owner wu.lei\n"+
			"closeloop list --breached -o csv > breached.csv")
	c.Args = a.takes(0)
	c.Annotations[listing] = "yes"
	fs := a.flags(c)
	a.narrowing(fs, &f)
	fs.number(&f.limit, "limit")
	fs.text(&f.cursor, "cursor")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		filter, err := a.filter(cmd, f)
		if err != nil {
			return err
		}
		books, err := a.open(cmd.Context())
		if err != nil {
			return err
		}
		defer books.Close()
		page, err := books.List(cmd.Context(), filter)
		if err != nil {
			return err
		}
		if err := printList(a, page.Rows, listColumns, func(s *screen) { a.showRows(s, page.Rows) }); err != nil {
			return err
		}
		if page.Next != "" && !a.quiet {
			s := a.screen(a.err)
			s.line(s.faint.Render(a.say("cli.list.more", map[string]any{"Cursor": page.Next})))
		}
		return nil
	}
	return c
}

// narrowing defines the filters.
func (a *app) narrowing(fs flags, f *listFlags) {
	fs.choices(&f.stages, "stage", words(requirement.Stages))
	fs.choices(&f.statuses, "status", words(requirement.Statuses))
	fs.choices(&f.priorities, "priority", requirement.Priorities)
	fs.set.StringSliceVar(&f.departments, "department", nil, fs.usage("department"))
	fs.complete("department", a.completeDepartments)
	fs.set.StringSliceVar(&f.owners, "owner", nil, fs.usage("owner"))
	fs.complete("owner", a.completePeople)
	fs.texts(&f.customers, "customer")
	fs.truth(&f.breached, "breached")
	fs.truth(&f.onHold, "on-hold")
	fs.truth(&f.open, "open")
	fs.text(&f.dueWithin, "due-within")
	fs.text(&f.search, "search")
}

// filter checks the filters and puts them into the ledger's terms.
func (a *app) filter(cmd *cobra.Command, f listFlags) (ledger.Filter, error) {
	filter := ledger.Filter{
		Priorities: f.priorities, Departments: f.departments, Owners: f.owners, Customers: f.customers,
		Breached: f.breached, Open: f.open, Text: f.search, Limit: f.limit, Cursor: f.cursor,
	}
	for _, c := range []struct {
		flag    string
		given   []string
		allowed []string
	}{
		{"stage", f.stages, words(requirement.Stages)},
		{"status", f.statuses, words(requirement.Statuses)},
		{"priority", f.priorities, requirement.Priorities},
	} {
		for _, g := range c.given {
			if !slices.Contains(c.allowed, g) {
				return filter, a.misused(cmd, "not_one_of", map[string]any{"Flag": c.flag, "Value": g, "Allowed": joined(c.allowed)})
			}
		}
	}
	for _, s := range f.stages {
		filter.Stages = append(filter.Stages, requirement.Stage(s))
	}
	for _, s := range f.statuses {
		filter.Statuses = append(filter.Statuses, requirement.Status(s))
	}
	if f.onHold {
		filter.OnHold = &f.onHold
	}
	if f.limit < 0 || f.limit > ledger.MaxLimit {
		return filter, a.misused(cmd, "invalid", map[string]any{
			"Flag": "limit", "Reason": fmt.Sprintf("%d: 1 … %d", f.limit, ledger.MaxLimit),
		})
	}
	if f.dueWithin != "" {
		d, err := sla.ParseDuration(f.dueWithin)
		if err != nil {
			return filter, a.misused(cmd, "invalid", map[string]any{"Flag": "due-within", "Reason": err.Error()})
		}
		// Around the clock, because it is about more calendars than one.
		if filter.DueBy, err = sla.Always.After(a.now().UTC(), d); err != nil {
			return filter, a.misused(cmd, "invalid", map[string]any{"Flag": "due-within", "Reason": err.Error()})
		}
	}
	return filter, nil
}

func (a *app) showRows(s *screen, rows []ledger.Row) {
	if len(rows) == 0 {
		if !a.quiet {
			s.line(a.say("cli.list.none", nil))
		}
		return
	}
	table := make([][]string, len(rows))
	for i, r := range rows {
		stage := a.text.Name("stage", string(r.Stage))
		if r.OnHold {
			stage = s.warn.Render(stage + " · " + a.say("cli.on_hold", nil))
		}
		deadline := a.remaining(s, r.NextDeadline, r.Breached)
		if r.Breached {
			deadline = s.bad.Render("! ") + deadline
		}
		table[i] = []string{
			s.strong.Render(r.ID), short(r.Title, 40), short(r.Customer, 20), stage,
			a.text.Name("status", string(r.Status)), a.priority(s, r.Priority), clean(r.Owner), deadline,
		}
	}
	s.table(a.headers("id", "title", "customer", "stage", "status", "priority", "owner", "next_deadline"), table, 1, 2)
}

func (a *app) priority(s *screen, priority string) string {
	text := a.text.Name("priority", priority)
	switch priority {
	case "high":
		return s.bad.Render(text)
	case "low":
		return s.faint.Render(text)
	default:
		return text
	}
}

// words are values of the domain as flags have them.
func words[T ~string](values []T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return list
}
