package workflows_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
	"closeloop/requirement"
	"closeloop/workflows"
)

// TestTickTellsTheStateAnew: the audit says what it saw in the ledger.
func TestTickTellsTheStateAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := requirement.Standing{Seq: 7, At: w.Now().UTC()}
	w.does(time.Minute, requirement.Triage{Header: by("wang.fang")})
	var before int
	w.at(2*time.Minute, func() { before = w.seq() })
	w.at(3*time.Minute, func() { w.SignalWorkflow(contract.SignalTick, contract.Tick{Instead: &seen}) })
	w.at(4*time.Minute, func() {
		require.Equal(t, before, w.seq(), "nothing has happened")
		require.Len(t, w.restated, 1)
		require.Equal(t, w.last(), w.restated[0].State)
		require.Equal(t, seen, *w.restated[0].Instead)
		// Without a doubt about the ledger there is nothing to tell.
		w.SignalWorkflow(contract.SignalTick, nil)
		w.SignalWorkflow(contract.SignalTick, map[string]any{"instead": "what"})
	})
	w.does(5*time.Minute, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	w.lives()
	w.ends(requirement.Withdrawn)
	require.Len(t, w.restated, 1)
	require.Len(t, w.find(requirement.ActRefused), 1, "what makes no sense is on record")
}

// TestTickWaitsForItsTurn: facts that the ledger could not take come first.
func TestTickWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := w.Now()
	w.down = func() bool { d := w.Now().Sub(start); return d > time.Minute && d < 2*time.Minute }
	w.does(70*time.Second, requirement.Triage{Header: by("wang.fang")})
	w.at(80*time.Second, func() {
		w.SignalWorkflow(contract.SignalTick, contract.Tick{Instead: &requirement.Standing{Seq: 1}})
		w.SignalWorkflow(contract.SignalContinueAsNew, nil)
	})
	w.lives()
	require.True(t, workflow.IsContinueAsNewError(w.GetWorkflowError()))
	require.Len(t, w.restated, 1, "before the run ends")
	require.Equal(t, w.seq(), w.restated[0].State.Seq)
	require.Equal(t, requirement.Analysing, w.restated[0].State.Stage)
}

// TestLostEscalationIsStartedAnew: somebody terminated its workflow.
func TestLostEscalationIsStartedAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const id = "response-1"
	w.does(time.Minute, requirement.Triage{Header: by("wang.fang")})
	w.does(2*time.Minute, requirement.Assign{Header: by("wang.fang"), To: "li.na", Department: "service"})
	w.does(3*time.Minute, requirement.Accept{Header: by("li.na")})
	w.at(2*time.Hour+5*time.Minute, func() {
		w.CancelWorkflowByID(contract.EscalationID(testID, id), "")
	})
	w.at(3*time.Hour, func() {
		require.Len(t, w.find(requirement.EscalationRaised), 1, "nobody climbs any longer")
		w.SignalWorkflow(contract.SignalEscalationsLost, contract.LostEscalations{IDs: []string{id}, Seq: w.last().Seq - 1})
	})
	w.at(4*time.Hour, func() {
		require.Len(t, w.find(requirement.EscalationStarted), 1, "who told of it knew an older story")
		w.SignalWorkflow(contract.SignalEscalationsLost, contract.LostEscalations{IDs: []string{id}, Seq: w.last().Seq})
	})
	w.does(6*time.Hour, requirement.Respond{Header: by("li.na"), Method: "phone", Message: "hello"})
	w.does(7*time.Hour, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	start := w.Now()
	w.lives()
	w.ends(requirement.Withdrawn)
	require.Len(t, w.find(requirement.EscalationStarted), 2)
	raised := w.find(requirement.EscalationRaised)
	require.Greater(t, len(raised), 2)
	require.Equal(t, 4*time.Hour, raised[1].At.Sub(start).Truncate(time.Minute))
	require.Equal(t, raised[0].To, raised[1].To, "from its foot")
	require.Len(t, w.find(requirement.EscalationEnded), 1)
	require.True(t, w.last().Escalations[0].Told)
}

// TestAuditAddsItsPartsUp: one activity looks at some thousand requirements; the
// next goes on where it ended.
func TestAuditAddsItsPartsUp(t *testing.T) {
	t.Parallel()
	lost := contract.Finding{Kind: contract.Orphaned, ID: "REQ-1", Obstacle: contract.NoWorkflow}
	late := contract.Finding{Kind: contract.Overdue, ID: "REQ-9", Repair: contract.Nudge, Repaired: true}
	part := func(open int, next string, found ...contract.Finding) contract.AuditPart {
		p := contract.AuditPart{Audited: contract.NewAudited(), Next: next}
		p.Open, p.Running = open, open
		for _, f := range found {
			p.Note(f)
		}
		return p
	}
	w := newWorld(t)
	w.RegisterWorkflowWithOptions((&workflows.Workflows{}).Audit, workflow.RegisterOptions{Name: contract.AuditWorkflow})
	var asked []contract.AuditPartRequest
	failed := false
	w.register(contract.ActivityAudit, func(_ context.Context, req contract.AuditPartRequest) (contract.AuditPart, error) {
		if !failed {
			failed = true
			return contract.AuditPart{}, errors.New("the database is restarting")
		}
		asked = append(asked, req)
		if req.After == "" {
			return part(10_000, "REQ-5", lost), nil
		}
		return part(7, "", late, lost), nil
	})
	w.ExecuteWorkflow(contract.AuditWorkflow, contract.AuditRequest{Deep: true})
	require.NoError(t, w.GetWorkflowError())
	var report contract.AuditReport
	require.NoError(t, w.GetWorkflowResult(&report))
	require.Equal(t, []contract.AuditPartRequest{
		{AuditRequest: contract.AuditRequest{Deep: true}},
		{AuditRequest: contract.AuditRequest{Deep: true}, After: "REQ-5"},
	}, asked)
	require.Equal(t, 10_007, report.Open)
	require.Equal(t, contract.AuditCount{Found: 3, Repaired: 1}, report.AuditCount)
	require.Equal(t, contract.AuditCount{Found: 2}, report.Kinds[contract.Orphaned])
	require.Equal(t, contract.AuditCount{Found: 1, Repaired: 1}, report.Kinds[contract.Overdue])
	require.Len(t, report.Kinds, len(contract.FindingKinds))
	require.Equal(t, []contract.Finding{lost, late, lost}, report.Findings)
	require.True(t, report.EndedAt.After(report.StartedAt))
}

// TestAuditGivesUp: what does not work five times needs somebody to look.
func TestAuditGivesUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.RegisterWorkflowWithOptions((&workflows.Workflows{}).Audit, workflow.RegisterOptions{Name: contract.AuditWorkflow})
	tries := 0
	w.register(contract.ActivityAudit, func(context.Context, contract.AuditPartRequest) (contract.AuditPart, error) {
		tries++
		return contract.AuditPart{}, errDown
	})
	w.ExecuteWorkflow(contract.AuditWorkflow, contract.AuditRequest{})
	var failed *temporal.ActivityError
	require.ErrorAs(t, w.GetWorkflowError(), &failed)
	require.Equal(t, 5, tries)
}
