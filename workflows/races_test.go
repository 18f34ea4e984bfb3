package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"closeloop/activities"
	"closeloop/contract"
	"closeloop/escalation"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// Messages and steps that meet.

// ladder is one level for li.na, then the alarm.
func ladder() escalation.Ladder {
	return escalation.Ladder{
		ID: "response-1", Requirement: testID, Clock: "response", Rounds: 1,
		Calls: []escalation.Call{{People: []string{"li.na"}, Times: 1}}, Alarm: []string{"sun.li"},
	}
}

// chain runs an escalation alone; the requirement takes its reports after a while.
func (w *world) chain(in contract.EscalationInput, takes time.Duration, told *[]requirement.Report) {
	w.SetStartWorkflowOptions(startOptions())
	w.OnSignalExternalWorkflow("default-test-namespace", testID, "", contract.SignalReport, anything).Return(
		func(_, _, _, _ string, arg any) error {
			*told = append(*told, arg.(requirement.Report))
			return nil
		}).After(takes)
	w.ExecuteWorkflow(contract.EscalationWorkflow, in)
	require.True(w.t, w.IsWorkflowCompleted())
}

// TestStandDownWhileAReportIsUnderWay: the cause goes away at the moment in which
// a level is called.
func TestStandDownWhileAReportIsUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var told []requirement.Report
	w.at(time.Second, func() { w.SignalWorkflow(contract.SignalStandDown, nil) })
	w.chain(contract.EscalationInput{Ladder: ladder()}, time.Minute, &told)
	require.NoError(t, w.GetWorkflowError())
	require.Len(t, told, 1)
	var l escalation.Ladder
	require.NoError(t, w.GetWorkflowResult(&l))
	require.Equal(t, escalation.Ended, l.State)
}

// TestAcknowledgementWhileTheChainEndsItsRunIsReported: it is taken while the
// chain waits to continue as new.
func TestAcknowledgementWhileTheChainEndsItsRunIsReported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := escalation.Start(ladder(), w.Now().Add(time.Hour))
	l.Level, l.Time = 1, 1
	var told []requirement.Report
	start := w.Now()
	people := &activities.People{Policy: w.policy}
	w.register(contract.ActivityFindPeople, func(ctx context.Context, req contract.WhoRequest) (requirement.Known, error) {
		if w.Now().Sub(start) < 4*time.Second {
			return requirement.Known{}, errDown
		}
		return people.FindPeople(ctx, req)
	})
	w.at(time.Second, func() { w.SignalWorkflow(contract.ActAcknowledge, map[string]any{"actor": "li.na"}) })
	w.at(2*time.Second, func() {
		w.SetContinueAsNewSuggested(true)
		w.SignalWorkflow(contract.SignalProgress, nil)
	})
	w.chain(contract.EscalationInput{Ladder: *l, Running: true}, 0, &told)
	require.True(t, workflow.IsContinueAsNewError(w.GetWorkflowError()))
	require.Len(t, told, 1)
	require.Equal(t, requirement.EscalationAcknowledged, told[0].Kind)
}

// TestOwnerFoundForAnotherDepartmentIsNotTaken: triage names another department
// while the owner is being looked up.
func TestOwnerFoundForAnotherDepartmentIsNotTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *policy.Policy) { p.Routing[0].Pick = policy.PickLeastLoaded })
	start := w.Now()
	w.register(contract.ActivityFindOwner, func(_ context.Context, req contract.OwnerRequest) (contract.OwnerFound, error) {
		if w.Now().Sub(start) < 70*time.Second {
			return contract.OwnerFound{}, errDown
		}
		return contract.OwnerFound{Owner: map[string]string{"service": "li.na", "technology": "zhang.wei"}[req.Department]}, nil
	})
	w.does(time.Minute, requirement.Triage{Header: by("wang.fang"), Department: "service"})
	w.does(62*time.Second, requirement.Triage{Header: by("wang.fang"), Department: "technology"})
	w.does(time.Hour, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	w.lives()
	require.Len(t, w.find(requirement.WasAssigned), 1)
	require.Equal(t, "zhang.wei", w.last().Owner)
}

// TestCancellationInTheMiddleOfALookUpTellsNothingFalse: nobody was asked, and
// nobody failed to be found.
func TestCancellationInTheMiddleOfALookUpTellsNothingFalse(t *testing.T) {
	t.Parallel()
	for name, triage := range map[string]requirement.Triage{
		"owner": {Header: by("wang.fang")},
		"round": {Header: by("wang.fang"), NeedApproval: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(p *policy.Policy) { p.Routing[0].Pick = policy.PickLeastLoaded })
			down := func(context.Context, any) (any, error) { return nil, errDown }
			w.register(contract.ActivityFindOwner, down)
			w.register(contract.ActivityFillSeats, down)
			w.does(time.Minute, triage)
			w.at(62*time.Second, w.CancelWorkflow)
			w.lives()
			require.Equal(t, requirement.Withdrawn, w.last().Stage)
			require.Empty(t, w.find(requirement.RoundOpened))
			require.Empty(t, w.find(requirement.RoutingFailed))
		})
	}
}

// TestDeadChannelHoldsNoClockBeforeContinuingAsNew: a notification is tried
// again and again while the workflow is to continue as new.
func TestDeadChannelHoldsNoClockBeforeContinuingAsNew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *policy.Policy) {
		p.Clocks[0].Target, p.Clocks[0].Marks = sla.Exactly(5*time.Second), nil
	})
	start := w.Now()
	w.register(contract.ActivityNotify, func(context.Context, contract.NotifyRequest) (contract.Notified, error) {
		if w.Now().Sub(start) < 12*time.Second {
			return contract.Notified{}, errDown
		}
		return contract.Notified{Sent: 1}, nil
	})
	w.at(time.Second, func() { w.SignalWorkflow(contract.SignalContinueAsNew, nil) })
	w.does(2*time.Second, requirement.Triage{Header: by("wang.fang"), NeedApproval: true})
	w.lives()
	require.True(t, workflow.IsContinueAsNewError(w.GetWorkflowError()))
	require.Len(t, w.find(requirement.RoundOpened), 1)
	require.WithinDuration(t, start.Add(2*time.Second), w.find(requirement.RoundOpened)[0].At, time.Second)
	require.Len(t, w.find(requirement.ClockBreached), 1)
	require.WithinDuration(t, start.Add(5*time.Second), w.find(requirement.ClockBreached)[0].At, time.Second)
}
