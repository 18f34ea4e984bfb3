package workflows_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
	"closeloop/escalation"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// office is open from nine to five, on every day of 2026.
func office() sla.Timetable {
	day := []sla.Window{{From: 9 * 60, To: 17 * 60}}
	return sla.Timetable{
		Name: "office", Years: []int{2026},
		Hours: sla.Week{Mon: day, Tue: day, Wed: day, Thu: day, Fri: day, Sat: day, Sun: day},
	}
}

// atHours leaves one level, the head's, which is called in the office's hours
// alone, and one clock, the response, which runs out at the instant.
func atHours(start, breach time.Time) func(*policy.Policy) {
	return func(p *policy.Policy) {
		p.Process.Calendars = []sla.Timetable{office()}
		p.Chains[0].Rounds = 1
		p.Chains[0].Levels = []policy.Level{
			{People: []string{"head"}, AcknowledgeWithin: sla.Exactly(30 * time.Minute), Calendar: "office"},
		}
		p.Clocks = p.Clocks[:1]
		p.Clocks[0].Target, p.Clocks[0].Targets, p.Clocks[0].Marks = sla.Exactly(breach.Sub(start)), nil, nil
	}
}

func clockHands(hour, minute int) time.Time {
	return time.Date(2026, 3, 2, hour, minute, 0, 0, time.UTC)
}

// TestScenario37LevelWithHours: the level is only for nine to five, the breach
// comes at six in the morning; the level is called at nine.
func TestScenario37LevelWithHours(t *testing.T) {
	t.Parallel()
	start := clockHands(4, 0)
	w := newWorld(t, atHours(start, clockHands(6, 0)))
	w.SetStartTime(start)
	w.does(time.Minute, requirement.Triage{Header: by("wang.fang"), Department: "service"})
	w.does(20*time.Hour, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	w.lives()
	w.ends(requirement.Withdrawn)
	require.WithinDuration(t, clockHands(6, 0), w.find(requirement.ClockBreached)[0].At, time.Second)
	raised := w.find(requirement.EscalationRaised)
	require.Len(t, raised, 1)
	require.WithinDuration(t, clockHands(9, 0), raised[0].At, time.Second)
	require.Equal(t, []string{"chen.jing"}, raised[0].To)
	require.WithinDuration(t, clockHands(9, 30), w.find(requirement.EscalationAlarm)[0].At, time.Second)
}

// TestScenario37WorkerRestartedAtSeven: the ladder is carried over while it waits
// for the level to open, and waits on.
func TestScenario37WorkerRestartedAtSeven(t *testing.T) {
	t.Parallel()
	l := ladder()
	l.Calls[0].Calendar, l.Calls[0].Within, l.Calendars = "office", sla.Exactly(30*time.Minute), []sla.Timetable{office()}

	before := newWorld(t)
	before.SetStartTime(clockHands(6, 0))
	before.at(time.Hour, func() { before.SignalWorkflow(contract.SignalContinueAsNew, nil) })
	var told []requirement.Report
	before.chain(contract.EscalationInput{Ladder: l}, 0, &told)
	require.Empty(t, told, "nobody is called at six")
	var again *workflow.ContinueAsNewError
	require.True(t, errors.As(before.GetWorkflowError(), &again))
	var carried contract.EscalationInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &carried))
	require.True(t, carried.Running)

	after := newWorld(t)
	after.SetStartTime(clockHands(7, 0))
	called := 0
	after.at(2*time.Hour-time.Minute, func() { require.Empty(t, told, "nor a minute before nine") })
	after.at(2*time.Hour+time.Minute, func() { called = len(told) })
	after.at(3*time.Hour, func() { after.SignalWorkflow(contract.SignalStandDown, nil) })
	after.chain(carried, 0, &told)
	require.NoError(t, after.GetWorkflowError())
	require.Equal(t, 1, called, "at nine")
	require.Equal(t, requirement.EscalationRaised, told[0].Kind)
	require.Equal(t, []string{"li.na"}, told[0].People)
	require.Equal(t, requirement.EscalationAlarm, told[1].Kind)
	var end escalation.Ladder
	require.NoError(t, after.GetWorkflowResult(&end))
	require.Equal(t, escalation.Ended, end.State)
}

// TestLevelWhoseYearIsUnknownIsCalledAtOnce, and the history says why.
func TestLevelWhoseYearIsUnknownIsCalledAtOnce(t *testing.T) {
	t.Parallel()
	start := clockHands(4, 0).AddDate(1, 0, 0)
	breach := start.Add(2 * time.Hour)
	w := newWorld(t, atHours(start, breach))
	w.SetStartTime(start)
	w.does(time.Minute, requirement.Triage{Header: by("wang.fang"), Department: "service"})
	w.does(20*time.Hour, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	w.lives()
	raised := w.find(requirement.EscalationRaised)
	require.Len(t, raised, 1)
	require.WithinDuration(t, breach, raised[0].At, time.Second)
	var fact struct{ Lacks *sla.Lack }
	require.NoError(t, json.Unmarshal(raised[0].Data, &fact))
	require.Equal(t, &sla.Lack{Calendar: "office", Year: 2027}, fact.Lacks)
}
