package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	rpc "github.com/nexus-rpc/sdk-go/nexus"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporalnexus"

	"closeloop/contract"
	"closeloop/ledger"
	"closeloop/nexus"
	"closeloop/requirement"
	"closeloop/starter"
)

// A Desk takes requirements in and knows which ones run: [starter.Client].
type Desk interface {
	Submit(ctx context.Context, s requirement.Submission, key string) (contract.Receipt, error)
	Running(ctx context.Context, id string) (bool, error)
}

// Books know requirements that have ended: the ledger.
type Books interface {
	Get(ctx context.Context, id string) (*requirement.Requirement, error)
}

// service is what the operations share.
type service struct {
	desk  Desk
	books Books
}

// New returns the service, to be registered with a worker of the requirements'
// task queue.
func New(desk Desk, books Books) (*rpc.Service, error) {
	s := &service{desk, books}
	n := rpc.NewService(nexus.Service)
	return n, n.Register(
		rpc.NewSyncOperation(nexus.OpSubmit, s.submit),
		waiting(nexus.OpAwaitOutcome, s.awaitOutcome),
		waiting(nexus.OpSubmitAndAwait, s.submitAndAwait),
	)
}

// result is how an operation that waits is answered: at once, or later.
type result = temporalnexus.TemporalOperationResult[contract.Outcome]

// start is the beginning of an operation that waits. Its input is read strictly,
// and so by ourselves.
type start = func(ctx context.Context, c temporalnexus.NexusClient, input json.RawMessage, o temporalnexus.StartTemporalOperationOptions) (result, error)

func waiting(name string, begin start) rpc.RegisterableOperation {
	return temporalnexus.MustNewTemporalOperation(temporalnexus.TemporalOperationOptions[json.RawMessage, contract.Outcome]{
		Name: name, Start: begin,
		// By default the workflow would be cancelled, and the requirement be withdrawn
		// by somebody who only no longer waits for it.
		CancelWorkflowRun: func(context.Context, client.Client, temporalnexus.CancelTemporalWorkflowRunOptions, rpc.CancelOperationOptions) error {
			return nil
		},
	})
}

func (s *service) submit(ctx context.Context, input json.RawMessage, o rpc.StartOperationOptions) (nexus.Receipt, error) {
	receipt, err := s.takeIn(ctx, input, o.RequestID)
	return nexus.Receipt{ID: receipt.ID, Created: receipt.Created, Stage: string(receipt.Stage), Ref: receipt.Ref}, failure(err)
}

func (s *service) submitAndAwait(ctx context.Context, c temporalnexus.NexusClient, input json.RawMessage, o temporalnexus.StartTemporalOperationOptions) (result, error) {
	receipt, err := s.takeIn(ctx, input, o.RequestID)
	if err != nil {
		return result{}, failure(err)
	}
	r, err := s.await(ctx, c, receipt.ID)
	return r, failure(err)
}

func (s *service) awaitOutcome(ctx context.Context, c temporalnexus.NexusClient, input json.RawMessage, _ temporalnexus.StartTemporalOperationOptions) (result, error) {
	request, err := read[nexus.OutcomeRequest](input)
	if err == nil && request.ID == "" {
		err = invalid("id", "missing", "it is missing")
	}
	if err != nil {
		return result{}, failure(err)
	}
	r, err := s.await(ctx, c, contract.NormalID(request.ID))
	return r, failure(err)
}

// takeIn submits. What has no reference of its own is known by the request, which
// Temporal repeats until it is answered.
func (s *service) takeIn(ctx context.Context, input json.RawMessage, requestID string) (contract.Receipt, error) {
	submission, err := read[nexus.Submission](input)
	if err != nil {
		return contract.Receipt{}, err
	}
	taken, err := recorded(submission)
	if err != nil {
		return contract.Receipt{}, err
	}
	return s.desk.Submit(ctx, taken, "nexus:"+requestID)
}

// await answers with the outcome of a requirement: later, by its workflow, or at
// once when it has ended.
func (s *service) await(ctx context.Context, c temporalnexus.NexusClient, id string) (result, error) {
	running, err := s.desk.Running(ctx, id)
	if err != nil && !errors.Is(err, starter.ErrNotFound) {
		return result{}, err
	}
	if running {
		r, err := attach(ctx, c, id)
		var ended *serviceerror.WorkflowExecutionAlreadyStarted
		if !errors.As(err, &ended) {
			return r, err
		}
	}
	ended, err := s.ended(ctx, id)
	return temporalnexus.NewSyncResult(ended), err
}

// attach has the caller told by Temporal when the workflow ends.
func attach(ctx context.Context, c temporalnexus.NexusClient, id string) (result, error) {
	r, err := temporalnexus.StartUntypedWorkflow[contract.Outcome](ctx, c, client.StartWorkflowOptions{
		ID: id,
		// Nothing is started: the caller is attached to the run that there is, and one
		// that has ended meanwhile is an error.
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
	}, contract.RequirementWorkflow, contract.Input{})
	var full *serviceerror.FailedPrecondition
	if errors.As(err, &full) {
		// One workflow tells a limited number of callers.
		return r, fmt.Errorf("%w: %w", errTooMany, err)
	}
	return r, err
}

// ended returns the outcome of a requirement that does not run any more.
func (s *service) ended(ctx context.Context, id string) (contract.Outcome, error) {
	r, err := s.books.Get(ctx, id)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return contract.Outcome{}, fmt.Errorf("%s: %w", id, starter.ErrNotFound)
	case err != nil:
		return contract.Outcome{}, err
	case r.ClosedAt == nil:
		return contract.Outcome{}, fmt.Errorf("%s %w", id, errUnsettled)
	}
	return contract.OutcomeOf(r), nil
}
