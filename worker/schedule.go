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

// reconcileEvery is how long a requirement whose workflow was terminated may
// stand open in the ledger.
const reconcileEvery = time.Minute

// ensureSchedule creates the schedule of the reconciliation, once.
func ensureSchedule(ctx context.Context, c client.Client, taskQueue string) error {
	id := contract.ReconcileScheduleID(taskQueue)
	_, err := c.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID:      id,
		Spec:    client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: reconcileEvery}}},
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP,
		Action: &client.ScheduleWorkflowAction{
			ID: id, Workflow: contract.ReconcileWorkflow, TaskQueue: taskQueue,
			StaticSummary: "Closes in the ledger what was terminated in Temporal",
		},
	})
	if err != nil && !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return fmt.Errorf("create schedule %s: %w", id, err)
	}
	return nil
}
