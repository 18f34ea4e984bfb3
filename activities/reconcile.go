package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"

	"closeloop/contract"
	"closeloop/ledger"
)

// Reconciliation compares the ledger with Temporal.
type Reconciliation struct {
	Ledger   *ledger.Ledger
	Temporal client.Client
}

// endedFromOutside finds requirements whose workflow did not end by itself.
// Cancelled ones end by themselves.
const endedFromOutside = `WorkflowType = '` + contract.RequirementWorkflow +
	`' AND ExecutionStatus IN ('Terminated', 'Failed', 'TimedOut')`

// Reconcile closes in the ledger the requirements whose workflow was terminated
// or failed: it could not write that itself.
func (r *Reconciliation) Reconcile(ctx context.Context) (contract.ReconcileResult, error) {
	var result contract.ReconcileResult
	var page []byte
	for {
		list, err := r.Temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Query: endedFromOutside, PageSize: 200, NextPageToken: page,
		})
		if err != nil {
			return result, fmt.Errorf("list workflows that were ended from outside: %w", err)
		}
		for _, e := range list.GetExecutions() {
			result.Checked++
			id := e.GetExecution().GetWorkflowId()
			activity.RecordHeartbeat(ctx, id)
			closed, err := r.close(ctx, id, e.GetStatus(), e.GetCloseTime().AsTime())
			if err != nil {
				return result, err
			}
			if closed {
				result.Closed = append(result.Closed, id)
			}
		}
		if page = list.GetNextPageToken(); len(page) == 0 {
			return result, nil
		}
	}
}

// close closes one requirement, unless it is closed or another run lives on:
// a reset ends a run, too.
func (r *Reconciliation) close(ctx context.Context, id string, status enumspb.WorkflowExecutionStatus, at time.Time) (bool, error) {
	entry, err := r.Ledger.Receipt(ctx, id)
	if err != nil || entry.ClosedAt != nil {
		// A workflow that failed before its first transition is not in the ledger.
		return false, ignoreNotFound(err)
	}
	now, err := r.Temporal.DescribeWorkflowExecution(ctx, id, "")
	if err != nil {
		return false, fmt.Errorf("describe %s: %w", id, err)
	}
	if now.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return false, nil
	}
	closed, err := r.Ledger.Terminate(ctx, id, at, "its workflow has ended from outside: "+status.String())
	if !closed || err != nil {
		return closed, err
	}
	return true, r.standDown(ctx, id)
}

// standDown tells the chains of a requirement that was ended from outside that
// their cause is gone.
func (r *Reconciliation) standDown(ctx context.Context, id string) error {
	ended, err := r.Ledger.Get(ctx, id)
	if err != nil {
		return err
	}
	for _, e := range ended.Escalations {
		err := r.Temporal.SignalWorkflow(ctx, contract.EscalationID(id, e.ID), "", contract.SignalStandDown, nil)
		var gone *serviceerror.NotFound
		if err != nil && !errors.As(err, &gone) {
			return fmt.Errorf("end escalation %s of %s: %w", e.ID, id, err)
		}
	}
	return nil
}
