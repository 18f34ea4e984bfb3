package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
	"closeloop/starter"
)

// fewDeadlines are enough to see that each is acted on once and in time;
// CLOSELOOP_LATENESS picks another number.
const fewDeadlines = 40

// TestLateness lets many deadlines fall within one minute, with everything that
// follows from a breach, and looks at how late each mark was noticed.
func TestLateness(t *testing.T) {
	n, target := fewDeadlines, 4*time.Second
	if wanted := os.Getenv("CLOSELOOP_LATENESS"); wanted != "" {
		var err error
		n, err = strconv.Atoi(wanted)
		require.NoError(t, err)
		// Long enough for all to be taken in before the first falls due.
		target = max(target, time.Duration(n)*50*time.Millisecond)
	}
	o := newOffice(t, func(o *office) { o.policy = responseWithin(t, target) })
	desk := starter.New(temporal, o.queue, patience)

	ids := make([]string, n)
	var group sync.WaitGroup
	slots := make(chan struct{}, 16)
	begin := time.Now()
	// Not faster than two thousand a minute, and a few within some seconds.
	pace := time.NewTicker(max(time.Minute/2_000, min(6*time.Second/time.Duration(n), 50*time.Millisecond)))
	defer pace.Stop()
	for i := range ids {
		<-pace.C
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			receipt, err := desk.Submit(ctx, requirement.Submission{Title: fmt.Sprintf("时限 %d", i), Customer: "Acme", SubmittedBy: "wang.fang"}, "")
			if err != nil {
				t.Errorf("submit %d: %v", i, err)
				return
			}
			ids[i] = receipt.ID
		})
	}
	group.Wait()
	require.False(t, t.Failed())
	taken := time.Since(begin)

	warnings, breaches := []time.Duration{}, []time.Duration{}
	var first, last time.Time
	for _, id := range ids {
		c := o.breachedResponse(t, id, target)
		require.NotNil(t, c.BreachedAt, "%s: %s", id, c.State())
		require.Equal(t, c.StartedAt.Add(target), *c.BreachedAt, "%s breached at its deadline", id)
		breaches = append(breaches, c.DetectedAt.Sub(*c.BreachedAt))
		for _, f := range c.Fired {
			if !f.Breach() && !f.Repeated() {
				require.False(t, f.Superseded, "%s: the warning was in time", id)
				warnings = append(warnings, f.DetectedAt.Sub(f.At))
			}
		}
		require.Len(t, o.breachesOf(t, id), 1, "%s breached once", id)
		if first.IsZero() || c.BreachedAt.Before(first) {
			first = *c.BreachedAt
		}
		if c.BreachedAt.After(last) {
			last = *c.BreachedAt
		}
	}
	require.Len(t, warnings, n, "each warning is told once")
	t.Logf("%d requirements taken in within %s; their deadlines fell within %s", n, taken.Round(time.Millisecond), last.Sub(first).Round(time.Millisecond))
	t.Logf("breaches noticed late by %s; warnings by %s", spread(breaches), spread(warnings))
}

// responseWithin is the default policy with that target for every first
// response, one warning at half of it, and no other clock that falls due.
func responseWithin(t *testing.T, target time.Duration) string {
	t.Helper()
	text := string(policy.DefaultYAML())
	from := strings.Index(text, "  - name: response")
	to := strings.Index(text, "  # Resolution")
	require.Positive(t, from)
	require.Greater(t, to, from)
	rule := fmt.Sprintf(`  - name: response
    calendar: 24x7
    target: %s
    runs_in: [received, analysing, reviewing, assigned, executing]
    pauses_on_hold: false
    marks: [50%%]
    chain: front_line

`, sla.Exactly(target))
	path := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text[:from]+rule+text[to:]), 0o600))
	return path
}

// breachedResponse waits until the response clock of a requirement has breached
// and returns it.
func (o *office) breachedResponse(t *testing.T, id string, target time.Duration) sla.Clock {
	t.Helper()
	var clock sla.Clock
	eventuallyWithin(t, target+patience, func() bool {
		r, err := books(t).Get(t.Context(), id)
		require.NoError(t, err)
		i := slices.IndexFunc(r.Clocks, func(c sla.Clock) bool { return c.Name == sla.Response })
		clock = r.Clocks[i]
		return clock.BreachedAt != nil
	}, "the response of %s is breached", id)
	return clock
}

// breachesOf returns the breaches of the response clock in the ledger.
func (o *office) breachesOf(t *testing.T, id string) []requirement.Event {
	t.Helper()
	events, err := books(t).Events(t.Context(), id, 0, 0)
	require.NoError(t, err)
	return slices.DeleteFunc(events, func(e requirement.Event) bool {
		return e.Kind != requirement.ClockBreached || e.Clock != sla.Response
	})
}

// spread tells the median, the 99th percentile and the largest.
func spread(lateness []time.Duration) string {
	slices.Sort(lateness)
	at := func(share float64) time.Duration { return lateness[int(share*float64(len(lateness)-1))] }
	return fmt.Sprintf("p50 %s, p99 %s, max %s",
		at(0.5).Round(time.Millisecond), at(0.99).Round(time.Millisecond), at(1).Round(time.Millisecond))
}
