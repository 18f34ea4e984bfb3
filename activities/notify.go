package activities

import (
	"context"
	"errors"

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
	report, err := n.Courier.Deliver(ctx, notify.Request{ID: req.ID, From: req.From, To: req.To})
	var retry *notify.RetryError
	if errors.As(err, &retry) {
		return contract.Notified{}, temporal.NewApplicationErrorWithOptions(err.Error(), waitingType, temporal.ApplicationErrorOptions{
			NextRetryDelay: retry.After,
			// A mail server that restarts is no fault of this program.
			Category: temporal.ApplicationErrorCategoryBenign,
		})
	}
	return contract.Notified{Sent: report.Sent, Parked: report.Parked}, err
}
