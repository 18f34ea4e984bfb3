package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/workflows"
)

// chronicler retells what requirements wrote to the ledger. Their histories do
// not have it in so many words, but replaying them says it again, exactly.
type chronicler struct {
	temporal client.Client
}

// errNoHistory: Temporal no longer keeps a run that is needed.
var errNoHistory = errors.New("the histories that Temporal keeps do not go back so far")

// retell returns the transitions of a requirement that were written, in order,
// from the event after that number on. The first one carries the rules. A
// transition that the workflow is still trying to write is not among them.
func (c chronicler) retell(ctx context.Context, id string, after int) ([]requirement.Transition, error) {
	var told []requirement.Transition
	for run := ""; ; {
		history, err := c.history(ctx, id, run)
		if err != nil {
			return nil, fmt.Errorf("read the history of %s: %w", id, err)
		}
		account, err := replay(history)
		if err != nil {
			return nil, fmt.Errorf("replay the history of %s: %w", id, err)
		}
		told = append(account.transitions, told...)
		started := history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
		if run = started.GetContinuedExecutionRunId(); run != "" && account.from > after {
			continue
		}
		if account.from > after {
			return nil, errNoHistory
		}
		told = slices.DeleteFunc(told, func(t requirement.Transition) bool { return t.State.Seq <= after })
		if len(told) > 0 && told[0].Process == nil && told[0].State.Policy == account.process.Digest {
			told[0].Process = &account.process
		}
		return told, nil
	}
}

func (c chronicler) history(ctx context.Context, id, run string) (*historypb.History, error) {
	history := &historypb.History{}
	events := c.temporal.GetWorkflowHistory(ctx, id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return nil, err
		}
		history.Events = append(history.Events, e)
	}
	if len(history.Events) == 0 {
		return nil, errNoHistory
	}
	return history, nil
}

// Retell returns the transitions that the history of a requirement's run says were
// written, in order. It changes the history.
func Retell(history *historypb.History) ([]requirement.Transition, error) {
	a, err := replay(history)
	if err != nil {
		return nil, err
	}
	return a.transitions, nil
}

// account is what a run said.
type account struct {
	// from is the number of the latest fact before the run.
	from        int
	process     policy.Process
	transitions []requirement.Transition
}

// replay runs a history through the workflow and listens to what it writes. What
// the workflow has begun and not finished is left out.
func replay(history *historypb.History) (*account, error) {
	a := &account{}
	history = rested(history)
	if len(history.GetEvents()) < 3 {
		// It has not begun.
		return a, nil
	}
	r, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
		Interceptors: []interceptor.WorkerInterceptor{&listener{account: a}},
	})
	if err != nil {
		return nil, err
	}
	flows := &workflows.Workflows{}
	r.RegisterWorkflowWithOptions(flows.Requirement, workflow.RegisterOptions{Name: contract.RequirementWorkflow})
	started := history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
	err = r.ReplayWorkflowHistoryWithOptions(log.NewStructuredLogger(slog.New(slog.DiscardHandler)), history,
		worker.ReplayWorkflowHistoryOptions{OriginalExecution: workflow.Execution{
			ID: started.GetWorkflowId(), RunID: started.GetOriginalExecutionRunId(),
		}})
	return a, err
}

// rested returns a history as the replayer takes it: that of a run which goes on
// ends with a task that has begun. That one is not replayed, so all that came
// before is what was done.
func rested(history *historypb.History) *historypb.History {
	events := slices.Clone(history.GetEvents())
	if len(events) == 0 || ends[events[len(events)-1].GetEventType()] {
		return history
	}
	return &historypb.History{Events: append(events, &historypb.HistoryEvent{
		EventId: events[len(events)-1].GetEventId() + 1, EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED,
		Attributes: &historypb.HistoryEvent_WorkflowTaskStartedEventAttributes{
			WorkflowTaskStartedEventAttributes: &historypb.WorkflowTaskStartedEventAttributes{},
		},
	})}
}

// ends are the events after which a history needs no task to be complete.
var ends = map[enumspb.EventType]bool{
	enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED:               true,
	enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:        true,
	enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:           true,
	enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:         true,
	enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: true,
}

// listener hears what a replayed workflow is given and what it writes.
type listener struct {
	interceptor.WorkerInterceptorBase
	account *account
}

// InterceptWorkflow listens to one run.
func (l *listener) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &inbound{interceptor.WorkflowInboundInterceptorBase{Next: next}, l.account}
}

type inbound struct {
	interceptor.WorkflowInboundInterceptorBase
	account *account
}

func (i *inbound) Init(next interceptor.WorkflowOutboundInterceptor) error {
	return i.Next.Init(&outbound{interceptor.WorkflowOutboundInterceptorBase{Next: next}, i.account})
}

func (i *inbound) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	if len(in.Args) > 0 {
		if carried, ok := in.Args[0].(contract.Input); ok && carried.State != nil && carried.Process != nil {
			i.account.from, i.account.process = carried.State.Seq, *carried.Process
		}
	}
	return i.Next.ExecuteWorkflow(ctx, in)
}

type outbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	account *account
}

func (o *outbound) ExecuteLocalActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	return o.listen(o.Next.ExecuteLocalActivity(ctx, name, args...), args)
}

func (o *outbound) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	return o.listen(o.Next.ExecuteActivity(ctx, name, args...), args)
}

func (o *outbound) listen(f workflow.Future, args []any) workflow.Future {
	if len(args) == 1 {
		return &heard{f, args[0], o.account}
	}
	return f
}

// heard is an activity under way. What it was asked counts once it is done.
type heard struct {
	workflow.Future
	asked   any
	account *account
}

func (h *heard) Get(ctx workflow.Context, result any) error {
	err := h.Future.Get(ctx, result)
	if err != nil {
		return err
	}
	switch asked := h.asked.(type) {
	case contract.OpenRequest:
		if opening, ok := result.(*contract.Opening); ok {
			h.account.process = opening.Process
		}
	case requirement.Transition:
		if asked.Instead == nil {
			h.account.transitions = append(h.account.transitions, asked)
		}
	}
	return nil
}
