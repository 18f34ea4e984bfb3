package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/policy"
	"closeloop/sla"
)

// TestSound: rules may come by a signal, which no schema has looked at.
func TestSound(t *testing.T) {
	t.Parallel()
	require.NoError(t, policy.Default().Process.Sound())
	for name, c := range map[string]struct {
		change func(p *policy.Process)
		says   string
	}{
		"no digest":          {func(p *policy.Process) { p.Digest = "" }, "no digest"},
		"no clocks":          {func(p *policy.Process) { p.Clocks = nil }, "no clocks"},
		"repeats for ever":   {func(p *policy.Process) { p.Clocks[0].Repeat.Times = 1 << 40 }, "marks or repetitions"},
		"endless marks":      {func(p *policy.Process) { p.Clocks[0].Marks = make([]sla.Mark, 1000) }, "marks or repetitions"},
		"rounds for ever":    {func(p *policy.Process) { p.Chains[0].Rounds = 1 << 40 }, "calls more than"},
		"calls for ever":     {func(p *policy.Process) { p.Chains[0].Levels[0].Times = 1 << 40 }, "calls more than"},
		"a calendar is lost": {func(p *policy.Process) { p.Clocks[0].Calendar = "lost" }, "lost"},
		"a calendar is none": {func(p *policy.Process) {
			p.Calendars = []sla.Timetable{{Name: "none"}}
			p.Clocks[0].Calendar = "none"
		}, "no open hour"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := policy.Default().Process
			c.change(&p)
			require.ErrorContains(t, p.Sound(), c.says)
		})
	}
}
