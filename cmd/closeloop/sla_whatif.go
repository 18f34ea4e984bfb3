package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"closeloop/sla"
	"closeloop/whatif"
)

// whatIfColumns are the columns of the changed promises in CSV.
var whatIfColumns = []string{
	"id", "clock", "cycle", "priority", "department",
	"old_verdict", "old_deadline", "old_late_seconds", "new_verdict", "new_deadline", "new_late_seconds",
}

// whatIfShown is how many changed promises the table shows when nobody says.
const whatIfShown = 20

// whatIfFlags are the flags as they are typed.
type whatIfFlags struct {
	policy, since, until, at string
	clocks                   []string
	limit                    int
}

func (a *app) slaWhatIfCommand() *cobra.Command {
	var f whatIfFlags
	c := a.command("sla.whatif", "whatif", "closeloop sla whatif --policy new.yaml\n"+
		"closeloop sla whatif --policy new.yaml --since 2026-01-01 --until 2026-07-01 --clock response,resolution\n"+
		"closeloop sla whatif --policy new.yaml --limit 1000 -o csv > changed.csv")
	c.Args = a.takes(0)
	c.Annotations[listing] = "yes"
	fs := a.flags(c)
	fs.file(&f.policy, "policy", "yaml", "yml")
	fs.text(&f.since, "since")
	fs.text(&f.until, "until")
	fs.choices(&f.clocks, "clock", clockNames())
	fs.text(&f.at, "at")
	fs.number(&f.limit, "limit")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		q, span, err := a.question(cmd, f)
		if err != nil {
			return err
		}
		books, err := a.open(cmd.Context())
		if err != nil {
			return err
		}
		defer books.Close()
		answer, err := whatif.Ask(cmd.Context(), q, func(ctx context.Context, each func(whatif.Life) error) error {
			return books.Lives(ctx, span.From, span.To, each)
		})
		if err != nil {
			return err
		}
		if a.output == formatCSV || a.output == formatNDJSON {
			return printList(a, flattened(answer.Changed), whatIfColumns, nil)
		}
		return a.print(answer, func(s *screen) { a.showWhatIf(s, answer) })
	}
	return c
}

// question checks the flags. Both ends of the span may be zero: then it is open.
func (a *app) question(cmd *cobra.Command, f whatIfFlags) (whatif.Question, sla.Span, error) {
	q, span := whatif.Question{Limit: f.limit}, sla.Span{}
	if f.policy == "" {
		return q, span, a.misused(cmd, "missing", map[string]any{"Flag": "policy"})
	}
	if f.limit < 0 {
		return q, span, a.misused(cmd, "invalid", map[string]any{"Flag": "limit", "Reason": strconv.Itoa(f.limit)})
	}
	if !cmd.Flags().Changed("limit") {
		q.Limit = whatIfShown
	}
	for _, name := range f.clocks {
		if !slices.Contains(sla.Names, sla.Name(name)) {
			return q, span, a.misused(cmd, "not_one_of", map[string]any{"Flag": "clock", "Value": name, "Allowed": joined(sla.Names)})
		}
		q.Clocks = append(q.Clocks, sla.Name(name))
	}
	for _, end := range []struct {
		flag, text string
		at         *time.Time
	}{{"since", f.since, &span.From}, {"until", f.until, &span.To}} {
		if end.text == "" {
			continue
		}
		at, err := a.instant(cmd, end.flag, end.text)
		if err != nil {
			return q, span, err
		}
		*end.at = at
	}
	if !span.From.IsZero() && !span.To.IsZero() && !span.From.Before(span.To) {
		return q, span, a.misused(cmd, "whatif_span", map[string]any{"Since": f.since, "Until": f.until})
	}
	at, err := a.instant(cmd, "at", f.at)
	if err != nil {
		return q, span, err
	}
	// Now itself has passed by the time it is looked at.
	if f.at != "" && at.Before(a.now()) {
		return q, span, a.misused(cmd, "whatif_past", map[string]any{"At": f.at})
	}
	found, rules, err := lint(f.policy)
	if err != nil {
		return q, span, err
	}
	if !found.Valid {
		return q, span, a.tellFindings(found)
	}
	q.Rules, q.At = rules.Process, at
	return q, span, nil
}

// changedRow is a changed promise in one line.
type changedRow struct {
	ID             string         `json:"id"`
	Clock          sla.Name       `json:"clock"`
	Cycle          int            `json:"cycle"`
	Priority       string         `json:"priority"`
	Department     string         `json:"department"`
	OldVerdict     whatif.Verdict `json:"old_verdict"`
	OldDeadline    *time.Time     `json:"old_deadline"`
	OldLateSeconds float64        `json:"old_late_seconds"`
	NewVerdict     whatif.Verdict `json:"new_verdict"`
	NewDeadline    *time.Time     `json:"new_deadline"`
	NewLateSeconds float64        `json:"new_late_seconds"`
}

func flattened(changes []whatif.Change) []changedRow {
	rows := make([]changedRow, len(changes))
	for i, c := range changes {
		rows[i] = changedRow{
			c.ID, c.Clock, c.Cycle, c.Priority, c.Department,
			c.Old.Verdict, c.Old.Deadline, c.Old.LateSeconds, c.New.Verdict, c.New.Deadline, c.New.LateSeconds,
		}
	}
	return rows
}

func (a *app) showWhatIf(s *screen, w whatif.Answer) {
	if w.Requirements == 0 {
		s.line(a.say("cli.sla.whatif.none", nil))
		return
	}
	s.line(a.say("cli.sla.whatif.head", map[string]any{"Count": w.Folded, "Digest": w.Policy}))
	if left := w.NoStage + w.Odd; left > 0 {
		s.line(s.warn.Render(a.say("cli.sla.whatif.unfoldable", map[string]any{
			"Count": left, "NoStage": w.NoStage, "Odd": w.Odd, "Examples": joined(w.Examples),
		})))
	}
	if n := w.Total.New.Undated; n > 0 {
		s.line(s.warn.Render(a.say("cli.sla.whatif.undated", map[string]any{"Count": n})))
	}
	a.showGroups(s, "clock", "clock", w.ByClock)
	a.showGroups(s, "priority", "priority", w.ByPriority)
	a.showGroups(s, "department", "", w.ByDepartment)
	total := w.Total
	total.Key = a.say("cli.sla.whatif.total", nil)
	a.showGroups(s, "", "", []whatif.Group{total})

	s.title(a.say("cli.sla.whatif.changed", map[string]any{"Requirements": w.ChangedRequirements, "Promises": w.ChangedPromises}))
	if len(w.Changed) == 0 {
		return
	}
	rows := make([][]string, len(w.Changed))
	for i, c := range w.Changed {
		name := a.text.Name("clock", string(c.Clock))
		if c.Cycle > 1 {
			name += " " + strconv.Itoa(c.Cycle)
		}
		rows[i] = []string{
			s.strong.Render(c.ID), name,
			a.verdict(s, c.Old.Verdict), a.atOrNone(c.Old.Deadline), a.late(c.Old),
			a.verdict(s, c.New.Verdict), a.atOrNone(c.New.Deadline), a.late(c.New),
		}
	}
	s.table(a.headers("id", "clock", "whatif.old", "deadline", "whatif.late", "whatif.new", "deadline", "whatif.late"), rows)
	if more := w.ChangedPromises - len(w.Changed); more > 0 {
		s.line(s.faint.Render(a.say("cli.sla.whatif.more", map[string]any{"Count": more})))
	}
}

// showGroups prints old and new side by side, with the difference of those that
// people look for first.
func (a *app) showGroups(s *screen, column, names string, groups []whatif.Group) {
	if len(groups) == 0 {
		return
	}
	head := ""
	if column != "" {
		head = a.say("cli.column."+column, nil)
	}
	s.line()
	undated := slices.ContainsFunc(groups, func(g whatif.Group) bool { return g.Old.Undated+g.New.Undated > 0 })
	heads := []string{head}
	for _, v := range []whatif.Verdict{whatif.Met, whatif.Breached, whatif.Running, whatif.Stopped} {
		heads = append(heads, a.say("cli.sla.whatif.verdict."+string(v), nil))
	}
	if undated {
		heads = append(heads, a.say("cli.sla.whatif.verdict.undated", nil))
	}
	rows := make([][]string, len(groups))
	for i, g := range groups {
		name := clean(g.Key)
		switch {
		case name == "":
			name = s.faint.Render(a.say("cli.sla.whatif.nobody", nil))
		case names != "":
			name = a.text.Name(names, name)
		}
		rows[i] = []string{
			name,
			beside(g.Old.Met, g.New.Met), beside(g.Old.Breached, g.New.Breached),
			beside(g.Old.Running, g.New.Running), beside(g.Old.Stopped, g.New.Stopped),
		}
		if undated {
			rows[i] = append(rows[i], beside(g.Old.Undated, g.New.Undated))
		}
	}
	s.table(heads, rows)
}

// beside is old → new and the difference; the same number stands once.
func beside(before, after int) string {
	if before == after {
		return strconv.Itoa(before)
	}
	return fmt.Sprintf("%d → %d (%+d)", before, after, after-before)
}

func (a *app) verdict(s *screen, v whatif.Verdict) string {
	if v == whatif.None {
		return s.faint.Render(a.say("cli.sla.whatif.verdict.none", nil))
	}
	text := a.say("cli.sla.whatif.verdict."+string(v), nil)
	switch v {
	case whatif.Met:
		return s.good.Render(text)
	case whatif.Breached:
		return s.bad.Render(text)
	default:
		return text
	}
}

// late is how late a breach was.
func (a *app) late(o whatif.Outcome) string {
	if o.Verdict != whatif.Breached {
		return ""
	}
	return a.text.Duration(time.Duration(o.LateSeconds * float64(time.Second)))
}
