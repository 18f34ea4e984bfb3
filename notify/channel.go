package notify

import (
	"context"
	"fmt"
	"time"
)

// A Channel carries messages to recipients. Each is a small file in
// notify/channel.
type Channel interface {
	// Name is what people's channels are called in the policy.
	Name() string
	// Send hands one message over, or fails with a [*SendError]; any other error
	// is taken as passing. It returns soon after ctx is done, and may be called
	// from several goroutines at once. A message may be sent only once it is
	// claimed, and a channel never repeats it by itself.
	Send(ctx context.Context, m Message) error
}

// Channels are the ones that work here, by name.
type Channels map[string]Channel

// SendError says why a message was not handed over. Its text never has a secret
// in it.
type SendError struct {
	// Permanent: trying again would not help; the next channel takes over.
	Permanent bool
	// MayHaveArrived: the message was handed over, but no answer came. It is not
	// sent again, so that nobody gets it twice; the next channel takes over.
	MayHaveArrived bool
	// RetryAfter is how long the channel asks to be left alone; zero when it does
	// not say.
	RetryAfter time.Duration
	Err        error
}

func (e *SendError) Error() string {
	switch {
	case e.MayHaveArrived:
		return fmt.Sprintf("no answer, it may have arrived: %v", e.Err)
	case e.Permanent:
		return fmt.Sprintf("refused: %v", e.Err)
	default:
		return fmt.Sprintf("not sent: %v", e.Err)
	}
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }
