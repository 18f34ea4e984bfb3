package whatif

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/sla"
)

// TestJudge: a clock as the ledger has it is judged like one that was folded, by
// the instant that is asked about.
func TestJudge(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	at := func(hours int) *time.Time { i := now.Add(time.Duration(hours) * time.Hour); return &i }
	for name, c := range map[string]struct {
		ran     Ran
		verdict Verdict
		late    float64
	}{
		"runs":                        {Ran{State: sla.Running, Deadline: at(1)}, Running, 0},
		"is due now":                  {Ran{State: sla.Running, Deadline: at(0)}, Running, 0},
		"late, not noticed yet":       {Ran{State: sla.Running, Deadline: at(-1)}, Breached, 3600},
		"late":                        {Ran{State: sla.Breached, Deadline: at(-2), BreachedAt: at(-2)}, Breached, 7200},
		"done late":                   {Ran{State: sla.Breached, Deadline: at(-3), BreachedAt: at(-3), StoppedAt: at(-2)}, Breached, 3600},
		"late, then given more time":  {Ran{State: sla.Breached, Deadline: at(5), BreachedAt: at(-3)}, Breached, 10800},
		"paused":                      {Ran{State: sla.Paused}, Running, 0},
		"paused after its deadline":   {Ran{State: sla.Paused, Deadline: at(-1)}, Running, 0},
		"done in time":                {Ran{State: sla.Met, Deadline: at(1), StoppedAt: at(0)}, Met, 0},
		"done, nobody knows how late": {Ran{State: sla.Met, StoppedAt: at(0)}, Undated, 0},
		"runs, nobody knows how long": {Ran{State: sla.Running}, Undated, 0},
		"no longer asked for":         {Ran{State: sla.Stopped, StoppedAt: at(0)}, Stopped, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := c.ran.judge(now)
			require.Equal(t, c.verdict, got.Verdict)
			require.InDelta(t, c.late, got.LateSeconds, 0)
			require.Equal(t, c.ran.Deadline, got.Deadline)
		})
	}
}
