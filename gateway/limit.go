package gateway

import (
	"container/list"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// DefaultRate is how often a principal may ask, in requests a second, where
// nobody says otherwise.
const DefaultRate = 100

// maxLimited bounds how many principals are remembered. One that is forgotten
// has asked for nothing for longer than that many others, and starts with a full
// burst.
const maxLimited = 10_000

// limits bound how often each principal may ask. They are those of this process:
// behind several gateways somebody may ask several times as often.
type limits struct {
	now   func() time.Time
	rate  rate.Limit
	burst int

	mu sync.Mutex
	// known are the limiters by principal; latest has who asked last in front.
	known  map[string]*list.Element
	latest *list.List
}

type limited struct {
	id      string
	limiter *rate.Limiter
}

// newLimits returns limits of so many requests a second, and so many at once;
// none when that is not positive.
func newLimits(perSecond float64, burst int, now func() time.Time) *limits {
	l := &limits{now: now, rate: rate.Limit(perSecond), burst: burst, known: map[string]*list.Element{}, latest: list.New()}
	if perSecond <= 0 {
		l.rate = rate.Inf
	}
	return l
}

// take reports whether the principal may ask now, and otherwise how long to wait.
func (l *limits) take(id string) (wait time.Duration, ok bool) {
	if l.rate == rate.Inf {
		return 0, true
	}
	now := l.now()
	reserved := l.of(id).ReserveN(now, 1)
	if wait = reserved.DelayFrom(now); wait > 0 {
		reserved.CancelAt(now)
		return wait, false
	}
	return 0, true
}

func (l *limits) of(id string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if found, ok := l.known[id]; ok {
		l.latest.MoveToFront(found)
		return found.Value.(limited).limiter
	}
	made := rate.NewLimiter(l.rate, l.burst)
	l.known[id] = l.latest.PushFront(limited{id, made})
	if len(l.known) > maxLimited {
		oldest := l.latest.Remove(l.latest.Back()).(limited)
		delete(l.known, oldest.id)
	}
	return made
}
