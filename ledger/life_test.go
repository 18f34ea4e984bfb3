package ledger_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"closeloop/internal/testdb"
	"closeloop/ledger"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 123456789, time.UTC)

// rules have what the tests need: every clock they watch, an approval by two of
// two for high priorities, routing by hand, a chain on the response clock.
var rules = policy.Process{
	Digest:   "sha-of-the-test-rules",
	Defaults: policy.Defaults{Type: "functional", Channel: "phone", Priority: "medium", Urgency: "general", Tier: "P3", Language: "zh-CN"},
	Types:    []string{"functional", "performance"},
	Channels: []string{"phone", "email"},
	Clocks: []policy.ClockRule{
		{
			Name: sla.Response, Calendar: sla.AlwaysOpen, Target: sla.Exactly(2 * time.Hour),
			RunsIn: []string{"received", "analysing", "reviewing", "assigned", "executing"}, PausesOnHold: policy.AllHolds, Chain: "desk",
		},
		{
			Name: sla.Resolution, Calendar: sla.AlwaysOpen, Target: sla.Exactly(24 * time.Hour),
			RunsIn: []string{"received", "analysing", "reviewing", "assigned", "executing"}, PausesOnHold: policy.AllHolds,
		},
		{Name: sla.Confirmation, Calendar: sla.AlwaysOpen, Target: sla.Exactly(72 * time.Hour), RunsIn: []string{"confirming"}},
		{Name: sla.Approval, Calendar: sla.AlwaysOpen, Target: sla.Exactly(8 * time.Hour), RunsIn: []string{"reviewing"}},
		{Name: sla.Appeal, Calendar: sla.AlwaysOpen, Target: sla.Exactly(72 * time.Hour), RunsIn: []string{"rejected"}},
	},
	Approvals: []policy.ApprovalRule{{
		Name: "consensus", When: policy.When{Priority: []string{"high"}}, Seats: []string{"role:product", "role:management"},
		Need: policy.NeedAll, OnTimeout: policy.TimeoutEscalates, AgainOnAmend: true,
	}},
	Chains: []policy.Chain{{Name: "desk", Levels: []policy.Level{{People: []string{"owner"}, AcknowledgeWithin: sla.Exactly(time.Minute)}}, Rounds: 1}},
}

// open returns a ledger in a database of its own, and a connection to look into
// its tables.
func open(t testing.TB) (*ledger.Ledger, *pgx.Conn) {
	t.Helper()
	url := testdb.New(t)
	l, err := ledger.Open(t.Context(), url)
	require.NoError(t, err)
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() {
		l.Close()
		_ = conn.Close(context.Background())
	})
	require.NoError(t, l.KeepProcess(t.Context(), rules))
	return l, conn
}

// submit takes in a requirement at the start.
func submit(t testing.TB, id string, change func(*requirement.Submission)) *requirement.Requirement {
	t.Helper()
	s := requirement.Submission{Title: "导出报表太慢", Description: "每次导出 report 都要十分钟", Customer: "华东物流", SubmittedBy: "zhou"}
	if change != nil {
		change(&s)
	}
	r, err := requirement.New(id, s, rules, start)
	require.NoError(t, err)
	return r
}

func do(t testing.TB, r *requirement.Requirement, after time.Duration, acts ...requirement.Act) {
	t.Helper()
	for _, act := range acts {
		_, err := r.Do(start.Add(after), act)
		require.NoError(t, err)
	}
}

func as(person string) requirement.Header { return requirement.Header{Actor: person} }

// carried returns the transition as it arrives through Temporal: as JSON.
func carried(t testing.TB, tr requirement.Transition) requirement.Transition {
	t.Helper()
	text, err := json.Marshal(tr)
	require.NoError(t, err)
	var arrived requirement.Transition
	require.NoError(t, json.Unmarshal(text, &arrived))
	return arrived
}

// write takes what happened and writes it.
func write(t testing.TB, l *ledger.Ledger, r *requirement.Requirement) requirement.Transition {
	t.Helper()
	tr := carried(t, r.Take())
	_, err := l.Write(t.Context(), tr, nil)
	require.NoError(t, err)
	return tr
}

// table returns the rows of a query as maps.
func table(t testing.TB, conn *pgx.Conn, query string, args ...any) []map[string]any {
	t.Helper()
	rows, err := conn.Query(t.Context(), query, args...)
	require.NoError(t, err)
	found, err := pgx.CollectRows(rows, pgx.RowToMap)
	require.NoError(t, err)
	return found
}
