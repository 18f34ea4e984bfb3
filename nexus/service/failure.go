package service

import (
	"context"
	"errors"

	rpc "github.com/nexus-rpc/sdk-go/nexus"
	"go.temporal.io/sdk/temporal"

	"closeloop/ledger"
	"closeloop/nexus"
	"closeloop/requirement"
	"closeloop/starter"
)

var (
	// errUnsettled: its workflow is gone, and the ledger has not heard of it yet.
	errUnsettled = errors.New("has ended, and is not in the books yet")
	// errTooMany: Temporal tells so many callers of the end of one workflow.
	errTooMany = errors.New("too many wait for this requirement already")
)

// failure turns an error into the one that a caller of the service gets: a
// refusal is final, everything else is tried again by Temporal.
func failure(err error) error {
	var refused *requirement.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused) && refused.Code == requirement.CodeNotReady:
		return retried(rpc.HandlerErrorTypeUnavailable, err)
	case errors.As(err, &refused):
		return final(rpc.HandlerErrorTypeBadRequest, nexus.Refusal{
			Code: string(refused.Code), Message: refused.Message, Hint: refused.Hint, Params: refused.Params,
		})
	case errors.Is(err, starter.ErrNotFound):
		return final(rpc.HandlerErrorTypeNotFound, nexus.Refusal{Code: nexus.CodeNotFound, Message: err.Error()})
	case errors.Is(err, errTooMany):
		return retried(rpc.HandlerErrorTypeResourceExhausted, err)
	case errors.Is(err, errUnsettled), errors.Is(err, starter.ErrUnreachable), errors.Is(err, starter.ErrNoWorker),
		errors.Is(err, ledger.ErrUnreachable), errors.Is(err, context.DeadlineExceeded):
		return retried(rpc.HandlerErrorTypeUnavailable, err)
	default:
		return err
	}
}

func final(kind rpc.HandlerErrorType, r nexus.Refusal) error {
	return &rpc.HandlerError{
		Type: kind, Message: r.Message, RetryBehavior: rpc.HandlerErrorRetryBehaviorNonRetryable,
		Cause: temporal.NewApplicationErrorWithOptions(r.Message, r.Code, temporal.ApplicationErrorOptions{
			NonRetryable: true, Details: []any{r}, Category: temporal.ApplicationErrorCategoryBenign,
		}),
	}
}

func retried(kind rpc.HandlerErrorType, err error) error {
	return &rpc.HandlerError{Type: kind, Message: err.Error(), Cause: err, RetryBehavior: rpc.HandlerErrorRetryBehaviorRetryable}
}
