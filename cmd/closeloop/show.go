package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"closeloop/ledger"
	"closeloop/requirement"
	"closeloop/sla"
)

func (a *app) showCommand() *cobra.Command {
	c := a.command("show", "show ID", "closeloop show REQ-7K2M9QXA\ncloseloop show 7k2m9qxa -o json")
	c.Args = a.takes(1, "ID")
	c.ValidArgsFunction = a.completeIDs("")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		id, err := a.requirementID(args[0])
		if err != nil {
			return err
		}
		v, err := a.view(cmd.Context(), id)
		if err != nil {
			return err
		}
		return a.print(v, func(s *screen) { a.showView(s, v) })
	}
	return c
}

// view reads the ledger, which knows requirements that Temporal has forgotten
// and those that were ended from outside. When it cannot answer, the requirement
// itself does.
func (a *app) view(ctx context.Context, id string) (requirement.View, error) {
	books, err := a.open(ctx)
	if err == nil {
		defer books.Close()
		r, read := books.Get(ctx, id)
		if read == nil {
			return r.View(a.now().UTC()), nil
		}
		err = read
	}
	if errors.Is(err, context.Canceled) {
		return requirement.View{}, err
	}
	v, asked := a.ask(ctx, id)
	if asked != nil {
		return v, err
	}
	if !a.quiet && !errors.Is(err, ledger.ErrNotFound) {
		s := a.screen(a.err)
		s.line(s.warn.Render(a.say("cli.show.without_ledger", map[string]any{"Reason": clean(err.Error())})))
	}
	return v, nil
}

func (a *app) ask(ctx context.Context, id string) (requirement.View, error) {
	d, err := a.connect(ctx)
	if err != nil {
		return requirement.View{}, err
	}
	defer d.Close()
	return d.View(ctx, id)
}

// showView prints a requirement on one page, the most pressing on top.
func (a *app) showView(s *screen, v requirement.View) {
	people := a.people()
	name := func(id string) string { return a.withName(people, clean(id)) }
	field := func(name string) string { return a.text.Name("field", name) }

	s.line(s.strong.Render(v.ID), "  ", s.strong.Render(clean(v.Title)))
	breached := ""
	if v.Breached {
		breached = s.bad.Render(a.text.Name("clock_state", string(sla.Breached)))
	}
	onHold := ""
	if v.OnHold {
		onHold = s.warn.Render(a.say("cli.on_hold", nil))
	}
	s.line(s.facts(
		a.text.Name("stage", string(v.Stage)), a.text.Name("status", string(v.Status)), onHold, breached,
		a.labelled("priority", v.Priority), a.labelled("urgency", v.Urgency), a.text.Name("type", v.Type), v.Tier,
	))
	s.line()
	s.fields(
		field("customer"), s.facts(clean(v.Customer), clean(v.Contact)),
		field("description"), paragraphs(v.Description),
		field("channel"), s.facts(a.text.Name("channel", v.Channel), clean(v.Ref)),
		field("department"), a.department(v.Department),
		field("owner"), name(v.Owner),
		field("tracker"), name(v.Tracker),
		field("created_at"), s.facts(a.at(v.CreatedAt), name(v.SubmittedBy)),
		field("closed_at"), a.atOrNone(v.ClosedAt),
		field("version"), moreThanOne(v.Version),
		field("cycle"), moreThanOne(v.Cycle),
		a.say("cli.on_hold", nil), a.holding(s, v, name),
		field("solution"), a.solution(v),
		field("root_cause"), a.rootCause(v),
		field("rating"), a.rating(s, v),
		a.text.Name("stage", "merged"), into(v),
		a.say("cli.show.duplicates", nil), joined(v.Duplicates),
	)
	a.showClocks(s, v)
	a.showApproval(s, v, name)
	a.showEscalations(s, v, name)
	a.showPlan(s, v, name)
	a.showWaiting(s, v, name)
}

// labelled is a value with the name of its field, where the value alone would
// say little.
func (a *app) labelled(field, value string) string {
	return a.text.Name("field", field) + " " + a.text.Name(field, value)
}

func moreThanOne(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprint(n)
}

func (a *app) holding(s *screen, v requirement.View, name func(string) string) string {
	if v.Hold == nil {
		return ""
	}
	return s.facts(v.Hold.For, clean(v.Hold.Reason), a.at(v.Hold.Since), name(v.Hold.By))
}

func (a *app) solution(v requirement.View) string {
	if v.Resolution == nil {
		return ""
	}
	return paragraphs(v.Resolution.Solution)
}

func (a *app) rootCause(v requirement.View) string {
	if v.Resolution == nil {
		return ""
	}
	return paragraphs(v.Resolution.RootCause)
}

func (a *app) rating(s *screen, v requirement.View) string {
	if v.Closing == nil {
		return ""
	}
	stars := ""
	if v.Rating != nil {
		stars = fmt.Sprintf("%d/5", *v.Rating)
	}
	silent := ""
	if v.Closing.Automatic {
		silent = a.say("cli.show.automatic", nil)
	}
	return s.facts(stars, clean(v.Closing.Comment), silent)
}

func into(v requirement.View) string {
	if v.MergedInto == nil {
		return ""
	}
	return "→ " + *v.MergedInto
}

func (a *app) showClocks(s *screen, v requirement.View) {
	if len(v.Clocks) == 0 {
		return
	}
	s.title(a.say("cli.show.clocks", nil))
	var rows [][]string
	for _, c := range v.Clocks {
		clock := a.text.Name("clock", string(c.Name))
		if c.Cycle > 1 {
			clock += fmt.Sprintf(" (%d)", c.Cycle)
		}
		left := ""
		if c.StoppedAt == nil {
			left = a.left(s, c)
		}
		pauses := ""
		if n := len(c.Pauses); n > 0 {
			pauses = fmt.Sprint(n)
		}
		rows = append(rows, []string{
			clock, a.clockState(s, c), a.target(c), a.atOrNone(c.Deadline), left, pauses,
		})
	}
	s.table(a.headers("clock", "state", "target", "deadline", "left", "pauses"), rows)
	a.showUndated(s, v)
}

// showUndated says why clocks that run have no deadline, and what helps.
func (a *app) showUndated(s *screen, v requirement.View) {
	var years []int
	for _, c := range v.Clocks {
		if c.Lacks == nil {
			continue
		}
		s.line(s.bad.Render(a.say("cli.show.undated", map[string]any{"Clock": a.text.Name("clock", string(c.Name)), "Reason": a.lacks(*c.Lacks)})))
		if y := c.Lacks.Year; y != 0 && !slices.Contains(years, y) {
			years = append(years, y)
		}
	}
	if len(years) == 0 || a.quiet {
		return
	}
	file := a.env[envPolicy]
	if file == "" {
		file = "policy.yaml"
	}
	s.line(s.faint.Render("  → "), a.say("cli.show.undated_next", nil))
	for _, y := range years {
		s.line(fmt.Sprintf("    closeloop calendar import FILE --year %d --into %s", y, file))
	}
	s.line(fmt.Sprintf("    closeloop policy apply %s --id %s", file, v.ID))
}

// lacks says why a calendar has no answer.
func (a *app) lacks(l sla.Lack) string {
	return a.say("cli.show.lacks", map[string]any{"Calendar": clean(l.Calendar), "Year": l.Year})
}

// target words a clock's target; the text in a view is that of a duration.
func (a *app) target(c requirement.ClockView) string {
	d, err := sla.ParseDuration(c.Target)
	if err != nil {
		return c.Target
	}
	return a.text.Target(d)
}

func (a *app) clockState(s *screen, c requirement.ClockView) string {
	text := a.text.Name("clock_state", string(c.State))
	switch c.State {
	case sla.Breached:
		return s.bad.Render(text)
	case sla.Met:
		return s.good.Render(text)
	case sla.Paused:
		return s.warn.Render(text)
	case sla.Stopped:
		return s.faint.Render(text)
	default:
		return text
	}
}

func (a *app) showApproval(s *screen, v requirement.View, name func(string) string) {
	if v.Approval == nil {
		return
	}
	s.title(a.say("cli.show.approval", map[string]any{
		"Round": v.Approval.Round, "State": a.text.Name("round_state", string(v.Approval.State)), "Need": v.Approval.Need,
	}))
	var rows [][]string
	for _, vote := range v.Approval.Votes {
		rows = append(rows, []string{
			name(vote.Person), a.seat(vote.Seat), a.vote(s, vote.Answer), a.atOrNone(vote.At), short(vote.Comment, 60),
		})
	}
	if len(rows) > 0 {
		s.table(a.headers("person", "seat", "vote", "time", "comment"), rows, 4)
	}
}

// seat words whom a seat means.
func (a *app) seat(seat string) string {
	return a.text.Name("role", strings.TrimPrefix(seat, "role:"))
}

func (a *app) vote(s *screen, answer requirement.Answer) string {
	text := a.text.Name("vote", string(answer))
	switch answer {
	case requirement.AnswerApprove:
		return s.good.Render(text)
	case requirement.AnswerDecline:
		return s.bad.Render(text)
	case requirement.AnswerPending:
		return s.warn.Render(text)
	default:
		return s.faint.Render(text)
	}
}

func (a *app) showEscalations(s *screen, v requirement.View, name func(string) string) {
	if len(v.Escalations) == 0 {
		return
	}
	s.title(a.say("cli.show.escalations", nil))
	var rows [][]string
	for _, e := range v.Escalations {
		called := make([]string, len(e.Called))
		for i, id := range e.Called {
			called[i], _, _ = strings.Cut(name(id), " (")
		}
		by := ""
		if e.AcknowledgedBy != nil {
			by = name(*e.AcknowledgedBy)
		}
		rows = append(rows, []string{
			e.ID, a.text.Name("clock", string(e.Clock)), a.escalationState(s, e.State), fmt.Sprint(e.Level),
			short(joined(called), 40), by, a.at(e.StartedAt),
		})
	}
	s.table(a.headers("id", "clock", "state", "level", "called", "acknowledged_by", "since"), rows, 4, 5)
}

func (a *app) escalationState(s *screen, state requirement.EscalationState) string {
	text := a.text.Name("escalation_state", string(state))
	switch state {
	case requirement.EscalationClimbs, requirement.EscalationAlarmed:
		return s.bad.Render(text)
	case requirement.EscalationAcked:
		return s.good.Render(text)
	default:
		return s.faint.Render(text)
	}
}

func (a *app) showPlan(s *screen, v requirement.View, name func(string) string) {
	if len(v.Plan) == 0 {
		return
	}
	s.title(a.say("cli.show.plan", nil))
	var rows [][]string
	for i, step := range v.Plan {
		state := a.remaining(s, &step.Due, false)
		switch {
		case step.DoneAt != nil:
			state = s.good.Render(a.say("cli.show.step_done", nil))
		case step.Dropped:
			state = s.faint.Render(a.say("cli.show.step_dropped", nil))
		}
		rows = append(rows, []string{fmt.Sprint(i + 1), short(step.What, 60), name(step.Owner), a.at(step.Due), state})
	}
	s.table(a.headers("number", "step", "owner", "due", "state"), rows, 1, 2)
}

// showWaiting says who must act, and what to type.
func (a *app) showWaiting(s *screen, v requirement.View, name func(string) string) {
	if len(v.WaitingFor.Who) == 0 {
		return
	}
	who := make([]string, len(v.WaitingFor.Who))
	for i, id := range v.WaitingFor.Who {
		who[i] = a.text.Name("role", name(id))
	}
	s.title(a.say("cli.show.waiting", map[string]any{"Who": joined(who)}))
	for _, call := range a.commands(v) {
		s.line("  ", call)
	}
	if !a.quiet {
		s.line(s.faint.Render("  " + a.say("cli.possible", map[string]any{"Acts": joined(v.Can)})))
	}
}

// department is one with its name, when the policy at hand knows it.
func (a *app) department(id string) string {
	p, err := a.policy()
	if err != nil {
		return clean(id)
	}
	if d, ok := p.Department(id); ok {
		return a.pick(d.Name, d.NameEN) + " (" + id + ")"
	}
	return clean(id)
}

// people are those of the policy at hand, for their names.
func (a *app) people() []person {
	p, err := a.policy()
	if err != nil {
		return nil
	}
	found := make([]person, len(p.People))
	for i, x := range p.People {
		found[i] = person{x.ID, a.pick(x.Name, x.NameEN)}
	}
	return found
}
