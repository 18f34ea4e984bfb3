package requirement

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/policy"
	"closeloop/sla"
)

func TestEndsFromOutside(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	p := policy.Process{
		Defaults: policy.Defaults{Type: "service", Channel: "phone", Priority: "medium", Urgency: "general", Tier: "P3"},
		Types:    []string{"service"}, Channels: []string{"phone"},
		Clocks: []policy.ClockRule{
			{Name: sla.Resolution, Calendar: sla.AlwaysOpen, Target: sla.Exactly(24 * time.Hour), RunsIn: []string{"received", "executing"}},
			{Name: sla.Confirmation, Calendar: sla.AlwaysOpen, Target: sla.Exactly(72 * time.Hour), RunsIn: []string{"confirming"}},
		},
	}
	for _, c := range []struct {
		name     string
		resolved bool
		end      func(*Requirement, time.Time)
		after    time.Duration
		stage    Stage
		kind     Kind // of the event that ended it
	}{
		{"terminated", false, terminate, time.Hour, Withdrawn, Terminated},
		{"cancelled", false, (*Requirement).Cancel, time.Hour, Withdrawn, Cancelled},
		{"terminated while the customer is asked", true, terminate, time.Hour, Withdrawn, Terminated},
		{"terminated after the customer's silence", true, terminate, 100 * time.Hour, Archived, WasArchived},
		{"cancelled after the customer's silence", true, (*Requirement).Cancel, 100 * time.Hour, Archived, WasArchived},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := New("REQ-1", Submission{Title: "慢", Customer: "华东物流"}, p, begin)
			require.NoError(t, err)
			if c.resolved {
				for _, act := range []Act{Triage{}, Assign{To: "li"}, Resolve{Solution: "改好了"}} {
					_, err := r.Do(begin, act)
					require.NoError(t, err)
				}
			}
			r.Take()
			c.end(r, begin.Add(c.after))
			require.Equal(t, c.stage, r.Stage)
			require.True(t, r.Over())
			require.False(t, r.Breached())
			kinds := []Kind{}
			for _, e := range r.Take().Events {
				kinds = append(kinds, e.Kind)
			}
			require.Contains(t, kinds, c.kind)
			c.end(r, begin.Add(c.after))
			require.False(t, r.Pending(), "once is enough")
		})
	}
}

func terminate(r *Requirement, now time.Time) { r.Terminate(now, "its workflow was terminated") }

func TestTriageBoundsTheDepartment(t *testing.T) {
	t.Parallel()
	require.NoError(t, Triage{Department: "technology"}.Valid())
	require.ErrorContains(t, Triage{Urgency: "urgent", Department: strings.Repeat("x", MaxName+1)}.Valid(), "department")
}
