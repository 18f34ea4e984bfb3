package e2e_test

import (
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
	"closeloop/requirement"
	"closeloop/workflows"
)

// retold is what the history of a requirement says should be in the ledger: the
// history is replayed, and what the workflow then hands to the ledger is kept.
func retold(t *testing.T, h *historypb.History) []requirement.Event {
	t.Helper()
	ear := &ear{}
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
		Interceptors: []interceptor.WorkerInterceptor{ear},
	})
	require.NoError(t, err)
	flows := &workflows.Workflows{}
	replayer.RegisterWorkflowWithOptions(flows.Requirement, workflow.RegisterOptions{Name: contract.RequirementWorkflow})
	started := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
	require.NoError(t, replayer.ReplayWorkflowHistoryWithOptions(log.NewStructuredLogger(slog.New(slog.DiscardHandler)), h,
		worker.ReplayWorkflowHistoryOptions{
			OriginalExecution: workflow.Execution{ID: started.GetWorkflowId(), RunID: started.GetOriginalExecutionRunId()},
		}))
	return ear.events
}

// sameAsHistory checks that the ledger has exactly what the history says, fact
// by fact, with times and particulars.
func (o *office) sameAsHistory(t *testing.T, id string) {
	t.Helper()
	want := retold(t, historyOf(t, id))
	got := o.ledgerEvents(t, id)
	require.Equal(t, len(want), len(got), "%s: number of facts", id)
	for i := range want {
		require.Equal(t, factText(t, want[i]), factText(t, got[i]), id)
	}
}

// factText is a fact as the database keeps it: it knows microseconds.
func factText(t *testing.T, e requirement.Event) string {
	t.Helper()
	e.At = e.At.UTC().Truncate(1000)
	if len(e.To) == 0 {
		e.To = nil
	}
	var data any
	if len(e.Data) > 0 {
		require.NoError(t, json.Unmarshal(e.Data, &data))
	}
	e.Data = nil
	text, err := json.Marshal(struct {
		requirement.Event
		Data any `json:"data"`
	}{e, data})
	require.NoError(t, err)
	return string(text)
}

// ear hears what replayed workflows hand to the ledger.
type ear struct {
	interceptor.WorkerInterceptorBase
	events []requirement.Event
}

func (e *ear) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &inbound{WorkflowInboundInterceptorBase: interceptor.WorkflowInboundInterceptorBase{Next: next}, ear: e}
}

type inbound struct {
	interceptor.WorkflowInboundInterceptorBase
	ear *ear
}

func (i *inbound) Init(next interceptor.WorkflowOutboundInterceptor) error {
	return i.Next.Init(&outbound{WorkflowOutboundInterceptorBase: interceptor.WorkflowOutboundInterceptorBase{Next: next}, ear: i.ear})
}

type outbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	ear *ear
}

func (o *outbound) ExecuteLocalActivity(ctx workflow.Context, activity string, args ...any) workflow.Future {
	if activity == contract.ActivityPersist {
		o.ear.events = append(o.ear.events, args[0].(requirement.Transition).Events...)
	}
	return o.Next.ExecuteLocalActivity(ctx, activity, args...)
}
