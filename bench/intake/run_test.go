package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// counted is a way that only counts.
type counted struct {
	short string
	fails error
	// absent is how many calls find nobody there.
	absent int

	mu      sync.Mutex
	seen    map[string]bool
	settles []int
}

func (c *counted) name() string { return c.short }
func (c *counted) word() string { return c.short }

func (c *counted) call(_ context.Context, reference string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	if c.absent > 0 {
		c.absent--
		return errors.New("connection refused")
	}
	c.seen[reference] = true
	return c.fails
}

func (c *counted) settled(_ context.Context, prefix string, n int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	own := 0
	for reference := range c.seen {
		if strings.HasPrefix(reference, prefix) {
			own++
		}
	}
	if own != n {
		return errors.New("the count is not that of the calls")
	}
	c.settles = append(c.settles, n)
	return nil
}

func TestWaysTakeTurns(t *testing.T) {
	t.Parallel()
	a, b := &counted{short: "a"}, &counted{short: "b", absent: 3}
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, options{rounds: 3, calls: 20, warm: 5, concurrency: 4}, []way{a, b}))
	for _, w := range []*counted{a, b} {
		require.Len(t, w.seen, 1+65, "no reference is used twice")
		require.Equal(t, []int{5, 25, 45, 65}, w.settles, "each burst is waited for before the next")
	}
	text := out.String()
	require.Less(t, strings.Index(text, "round 1  a"), strings.Index(text, "round 1  b"))
	require.Less(t, strings.Index(text, "round 1  b"), strings.Index(text, "round 2  a"))
	require.NotContains(t, text, "round 0", "warming up is not measured")
	require.Contains(t, text, "3 rounds of 20 calls each, 4 at the same time")
}

func TestFirstErrorEndsIt(t *testing.T) {
	t.Parallel()
	broken := &counted{short: "a", fails: errors.New("503 Service Unavailable")}
	_, err := burst(t.Context(), broken, "x-", 0, 1000, 2)
	require.ErrorContains(t, err, "503")
	require.LessOrEqual(t, len(broken.seen), 2)
}

func TestReport(t *testing.T) {
	t.Parallel()
	each := make([]time.Duration, 100)
	for i := range each {
		each[i] = time.Duration(i+1) * time.Millisecond
	}
	in := func(d time.Duration) measured { return measured{took: d, each: each} }
	var out bytes.Buffer
	require.NoError(t, report(&out, options{rounds: 3, calls: 100, concurrency: 1}, []way{&counted{short: "bare"}, &counted{short: "ours"}}, [][]measured{
		{in(time.Second), in(500 * time.Millisecond), in(2 * time.Second)},
		{in(2 * time.Second), in(time.Second), in(4 * time.Second)},
	}))
	rows := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Equal(t, strings.Fields("bare 100/s 50/s 200/s 51.0 ms 100.0 ms 1.00"), strings.Fields(rows[1]))
	require.Equal(t, strings.Fields("ours 50/s 25/s 100/s 51.0 ms 100.0 ms 0.50"), strings.Fields(rows[2]))
}

func TestBounds(t *testing.T) {
	t.Parallel()
	good := options{rounds: 5, calls: 500, warm: 100, concurrency: 16, within: time.Minute}
	require.NoError(t, good.check())
	for name, change := range map[string]func(*options){
		"no round":              func(o *options) { o.rounds = 0 },
		"no call":               func(o *options) { o.calls = 0 },
		"too many":              func(o *options) { o.calls = mostCalls },
		"nobody calls":          func(o *options) { o.concurrency = 0 },
		"too many at the time":  func(o *options) { o.concurrency = mostConcurrency + 1 },
		"no end":                func(o *options) { o.within = 0 },
		"an end too far away":   func(o *options) { o.within = mostTime + 1 },
		"warming up for nobody": func(o *options) { o.warm = -1 },
	} {
		o := good
		change(&o)
		require.Error(t, o.check(), name)
	}
}

func TestOnlyThisMachine(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:7233", "localhost:7233", "[::1]:7233"} {
		require.NoError(t, loopback(address), address)
	}
	for _, address := range []string{"10.0.0.1:7233", "temporal.example:7233", "localhost", ""} {
		require.Error(t, loopback(address), address)
	}
}
