package sla_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/sla"
)

var (
	t0     = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	always = sla.Always
)

func terms(target time.Duration, marks ...sla.Mark) sla.Terms {
	return sla.Terms{Target: sla.Exactly(target), Calendar: sla.AlwaysOpen, Marks: marks}
}

func percent(ps ...int) []sla.Mark {
	var marks []sla.Mark
	for _, p := range ps {
		marks = append(marks, sla.Mark{Percent: p})
	}
	return marks
}

func told(fired []sla.Fired) []string {
	var marks []string
	for _, f := range fired {
		marks = append(marks, f.Mark)
	}
	return marks
}

func TestMarksFireOnceAndInOrder(t *testing.T) {
	t.Parallel()
	c := sla.Start(sla.Response, 1, terms(100*time.Minute, percent(50, 75)...), t0)
	require.Empty(t, c.Advance(always, t0.Add(49*time.Minute)))
	require.Equal(t, []string{"50%"}, told(c.Advance(always, t0.Add(50*time.Minute))))
	require.Empty(t, c.Advance(always, t0.Add(50*time.Minute)), "once")
	require.Equal(t, []string{"75%"}, told(c.Advance(always, t0.Add(99*time.Minute))))
	require.Empty(t, c.Advance(always, t0.Add(100*time.Minute)), "at the deadline it is in time")
	require.Equal(t, []string{"100%"}, told(c.Advance(always, t0.Add(100*time.Minute+sla.Tick))))
	require.Equal(t, t0.Add(100*time.Minute), *c.BreachedAt)
	_, _, more := c.Next(always)
	require.False(t, more)
}

func TestDowntimeTellsTheBreachAndNoStaleWarnings(t *testing.T) {
	t.Parallel()
	terms := terms(time.Hour, percent(50, 75, 110)...)
	terms.Repeat = sla.Repeat{Every: sla.Exactly(time.Hour), Times: 3}
	c := sla.Start(sla.Resolution, 1, terms, t0)
	require.Equal(t, []string{"100%", "110%", "repeat 3"}, told(c.Advance(always, t0.Add(10*time.Hour))))
	require.Equal(t, t0.Add(time.Hour), *c.BreachedAt)
	require.Equal(t, t0.Add(10*time.Hour), *c.DetectedAt)
	require.Len(t, c.Fired, 7, "what nobody was told is on record all the same")
}

func TestLapsingIsNoBreach(t *testing.T) {
	t.Parallel()
	terms := terms(time.Hour)
	terms.Lapses = true
	c := sla.Start(sla.Confirmation, 1, terms, t0)
	fired := c.Advance(always, t0.Add(2*time.Hour))
	require.True(t, fired[0].Breach())
	require.Nil(t, c.BreachedAt)
	c.Stop(always, t0.Add(2*time.Hour), true)
	require.Equal(t, sla.Stopped, c.State())
}

func TestRetargetKeepsPausesAndBreaches(t *testing.T) {
	t.Parallel()
	c := sla.Start(sla.Resolution, 1, terms(4*time.Hour, percent(50)...), t0)
	c.Pause(t0.Add(time.Hour), "li.na", "asks", true)
	c.Resume(t0.Add(2 * time.Hour))
	c.Advance(always, t0.Add(3*time.Hour))
	require.Equal(t, []string{"50%"}, told(c.Fired))

	c.Retarget(always, terms(10*time.Hour, percent(50)...), t0.Add(3*time.Hour))
	at, _ := c.Deadline(always)
	require.Equal(t, t0.Add(11*time.Hour), at, "from the start, with the pause")
	_, mark, _ := c.Next(always)
	require.Equal(t, "50%", mark, "the longer target has a half of its own")

	c.Advance(always, t0.Add(12*time.Hour))
	require.Equal(t, sla.Breached, c.State())
	c.Retarget(always, terms(100*time.Hour), t0.Add(13*time.Hour))
	require.Equal(t, sla.Breached, c.State(), "a breach is a fact")
	breach := *c.BreachedAt
	require.Equal(t, []string{"100%"}, told(c.Advance(always, t0.Add(1000*time.Hour))), "the later deadline is told")
	require.Equal(t, breach, *c.BreachedAt, "but the breach happened once")
	require.Empty(t, c.Advance(always, t0.Add(1001*time.Hour)))
}

func TestDaysAreKeptThroughPauses(t *testing.T) {
	t.Parallel()
	c := sla.Start(sla.Resolution, 1, sla.Terms{Target: sla.Duration{WorkingDays: 2}, Calendar: sla.AlwaysOpen}, t0)
	c.Pause(t0.Add(time.Hour), "", "", true)
	_, known := c.Deadline(always)
	require.False(t, known)
	c.Resume(t0.Add(31 * time.Hour))
	at, known := c.Deadline(always)
	require.True(t, known)
	require.Equal(t, t0.Add(78*time.Hour), at)
}

func TestDeadlineReachedBeforeAPauseStays(t *testing.T) {
	t.Parallel()
	c := sla.Start(sla.Resolution, 1, terms(time.Hour), t0)
	c.Pause(t0.Add(2*time.Hour), "", "", true)
	at, known := c.Deadline(always)
	require.True(t, known)
	require.Equal(t, t0.Add(time.Hour), at)
}

// history draws a clock with a random life and returns it with an instant after
// everything that happened.
func history(t *rapid.T) (sla.Clock, time.Time) {
	target := time.Duration(rapid.Int64Range(1, int64(100*time.Hour)).Draw(t, "target"))
	c := sla.Start(sla.Resolution, 1, terms(target, percent(50, 75, 90, 120)...), t0)
	now := t0
	for range rapid.IntRange(0, 12).Draw(t, "steps") {
		now = now.Add(time.Duration(rapid.Int64Range(0, int64(20*time.Hour)).Draw(t, "step")))
		c.Advance(always, now)
		if rapid.Bool().Draw(t, "pause") {
			c.Pause(now, "", "", true)
		} else {
			c.Resume(now)
		}
	}
	c.Advance(always, now)
	return c, now
}

func TestClockProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, now := history(t)
		var paused time.Duration
		for _, p := range c.Pauses {
			to := now
			if p.To != nil {
				to = *p.To
			}
			paused += to.Sub(p.From)
		}
		require.Equal(t, now.Sub(t0)-paused, c.Elapsed(always, now), "elapsed is what was not paused, to the nanosecond")

		if at, known := c.Deadline(always); known {
			require.Equal(t, c.Target.Time, c.Elapsed(always, at), "at the deadline exactly the target is used")
			counted := now
			if !c.Ticking() {
				counted = c.Pauses[len(c.Pauses)-1].From
			}
			require.Equal(t, !at.Add(sla.Tick).After(counted), c.BreachedAt != nil, "breached exactly when the deadline has passed")
			if c.BreachedAt != nil {
				require.Equal(t, at, *c.BreachedAt)
			}
		}
		if at, _, ok := c.Next(always); ok {
			require.True(t, at.After(now), "what is next is to come")
			early := c
			require.Empty(t, early.Advance(always, at.Add(-1)), "nothing is due a moment before")
			require.NotEmpty(t, early.Advance(always, at))
		} else {
			require.False(t, c.Ticking() && c.BreachedAt == nil, "a running clock has a deadline before it")
		}
		seen := map[string]bool{}
		for _, f := range c.Fired {
			require.False(t, seen[f.Mark], "%s fired twice", f.Mark)
			seen[f.Mark] = true
			require.False(t, f.DetectedAt.Before(f.At))
		}
	})
}

func TestClockSurvivesJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, now := history(t)
		text, err := json.Marshal(c)
		require.NoError(t, err)
		var back sla.Clock
		require.NoError(t, json.Unmarshal(text, &back))
		again, err := json.Marshal(back)
		require.NoError(t, err)
		require.JSONEq(t, string(text), string(again))
		require.Equal(t, c.Elapsed(always, now), back.Elapsed(always, now))
	})
}
