package notify

import (
	"context"
	"encoding/binary"
	"encoding/hex"
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

// Terms are what a channel wants of a courier. A channel says so with a method
// Terms() Terms; the others are for people: nobody is told twice, messages have
// no order, and what has failed five times goes on to the next channel.
type Terms struct {
	// Repeatable: the receiver recognises a message that it has had. Then one whose
	// fate is unknown is sent again, and arrives at least once; otherwise at most
	// once.
	Repeatable bool
	// InOrder: of one requirement, a recipient is told one thing after the other.
	// The next waits until the one before has arrived or was given up.
	InOrder bool
	// Waits are how long it is left alone after the first, second … attempt that
	// failed for a passing reason.
	Waits []time.Duration
	// Spread is by which part of itself a wait may grow, so that not all come back
	// at once: 0.2 for a fifth.
	Spread float64
	// Patience is for how long a message is tried, the last of Waits again and
	// again; it is tried once at least. Zero: until there are no more Waits.
	Patience time.Duration
}

// forPeople are the terms of channels that say nothing. A restart of a mail
// server is survived without falling back.
var forPeople = Terms{Waits: []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute}}

func termsOf(c Channel) Terms {
	if t, ok := c.(interface{ Terms() Terms }); ok {
		return t.Terms()
	}
	return forPeople
}

// exhausted reports whether a notice that has failed is not tried again.
func (t Terms) exhausted(n Due) bool {
	if t.Patience > 0 {
		return n.Age >= t.Patience
	}
	return n.Attempts > len(t.Waits)
}

// wait is how long to wait after an attempt. It is the same for the same notice
// and attempt.
func (t Terms) wait(n Due) time.Duration {
	wait := t.Waits[min(n.Attempts, len(t.Waits))-1]
	bits, err := hex.DecodeString(n.Digest())
	if t.Spread == 0 || err != nil {
		return wait
	}
	share := float64(binary.BigEndian.Uint16(bits[n.Attempts%(len(bits)-1):])) / (1 << 16)
	return wait + time.Duration(share*t.Spread*float64(wait))
}

// SendError says why a message was not handed over. Its text never has a secret
// in it.
type SendError struct {
	// Permanent: trying again would not help; the next channel takes over.
	Permanent bool
	// MayHaveArrived: the message was handed over, but no answer came. It is sent
	// again only where the channel's [Terms] let it; otherwise the next channel
	// takes over.
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
