package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"closeloop/contract"
	"closeloop/notify"
)

// Notifications sends what transitions left to be told.
type Notifications struct {
	Courier notify.Courier
}

// waitingType is the type of the error that says that notices are left to be
// sent.
const waitingType = "notices_waiting"

// Notify sends the notices of a transition. While some are to be tried again it
// fails, with the time after which to do so; each is tried a bounded number of
// times, so it succeeds in the end whatever becomes of them.
func (n *Notifications) Notify(ctx context.Context, req contract.NotifyRequest) (contract.Notified, error) {
	parked := parkedBefore(ctx)
	stop := beat(ctx, parked)
	report, err := n.Courier.Deliver(ctx, notify.Request{ID: req.ID, From: req.From, To: req.To})
	stop()
	parked += report.Parked
	var retry *notify.RetryError
	if errors.As(err, &retry) {
		activity.RecordHeartbeat(ctx, parked)
		return contract.Notified{}, temporal.NewApplicationErrorWithOptions(err.Error(), waitingType, temporal.ApplicationErrorOptions{
			NextRetryDelay: retry.After,
			// A mail server that restarts is no fault of this program.
			Category: temporal.ApplicationErrorCategoryBenign,
		})
	}
	return contract.Notified{Sent: report.Sent, Parked: parked}, err
}

// parkedBefore is how many notices earlier attempts gave up on.
func parkedBefore(ctx context.Context) int {
	parked := 0
	if activity.HasHeartbeatDetails(ctx) && activity.GetHeartbeatDetails(ctx, &parked) != nil {
		return 0
	}
	return parked
}

// beat tells Temporal every second that the activity is alive, with what the next
// attempt should know, until the function it returns is called.
func beat(ctx context.Context, details ...any) (stop func()) {
	ticker := time.NewTicker(time.Second)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-ticker.C:
				activity.RecordHeartbeat(ctx, details...)
			case <-done:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(done)
	}
}
