package requirement_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/requirement"
)

// TestReportThatOvertakesTheStartStands: Temporal may tell of the chain's first
// reports together with its start.
func TestReportThatOvertakesTheStartStands(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind  requirement.Kind
		state requirement.EscalationState
	}{
		"raised":       {requirement.EscalationRaised, requirement.EscalationClimbs},
		"acknowledged": {requirement.EscalationAcknowledged, requirement.EscalationAcked},
		"alarm":        {requirement.EscalationAlarm, requirement.EscalationAlarmed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tell(t)
			at := after(2*time.Hour + time.Minute)
			s.Tick(at)
			require.Len(t, s.EscalationsDue(), 1)
			id := s.Escalations[0].ID
			s.EscalationReported(at, requirement.Report{ID: id, Kind: c.kind, Level: 1, Round: 1, By: "wang.fang", People: []string{"wang.fang"}})
			s.EscalationStarted(at, id)
			require.Equal(t, c.state, s.Escalations[0].State)
		})
	}
}
