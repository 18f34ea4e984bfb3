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

// TestLostEscalationBeginsAnew: its workflow is gone, its cause is not.
func TestLostEscalationBeginsAnew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		report requirement.Report
		// meanwhile is what happens before the loss is told.
		meanwhile func(s *story, id string)
		again     bool
	}{
		"while it climbs": {
			report: requirement.Report{Kind: requirement.EscalationRaised, Level: 2, Round: 1, People: []string{"wang.fang"}}, again: true,
		},
		"while somebody is at work": {
			report: requirement.Report{Kind: requirement.EscalationAcknowledged, Level: 1, Round: 1, By: "wang.fang"}, again: true,
		},
		"after the alarm": {
			report: requirement.Report{Kind: requirement.EscalationAlarm, Level: 2, Round: 2, People: []string{"liu.yang"}}, again: true,
		},
		"something has happened since": {
			report: requirement.Report{Kind: requirement.EscalationRaised, Level: 1, Round: 1},
			meanwhile: func(s *story, id string) {
				s.EscalationReported(after(3*time.Hour), requirement.Report{ID: id, Kind: requirement.EscalationRaised, Level: 2, Round: 1})
			},
		},
		"its cause went away": {
			report: requirement.Report{Kind: requirement.EscalationRaised, Level: 1, Round: 1},
			meanwhile: func(s *story, _ string) {
				s.does(after(3*time.Hour), requirement.Respond{Header: by("li.na"), Method: "phone", Message: "hello"})
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tell(t)
			at := after(2*time.Hour + time.Minute)
			s.Tick(at)
			id := s.Escalations[0].ID
			s.EscalationStarted(at, id)
			c.report.ID = id
			s.EscalationReported(at, c.report)
			seen := s.Seq
			if c.meanwhile != nil {
				c.meanwhile(s, id)
			}
			before := s.Escalations[0]
			s.EscalationLost(id, seen)
			s.EscalationLost("response-9", s.Seq)
			if !c.again {
				require.Equal(t, before, s.Escalations[0])
				return
			}
			require.Len(t, s.EscalationsDue(), 1)
			require.Equal(t, seen, s.Seq, "nothing has happened yet")

			s.EscalationStarted(after(4*time.Hour), id)
			e := s.Escalations[0]
			require.Equal(t, requirement.EscalationClimbs, e.State)
			require.Zero(t, e.Level, "from its foot")
			require.Empty(t, e.AcknowledgedBy)
			require.Equal(t, before.StartedAt, e.StartedAt, "the breach is what it was")
			require.Equal(t, seen+1, s.Seq)
			s.EscalationLost(id, seen)
			require.Empty(t, s.EscalationsDue(), "whoever noticed it twice is late")
		})
	}
}
