package starter

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"

	"closeloop/contract"
)

// auditor is a Temporal in which an audit ends when it is told to.
type auditor struct {
	mocks.Client
	started client.StartWorkflowOptions
	asked   any
	// there is the error of one that is under way already.
	there error
	// events is the length of its history; two when no worker has taken it.
	events int64
	ends   chan error
}

func newAuditor() *auditor {
	a := &auditor{events: 2, ends: make(chan error, 1)}
	run := &mocks.WorkflowRun{}
	run.On("GetRunID").Return("run-1")
	run.On("Get", mock.Anything, mock.Anything).Return(func(ctx context.Context, report any) error {
		select {
		case err := <-a.ends:
			report.(*contract.AuditReport).Open = 7
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	a.On("GetWorkflow", mock.Anything, "closeloop-audit/q/by-hand", "run-1").Return(run)
	a.On("ExecuteWorkflow", mock.Anything, mock.Anything, contract.AuditWorkflow, mock.Anything).Return(
		func(_ context.Context, o client.StartWorkflowOptions, _ any, args ...any) client.WorkflowRun {
			a.started, a.asked = o, args[0]
			return run
		}, func(context.Context, client.StartWorkflowOptions, any, ...any) error { return a.there })
	a.On("DescribeWorkflowExecution", mock.Anything, "closeloop-audit/q/by-hand", "run-1").Return(
		func(context.Context, string, string) *workflowservice.DescribeWorkflowExecutionResponse {
			return &workflowservice.DescribeWorkflowExecutionResponse{
				WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{HistoryLength: a.events},
			}
		}, nil)
	return a
}

func TestAuditWaitsForTheReport(t *testing.T) {
	t.Parallel()
	for name, there := range map[string]error{
		"started": nil,
		"joined":  serviceerror.NewWorkflowExecutionAlreadyStarted("there", "", "run-1"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAuditor()
			a.there = there
			var told []bool
			joined := false
			report, err := New(a, "q", time.Second).Audit(t.Context(), contract.AuditRequest{Deep: true}, AuditWaiting{
				Every:  time.Millisecond,
				Joined: func() { joined = true },
				Still: func(taken bool) {
					switch told = append(told, taken); len(told) {
					case 1:
						a.events = 5
					case 2:
						a.ends <- nil
					}
				},
			})
			require.NoError(t, err)
			require.Equal(t, 7, report.Open)
			require.Equal(t, []bool{false, true}, told[:2])
			require.Equal(t, there != nil, joined)
			require.Equal(t, "closeloop-audit/q/by-hand", a.started.ID)
			require.Equal(t, "q", a.started.TaskQueue)
			require.True(t, a.started.WorkflowExecutionErrorWhenAlreadyStarted)
			require.Equal(t, contract.AuditRequest{Deep: true}, a.asked)
		})
	}
}

func TestAuditDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	broken := errors.New("the activity failed")
	for name, c := range map[string]struct {
		events int64
		there  error
		ends   error
		is     error
	}{
		"no worker takes it": {events: 2, is: ErrNoWorker},
		"it goes on":         {events: 5, is: ErrUnfinished},
		"it fails":           {events: 5, ends: broken, is: broken},
		"nobody answers":     {there: serviceerror.NewUnavailable("no"), is: ErrUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAuditor()
			a.events, a.there = c.events, c.there
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if c.ends != nil {
				a.ends <- c.ends
			}
			_, err := New(a, "q", time.Second).Audit(ctx, contract.AuditRequest{}, AuditWaiting{})
			require.ErrorIs(t, err, c.is)
		})
	}
}

func TestAuditThatIsInterruptedSaysSo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := New(newAuditor(), "q", time.Second).Audit(ctx, contract.AuditRequest{}, AuditWaiting{
		Every: time.Millisecond, Still: func(bool) { cancel() },
	})
	require.ErrorIs(t, err, context.Canceled)
}
