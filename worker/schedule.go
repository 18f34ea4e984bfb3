package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"closeloop/contract"
)

// auditEvery is how long something may be wrong before the audit finds it.
const auditEvery = time.Minute

// ensureSchedule creates the schedule of the audit, once.
func ensureSchedule(ctx context.Context, c client.Client, taskQueue string) error {
	id := contract.AuditScheduleID(taskQueue)
	_, err := c.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID:      id,
		Spec:    client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: auditEvery}}},
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP,
		Action: &client.ScheduleWorkflowAction{
			ID: id, Workflow: contract.AuditWorkflow, TaskQueue: taskQueue,
			Args:          []any{contract.AuditRequest{}},
			StaticSummary: "Compares the ledger with the workflows, and repairs what it safely can",
		},
	})
	if err != nil && !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return fmt.Errorf("create schedule %s: %w", id, err)
	}
	return nil
}
