package e2e_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"closeloop/contract"
	"closeloop/internal/testdb"
)

// audit runs the command and returns the exit status and the report.
func (o *office) audit(t *testing.T, args ...string) (int, map[string]any) {
	t.Helper()
	a := o.try(t, append([]string{"audit", "-o", "json"}, args...)...)
	var report map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.stdout), &report), "%s%s", a.stdout, a.stderr)
	return a.status, report
}

// findings are the kinds that were found, by requirement.
func findings(report map[string]any) map[string]string {
	kinds := map[string]string{}
	for _, f := range report["findings"].([]any) {
		finding := f.(map[string]any)
		kinds[finding["id"].(string)] += finding["kind"].(string)
	}
	return kinds
}

// TestAudit breaks three things, has them found and repaired, and looks again.
func TestAudit(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := testdb.New(t)
	o := newOffice(t, func(o *office) { o.env = append(o.env, "CLOSELOOP_DATABASE_URL="+url) })
	// The schedule would be first.
	schedule := temporal.ScheduleClient().GetHandle(ctx, contract.AuditScheduleID(o.queue))
	require.NoError(t, schedule.Pause(ctx, client.SchedulePauseOptions{}))
	eventually(t, func() bool {
		d, err := schedule.Describe(ctx)
		require.NoError(t, err)
		return len(d.Info.RunningWorkflows) == 0
	}, "no scheduled audit is under way")

	terminated, escalated := o.submit(t), o.submit(t)
	held := o.submit(t, "--on-hold", "which version?")
	quiet(t, held)
	o.until(t, escalated, "escalated", func(v map[string]any) bool {
		e := v["escalations"].([]any)
		return len(e) > 0 && e[0].(map[string]any)["level"].(float64) >= 1
	})
	child := contract.EscalationID(escalated, "response-1")
	require.NoError(t, temporal.TerminateWorkflow(ctx, child, "", "by an operator"))
	require.NoError(t, temporal.TerminateWorkflow(ctx, terminated, "", "by an operator"))
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, `UPDATE requirement SET next_mark_at = now() - interval '2 minutes' WHERE id = $1`, held)
	require.NoError(t, err)
	wrong := map[string]string{terminated: "orphaned", escalated: "escalation_lost", held: "overdue"}

	status, report := o.audit(t, "--dry-run")
	require.Equal(t, 1, status)
	require.Equal(t, wrong, findings(report))
	require.EqualValues(t, 0, report["repaired"])

	status, report = o.audit(t)
	require.Zero(t, status, report)
	require.Equal(t, wrong, findings(report))
	require.EqualValues(t, 3, report["repaired"])
	require.Equal(t, "withdrawn", o.show(t, terminated)["stage"])
	require.Contains(t, o.kinds(t, terminated), "terminated")

	status, report = o.audit(t, "--deep")
	require.Zero(t, status)
	require.Empty(t, findings(report), "a second look finds nothing")
	require.EqualValues(t, 2, report["open"])
	require.EqualValues(t, 2, report["running"])

	o.run(t, "respond", escalated, "--method", "phone", "--message", "抱歉")
	settled(t, child)
	for name, id := range map[string]string{"audited": held, "escalation-lost": escalated} {
		o.run(t, "withdraw", id, "--reason", "end of the test")
		settled(t, id)
		o.sameAsHistory(t, id)
		record(t, name, historyOf(t, id))
	}
}

// TestAuditWithoutAWorker: whoever asks for an audit is told that nobody does it.
func TestAuditWithoutAWorker(t *testing.T) {
	t.Parallel()
	nobody := &office{queue: "e2e-" + t.Name(), policy: shared.policy}
	a := nobody.try(t, "audit", "--timeout", "1s")
	require.Equal(t, 5, a.status)
	require.Empty(t, a.stdout)
	require.Contains(t, a.stderr, "no worker answered in time")
}
