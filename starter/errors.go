package starter

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"closeloop/contract"
)

// What can go wrong besides a refusal. Test with [errors.Is].
var (
	// ErrNotFound: Temporal knows no such workflow.
	ErrNotFound = errors.New("not found")
	// ErrOver: the workflow has ended; it takes no more acts.
	ErrOver = errors.New("it has ended; nothing more can be done to it")
	// ErrUnreachable: Temporal does not answer.
	ErrUnreachable = errors.New("cannot be reached")
	// ErrNoWorker: Temporal answers, but no worker did in time.
	ErrNoWorker = errors.New("no worker answered in time; is `closeloop worker` running?")
	// ErrUnfinished: a worker is at work on the audit, and the wait for it is over.
	ErrUnfinished = errors.New("the audit is still under way; asking for another joins it")
)

// Unreachable is an [ErrUnreachable] that says which service and why.
type Unreachable struct {
	Service string
	Cause   error
}

func (e *Unreachable) Error() string {
	return fmt.Sprintf("%s cannot be reached: %v", e.Service, e.Cause)
}

// Is makes it an [ErrUnreachable].
func (e *Unreachable) Is(target error) bool { return target == ErrUnreachable }

func (e *Unreachable) Unwrap() error { return e.Cause }

// acceptedThenOver is the type of the error of an Update that was accepted by a
// run which ended before it was done.
const acceptedThenOver = "AcceptedUpdateCompletedWorkflow"

// probeTimeout bounds the look at what is wrong after a call has failed.
const probeTimeout = 3 * time.Second

// explain turns an error of a call about the workflow id into one that callers
// can tell apart. parent is the context of the caller, whose end is theirs to
// know of.
func (c *Client) explain(parent context.Context, id string, err error) error {
	if err == nil {
		return nil
	}
	if refused, ok := contract.RefusalOf(err); ok {
		return refused
	}
	if parent.Err() != nil {
		return parent.Err()
	}
	switch kindOf(err) {
	case kindOver:
		return fmt.Errorf("%s: %w", id, ErrOver)
	case kindMissing:
		return c.missing(parent, id)
	case kindUnreachable:
		return &Unreachable{Service: "Temporal", Cause: err}
	case kindUnprepared:
		return fmt.Errorf("%w (a worker registers the search attributes when it starts: %w)", ErrNoWorker, err)
	case kindUnattended:
		return fmt.Errorf("%s: %w", id, ErrNoWorker)
	case kindTimeout:
		ctx, cancel := context.WithTimeout(context.WithoutCancel(parent), probeTimeout)
		defer cancel()
		if _, health := c.temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); health != nil {
			return &Unreachable{Service: "Temporal", Cause: health}
		}
		return fmt.Errorf("%s: %w", id, ErrNoWorker)
	default:
		return err
	}
}

// missing tells a workflow that has ended from one that never was: a call that
// needs a running one answers both with the same error.
func (c *Client) missing(parent context.Context, id string) error {
	seen, err := c.describe(parent, id)
	switch {
	case err != nil && kindOf(err) == kindMissing:
		return fmt.Errorf("%s: %w", id, ErrNotFound)
	case err != nil:
		return c.explain(parent, id, err)
	case seen.running:
		// It has appeared meanwhile, or Temporal is still moving it.
		return fmt.Errorf("%s: %w", id, ErrNoWorker)
	default:
		return fmt.Errorf("%s: %w", id, ErrOver)
	}
}

// A kind is what an error of the Temporal client comes down to.
type kind int

const (
	kindOther       kind = iota
	kindOver             // the run ended under the call
	kindMissing          // no running workflow of that id
	kindUnreachable      // no connection, a namespace that is not there, or too much to do
	kindUnprepared       // the namespace lacks our search attributes
	kindTimeout          // nobody answered in time
	kindUnattended       // no worker has asked for tasks lately, or none gets done with this workflow's
)

func kindOf(err error) kind {
	var (
		app         *temporal.ApplicationError
		missing     *serviceerror.NotFound
		namespace   *serviceerror.NamespaceNotFound
		unavailable *serviceerror.Unavailable
		late        *serviceerror.DeadlineExceeded
		invalid     *serviceerror.InvalidArgument
		state       *serviceerror.FailedPrecondition
		unready     *serviceerror.WorkflowNotReady
		exhausted   *serviceerror.ResourceExhausted
		update      *client.WorkflowUpdateServiceTimeoutOrCanceledError
	)
	switch {
	case errors.As(err, &app) && app.Type() == acceptedThenOver:
		return kindOver
	case errors.As(err, &namespace):
		return kindUnreachable
	case errors.As(err, &missing):
		return kindMissing
	case errors.As(err, &unavailable), errors.As(err, &exhausted):
		return kindUnreachable
	case errors.As(err, &invalid) && strings.Contains(strings.ToLower(invalid.Message), "search attribute"):
		return kindUnprepared
	case errors.As(err, &state) && strings.Contains(state.Message, "no poller"), errors.As(err, &unready):
		return kindUnattended
	case errors.As(err, &update), errors.As(err, &late), errors.Is(err, context.DeadlineExceeded):
		return kindTimeout
	default:
		return kindOther
	}
}
