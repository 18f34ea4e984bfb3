package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"

	"closeloop/contract"
	"closeloop/requirement"
)

// other stands for another requirement: what it is asked, and what it is
// answered.
type other struct {
	asked    []contract.Handover
	answered []contract.MergeAnswer
}

// meets makes another requirement of that id, which says yes or no, or nothing.
func (w *world) meets(id string, answer *contract.MergeAnswer) *other {
	o := &other{}
	w.OnSignalExternalWorkflow("default-test-namespace", id, "", contract.SignalAbsorb, mock.Anything).Return(
		func(_, _, _, _ string, arg any) error {
			o.asked = append(o.asked, arg.(contract.Handover))
			if answer != nil {
				w.RegisterDelayedCallback(func() { w.SignalWorkflow(contract.SignalMergeAnswer, *answer) }, time.Millisecond)
			}
			return nil
		}).Maybe()
	w.OnSignalExternalWorkflow("default-test-namespace", id, "", contract.SignalMergeAnswer, mock.Anything).Return(
		func(_, _, _, _ string, arg any) error {
			o.answered = append(o.answered, arg.(contract.MergeAnswer))
			return nil
		}).Maybe()
	return o
}

func TestScenario40MergedWhileEscalated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	survivor := w.meets("REQ-OTHER001", &contract.MergeAnswer{From: "REQ-OTHER001", Taken: true})
	w.does(3*time.Hour, requirement.Merge{Header: by("wang.fang"), Into: "REQ-OTHER001"})
	w.lives()
	w.ends(requirement.Merged)
	require.Equal(t, requirement.EscalationOver, w.last().Escalations[0].State)
	require.Equal(t, testID, survivor.asked[0].From)
	require.Equal(t, "li@acme.example", survivor.asked[0].Merged[0].Contact)
}

func TestMergeThatIsNotTakenIsUndone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer *contract.MergeAnswer
	}{
		{"the survivor says no", &contract.MergeAnswer{From: "REQ-OTHER001", Reason: "it has ended"}},
		{"the survivor says nothing", nil},
		{"somebody else answers", &contract.MergeAnswer{From: "REQ-THIRD001", Taken: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.meets("REQ-OTHER001", c.answer)
			w.does(time.Hour, requirement.Merge{Header: by("wang.fang"), Into: "REQ-OTHER001"})
			w.does(90*time.Minute, requirement.Triage{Header: by("wang.fang")})
			w.does(2*time.Hour-time.Minute, requirement.Withdraw{Header: by("customer"), Reason: "end"})
			w.lives()
			w.ends(requirement.Withdrawn)
			require.Len(t, w.find(requirement.MergeUndone), 1)
		})
	}
}

func TestMergeIntoNobodyIsUndone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.OnSignalExternalWorkflow("default-test-namespace", "REQ-GONE0001", "", contract.SignalAbsorb, anything).Return(errDown)
	w.does(time.Hour, requirement.Merge{Header: by("wang.fang"), Into: "REQ-GONE0001"})
	w.does(2*time.Hour-time.Minute, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	w.lives()
	w.ends(requirement.Withdrawn)
	require.Len(t, w.find(requirement.MergeUndone), 1)
}

// TestMergedIntoEachOther: of two that are merged into each other at the same
// time one survives, the one with the smaller id.
func TestMergedIntoEachOther(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, other string
		survives    bool
	}{
		{"ours is the smaller id", "REQ-ZZZZ0001", true},
		{"ours is the larger id", "REQ-AAAA0001", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			// The other one takes ours over exactly when it does not survive itself.
			twin := w.meets(c.other, &contract.MergeAnswer{From: c.other, Taken: !c.survives, Reason: "it is being merged"})
			w.does(time.Hour, requirement.Merge{Header: by("wang.fang"), Into: c.other})
			w.at(time.Hour, func() {
				w.SignalWorkflow(contract.SignalAbsorb, contract.Handover{From: c.other, Merged: []requirement.Absorbed{{ID: c.other}}})
			})
			w.does(90*time.Minute, requirement.Withdraw{Header: by("customer"), Reason: "end"})
			w.lives()
			require.Equal(t, []contract.MergeAnswer{{From: testID, Taken: c.survives, Reason: twin.answered[0].Reason}}, twin.answered)
			if c.survives {
				w.ends(requirement.Withdrawn)
				require.Equal(t, c.other, w.last().Absorbed[0].ID)
				return
			}
			w.ends(requirement.Merged)
			require.Empty(t, w.last().Absorbed)
		})
	}
}

func TestBeingMergedItTakesNothingOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.meets("REQ-OTHER001", &contract.MergeAnswer{From: "REQ-OTHER001", Taken: true})
	third := w.meets("REQ-THIRD001", nil)
	w.does(time.Hour, requirement.Merge{Header: by("wang.fang"), Into: "REQ-OTHER001"})
	w.at(time.Hour, func() {
		w.SignalWorkflow(contract.SignalAbsorb, contract.Handover{From: "REQ-THIRD001", Merged: []requirement.Absorbed{{ID: "REQ-THIRD001"}}})
	})
	w.lives()
	w.ends(requirement.Merged)
	require.Len(t, third.answered, 1)
	require.False(t, third.answered[0].Taken)
}
