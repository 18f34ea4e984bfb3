package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
)

// telling is a transition whose notices are being sent.
type telling struct {
	contract.NotifyRequest
	since time.Time
}

// longTelling is after which time notices hold up no new run: people's have been
// sent or given up by then; a system that is away may be told for a day.
const longTelling = 5 * time.Minute

// tell sends the notices of a transition. Whatever becomes of them, the process
// goes on; those that nobody could be reached with go on record.
func (l *life) tell(ctx workflow.Context, what string, req contract.NotifyRequest) {
	t := &telling{req, now(ctx)}
	l.telling = append(l.telling, t)
	workflow.GoNamed(ctx, "notify", func(ctx workflow.Context) {
		told := notify(ctx, what, req)
		if told.Parked > 0 {
			l.NoticesParked(now(ctx), req.From, req.To, told.Parked)
		}
		l.telling = slices.DeleteFunc(l.telling, func(other *telling) bool { return other == t })
	})
}

// tellOn goes on with what an earlier run left to be sent.
func (l *life) tellOn(ctx workflow.Context, left []contract.NotifyRequest) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	for _, req := range left {
		l.tell(ctx, "what an earlier run left", req)
	}
}

// toldEnough reports whether the run may be left for a new one, which goes on
// with what has been tried for long.
func (l *life) toldEnough(ctx workflow.Context) bool {
	return !slices.ContainsFunc(l.telling, func(t *telling) bool { return now(ctx).Sub(t.since) < longTelling })
}

// toldAll reports whether no notice is left, or a new run follows that goes on
// with them.
func (l *life) toldAll() bool { return len(l.telling) == 0 || !l.Over() && !l.cancelled }

// untold are the notices that are left to a new run.
func (l *life) untold() []contract.NotifyRequest {
	var left []contract.NotifyRequest
	for _, t := range l.telling {
		left = append(left, t.NotifyRequest)
	}
	return left
}
