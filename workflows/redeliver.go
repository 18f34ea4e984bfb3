package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
)

// Redeliver has notices of a requirement sent again that did not arrive. It is a
// workflow of its own, because the requirement's may have ended long ago.
func (w *Workflows) Redeliver(ctx workflow.Context, req contract.RedeliverRequest) (contract.Notified, error) {
	var reopened contract.Reopened
	ordinary := persistently(ctx, fmt.Sprintf("%d notices of %s are to be sent again", len(req.Numbers), req.ID))
	if err := workflow.ExecuteActivity(ordinary, contract.ActivityReopen, req).Get(ctx, &reopened); err != nil || reopened.Notices == 0 {
		return contract.Notified{}, err
	}
	return notify(ctx, "what did not arrive", contract.NotifyRequest{ID: req.ID, From: reopened.From, To: reopened.To}), nil
}
