package worker

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/api/serviceerror"
)

// A server that has only just started, or is being replaced, answers late or
// not at all for a while.
const (
	callTime  = 5 * time.Second
	startTime = time.Minute
)

// patiently tries a call again while the server does not answer, up to
// startTime. Any other error is final.
func patiently(ctx context.Context, call func(context.Context) error) error {
	until := time.Now().Add(startTime)
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, callTime) {
		limited, cancel := context.WithTimeout(ctx, callTime)
		err := call(limited)
		cancel()
		if err == nil || !away(err) || ctx.Err() != nil || time.Now().After(until) {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// away reports whether an error means that nobody answered.
func away(err error) bool {
	var unavailable *serviceerror.Unavailable
	var late *serviceerror.DeadlineExceeded
	var notYet *serviceerror.NamespaceNotFound
	return errors.As(err, &unavailable) || errors.As(err, &late) || errors.As(err, &notYet) ||
		errors.Is(err, context.DeadlineExceeded)
}
