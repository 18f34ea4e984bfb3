package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/contract"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// Scenarios of the requirement package that depend on timers, here with the
// workflow's own, in skipped time.

func TestScenario22PauseJustBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.does(time.Minute, requirement.Triage{Header: by("wang.fang")})
	w.does(time.Hour, requirement.Respond{Header: by("wang.fang"), Method: "phone", Message: "hello"})
	w.does(23*time.Hour+59*time.Minute, requirement.PutOnHold{Header: by("wang.fang"), Reason: "asks"})
	w.does(50*time.Hour, requirement.Resume{Header: by("customer")})
	w.does(60*time.Hour, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	start := w.Now()
	w.lives()
	breach := w.find(requirement.ClockBreached)
	require.Len(t, breach, 1)
	require.WithinDuration(t, start.Add(50*time.Hour+time.Minute), breach[0].At, time.Second)
}

func TestScenario26ThirtyDaysOnHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *policy.Policy) {
		for i := range p.Clocks {
			p.Clocks[i].PausesOnHold = policy.AllHolds
		}
	})
	timers := 0
	w.SetOnTimerScheduledListener(func(string, time.Duration) { timers++ })
	var before, facts int
	w.does(time.Minute, requirement.Triage{Header: by("wang.fang")})
	w.does(time.Hour, requirement.PutOnHold{Header: by("wang.fang"), Reason: "asks"})
	w.at(time.Hour+time.Minute, func() { before, facts = timers, w.seq() })
	w.at(31*24*time.Hour, func() {
		// The callbacks of this test are timers of the environment, not of the
		// workflow: none of the workflow's was set meanwhile.
		require.Equal(t, before, timers)
		require.Equal(t, facts, w.seq(), "a month says nothing")
	})
	w.does(31*24*time.Hour+time.Hour, requirement.Resume{Header: by("customer")})
	w.does(31*24*time.Hour+2*time.Hour, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	w.lives()
	w.ends(requirement.Withdrawn)
	require.Empty(t, w.find(requirement.ClockBreached))
}

func TestScenario33BreachWhileTheWorkflowIsBusyIsTheDeadline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.worked(24 * time.Hour) // resolved exactly at the deadline
	w.does(30*time.Hour, requirement.Confirm{Header: by("customer")})
	w.lives()
	w.ends(requirement.Archived)
	require.Empty(t, w.find(requirement.ClockBreached))
}

func TestScenario36MarksFireAtTheirOwnInstants(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *policy.Policy) {
		p.Clocks = p.Clocks[1:2]
		p.Clocks[0].Target = sla.Exactly(2 * time.Hour)
		p.Clocks[0].Marks = nil
		for _, text := range []string{"-60m", "-30m", "+15m", "70%", "90%", "110%"} {
			m, err := sla.ParseMark(text)
			require.NoError(t, err)
			p.Clocks[0].Marks = append(p.Clocks[0].Marks, m)
		}
		p.Clocks[0].Repeat, p.Clocks[0].Chain = sla.Repeat{}, ""
	})
	w.does(5*time.Hour, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	start := w.Now()
	w.lives()
	var fired []time.Duration
	for _, tr := range w.transitions {
		if k := tr.Events[0].Kind; k == requirement.ClockMarked || k == requirement.ClockBreached {
			fired = append(fired, tr.Events[0].At.Sub(start).Truncate(time.Minute))
		}
	}
	require.Equal(t, []time.Duration{
		60 * time.Minute, 84 * time.Minute, 90 * time.Minute, 108 * time.Minute, 120 * time.Minute, 132 * time.Minute, 135 * time.Minute,
	}, fired)
}

// TestScenario38Acknowledgement: an acknowledgement at +3 minutes stops the
// climbing; half an hour later without progress the acknowledger and the level
// are called again; then nobody answers, the ladder repeats as often as it may,
// and the alarm is raised once.
func TestScenario38Acknowledgement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.does(time.Minute, requirement.Triage{Header: by("wang.fang")})
	w.does(2*time.Minute, requirement.Assign{Header: by("wang.fang"), To: "li.na", Department: "service"})
	w.does(3*time.Minute, requirement.Accept{Header: by("li.na")})
	w.at(2*time.Hour+3*time.Minute, func() {
		require.NoError(t, w.SignalWorkflowByID(contract.EscalationID(testID, "response-1"), contract.ActAcknowledge,
			map[string]any{"actor": "wang.fang"}))
	})
	w.does(12*time.Hour, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	start := w.Now()
	w.lives()
	w.ends(requirement.Withdrawn)

	since := func(e requirement.Event) time.Duration { return e.At.Sub(start).Truncate(time.Minute) }
	require.Equal(t, 2*time.Hour+3*time.Minute, since(w.find(requirement.EscalationAcknowledged)[0]))
	raised := w.find(requirement.EscalationRaised)
	require.Equal(t, 2*time.Hour, since(raised[0]))
	require.Equal(t, 2*time.Hour+33*time.Minute, since(raised[1]))
	require.Equal(t, []string{"li.na", "wang.fang"}, raised[1].To, "who was called, and who acknowledged")
	require.Equal(t, []string{"chen.jing"}, raised[2].To, "the next level")
	require.Len(t, raised, 5, "first, again, second level, and both once more")
	alarms := w.find(requirement.EscalationAlarm)
	require.Len(t, alarms, 1)
	require.Equal(t, []string{"liu.yang", "sun.li"}, alarms[0].To)
}

func TestScenario38EmptyLevelIsPassedOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// Nobody owns or tracks it, and no department has a head: the first level
	// has nobody, nor has the second.
	w.does(12*time.Hour, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	start := w.Now()
	w.lives()
	require.Empty(t, w.find(requirement.EscalationRaised))
	alarms := w.find(requirement.EscalationAlarm)
	require.Len(t, alarms, 1)
	require.WithinDuration(t, start.Add(2*time.Hour), alarms[0].At, time.Second)
}

// TestScenario39dSubstitutesInACircle: the approver is away, A stands in for B
// and B for A; the fallback is asked, once.
func TestScenario39dSubstitutesInACircle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *policy.Policy) {
		away := []policy.Absence{{From: time.Unix(0, 0), To: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}}
		for i := range p.People {
			switch p.People[i].ID {
			case "zhao.lei":
				p.People[i].Away, p.People[i].Substitute = away, "zhang.wei"
			case "zhang.wei":
				p.People[i].Away, p.People[i].Substitute = away, "zhao.lei"
			}
		}
	})
	w.does(time.Minute, requirement.Triage{Header: by("wang.fang"), NeedApproval: true})
	w.does(time.Hour, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	w.lives()
	require.Len(t, w.find(requirement.RoundOpened), 1)
	votes := w.last().Approval.Votes
	require.Len(t, votes, 2)
	require.Equal(t, "liu.yang", votes[0].Person, "the fallback takes the seat that nobody can fill")
	require.Equal(t, "sun.li", votes[1].Person, "and nobody has two votes")
}

func TestScenario39eTimeLimitApproves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *policy.Policy) { p.Approvals[1].OnTimeout = policy.TimeoutApproves })
	w.does(time.Minute, requirement.Triage{Header: by("wang.fang"), NeedApproval: true})
	w.isRefused(9*time.Hour, requirement.Approve{Header: by("zhao.lei")}, requirement.CodeStage)
	w.does(10*time.Hour, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	start := w.Now()
	w.lives()
	decided := w.find(requirement.RoundDecided)
	require.Len(t, decided, 1)
	require.WithinDuration(t, start.Add(8*time.Hour+time.Minute), decided[0].At, time.Second)
	require.Len(t, w.find(requirement.ClockMarked), 3+1, "half of the response, three quarters, nine tenths, and the reminder to the voters")
}

func TestScenario40DisputeOpensANewCycleWithoutInstantBreach(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.worked(19 * time.Hour)
	w.does(60*time.Hour, requirement.Dispute{Header: by("customer"), Reason: "it is back"})
	w.does(70*time.Hour, requirement.Resolve{Header: by("li.na"), Solution: "really"})
	w.does(71*time.Hour, requirement.Confirm{Header: by("customer"), Rating: 3})
	w.lives()
	w.ends(requirement.Archived)
	require.Empty(t, w.find(requirement.ClockBreached))
	require.Equal(t, 2, w.last().Cycle)
	require.False(t, *w.last().FirstTimeResolved)
}
