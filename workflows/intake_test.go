package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"closeloop/contract"
	"closeloop/requirement"
)

// submit asks for the receipt, as the intake call does.
func (w *world) submit(attempt string, answered func(contract.Receipt, error)) {
	w.at(0, func() {
		w.UpdateWorkflow(contract.UpdateSubmit, "submit-"+attempt, &testsuite.TestUpdateCallback{
			OnAccept: func() {},
			OnReject: func(err error) { answered(contract.Receipt{}, err) },
			OnComplete: func(result any, err error) {
				receipt, _ := result.(contract.Receipt)
				answered(receipt, err)
			},
		}, contract.SubmitRequest{Key: "k", Attempt: attempt})
	})
}

func TestOnlyTheCallThatStartedTheRunCreatedIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created := map[string]bool{}
	for _, attempt := range []string{"a", "b"} {
		w.submit(attempt, func(r contract.Receipt, err error) {
			require.NoError(t, err)
			require.Equal(t, testID, r.ID)
			require.Equal(t, "k", r.Key)
			require.Equal(t, requirement.Received, r.Stage)
			created[attempt] = r.Created
		})
	}
	w.does(time.Hour, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	w.lives()
	require.Equal(t, map[string]bool{"a": true, "b": false}, created)
}

func TestWrongSubmissionIsTurnedAwayWithItsReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var refused error
	w.submit("a", func(_ contract.Receipt, err error) { refused = err })
	w.lives(func(s *requirement.Submission) { s.Type = "nonsense" })
	for _, err := range []error{refused, w.GetWorkflowError()} {
		refusal, ok := contract.RefusalOf(err)
		require.True(t, ok, "%v", err)
		require.Equal(t, requirement.CodeInvalid, refusal.Code)
		require.Equal(t, "type", refusal.Params["field"])
	}
	require.Empty(t, w.transitions, "nothing is written")
}

func TestWhatTheLedgerHasIsNotTakenInAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register(contract.ActivityOpen, func(context.Context, contract.OpenRequest) (contract.Opening, error) {
		return contract.Opening{Existing: &contract.Receipt{ID: testID, Stage: requirement.Archived, Ref: "crm:1"}}, nil
	})
	var receipt contract.Receipt
	w.submit("a", func(r contract.Receipt, err error) {
		require.NoError(t, err)
		receipt = r
	})
	w.lives()
	require.Equal(t, contract.Receipt{ID: testID, Stage: requirement.Archived, Ref: "crm:1"}, receipt)
	var outcome contract.Outcome
	require.NoError(t, w.GetWorkflowResult(&outcome))
	require.Equal(t, contract.Outcome{ID: testID, Stage: requirement.Archived}, outcome)
	require.Empty(t, w.transitions)
}

// TestScenario30ClockTakenOutOfThePolicy: other rules, without the clock that
// has breached, end its chain; the breach stays on record.
func TestScenario30ClockTakenOutOfThePolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.does(time.Minute, requirement.Triage{Header: by("wang.fang")})
	w.does(2*time.Minute, requirement.Assign{Header: by("wang.fang"), To: "li.na", Department: "service"})
	w.does(3*time.Minute, requirement.Accept{Header: by("li.na")})
	w.at(2*time.Hour+time.Minute, func() {
		without := w.policy.Process
		without.Digest, without.Clocks = "other", without.Clocks[1:]
		w.SignalWorkflow(string(requirement.ActAdopt), contract.Adopt{Header: by("sun.li"), Process: without})
	})
	w.does(20*time.Hour, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	w.lives()
	w.ends(requirement.Withdrawn)
	require.Len(t, w.find(requirement.ClockBreached), 1)
	require.Len(t, w.find(requirement.EscalationRaised), 1, "the chain climbs no further")
	require.Equal(t, requirement.EscalationOver, w.last().Escalations[0].State)
	require.Equal(t, "other", w.last().Policy)
}
