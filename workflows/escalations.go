package workflows

import (
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
	"closeloop/escalation"
	"closeloop/requirement"
)

// keepEscalations starts the chains of breaches, tells those that have lost
// their cause, and those whose acknowledger is at work.
func (l *life) keepEscalations(ctx workflow.Context) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	for {
		must(workflow.Await(ctx, func() bool {
			return len(l.EscalationsDue()) > 0 || len(l.EscalationsToEnd()) > 0 || len(l.nudged) > 0
		}))
		l.writing++
		for _, e := range l.EscalationsDue() {
			l.startEscalation(ctx, e)
		}
		for _, e := range l.EscalationsToEnd() {
			// An escalation that is gone needs no telling.
			_ = signalEscalation(ctx, l.ID, e.ID, contract.SignalStandDown)
			l.EscalationTold(e.ID)
		}
		for len(l.nudged) > 0 {
			id := l.nudged[0]
			l.nudged = l.nudged[1:]
			_ = signalEscalation(ctx, l.ID, id, contract.SignalProgress)
		}
		l.writing--
	}
}

// startEscalation starts the chain as it stands now: later changes of the
// policy do not touch it. Continuing as new counts as closing, so the child is
// abandoned by its parent and told explicitly when to stand down.
func (l *life) startEscalation(ctx workflow.Context, e requirement.Escalation) {
	chain, calendars := l.ChainOf(e), l.Process().CalendarsOf(l.ChainOf(e))
	staffed := staffChain(ctx, contract.ChainRequest{Chain: chain, Cast: l.Cast(), At: now(ctx)})
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:        contract.EscalationID(l.ID, e.ID),
		ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON,
		// One that runs is joined. One that has ended, before a reset or because
		// somebody terminated it, must not keep another from being started.
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:         cut(l.ID+" "+string(e.Clock)+" breached: "+plain(l.Title), maxSummary),
		// When many deadlines fall together, noticing the next breach comes before
		// calling people for the last one.
		Priority: temporal.Priority{PriorityKey: 5},
	})
	run := workflow.ExecuteChildWorkflow(child, contract.EscalationWorkflow, contract.EscalationInput{
		Ladder: escalation.Ladder{
			ID: e.ID, Requirement: l.ID, Title: l.Title, Clock: string(e.Clock),
			Calls: staffed.Calls, Calendars: calendars, Rounds: chain.Rounds, AcknowledgedFor: chain.AcknowledgedFor, Alarm: staffed.Alarm,
		},
	})
	// Without its started event the child would never come to be.
	if err := run.GetChildWorkflowExecution().Get(ctx, nil); err != nil && !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		must(err)
	}
	l.EscalationStarted(now(ctx), e.ID)
}

// nudge notes the acknowledged escalations: somebody is at work.
func (l *life) nudge() {
	for _, e := range l.Escalations {
		if e.State == requirement.EscalationAcked && !slices.Contains(l.nudged, e.ID) {
			l.nudged = append(l.nudged, e.ID)
		}
	}
}

func signalEscalation(ctx workflow.Context, requirementID, escalationID, signal string) error {
	id := contract.EscalationID(requirementID, escalationID)
	return workflow.SignalExternalWorkflow(ctx, id, "", signal, nil).Get(ctx, nil)
}
