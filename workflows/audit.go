package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
)

// Audit compares the ledger with the workflows, part by part, and repairs what
// is safe to repair. A schedule runs it, and so does whoever wants to know.
func (w *Workflows) Audit(ctx workflow.Context, req contract.AuditRequest) (contract.AuditReport, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 15 * time.Minute,
		HeartbeatTimeout:    10 * time.Second,
		Summary:             "compare the ledger with the workflows",
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, MaximumInterval: time.Minute, MaximumAttempts: 5},
	})
	report := contract.AuditReport{AuditRequest: req, StartedAt: now(ctx), Audited: contract.NewAudited()}
	for next := (contract.AuditPartRequest{AuditRequest: req}); ; {
		var part contract.AuditPart
		if err := workflow.ExecuteActivity(ctx, contract.ActivityAudit, next).Get(ctx, &part); err != nil {
			return report, err
		}
		report.Add(part.Audited)
		if next.After = part.Next; next.After == "" {
			report.EndedAt = now(ctx)
			return report, nil
		}
	}
}
