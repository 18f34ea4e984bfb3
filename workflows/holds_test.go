package workflows_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// TestHoldLongerThanItsLimit: a supplier is waited for longer than the clock may
// be on hold. It goes on at that instant, the deadline passes while the
// requirement still waits, and people are called.
func TestHoldLongerThanItsLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *policy.Policy) {
		p.Holds = []string{"supplier"}
		for i := range p.Clocks {
			c := &p.Clocks[i]
			if c.PausesOnHold = policy.AllHolds; c.Name == sla.Resolution {
				c.PausesOnHold, c.MaxPause = policy.Holds{"supplier"}, sla.Exactly(5*time.Hour)
				c.Target, c.Targets, c.Caps = sla.Exactly(8*time.Hour), nil, nil
			}
		}
	})
	w.does(time.Minute, requirement.Triage{Header: by("wang.fang")})
	w.does(2*time.Hour, requirement.Respond{Header: by("wang.fang"), Method: "phone", Message: "parts are ordered"})
	w.does(3*time.Hour, requirement.PutOnHold{Header: by("wang.fang"), Reason: "parts", For: "supplier"})
	w.does(100*time.Hour, requirement.Resume{Header: by("wang.fang")})
	w.does(101*time.Hour, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	start := w.Now()
	w.lives()
	w.ends(requirement.Withdrawn)

	var goesOn []requirement.Event
	for _, e := range w.find(requirement.ClockResumed) {
		var data struct{ Mark string }
		require.NoError(t, json.Unmarshal(e.Data, &data))
		if data.Mark == sla.PauseLimit {
			goesOn = append(goesOn, e)
		}
	}
	require.Len(t, goesOn, 1)
	require.WithinDuration(t, start.Add(8*time.Hour), goesOn[0].At, time.Second)
	breaches := w.find(requirement.ClockBreached)
	require.Len(t, breaches, 1)
	require.WithinDuration(t, start.Add(13*time.Hour), breaches[0].At, time.Second)
	resumed := w.find(requirement.WasResumed)
	require.Len(t, resumed, 1)
	require.Less(t, breaches[0].Seq, resumed[0].Seq, "it was still on hold")
	require.NotEmpty(t, w.find(requirement.EscalationStarted))
	for _, c := range w.last().Clocks {
		if c.Name == sla.Resolution {
			require.WithinDuration(t, start.Add(13*time.Hour), *c.BreachedAt, time.Second)
		}
	}
}
