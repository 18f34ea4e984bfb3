package e2e_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"closeloop/contract"
)

// calm is an office whose clocks do not fall due during a test, with six
// notifications along the happy path.
func calm(t *testing.T) *office {
	return newOffice(t, func(o *office) { o.policy = repoFile("e2e", "testdata", "calm.yaml") })
}

// happy walks a requirement along the happy path of the design's budget.
func (o *office) happy(t *testing.T) string {
	t.Helper()
	id := o.submit(t, "--as", "wang.fang")
	o.run(t, "triage", id, "--as", "wang.fang", "--need-approval")
	o.run(t, "approve", id, "--as", "zhao.lei")
	o.run(t, "approve", id, "--as", "liu.yang")
	o.run(t, "assign", id, "--as", "wang.fang", "--to", "li.na", "--department", "service")
	o.run(t, "respond", id, "--as", "li.na", "--method", "phone", "--message", "我们在看")
	o.run(t, "resolve", id, "--as", "li.na", "--solution", "加了导出按钮")
	o.run(t, "confirm", id, "--as", "customer", "--rating", "5")
	return id
}

// settled waits until a workflow has ended.
func settled(t *testing.T, id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, temporal.GetWorkflow(ctx, id, "").Get(ctx, nil))
}

// TestGoldenHappyPath pins what the happy path costs: at most 110 events and
// 60 KB of history, with two SLA clocks, two approvals and six notifications.
func TestGoldenHappyPath(t *testing.T) {
	o := calm(t)
	id := o.happy(t)
	settled(t, id)
	h := historyOf(t, id)
	t.Logf("happy path: %d events, %d bytes", len(h.Events), size(h))
	require.LessOrEqual(t, len(h.Events), 110)
	require.LessOrEqual(t, size(h), 60_000)
	require.Equal(t, 6, notified(h.Events), "notifications")
	record(t, "happy-path", h)
	golden(t, "happy-path.txt", outline(h))
}

// TestGoldenOnHold pins what waiting costs: fewer than ten events however long
// it lasts, and no timer meanwhile.
func TestGoldenOnHold(t *testing.T) {
	o := calm(t)
	id := o.submit(t, "--as", "wang.fang")
	o.run(t, "triage", id, "--as", "wang.fang")
	o.run(t, "assign", id, "--as", "wang.fang", "--to", "li.na")
	o.run(t, "respond", id, "--as", "li.na", "--method", "phone", "--message", "我们在看")
	quiet(t, id)
	before := len(historyOf(t, id).Events)
	o.run(t, "hold", id, "--as", "li.na", "--reason", "等客户的日志")
	quiet(t, id)
	h := historyOf(t, id)
	require.Empty(t, pendingTimers(h), "nothing falls due while everything is on hold")
	require.Less(t, len(h.Events)-before, 10)
	h.Events = h.Events[before:]
	golden(t, "on-hold.txt", readable(h))

	o.run(t, "resume", id, "--as", "customer", "--message", "附上了")
	o.run(t, "resolve", id, "--as", "li.na", "--solution", "好了")
	o.run(t, "confirm", id, "--as", "customer")
	settled(t, id)
	record(t, "on-hold", historyOf(t, id))
}

// quiet waits until a workflow has nothing to do: no task and no activity is
// under way.
func quiet(t *testing.T, id string) {
	t.Helper()
	eventually(t, func() bool {
		d, err := temporal.DescribeWorkflowExecution(context.Background(), id, "")
		require.NoError(t, err)
		return d.GetPendingWorkflowTask() == nil && len(d.GetPendingActivities()) == 0
	}, "%s is quiet", id)
}

// notified counts the notification activities in a history.
func notified(events []*historypb.HistoryEvent) int {
	n := 0
	for _, e := range events {
		if e.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName() == contract.ActivityNotify {
			n++
		}
	}
	return n
}

// pendingTimers returns the timers that neither fired nor were cancelled.
func pendingTimers(h *historypb.History) map[string]bool {
	pending := map[string]bool{}
	for _, e := range h.Events {
		switch e.GetEventType() {
		case enumspb.EVENT_TYPE_TIMER_STARTED:
			pending[e.GetTimerStartedEventAttributes().GetTimerId()] = true
		case enumspb.EVENT_TYPE_TIMER_FIRED:
			delete(pending, e.GetTimerFiredEventAttributes().GetTimerId())
		case enumspb.EVENT_TYPE_TIMER_CANCELED:
			delete(pending, e.GetTimerCanceledEventAttributes().GetTimerId())
		}
	}
	return pending
}

// outline is the readable history without what depends on how fast activities
// are: when the answer of a notification comes in, and in which task.
func outline(h *historypb.History) string {
	kept := &historypb.History{}
	for _, e := range h.Events {
		switch e.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED,
			enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED,
			enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
		default:
			kept.Events = append(kept.Events, e)
		}
	}
	return readable(kept)
}
