package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
	"closeloop/requirement"
	"closeloop/workflows"
)

// awayFor is an endpoint that is away for a while: what it is to be told is tried
// every hour.
func awayFor(w *world, d time.Duration) {
	start := w.Now()
	w.register(contract.ActivityNotify, func(_ context.Context, req contract.NotifyRequest) (contract.Notified, error) {
		if w.Now().Sub(start) < d {
			return contract.Notified{}, temporal.NewApplicationErrorWithOptions("not now", "notices_waiting", temporal.ApplicationErrorOptions{NextRetryDelay: time.Hour})
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.notified = append(w.notified, req)
		return contract.Notified{Sent: 1}, nil
	})
}

// TestANewRunGoesOnTelling: a system that is away for a day does not hold up the
// new run that a long history needs.
func TestANewRunGoesOnTelling(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	awayFor(w, 24*time.Hour)
	start := w.Now()
	w.at(time.Minute, func() { w.SignalWorkflow(contract.SignalContinueAsNew, nil) })
	w.does(10*time.Minute, requirement.Triage{Header: by("wang.fang")})
	w.does(20*time.Minute, requirement.Comment{Header: by("wang.fang"), Message: "还在吗"})
	w.lives()
	require.Less(t, w.Now().Sub(start), time.Hour)
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, w.GetWorkflowError(), &again)
	var in contract.Input
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &in))
	require.NotEmpty(t, in.Telling)
	require.Equal(t, testID, in.Telling[0].ID)
	require.Empty(t, w.notified)

	// The new run has it told, and ends when it is.
	next := newWorld(t)
	next.transitions = w.transitions
	next.does(time.Hour, requirement.Withdraw{Header: by("wang.fang"), Reason: "不需要了"})
	next.ExecuteWorkflow(contract.RequirementWorkflow, in)
	require.True(t, next.IsWorkflowCompleted())
	next.ends(requirement.Withdrawn)
	for _, left := range in.Telling {
		require.Contains(t, next.notified, left)
	}
}

// TestTheEndWaitsForWhatIsToBeTold: the last that a system learns of a ticket is
// its outcome.
func TestTheEndWaitsForWhatIsToBeTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	awayFor(w, 6*time.Hour)
	start := w.Now()
	w.does(time.Minute, requirement.Withdraw{Header: by("wang.fang"), Reason: "不需要了"})
	w.lives()
	w.ends(requirement.Withdrawn)
	require.GreaterOrEqual(t, w.Now().Sub(start), 6*time.Hour)
	require.NotEmpty(t, w.notified)
}

func TestRedeliver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reopened contract.Reopened
		told     []contract.NotifyRequest
	}{
		"the notices of some events": {contract.Reopened{Notices: 2, From: 3, To: 7}, []contract.NotifyRequest{{ID: testID, From: 3, To: 7}}},
		"somebody was faster":        {contract.Reopened{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.RegisterWorkflowWithOptions((&workflows.Workflows{}).Redeliver, workflow.RegisterOptions{Name: contract.RedeliverWorkflow})
			awayFor(w, 5*time.Hour)
			asked := 0
			w.register(contract.ActivityReopen, func(_ context.Context, req contract.RedeliverRequest) (contract.Reopened, error) {
				asked++
				require.Equal(t, []int64{4, 9}, req.Numbers)
				if asked == 1 {
					return contract.Reopened{}, errDown
				}
				return c.reopened, nil
			})
			w.ExecuteWorkflow(contract.RedeliverWorkflow, contract.RedeliverRequest{ID: testID, Numbers: []int64{4, 9}})
			require.True(t, w.IsWorkflowCompleted())
			require.NoError(t, w.GetWorkflowError())
			var told contract.Notified
			require.NoError(t, w.GetWorkflowResult(&told))
			require.Equal(t, len(c.told), told.Sent)
			require.Equal(t, c.told, w.notified)
			require.Equal(t, 2, asked)
		})
	}
}
