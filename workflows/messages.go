package workflows

import (
	"bytes"
	"encoding/json"
	"fmt"

	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
	"closeloop/requirement"
)

// listen offers everything that can be said to a requirement. Every act is an
// Update, which answers at once, and a Signal of the same name. It comes before
// anything that waits: an update that finds no handler is refused as unknown.
func (l *life) listen(ctx workflow.Context) {
	l.inbox.selector = workflow.NewNamedSelector(ctx, "signals")
	l.answerIntake(ctx)
	l.answerQueries(ctx)

	offer[requirement.Triage](ctx, l)
	offer[requirement.Approve](ctx, l)
	offer[requirement.Decline](ctx, l)
	offer[requirement.Delegate](ctx, l)
	offer[requirement.Assign](ctx, l)
	offer[requirement.Accept](ctx, l)
	offer[requirement.HandBack](ctx, l)
	offer[requirement.Respond](ctx, l)
	offer[requirement.Plan](ctx, l)
	offer[requirement.Progress](ctx, l)
	offer[requirement.PutOnHold](ctx, l)
	offer[requirement.Resume](ctx, l)
	offer[requirement.Resolve](ctx, l)
	offer[requirement.Confirm](ctx, l)
	offer[requirement.Dispute](ctx, l)
	offer[requirement.Amend](ctx, l)
	offer[requirement.Reprioritise](ctx, l)
	offer[requirement.Merge](ctx, l)
	offer[requirement.Withdraw](ctx, l)
	offer[requirement.Appeal](ctx, l)
	offer[requirement.Comment](ctx, l)
	l.offerAdoption(ctx)

	hear(ctx, l, contract.SignalAbsorb, "take over what was merged into this requirement",
		func(ctx workflow.Context, h contract.Handover) { l.absorb(ctx, h) })
	hear(ctx, l, contract.SignalMergeAnswer, "whether the survivor of a merge takes this requirement over",
		func(_ workflow.Context, a contract.MergeAnswer) { l.mergeAnswer = a })
	hear(ctx, l, contract.SignalReport, "what an escalation did",
		func(ctx workflow.Context, r requirement.Report) { l.EscalationReported(now(ctx), r) })
	hear(ctx, l, contract.SignalContinueAsNew, "continue as new at the next quiet point",
		func(workflow.Context, any) { l.leave = true })
	hear(ctx, l, contract.SignalTick, "let happen what is due",
		func(ctx workflow.Context, t contract.Tick) {
			l.Tick(now(ctx))
			if t.Instead != nil {
				l.doubted = t.Instead
			}
		})
	hear(ctx, l, contract.SignalEscalationsLost, "start escalations anew whose workflow is gone",
		func(_ workflow.Context, lost contract.LostEscalations) {
			for _, id := range lost.IDs {
				l.EscalationLost(id, lost.Seq)
			}
		})
}

// offer makes an act an Update and a Signal.
func offer[A requirement.Act](ctx workflow.Context, l *life) {
	var act A
	name := act.Name()
	about, id := about(name), workflow.GetInfo(ctx).WorkflowExecution.ID
	must(workflow.SetUpdateHandlerWithOptions(ctx, string(name),
		func(ctx workflow.Context, act A) (requirement.Verdict, error) { return l.do(ctx, act) },
		workflow.UpdateHandlerOptions{
			Validator:   func(act A) error { return contract.Refusal(l.check(id, act)) },
			Description: about,
		}))
	l.inbox.add(ctx, string(name), about, func(ctx workflow.Context, body any) {
		var act A
		if err := decode(body, &act); err != nil {
			l.Refuse(now(ctx), name, requirement.SystemActor, "", err.Error())
			return
		}
		if err := l.told(ctx, act); err != nil {
			l.Refuse(now(ctx), name, act.By(), act.KnownBy(), err.Error())
		}
	})
}

// check is the validator of the acts.
func (l *life) check(id string, act requirement.Act) error {
	if l.Requirement == nil {
		return requirement.NotReady(id)
	}
	return l.Check(l.people, act)
}

// do does an act that its validator let pass.
func (l *life) do(ctx workflow.Context, act requirement.Act) (requirement.Verdict, error) {
	v, err := l.Do(now(ctx), act)
	if err != nil {
		return v, contract.Refusal(err)
	}
	if act.Name() == requirement.ActProgress || act.Name() == requirement.ActRespond {
		l.nudge()
	}
	return v, nil
}

// told does an act that came as a signal. Who the people are is looked up and
// stays on record, because here the check is replayed.
func (l *life) told(ctx workflow.Context, act requirement.Act) error {
	known := findPeople(ctx, contract.WhoRequest{
		People: append([]string{act.By()}, act.Names()...), Departments: act.Departments(),
	})
	if err := l.Check(known, act); err != nil {
		return err
	}
	_, err := l.do(ctx, act)
	return err
}

// answerIntake tells a caller what became of their submission, as soon as it is
// known.
func (l *life) answerIntake(ctx workflow.Context) {
	must(workflow.SetUpdateHandlerWithOptions(ctx, contract.UpdateSubmit,
		func(ctx workflow.Context, req contract.SubmitRequest) (contract.Receipt, error) {
			err := workflow.Await(ctx, func() bool { return l.Requirement != nil || l.turnedAway != nil })
			switch {
			case err != nil:
				return contract.Receipt{}, err
			case l.turnedAway != nil:
				return l.turnedAway.receipt, contract.Refusal(l.turnedAway.err)
			}
			return contract.Receipt{
				ID: l.ID, Created: req.Attempt != "" && req.Attempt == l.attempt, Stage: l.Stage, Ref: l.Ref, Key: l.key,
				Attempt: req.Attempt,
			}, nil
		}, workflow.UpdateHandlerOptions{Description: "ask for the receipt of this requirement"}))
}

// answerQueries answers those who only look.
func (l *life) answerQueries(ctx workflow.Context) {
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	must(workflow.SetQueryHandlerWithOptions(ctx, contract.QueryState,
		func() (requirement.View, error) {
			if l.Requirement == nil {
				return requirement.View{}, requirement.NotReady(id)
			}
			return l.View(now(ctx)), nil
		}, workflow.QueryHandlerOptions{Description: "everything about this requirement"}))
}

// inbox takes the signals in one coroutine, in the order of their arrival.
type inbox struct {
	selector workflow.Selector
	letters  []letter
	busy     bool
}

type letter struct {
	body   any
	handle func(workflow.Context, any)
}

// add listens to a signal. A body is taken as whatever JSON it is, because a
// body that could not be decoded would be lost in silence.
func (b *inbox) add(ctx workflow.Context, name, about string, handle func(workflow.Context, any)) {
	channel := workflow.GetSignalChannelWithOptions(ctx, name, workflow.SignalChannelOptions{Description: about})
	b.selector.AddReceive(channel, func(c workflow.ReceiveChannel, _ bool) {
		var body any
		c.Receive(ctx, &body)
		b.letters = append(b.letters, letter{body, handle})
	})
}

// hear listens to a signal that programs send. One that makes no sense is put
// on record.
func hear[T any](ctx workflow.Context, l *life, name, about string, handle func(workflow.Context, T)) {
	l.inbox.add(ctx, name, about, func(ctx workflow.Context, body any) {
		var message T
		if err := decode(body, &message); err != nil {
			l.Refuse(now(ctx), requirement.Name(name), requirement.SystemActor, "", err.Error())
			return
		}
		handle(ctx, message)
	})
}

// take handles signals for as long as the workflow runs.
func (b *inbox) take(ctx workflow.Context) {
	// A cancelled workflow still takes what arrived: nothing is lost in silence.
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	for {
		b.selector.Select(ctx)
		b.busy = true
		for len(b.letters) > 0 {
			next := b.letters[0]
			b.letters = b.letters[1:]
			next.handle(ctx, next.body)
		}
		b.busy = false
	}
}

// waiting reports whether there is a signal that has not been handled.
func (b *inbox) waiting() bool { return b.busy || len(b.letters) > 0 || b.selector.HasPending() }

// drain waits until every signal that has arrived is handled.
func (l *life) drain(ctx workflow.Context) {
	must(workflow.Await(ctx, func() bool { return !l.inbox.waiting() }))
}

// decode reads a signal's body into a message; unknown fields are refused, so
// that a slip of the pen is told and not ignored.
func decode(body any, into any) error {
	if body == nil {
		return nil
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("the body is not JSON: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("the body does not fit: %w", err)
	}
	return nil
}

// about describes an act for the dialogs of the Web UI.
func about(name requirement.Name) string {
	for _, rule := range requirement.Table {
		if rule.Act == name {
			return rule.About
		}
	}
	return ""
}

// must stops the workflow task on an error that only a mistake in this package
// can cause; the task is tried again with mended code.
func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("closeloop: %v", err))
	}
}
