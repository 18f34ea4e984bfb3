package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
)

// Reconcile closes in the ledger the requirements whose workflow was ended from
// outside: a terminated workflow cannot say so itself. A schedule runs it.
func (w *Workflows) Reconcile(ctx workflow.Context) (contract.ReconcileResult, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 10 * time.Minute,
		HeartbeatTimeout:    30 * time.Second,
		Summary:             "compare the ledger's open requirements with their workflows",
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, MaximumInterval: time.Minute, MaximumAttempts: 5},
	})
	var result contract.ReconcileResult
	err := workflow.ExecuteActivity(ctx, contract.ActivityReconcile).Get(ctx, &result)
	return result, err
}
