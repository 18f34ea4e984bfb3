package starter

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"
	"go.temporal.io/sdk/temporal"

	"closeloop/contract"
	"closeloop/requirement"
)

const someID = "REQ-7K2M9QXA"

func described(status enumspb.WorkflowExecutionStatus, stage requirement.Stage) *client.WorkflowExecutionDescription {
	d := &client.WorkflowExecutionDescription{}
	d.Status = status
	d.TypedSearchAttributes = temporal.NewSearchAttributes(contract.Stage.ValueSet(string(stage)))
	return d
}

func TestEveryErrorIsOneThatCallersCanTellApart(t *testing.T) {
	t.Parallel()
	refusal := &requirement.Error{Code: requirement.CodeStage, Message: "no", Hint: "wait", Params: map[string]string{"id": someID}}
	missing := serviceerror.NewNotFound("workflow execution already completed")
	for name, tc := range map[string]struct {
		update error
		// described and unhealthy answer the look at what is wrong.
		described *client.WorkflowExecutionDescription
		lost      error
		unhealthy error
		want      error
	}{
		"a refusal keeps its code, hint and parameters": {
			update: contract.Refusal(refusal), want: refusal,
		},
		"an act on what has ended": {
			update: missing, described: described(enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, requirement.Archived), want: ErrOver,
		},
		"an act on what never was": {
			update: missing, lost: serviceerror.NewNotFound("workflow not found"), want: ErrNotFound,
		},
		"the run ended under the act": {
			update: temporal.NewApplicationError("workflow completed", acceptedThenOver), want: ErrOver,
		},
		"the connection is gone": {
			update: serviceerror.NewUnavailable("connection refused"), want: ErrUnreachable,
		},
		"the namespace is not there": {
			update: serviceerror.NewNamespaceNotFound("nowhere"), want: ErrUnreachable,
		},
		"nobody answers, Temporal is well": {
			update: client.NewWorkflowUpdateServiceTimeoutOrCanceledError(context.DeadlineExceeded), want: ErrNoWorker,
		},
		"nobody answers, Temporal neither": {
			update:    client.NewWorkflowUpdateServiceTimeoutOrCanceledError(context.DeadlineExceeded),
			unhealthy: serviceerror.NewUnavailable("connection refused"), want: ErrUnreachable,
		},
		"no worker has asked for tasks lately": {
			update: serviceerror.NewFailedPrecondition("no poller seen for task queue recently, worker may be down"), want: ErrNoWorker,
		},
		"workers that have the workflow do not finish with it": {
			update: serviceerror.NewWorkflowNotReady("Unable to perform workflow execution update due to Workflow Task in failed state."),
			want:   ErrNoWorker,
		},
		"Temporal has more to do than it can": {
			update: serviceerror.NewResourceExhausted(enumspb.RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED, "system is overloaded"),
			want:   ErrUnreachable,
		},
		"no worker has ever registered the search attributes": {
			update: serviceerror.NewInvalidArgument("Namespace default has no mapping defined for search attribute CloseloopStage"),
			want:   ErrNoWorker,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			temporalClient := mocks.NewClient(t)
			temporalClient.On("UpdateWorkflow", mock.Anything, mock.Anything).Return(nil, tc.update)
			if tc.described != nil || tc.lost != nil {
				temporalClient.On("DescribeWorkflow", mock.Anything, someID, "").Return(tc.described, tc.lost)
			}
			if kindOf(tc.update) == kindTimeout {
				temporalClient.On("CheckHealth", mock.Anything, mock.Anything).Return(nil, tc.unhealthy)
			}
			_, err := New(temporalClient, "q", time.Second).Do(t.Context(), someID, requirement.Accept{})
			if want, ok := errors.AsType[*requirement.Error](tc.want); ok {
				got, is := errors.AsType[*requirement.Error](err)
				require.True(t, is, "%v", err)
				require.Equal(t, want, got)
				return
			}
			require.ErrorIs(t, err, tc.want)
		})
	}
}

func TestTheCallersOwnEndIsNoFaultOfTheService(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	temporalClient := mocks.NewClient(t)
	temporalClient.On("QueryWorkflow", mock.Anything, someID, "", contract.QueryState).
		Return(nil, fmt.Errorf("query: %w", context.Canceled))
	_, err := New(temporalClient, "q", time.Second).View(ctx, someID)
	require.ErrorIs(t, err, context.Canceled)
}

func TestDialSaysWhoCannotBeReached(t *testing.T) {
	t.Parallel()
	// Port 9 of the loopback is the discard service, which nobody runs.
	_, err := Dial(t.Context(), Options{Env: envMap{
		"TEMPORAL_ADDRESS": "127.0.0.1:9", "TEMPORAL_CONFIG_FILE": t.TempDir() + "/none.toml",
	}})
	require.ErrorIs(t, err, ErrUnreachable)
	require.ErrorContains(t, err, "Temporal at 127.0.0.1:9")
}

func TestTaskQueue(t *testing.T) {
	t.Parallel()
	require.Equal(t, "closeloop", TaskQueue(envMap{}))
	require.Equal(t, "closeloop", TaskQueue(envMap{EnvTaskQueue: "  "}))
	require.Equal(t, "other", TaskQueue(envMap{EnvTaskQueue: "other"}))
}

type envMap map[string]string

func (e envMap) Environ() []string { return nil }

func (e envMap) LookupEnv(key string) (string, bool) { v, ok := e[key]; return v, ok }
