package workflows_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"closeloop/activities"
	"closeloop/contract"
	"closeloop/internal/trial"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/workflows"
)

const testID = "REQ-TEST0001"

// world is a requirement's workflow in skipped time, with the real look-ups of
// people and a ledger in memory that is as strict as the real one.
type world struct {
	*testsuite.TestWorkflowEnvironment
	t      *testing.T
	policy *policy.Policy

	mu          sync.Mutex
	transitions []requirement.Transition
	notified    []contract.NotifyRequest
	// restated are states that were told once more.
	restated []requirement.Transition
	// down makes the ledger fail.
	down func() bool
	// owner is whom the look-up of an owner finds.
	owner contract.OwnerFound
}

func newWorld(t *testing.T, change ...func(*policy.Policy)) *world {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	w := &world{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), t: t, policy: trial.Policy()}
	for _, c := range change {
		c(w.policy)
	}
	w.SetTestTimeout(30 * time.Second)
	flows := &workflows.Workflows{People: w.company()}
	w.RegisterWorkflowWithOptions(flows.Requirement, workflow.RegisterOptions{Name: contract.RequirementWorkflow})
	w.RegisterWorkflowWithOptions(flows.Escalation, workflow.RegisterOptions{Name: contract.EscalationWorkflow})
	people := &activities.People{Policy: w.policy}
	w.register(contract.ActivityFindPeople, people.FindPeople)
	w.register(contract.ActivityFillSeats, people.FillSeats)
	w.register(contract.ActivityStaffChain, people.StaffChain)
	w.register(contract.ActivityOpen, func(context.Context, contract.OpenRequest) (contract.Opening, error) {
		return contract.Opening{Process: w.policy.Process}, nil
	})
	w.register(contract.ActivityFindOwner, func(context.Context, contract.OwnerRequest) (contract.OwnerFound, error) {
		return w.owner, nil
	})
	w.register(contract.ActivityPersist, w.persist)
	w.register(contract.ActivityNotify, func(_ context.Context, req contract.NotifyRequest) (contract.Notified, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.notified = append(w.notified, req)
		return contract.Notified{Sent: 1}, nil
	})
	w.SetStartWorkflowOptions(startOptions())
	return w
}

func (w *world) company() requirement.Company {
	return requirement.Company{Directory: w.policy.Directory, Unknown: w.policy.UnknownPeople}
}

func (w *world) register(name string, f any) {
	w.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
}

// persist refuses a gap and a repeated fact, as the ledger does.
func (w *world) persist(_ context.Context, t requirement.Transition) (contract.Persisted, error) {
	if w.down != nil && w.down() {
		return contract.Persisted{}, errDown
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if t.Instead != nil {
		w.restated = append(w.restated, t)
	}
	notices := 0
	for _, e := range t.Events {
		require.Equal(w.t, w.seq()+1, e.Seq, "facts come densely and once")
		w.transitions = append(w.transitions, requirement.Transition{State: t.State, Events: []requirement.Event{e}})
		notices += len(e.To)
	}
	return contract.Persisted{Notices: notices}, nil
}

func (w *world) seq() int { return len(w.transitions) }

// at lets something happen at an instant after the start.
func (w *world) at(d time.Duration, f func()) { w.RegisterDelayedCallback(f, d) }

// does sends an act as an Update and expects it to be accepted.
func (w *world) does(d time.Duration, act requirement.Act) {
	w.at(d, func() { w.update(act, nil) })
}

// isRefused sends an act as an Update and expects it to be refused.
func (w *world) isRefused(d time.Duration, act requirement.Act, code requirement.Code) {
	w.at(d, func() { w.update(act, &code) })
}

func (w *world) update(act requirement.Act, refusal *requirement.Code) {
	check := func(err error) {
		if refusal == nil {
			require.NoError(w.t, err, act.Name())
			return
		}
		refused, ok := contract.RefusalOf(err)
		require.True(w.t, ok, "%s was not refused: %v", act.Name(), err)
		require.Equal(w.t, *refusal, refused.Code)
	}
	id := act.ID()
	if id == "" {
		id = string(act.Name()) + w.Now().Format(time.RFC3339Nano)
	}
	w.UpdateWorkflow(string(act.Name()), id, &testsuite.TestUpdateCallback{
		OnAccept:   func() {},
		OnReject:   func(err error) { check(err) },
		OnComplete: func(_ any, err error) { check(err) },
	}, act)
}

// lives runs the requirement from intake to its end.
func (w *world) lives(change ...func(*requirement.Submission)) {
	w.t.Helper()
	s := requirement.Submission{Title: "导出报表", Customer: "Acme", Contact: "li@acme.example", SubmittedBy: "wang.fang"}
	for _, c := range change {
		c(&s)
	}
	w.ExecuteWorkflow(contract.RequirementWorkflow, contract.Input{Submission: s, Key: "k", Attempt: "a"})
	require.True(w.t, w.IsWorkflowCompleted())
}

// ends expects that the requirement ended in the stage.
func (w *world) ends(stage requirement.Stage) {
	w.t.Helper()
	require.NoError(w.t, w.GetWorkflowError())
	var outcome contract.Outcome
	require.NoError(w.t, w.GetWorkflowResult(&outcome))
	require.Equal(w.t, stage, outcome.Stage)
	require.Equal(w.t, stage, w.last().Stage, "the ledger agrees")
}

func (w *world) last() requirement.State { return w.transitions[len(w.transitions)-1].State }

// find returns the facts of a kind.
func (w *world) find(kind requirement.Kind) []requirement.Event {
	var found []requirement.Event
	for _, t := range w.transitions {
		if t.Events[0].Kind == kind {
			found = append(found, t.Events[0])
		}
	}
	return found
}

func by(who string) requirement.Header { return requirement.Header{Actor: who} }
