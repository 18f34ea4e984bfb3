package workflows

import (
	"errors"

	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
	"closeloop/escalation"
	"closeloop/requirement"
)

// Escalation climbs one ladder: it calls level after level until somebody
// acknowledges, or nobody is left and the alarm is raised. It lasts until its
// cause is gone. Its requirement does the calling; a ladder whose requirement is
// gone ends.
func (w *Workflows) Escalation(ctx workflow.Context, in contract.EscalationInput) (escalation.Ladder, error) {
	c := &climb{people: w.People, ladder: &in.Ladder}
	if !in.Running {
		c.ladder = escalation.Start(in.Ladder, now(ctx))
	}
	c.listen(ctx)
	workflow.GoNamed(ctx, "clock", c.keepTime)

	// A message that is taken at the end of the run may have something to report.
	settled := func() bool { return c.done() && workflow.AllHandlersFinished(ctx) && !c.inbox.waiting() }
	for !settled() {
		err := workflow.Await(ctx, func() bool {
			c.leave = c.leave || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
			return len(c.reports) > 0 || settled()
		})
		if err != nil {
			return *c.ladder, err
		}
		c.report(ctx)
	}
	if !c.ladder.Over() {
		return *c.ladder, workflow.NewContinueAsNewError(ctx, contract.EscalationWorkflow,
			contract.EscalationInput{Ladder: *c.ladder, Running: true})
	}
	return *c.ladder, nil
}

// climb is a ladder at work in a workflow.
type climb struct {
	ladder *escalation.Ladder
	people requirement.People
	// reports are what the requirement is to be told.
	reports []requirement.Report
	leave   bool
	inbox   inbox
}

func (c *climb) done() bool { return len(c.reports) == 0 && (c.ladder.Over() || c.leave) }

func (c *climb) keepTime(ctx workflow.Context) {
	keepTimer(ctx, func() (alarm, bool) {
		at, ok := c.ladder.Next()
		return alarm{at, "escalation " + c.ladder.ID}, ok && !c.leave
	}, func() {
		page, due := c.ladder.Tick(now(ctx))
		if due {
			kind := requirement.EscalationRaised
			if page.Alarm {
				kind = requirement.EscalationAlarm
			}
			c.reports = append(c.reports, requirement.Report{
				ID: c.ladder.ID, Kind: kind, Level: page.Level, Round: page.Round, People: page.People, Lacks: page.Lacks,
			})
		}
		c.show(ctx)
	})
}

// report tells the requirement, which writes and notifies. It is addressed
// without a run, because it may have continued as new.
func (c *climb) report(ctx workflow.Context) {
	for len(c.reports) > 0 {
		// The rest may be taken back while this one is under way.
		next := c.reports[0]
		c.reports = c.reports[1:]
		err := workflow.SignalExternalWorkflow(ctx, c.ladder.Requirement, "", contract.SignalReport, next).Get(ctx, nil)
		if err != nil {
			// The requirement is closed or gone: so is the cause.
			c.reports = nil
			c.ladder.StandDown()
			return
		}
	}
}

// listen offers what can be said to an escalation.
func (c *climb) listen(ctx workflow.Context) {
	c.inbox.selector = workflow.NewNamedSelector(ctx, "signals")
	const about = "acknowledge: stop the climbing, you take care of it"
	must(workflow.SetQueryHandler(ctx, contract.QueryLadder, func() (escalation.Ladder, error) { return *c.ladder, nil }))
	must(workflow.SetUpdateHandlerWithOptions(ctx, contract.ActAcknowledge,
		func(ctx workflow.Context, act contract.Acknowledge) (contract.Acknowledged, error) {
			return c.acknowledge(ctx, act), nil
		}, workflow.UpdateHandlerOptions{
			Description: about,
			Validator:   func(act contract.Acknowledge) error { return contract.Refusal(c.check(c.people, act)) },
		}))
	c.inbox.add(ctx, contract.ActAcknowledge, about, func(ctx workflow.Context, body any) {
		var act contract.Acknowledge
		err := decode(body, &act)
		if err == nil {
			err = c.check(findPeople(ctx, contract.WhoRequest{People: []string{act.By()}}), act)
		}
		if err != nil {
			workflow.GetLogger(ctx).Warn("An acknowledgement was refused", "Reason", err.Error())
			c.refused(ctx, act.Header, err)
			return
		}
		c.acknowledge(ctx, act)
	})
	c.inbox.add(ctx, contract.SignalStandDown, "end: the cause is gone", func(ctx workflow.Context, _ any) {
		c.ladder.StandDown()
		c.reports = nil
		c.show(ctx)
	})
	c.inbox.add(ctx, contract.SignalProgress, "somebody is at work", func(ctx workflow.Context, _ any) {
		c.ladder.Progress(now(ctx))
		c.show(ctx)
	})
	c.inbox.add(ctx, contract.SignalContinueAsNew, "continue as new at the next quiet point",
		func(workflow.Context, any) { c.leave = true })
	workflow.GoNamed(ctx, "signals", c.inbox.take)
	c.show(ctx)
}

// check reports whether the acknowledgement is allowed; one that was given
// before by the same person is.
func (c *climb) check(people requirement.People, act contract.Acknowledge) error {
	if c.ladder.State == escalation.Acknowledged && c.ladder.AcknowledgedBy == act.By() {
		return nil
	}
	actor, _ := people.Find(act.By())
	authorised := actor.Is(requirement.Manager, requirement.Operator, requirement.System)
	err := c.ladder.Check(act.By(), authorised)
	if err == nil {
		return nil
	}
	code := requirement.CodeRole
	if c.ladder.Over() || c.ladder.State == escalation.Acknowledged {
		code = requirement.CodeDecided
	}
	return &requirement.Error{Code: code, Message: err.Error(), Hint: "closeloop show " + c.ladder.Requirement + " lists the escalations"}
}

func (c *climb) acknowledge(ctx workflow.Context, act contract.Acknowledge) contract.Acknowledged {
	if c.ladder.State != escalation.Acknowledged {
		c.ladder.Acknowledge(now(ctx), act.By())
		c.reports = append(c.reports, requirement.Report{
			ID: c.ladder.ID, Kind: requirement.EscalationAcknowledged, Level: c.ladder.Level, Round: c.ladder.Round,
			By: act.By(), Via: act.KnownBy(), Comment: act.Comment,
		})
		c.show(ctx)
	}
	return contract.Acknowledged{Escalation: c.ladder.ID, By: c.ladder.AcknowledgedBy, Level: c.ladder.Level}
}

// refused puts an acknowledgement that was not allowed on the requirement's
// record.
func (c *climb) refused(ctx workflow.Context, h requirement.Header, err error) {
	var refusal *requirement.Error
	reason := err.Error()
	if errors.As(err, &refusal) {
		reason = refusal.Message
	}
	c.reports = append(c.reports, requirement.Report{
		ID: c.ladder.ID, Kind: requirement.ActRefused, Level: c.ladder.Level, Round: c.ladder.Round, By: h.By(), Via: h.KnownBy(), Comment: reason,
	})
	c.show(ctx)
}
