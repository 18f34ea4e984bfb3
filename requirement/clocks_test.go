package requirement_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/internal/trial"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// assigned brings a requirement to li.na, who has not accepted yet.
func assigned(s *story) {
	s.does(t0, requirement.Triage{Header: by("wang.fang")})
	s.does(t0, requirement.Assign{Header: by("wang.fang"), To: "li.na", Department: "service"})
}

// TestMergeUndoneTakesTheClocksOfTheStageUpAgain: the survivor refused, and what
// was waited for before is waited for again, with the time between left out.
func TestMergeUndoneTakesTheClocksOfTheStageUpAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		clock  sla.Name
		target time.Duration
		bring  func(*story)
	}{
		"approval": {sla.Approval, 8 * time.Hour, func(s *story) {
			s.does(t0, requirement.Triage{Header: by("wang.fang"), NeedApproval: true})
			s.OpenRound(t0, []requirement.FilledSeat{{Seat: "role:product", Person: "zhao.lei"}})
		}},
		"acceptance": {sla.Acceptance, time.Hour, assigned},
		"confirmation": {sla.Confirmation, 72 * time.Hour, func(s *story) {
			assigned(s)
			s.does(t0, requirement.Resolve{Header: by("li.na"), Solution: "done"})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tell(t)
			c.bring(s)
			clocks := len(s.Clocks)
			s.does(after(10*time.Minute), requirement.Merge{Header: by("wang.fang"), Into: "REQ-OTHER001"})
			require.Len(t, s.Clocks, clocks, "a merge under way promises nothing new")
			s.MergeUndone(after(30*time.Minute), "gone")
			clock := s.clock(c.clock, 1)
			require.Equal(t, sla.Running, clock.State)
			require.Equal(t, after(c.target+20*time.Minute), deadline(t, clock))
		})
	}
}

// TestAcceptanceGoesOnAfterAnotherReview: an amendment sends an assigned
// requirement back to review; approved again, it waits to be accepted again.
func TestAcceptanceGoesOnAfterAnotherReview(t *testing.T) {
	t.Parallel()
	s := tell(t)
	seat := []requirement.FilledSeat{{Seat: "role:product", Person: "zhao.lei"}}
	s.does(t0, requirement.Triage{Header: by("wang.fang"), NeedApproval: true})
	s.OpenRound(t0, seat)
	s.does(t0, requirement.Approve{Header: by("zhao.lei")})
	s.does(t0, requirement.Assign{Header: by("wang.fang"), To: "li.na"})
	s.does(after(20*time.Minute), requirement.Amend{Header: by("customer"), Description: "more"})
	s.OpenRound(after(20*time.Minute), seat)
	s.does(after(50*time.Minute), requirement.Approve{Header: by("zhao.lei")})
	require.Equal(t, requirement.Assigned, s.Stage)
	clock := s.clock(sla.Acceptance, 1)
	require.Equal(t, sla.Running, clock.State)
	require.Equal(t, after(90*time.Minute), deadline(t, clock), "the review does not count")
	s.does(after(time.Hour), requirement.Accept{Header: by("li.na")})
	require.Equal(t, sla.Met, s.clock(sla.Acceptance, 1).State)
}

// TestClockOfRestoredRulesGoesOn: rules without a clock were applied by mistake.
func TestClockOfRestoredRulesGoesOn(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.Resolution, trial.Hours(4)), rule(sla.Response, trial.Hours(2))))
	right := s.Process()
	wrong := right
	wrong.Digest, wrong.Clocks = "wrong", right.Clocks[1:]
	s.Adopt(after(time.Hour), wrong, "system")
	require.Equal(t, sla.Stopped, s.clock(sla.Resolution, 1).State)
	s.Adopt(after(90*time.Minute), right, "system")
	require.Equal(t, after(4*time.Hour+30*time.Minute), deadline(t, s.clock(sla.Resolution, 1)))
}

// TestResumeRemainingOverSeveralCycles: each cycle gets what all before it left
// over; when that is nothing, the whole target.
func TestResumeRemainingOverSeveralCycles(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.Resolution, trial.Hours(24), func(r *policy.ClockRule) { r.OnReopen = policy.ResumeRemaining })))
	assigned(s)
	at := time.Duration(0)
	for cycle, c := range []struct{ target, work time.Duration }{
		{24 * time.Hour, 20 * time.Hour},
		{4 * time.Hour, time.Hour},
		{3 * time.Hour, 5 * time.Hour},
		{24 * time.Hour, 10 * time.Hour},
		{14 * time.Hour, time.Hour},
	} {
		require.Equal(t, c.target.Seconds(), s.clock(sla.Resolution, cycle+1).TargetSeconds, "cycle %d", cycle+1)
		at += c.work
		s.does(after(at), requirement.Resolve{Header: by("li.na"), Solution: "done"})
		at += time.Hour
		s.does(after(at), requirement.Dispute{Header: by("customer"), Reason: "no"})
	}
}

// TestShorterTargetOnHoldIsABreachAtOnce: the higher priority has used up its
// target before the hold; that is not forgotten when it is resolved on hold.
func TestShorterTargetOnHoldIsABreachAtOnce(t *testing.T) {
	t.Parallel()
	s := tell(t)
	assigned(s)
	s.does(after(10*time.Hour), requirement.PutOnHold{Header: by("li.na"), Reason: "asks"})
	s.does(after(11*time.Hour), requirement.Reprioritise{Header: by("wang.fang"), Priority: "high", Reason: "urgent"})
	clock := s.clock(sla.Resolution, 1)
	require.Equal(t, sla.Breached, clock.State)
	require.Equal(t, after(8*time.Hour), *clock.BreachedAt)
	require.Equal(t, after(11*time.Hour), *clock.DetectedAt)
	s.does(after(12*time.Hour), requirement.Resolve{Header: by("li.na"), Solution: "done"})
	require.Equal(t, sla.Breached, s.clock(sla.Resolution, 1).State)
}

// TestPauseExactlyAtTheDeadlineIsNoBreach: nothing is late before a tick after.
func TestPauseExactlyAtTheDeadlineIsNoBreach(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.Resolution, trial.Hours(1))))
	s.does(after(time.Hour), requirement.PutOnHold{Header: by("li.na"), Reason: "asks"})
	_, due := s.Next()
	require.False(t, due, "no timer while everything is paused")
	require.Equal(t, sla.Paused, s.clock(sla.Resolution, 1).State)
	s.does(after(5*time.Hour), requirement.Withdraw{Header: by("customer"), Reason: "end"})
	require.Equal(t, sla.Stopped, s.clock(sla.Resolution, 1).State)
}

// TestStepThatIsLateWhenItIsPlanned breaches once, when it is planned.
func TestStepThatIsLateWhenItIsPlanned(t *testing.T) {
	t.Parallel()
	s := tell(t)
	assigned(s)
	s.does(after(10*time.Minute), requirement.Plan{Header: by("li.na"), Steps: []requirement.PlanStep{{What: "look", Due: t0}}})
	s.Tick(after(11 * time.Minute))
	clock := s.clock(sla.PlanStep, 1)
	require.Equal(t, sla.Breached, clock.State)
	require.Equal(t, after(10*time.Minute), *clock.BreachedAt)
}

// TestVoteGoesToPeopleOnly: unnamed automation votes for nobody.
func TestVoteGoesToPeopleOnly(t *testing.T) {
	t.Parallel()
	s := tell(t)
	s.does(t0, requirement.Triage{Header: by("wang.fang"), NeedApproval: true})
	s.OpenRound(t0, []requirement.FilledSeat{{Seat: "role:product", Person: "zhao.lei"}})
	s.refused(requirement.Delegate{Header: by("zhao.lei"), To: "system"}, requirement.CodeInvalid)
	s.refused(requirement.Delegate{Header: by("zhao.lei"), To: "customer"}, requirement.CodeInvalid)
}
