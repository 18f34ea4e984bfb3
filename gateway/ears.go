package gateway

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// ears listen to the ledger for all streams of a gateway together, as long as
// there are any: one connection, however many follow.
type ears struct {
	listen func(ctx context.Context, changed func(id string)) error
	logger *slog.Logger

	mu      sync.Mutex
	waiting map[chan struct{}]bool
	// deafen ends the listening; nil when nobody listens.
	deafen context.CancelFunc
}

// The pauses between attempts to listen again once the database was lost.
// Streams look for themselves meanwhile, with every heartbeat.
const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// join returns a channel that is told when something may have been written, and
// what ends that. Several writings may be told as one.
func (e *ears) join() (told <-chan struct{}, leave func()) {
	ear := make(chan struct{}, 1)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting[ear] = true
	if e.deafen == nil {
		ctx, cancel := context.WithCancel(context.Background())
		e.deafen = cancel
		go e.run(ctx)
	}
	return ear, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.waiting, ear)
		if len(e.waiting) == 0 && e.deafen != nil {
			e.deafen()
			e.deafen = nil
		}
	}
}

func (e *ears) run(ctx context.Context) {
	pause := firstRetry
	for {
		err := e.listen(ctx, func(string) {
			pause = firstRetry
			e.tell()
		})
		if ctx.Err() != nil {
			return
		}
		e.logger.Warn("The ledger cannot be listened to; streams are late", "error", err, "pause", pause.String())
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, lastRetry)
	}
}

// tell wakes all that are not awake already.
func (e *ears) tell() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for ear := range e.waiting {
		select {
		case ear <- struct{}{}:
		default:
		}
	}
}
