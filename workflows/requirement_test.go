package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"

	"closeloop/contract"
	"closeloop/requirement"
)

// anything matches any argument of a mock.
var anything = mock.Anything

var errDown = errors.New("the database is down")

func startOptions() client.StartWorkflowOptions {
	return client.StartWorkflowOptions{ID: testID, TaskQueue: contract.DefaultTaskQueue}
}

// worked schedules the usual way to a resolution, ending at the hour.
func (w *world) worked(until time.Duration) {
	w.does(time.Minute, requirement.Triage{Header: by("wang.fang")})
	w.does(2*time.Minute, requirement.Assign{Header: by("wang.fang"), To: "li.na", Department: "service"})
	w.does(3*time.Minute, requirement.Accept{Header: by("li.na")})
	w.does(time.Hour, requirement.Respond{Header: by("li.na"), Method: "phone", Message: "我们在看"})
	w.does(until, requirement.Resolve{Header: by("li.na"), Solution: "加了导出按钮"})
}

func TestHappyPath(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.does(time.Minute, requirement.Triage{Header: by("wang.fang"), NeedApproval: true})
	w.does(2*time.Minute, requirement.Approve{Header: by("zhao.lei")})
	w.does(3*time.Minute, requirement.Approve{Header: by("liu.yang")})
	w.does(4*time.Minute, requirement.Assign{Header: by("wang.fang"), To: "li.na", Department: "service"})
	w.does(time.Hour, requirement.Respond{Header: by("li.na"), Method: "phone", Message: "我们在看"})
	w.does(5*time.Hour, requirement.Resolve{Header: by("li.na"), Solution: "加了导出按钮"})
	w.does(6*time.Hour, requirement.Confirm{Header: by("customer"), Rating: 5})
	w.lives()
	w.ends(requirement.Archived)
	require.Empty(t, w.find(requirement.ClockBreached))
	require.NotEmpty(t, w.notified)
}

func TestSilentCustomerIsRemindedAndThenTakenAtTheirSilence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.worked(5 * time.Hour)
	start := w.Now()
	w.lives()
	w.ends(requirement.Archived)
	reminders := w.find(requirement.ClockMarked)
	require.Equal(t, []string{"customer"}, reminders[len(reminders)-1].To)
	require.True(t, w.last().Closing.Automatic)
	require.WithinDuration(t, start.Add(77*time.Hour), w.last().Closing.At, time.Second)
}

func TestBreachEscalatesUntilAcknowledged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.does(time.Minute, requirement.Triage{Header: by("wang.fang")})
	w.does(2*time.Minute, requirement.Assign{Header: by("wang.fang"), To: "li.na", Department: "service"})
	w.does(3*time.Minute, requirement.Accept{Header: by("li.na")})
	// The response is due after two hours; the first level has 15 minutes.
	w.does(3*time.Hour, requirement.Respond{Header: by("li.na"), Method: "phone", Message: "对不起"})
	w.does(4*time.Hour, requirement.Resolve{Header: by("li.na"), Solution: "修好了"})
	w.does(5*time.Hour, requirement.Confirm{Header: by("customer")})
	start := w.Now()
	w.lives()
	w.ends(requirement.Archived)

	breaches := w.find(requirement.ClockBreached)
	require.Len(t, breaches, 1)
	require.WithinDuration(t, start.Add(2*time.Hour), breaches[0].At, time.Second)
	raised := w.find(requirement.EscalationRaised)
	require.Len(t, raised, 3, "two levels, then the first level of the second round")
	require.Equal(t, []string{"li.na", "wang.fang"}, raised[0].To)
	require.Equal(t, []string{"chen.jing"}, raised[1].To)
	require.WithinDuration(t, start.Add(2*time.Hour+15*time.Minute), raised[1].At, time.Second)
	require.Equal(t, requirement.EscalationOver, w.last().Escalations[0].State, "the response took its cause away")
}

func TestSignalsAreDoneOrPutOnRecordAsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	signal := func(d time.Duration, name string, body any) { w.at(d, func() { w.SignalWorkflow(name, body) }) }
	signal(time.Minute, "confirm", map[string]any{"actor": "customer", "rating": 5})
	signal(2*time.Minute, "triage", map[string]any{"actor": "nobody"})
	signal(3*time.Minute, "triage", "not an object")
	signal(4*time.Minute, "triage", map[string]any{"actor": "wang.fang", "nonsense": 1})
	signal(5*time.Minute, "withdraw", map[string]any{"actor": "customer", "reason": "不需要了"})
	w.lives()
	w.ends(requirement.Withdrawn)
	require.Len(t, w.find(requirement.ActRefused), 4)
}

func TestOneIDActsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	comment := requirement.Comment{Header: requirement.Header{ActID: "c-1", Actor: "wang.fang"}, Message: "hello"}
	w.does(time.Minute, comment)
	w.at(2*time.Minute, func() { w.SignalWorkflow("comment", comment) })
	w.does(3*time.Minute, requirement.Withdraw{Header: by("customer"), Reason: "no longer"})
	w.lives()
	require.Len(t, w.find(requirement.Commented), 1)
}

func TestLedgerOutageDelaysAndLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := w.Now()
	w.down = func() bool {
		since := w.Now().Sub(start)
		return since > 90*time.Second && since < 130*time.Second
	}
	w.worked(5 * time.Hour)
	w.does(6*time.Hour, requirement.Confirm{Header: by("customer")})
	w.lives()
	w.ends(requirement.Archived)
	assigned := w.find(requirement.WasAssigned)
	require.WithinDuration(t, start.Add(2*time.Minute), assigned[0].At, time.Second, "the fact keeps its time")
}

func TestCancellationLeavesTheLedgerTrue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.does(time.Minute, requirement.Triage{Header: by("wang.fang")})
	w.at(10*time.Minute, w.CancelWorkflow)
	w.lives()
	require.Error(t, w.GetWorkflowError())
	require.Equal(t, requirement.Withdrawn, w.last().Stage)
	require.Len(t, w.find(requirement.Cancelled), 1)
}

// TestEveryActIsOffered: whatever the table has can be said to the workflow.
func TestEveryActIsOffered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, rule := range requirement.Table {
		w.at(time.Minute, func() {
			w.UpdateWorkflow(string(rule.Act), "offer-"+string(rule.Act), &testsuite.TestUpdateCallback{
				OnAccept:   func() {},
				OnReject:   func(err error) { require.NotContains(t, err.Error(), "unknown update") },
				OnComplete: func(any, error) {},
			}, map[string]any{"actor": "nobody"})
		})
		w.at(2*time.Minute, func() { w.SignalWorkflow(string(rule.Act), map[string]any{"actor": "nobody"}) })
	}
	w.does(time.Hour, requirement.Withdraw{Header: by("customer"), Reason: "end"})
	w.lives()
	require.Len(t, w.find(requirement.ActRefused), len(requirement.Table), "each signal was heard, and refused to a stranger")
}
