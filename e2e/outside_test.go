package e2e_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"closeloop/contract"
)

// TestTerminatedIsClosedInTheLedger: a workflow that was terminated cannot
// write its end; the audit does.
func TestTerminatedIsClosedInTheLedger(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	id := shared.submit(t)
	quiet(t, id)
	require.NoError(t, temporal.TerminateWorkflow(ctx, id, "", "by an operator"))
	schedule := temporal.ScheduleClient().GetHandle(ctx, contract.AuditScheduleID(shared.queue))
	eventually(t, func() bool {
		require.NoError(t, schedule.Trigger(ctx, client.ScheduleTriggerOptions{}))
		return shared.show(t, id)["stage"] == "withdrawn"
	}, "%s is closed in the ledger", id)
	kinds := shared.kinds(t, id)
	require.Contains(t, kinds, "terminated")
	require.Equal(t, 4, shared.try(t, "comment", id, "-m", "hello").status)
}

func TestCancelledIsClosedInTheLedger(t *testing.T) {
	t.Parallel()
	id := shared.submit(t)
	require.NoError(t, temporal.CancelWorkflow(context.Background(), id, ""))
	shared.untilStage(t, id, "withdrawn")
	kinds := shared.kinds(t, id)
	require.Contains(t, kinds, "cancelled")
	eventually(t, func() bool {
		return temporal.GetWorkflow(context.Background(), id, "").Get(context.Background(), nil) != nil
	}, "%s has ended", id)
	record(t, "cancelled", historyOf(t, id))
}

// TestSignalsFromTheWebUI sends acts as signals, as the Web UI and the temporal
// command do, with nothing but a name and a small body.
func TestSignalsFromTheWebUI(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	id := shared.submit(t)
	signal := func(name string, body any) {
		t.Helper()
		require.NoError(t, temporal.SignalWorkflow(ctx, id, "", name, body))
	}
	signal("confirm", map[string]any{"actor": "customer", "rating": 5})
	shared.until(t, id, "refused", func(map[string]any) bool {
		return contains(shared.kinds(t, id), "refused")
	})
	signal("triage", nil)
	signal("assign", map[string]any{"to": "mei"})
	signal("resolve", map[string]any{"actor": "mei", "solution": "done"})
	signal("confirm", map[string]any{"actor": "customer", "rating": 5})
	shared.untilStage(t, id, "archived")
	settled(t, id)
	record(t, "signals", historyOf(t, id))
}

func contains(list []string, what string) bool {
	for _, s := range list {
		if s == what {
			return true
		}
	}
	return false
}

// TestContinueAsNewCarriesEverything forces a new run in every stage.
func TestContinueAsNewCarriesEverything(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	o := calm(t)
	id := o.submit(t, "--as", "wang.fang")
	again := func() {
		t.Helper()
		run := func() string {
			d, err := temporal.DescribeWorkflowExecution(ctx, id, "")
			require.NoError(t, err)
			return d.GetWorkflowExecutionInfo().GetExecution().GetRunId()
		}
		before, seen := run(), o.show(t, id)
		require.NoError(t, temporal.SignalWorkflow(ctx, id, "", contract.SignalContinueAsNew, nil))
		eventually(t, func() bool { return run() != before }, "a new run")
		after := o.show(t, id)
		for _, clock := range []map[string]any{seen, after} {
			for _, c := range clock["clocks"].([]any) {
				delete(c.(map[string]any), "elapsed_seconds")
			}
		}
		require.Equal(t, seen, after)
	}
	step := func(args ...string) {
		t.Helper()
		again()
		o.run(t, args...)
	}
	step("triage", id, "--as", "wang.fang", "--need-approval")
	step("approve", id, "--as", "zhao.lei", "--act-id", "vote-1")
	again()
	o.run(t, "approve", id, "--as", "zhao.lei", "--act-id", "vote-1") // remembered across runs
	step("approve", id, "--as", "liu.yang")
	step("assign", id, "--as", "wang.fang", "--to", "li.na")
	step("respond", id, "--as", "li.na", "--method", "phone", "--message", "hello")
	step("hold", id, "--as", "li.na", "--reason", "asks")
	step("resume", id, "--as", "customer")
	step("resolve", id, "--as", "li.na", "--solution", "done")
	step("confirm", id, "--as", "customer")
	settled(t, id)
	require.Equal(t, "archived", o.show(t, id)["stage"])
	record(t, "continued", historyOf(t, id))
}
