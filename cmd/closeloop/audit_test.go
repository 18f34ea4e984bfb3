package main

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/contract"
	"closeloop/starter"
)

// oneOfEach is a report with every kind of finding, and with some that are
// repaired.
func oneOfEach(dry bool) contract.AuditReport {
	r := contract.AuditReport{
		AuditRequest: contract.AuditRequest{DryRun: dry}, StartedAt: noon, EndedAt: noon.Add(time.Second), Audited: contract.NewAudited(),
	}
	r.Open, r.Running = 12, 11
	for _, f := range []contract.Finding{
		{Kind: contract.Orphaned, Details: map[string]string{"status": "terminated"}, Repair: contract.Close, Repaired: !dry},
		{Kind: contract.Orphaned, Details: map[string]string{"status": "missing"}, Obstacle: contract.NoWorkflow},
		{Kind: contract.Unrecorded, Repair: contract.Retell, Repaired: !dry},
		{Kind: contract.Drifted, Repair: contract.Retell, Repaired: !dry, Details: map[string]string{
			"stage": "executing", "seq": "12", "ledger_stage": "received", "ledger_seq": "9",
		}},
		{Kind: contract.Overdue, Repair: contract.Nudge, Repaired: !dry},
		{Kind: contract.EscalationLost, Repair: contract.Restart, Repaired: !dry, Details: map[string]string{
			"escalation": "response-1", "state": "climbing",
		}},
		{Kind: contract.LongHistory, Repair: contract.Renew, Details: map[string]string{"events": "12000"}, Obstacle: contract.NoEffect},
		{Kind: contract.Undated, Details: map[string]string{"clock": "resolution", "calendar": "cn-office", "year": "2027"}, Obstacle: contract.ByHand},
	} {
		f.ID, f.Since = someID, noon.Add(-time.Hour)
		if dry {
			f.Repaired = false
		}
		r.Note(f)
	}
	return r
}

func TestAudit(t *testing.T) {
	t.Parallel()
	well := contract.AuditReport{Audited: contract.NewAudited()}
	well.Open, well.Running = 12, 12
	repaired := contract.AuditReport{Audited: contract.NewAudited()}
	repaired.Note(contract.Finding{Kind: contract.Overdue, ID: someID, Since: noon, Repair: contract.Nudge, Repaired: true})
	failed := contract.AuditReport{Audited: contract.NewAudited()}
	failed.Note(contract.Finding{Kind: contract.Unrecorded, ID: someID, Since: noon, Repair: contract.Retell, Obstacle: contract.NoHistory, Error: "gone\x1b[31m"})
	failed.Found++

	for name, c := range map[string]struct {
		args   []string
		report contract.AuditReport
		waits  func(context.Context, starter.AuditWaiting)
		err    error
		asked  contract.AuditRequest
		status int
		out    []string
		stderr []string
	}{
		"all is well": {
			report: well, out: []string{"12 open requirements, 12 workflows: 0 findings, 0 repaired"},
			stderr: []string{"The ledger is being compared with Temporal …"},
		},
		"all is well, in Chinese": {
			args: []string{"--lang", "zh-CN"}, report: well, out: []string{"未结需求 12 个，工作流 12 个：发现问题 0 个，已修复 0 个"},
		},
		"all was repaired": {report: repaired, out: []string{
			someID + "  overdue  2026-11-23 12:00:00  something was due, and did not happen  the workflow did what was due and told its state anew",
		}},
		"something is left": {
			args: []string{"--deep"}, report: oneOfEach(false), asked: contract.AuditRequest{Deep: true}, status: 1,
			out: []string{
				"id            finding          since                what",
				"orphaned         2026-11-23 11:00:00  open in the ledger, and its workflow is: terminated",
				"closed in the ledger",
				"its workflow is: not there", "left open: Temporal has no workflow that took it in",
				"the workflow is at event 12, being worked on; the ledger at event 9, received",
				"escalation response-1 (climbing) has no workflow that runs",
				"the workflow's history has 12000 events", "no effect yet",
				"the deadline of the clock resolution cannot be computed: calendar cn-office lacks the holidays of 2027",
				"12 open requirements, 11 workflows: 8 findings, 5 repaired",
			},
			stderr: []string{"Error: 3 finding(s) are not repaired", "docs/process.md"},
		},
		"something is left, in Chinese": {
			args: []string{"--lang", "zh-CN"}, report: oneOfEach(false), status: 1,
			out:    []string{"台账中未结，而它的工作流：已终止", "已在台账中关闭", "“需求解决”的截止时间无法计算：日历 cn-office 缺少 2027 年的节假日数据"},
			stderr: []string{"有 3 个问题未修复"},
		},
		"a dry run": {
			args: []string{"--dry-run"}, report: oneOfEach(true), asked: contract.AuditRequest{DryRun: true}, status: 1,
			out:    []string{"can be: closed in the ledger", "can be: the workflow continued as new", "it takes a person"},
			stderr: []string{"Error: 8 finding(s) are not repaired", "closeloop audit repairs what can be repaired"},
		},
		"there are more than are told, and one failed": {
			report: failed, status: 1, out: []string{"its history cannot tell what is missing: gone\uFFFD[31m", "… and 1 more"},
		},
		"quietly": {args: []string{"-q"}, report: well},
		"another is under way, and no worker takes it": {
			report: well, waits: func(_ context.Context, w starter.AuditWaiting) {
				w.Joined()
				for _, taken := range []bool{false, false, true, true} {
					w.Still(taken)
				}
			},
			out: []string{"0 findings"}, stderr: []string{
				"An audit was under way already", "No worker has taken it yet.", "A worker is at work on it",
			},
		},
		"no worker": {
			err: starter.ErrNoWorker, status: 5, stderr: []string{"Error: no worker answered in time", "closeloop worker"},
		},
		"it takes too long": {
			err: starter.ErrUnfinished, status: 1, stderr: []string{"Error: the audit is still under way", "closeloop audit joins it"},
		},
		"the wait is no length of time": {args: []string{"--timeout", "soon"}, status: 2, stderr: []string{"--timeout"}},
		"the wait is in working days":   {args: []string{"--timeout", "2wd"}, status: 2, stderr: []string{"--timeout: a length of time is needed"}},
		"an argument":                   {args: []string{someID}, status: 2, stderr: []string{"one argument too many"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &fakeDesk{report: c.report, waits: c.waits, err: c.err}
			got := calling{args: append([]string{"audit"}, c.args...), desk: d}.run(t)
			require.Equal(t, c.status, got.status, got.err)
			for _, line := range c.out {
				require.Contains(t, got.out, line)
			}
			if c.out == nil {
				require.Empty(t, got.out)
			}
			for _, line := range c.stderr {
				require.Contains(t, got.err, line)
			}
			if c.status != 2 {
				require.Equal(t, []contract.AuditRequest{c.asked}, d.audits)
			}
		})
	}
}

// TestAuditSaysOnceThatNoWorkerIsThere keeps a long wait from filling the screen.
func TestAuditSaysOnceThatNoWorkerIsThere(t *testing.T) {
	t.Parallel()
	var deadline time.Time
	d := &fakeDesk{report: contract.AuditReport{Audited: contract.NewAudited()}, waits: func(ctx context.Context, w starter.AuditWaiting) {
		deadline, _ = ctx.Deadline()
		w.Still(false)
		w.Still(false)
	}}
	got := calling{args: []string{"audit", "--timeout", "90s"}, desk: d}.run(t)
	require.Equal(t, "The ledger is being compared with Temporal …\n"+
		"No worker has taken it yet. Is closeloop worker running, on this task queue? (Ctrl-C ends the waiting.)\n", got.err)
	require.WithinDuration(t, time.Now().Add(90*time.Second), deadline, 10*time.Second)
}

// TestAuditForPrograms: the report's field names are a contract.
func TestAuditForPrograms(t *testing.T) {
	t.Parallel()
	d := &fakeDesk{report: oneOfEach(false)}
	got := calling{args: []string{"audit", "-o", "json"}, desk: d}.run(t)
	require.Equal(t, 1, got.status)
	require.Equal(t, "unrepaired", got.told(t).Code)
	var answer map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.out), &answer))
	require.EqualValues(t, 12, answer["open"])
	require.EqualValues(t, 11, answer["running"])
	require.EqualValues(t, 8, answer["found"])
	require.EqualValues(t, 5, answer["repaired"])
	require.Equal(t, map[string]any{"found": 2.0, "repaired": 1.0}, answer["kinds"].(map[string]any)["orphaned"])
	require.Equal(t, "2026-11-23T12:00:00Z", answer["started_at"])
	require.Equal(t, map[string]any{
		"kind": "drifted", "id": someID, "since": "2026-11-23T11:00:00Z", "repair": "retell", "repaired": true,
		"details": map[string]any{"stage": "executing", "seq": "12", "ledger_stage": "received", "ledger_seq": "9"},
		"message": "the workflow is at event 12, being worked on; the ledger at event 9, received",
	}, answer["findings"].([]any)[3])

	got = calling{args: []string{"audit", "-o", "yaml"}, desk: &fakeDesk{report: contract.AuditReport{Audited: contract.NewAudited()}}}.run(t)
	require.Zero(t, got.status)
	require.Contains(t, got.out, "findings: []")
}
