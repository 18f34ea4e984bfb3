package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
	"closeloop/requirement"
)

// keepLedger writes what happened, in order, and has it told. While the ledger
// is away acts go on and their facts wait.
func (l *life) keepLedger(ctx workflow.Context) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	for {
		must(workflow.Await(ctx, func() bool { return l.Pending() || l.doubted != nil }))
		l.writing++
		l.show(ctx)
		t := l.takeNext()
		written := persist(ctx, t)
		if written.Notices > 0 {
			first, last := t.Events[0].Seq, t.Events[len(t.Events)-1].Seq
			l.tell(ctx, summaryOf(t.Events), contract.NotifyRequest{ID: l.ID, From: first, To: last})
		}
		l.writing--
	}
}

// takeNext returns what happened; when nothing did, the state once more for a
// ledger that is in doubt about it.
func (l *life) takeNext() requirement.Transition {
	if l.Pending() {
		return l.Take()
	}
	t := l.Restate(*l.doubted)
	l.doubted = nil
	return t
}

// localTime is how long a local activity may take before the same function is
// run as an ordinary one: a local one costs a single event and holds the
// workflow task meanwhile.
const localTime = 2 * time.Second

// localFirst runs an activity as a local one, and when that fails as an
// ordinary one that is tried for ever. It returns only when it succeeded, or
// when the context was cancelled.
func localFirst[T any](ctx workflow.Context, name, summary string, request any) T {
	var result T
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: localTime,
		Summary:                summary,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: 50 * time.Millisecond, BackoffCoefficient: 2, MaximumAttempts: 3,
		},
	})
	if workflow.ExecuteLocalActivity(local, name, request).Get(ctx, &result) == nil {
		return result
	}
	err := workflow.ExecuteActivity(persistently(ctx, summary), name, request).Get(ctx, &result)
	if err != nil && !temporal.IsCanceledError(err) {
		// Nothing in these activities is final: the task fails, visibly, and is
		// tried again with mended code.
		panic(fmt.Sprintf("closeloop: activity %s: %v", name, err))
	}
	return result
}

// persistently is the options of an ordinary activity that is tried for ever.
func persistently(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 15 * time.Second,
		Summary:             summary,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 1.5, MaximumInterval: 10 * time.Second,
		},
	})
}

func persist(ctx workflow.Context, t requirement.Transition) contract.Persisted {
	summary := summaryOf(t.Events)
	if t.Instead != nil {
		summary = "the state anew"
	}
	return localFirst[contract.Persisted](ctx, contract.ActivityPersist, summary, t)
}

func lookUpOpening(ctx workflow.Context, req contract.OpenRequest) contract.Opening {
	return localFirst[contract.Opening](ctx, contract.ActivityOpen, "rules for "+req.ID, req)
}

func findPeople(ctx workflow.Context, req contract.WhoRequest) requirement.Known {
	return localFirst[requirement.Known](ctx, contract.ActivityFindPeople, "who acts", req)
}

func fillSeats(ctx workflow.Context, req contract.SeatsRequest) []requirement.FilledSeat {
	return localFirst[[]requirement.FilledSeat](ctx, contract.ActivityFillSeats, "who is to approve", req)
}

func findOwner(ctx workflow.Context, req contract.OwnerRequest) contract.OwnerFound {
	return localFirst[contract.OwnerFound](ctx, contract.ActivityFindOwner, "an owner in "+req.Department, req)
}

func staffChain(ctx workflow.Context, req contract.ChainRequest) contract.StaffedChain {
	return localFirst[contract.StaffedChain](ctx, contract.ActivityStaffChain, "who is on chain "+req.Chain.Name, req)
}

// notify sends notifications; it is an ordinary activity, so that the Web UI
// shows it and a slow channel holds nobody. It is tried until every notice has
// been sent or parked.
func notify(ctx workflow.Context, what string, req contract.NotifyRequest) contract.Notified {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 5 * time.Minute,
		// A worker that died is noticed by its silence.
		HeartbeatTimeout: 5 * time.Second,
		Summary:          "tell of " + what,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute,
		},
	})
	var told contract.Notified
	if err := workflow.ExecuteActivity(ctx, contract.ActivityNotify, req).Get(ctx, &told); err != nil {
		workflow.GetLogger(ctx).Error("Notifications were given up", "Error", err)
	}
	return told
}

// summaryOf names the acts in a transition, for the Web UI.
func summaryOf(events []requirement.Event) string {
	const most = 120
	text := ""
	for _, e := range events {
		if text != "" {
			text += ", "
		}
		if text += string(e.Kind); len(text) > most {
			return text[:most]
		}
	}
	return text
}
