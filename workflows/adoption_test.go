package workflows_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"closeloop/contract"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// rules returns the world's rules with a change, under a digest of their own.
func (w *world) rules(digest string, change func(*policy.Process)) policy.Process {
	w.t.Helper()
	text, err := json.Marshal(w.policy.Process)
	require.NoError(w.t, err)
	var p policy.Process
	require.NoError(w.t, json.Unmarshal(text, &p))
	p.Digest = digest
	change(&p)
	return p
}

// adopts sends other rules as an Update, and returns where its answer will be.
func (w *world) adopts(d time.Duration, a contract.Adopt) *answered {
	got := &answered{}
	w.at(d, func() {
		w.UpdateWorkflow(string(requirement.ActAdopt), "adopt"+w.Now().Format(time.RFC3339Nano), &testsuite.TestUpdateCallback{
			OnAccept: func() {},
			OnReject: func(err error) { got.err = err },
			OnComplete: func(v any, err error) {
				got.err = err
				if err == nil {
					got.verdict = v.(requirement.Verdict)
				}
			},
		}, a)
	})
	return got
}

type answered struct {
	verdict requirement.Verdict
	err     error
}

// TestDeadlinePutOffByOtherRules: the chain stands down and climbs no further;
// when the later deadline passes, too, another run of it begins.
func TestDeadlinePutOffByOtherRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.does(time.Minute, requirement.Triage{Header: by("wang.fang")})
	w.does(2*time.Minute, requirement.Assign{Header: by("wang.fang"), To: "li.na", Department: "service"})
	w.does(3*time.Minute, requirement.Accept{Header: by("li.na")})
	longer := w.rules("longer", func(p *policy.Process) {
		p.Clocks = p.Clocks[:2]
		p.Clocks[0].Target, p.Clocks[0].Targets = sla.Exactly(5*time.Hour), nil
	})
	first := w.adopts(2*time.Hour+5*time.Minute, contract.Adopt{Header: by("sun.li"), Process: longer})
	second := w.adopts(3*time.Hour, contract.Adopt{Header: by("sun.li"), Process: longer})
	w.at(5*time.Hour+time.Minute, func() {
		require.NoError(t, w.SignalWorkflowByID(contract.EscalationID(testID, "response-1-2"), contract.ActAcknowledge,
			map[string]any{"actor": "li.na"}))
	})
	w.does(5*time.Hour+10*time.Minute, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	start := w.Now()
	w.lives()
	w.ends(requirement.Withdrawn)

	require.NoError(t, first.err)
	require.True(t, first.verdict.Accepted)
	require.Equal(t, requirement.ActAdopt, first.verdict.Act)
	adopted := w.find(requirement.Adopted)
	require.Len(t, adopted, 1, "the second time changes nothing")
	require.Equal(t, "sun.li", adopted[0].Actor)
	require.NoError(t, second.err)
	require.True(t, second.verdict.Accepted)

	since := func(e requirement.Event) time.Duration { return e.At.Sub(start).Truncate(time.Minute) }
	raised := w.find(requirement.EscalationRaised)
	require.Len(t, raised, 2, "not the second level of the first run")
	require.Equal(t, 2*time.Hour, since(raised[0]))
	require.Equal(t, 5*time.Hour, since(raised[1]))
	require.Len(t, w.find(requirement.ClockBreached), 1)
	require.Len(t, w.find(requirement.EscalationStarted), 2)
	require.Len(t, w.find(requirement.EscalationAcknowledged), 1)
	escalations := w.last().Escalations
	require.Len(t, escalations, 2)
	require.Equal(t, "response-1", escalations[0].ID)
	require.Equal(t, "response-1-2", escalations[1].ID)
	require.Equal(t, "li.na", escalations[1].AcknowledgedBy)
	require.Equal(t, "longer", w.last().Policy)
}

// TestChainThatTheRulesHaveNoMore stands down at once.
func TestChainThatTheRulesHaveNoMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.does(time.Minute, requirement.Triage{Header: by("wang.fang")})
	w.does(2*time.Minute, requirement.Assign{Header: by("wang.fang"), To: "li.na", Department: "service"})
	w.does(3*time.Minute, requirement.Accept{Header: by("li.na")})
	w.adopts(2*time.Hour+5*time.Minute, contract.Adopt{Process: w.rules("quiet", func(p *policy.Process) { p.Clocks[0].Chain = "" })})
	w.does(5*time.Hour, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	w.lives()
	require.Len(t, w.find(requirement.EscalationRaised), 1)
	require.Empty(t, w.find(requirement.EscalationAlarm))
	require.Equal(t, requirement.SystemActor, w.find(requirement.Adopted)[0].Actor)
	require.Equal(t, requirement.EscalationOver, w.last().Escalations[0].State)
}

func TestAdoptionIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rules := w.rules("other", func(*policy.Process) {})
	agent := w.adopts(time.Minute, contract.Adopt{Header: by("li.na"), Process: rules})
	empty := w.adopts(2*time.Minute, contract.Adopt{Header: by("sun.li")})
	w.at(3*time.Minute, func() {
		w.SignalWorkflow(string(requirement.ActAdopt), contract.Adopt{Header: by("li.na"), Process: rules})
	})
	w.at(4*time.Minute, func() { w.SignalWorkflow(string(requirement.ActAdopt), map[string]any{"rules": 1}) })
	w.does(time.Hour, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	w.lives()
	for got, code := range map[*answered]requirement.Code{agent: requirement.CodeRole, empty: requirement.CodeInvalid} {
		refused, ok := contract.RefusalOf(got.err)
		require.True(t, ok, "%v", got.err)
		require.Equal(t, code, refused.Code)
	}
	require.Empty(t, w.find(requirement.Adopted))
	refused := w.find(requirement.ActRefused)
	require.Len(t, refused, 2, "signals are on record")
	require.Equal(t, "li.na", refused[0].Actor)
}
