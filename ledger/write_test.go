package ledger_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/ledger"
	"closeloop/requirement"
)

// life returns the transitions of a long life, one an act: two rounds of
// approval with a delegation and another overtaken by a new wording, a hold, a
// breach with an escalation, two cycles.
func life(t require.TestingT, id string) []requirement.Transition {
	s := requirement.Submission{
		Title: "导出报表太慢", Description: "每次导出 report 都要十分钟", Customer: "华东物流", Ref: "test:" + id, SubmittedBy: "zhou",
	}
	r, err := requirement.New(id, s, rules, start)
	require.NoError(t, err)
	var all []requirement.Transition
	take := func() {
		text, err := json.Marshal(r.Take())
		require.NoError(t, err)
		var arrived requirement.Transition
		require.NoError(t, json.Unmarshal(text, &arrived))
		all = append(all, arrived)
	}
	at := func(after time.Duration, act requirement.Act) {
		_, err := r.Do(start.Add(after), act)
		require.NoError(t, err)
		take()
	}
	ask := func(after time.Duration) {
		r.OpenRound(start.Add(after), []requirement.FilledSeat{{Seat: "role:product", Person: "wang"}, {Seat: "role:management", Person: "ma"}})
		take()
	}
	take()
	at(time.Minute, requirement.Triage{Header: as("zhou"), Priority: "high", Department: "technology"})
	ask(2 * time.Minute)
	at(3*time.Minute, requirement.Approve{Header: as("wang"), Comment: "值得做"})
	at(4*time.Minute, requirement.Amend{Header: as("zhou"), Title: "导出报表超时"})
	ask(5 * time.Minute)
	at(6*time.Minute, requirement.Delegate{Header: as("wang"), To: "qian"})
	at(7*time.Minute, requirement.Approve{Header: as("qian"), Comment: "代王"})
	at(8*time.Minute, requirement.Approve{Header: as("ma")})
	at(9*time.Minute, requirement.Assign{Header: as("zhou"), To: "li"})
	at(10*time.Minute, requirement.Accept{Header: as("li")})
	at(20*time.Minute, requirement.PutOnHold{Header: as("li"), Reason: "等客户提供日志"})
	at(50*time.Minute, requirement.Resume{Header: as("zhou")})
	r.Tick(start.Add(3 * time.Hour)) // the response is late
	take()
	r.EscalationStarted(start.Add(3*time.Hour), "response-1")
	r.EscalationReported(start.Add(3*time.Hour), requirement.Report{ID: "response-1", Kind: requirement.EscalationRaised, Level: 1, Round: 1, People: []string{"li"}})
	take()
	r.EscalationReported(start.Add(3*time.Hour+time.Minute), requirement.Report{ID: "response-1", Kind: requirement.EscalationAcknowledged, Level: 1, Round: 1, By: "li", People: []string{"li"}})
	take()
	at(4*time.Hour, requirement.Assign{Header: as("zhou"), To: "chen", Department: "operations"})
	at(5*time.Hour, requirement.Respond{Header: as("chen"), Method: "phone", Message: "已联系"})
	at(6*time.Hour, requirement.Resolve{Header: as("chen"), Solution: "加了索引 index", RootCause: "全表扫描"})
	at(7*time.Hour, requirement.Dispute{Header: as("customer"), Reason: "还是慢"})
	at(8*time.Hour, requirement.Amend{Header: as("zhou"), Description: "每次导出 report 都要二十分钟"})
	ask(9 * time.Hour)
	at(10*time.Hour, requirement.Approve{Header: as("wang")})
	at(11*time.Hour, requirement.Approve{Header: as("ma")})
	at(12*time.Hour, requirement.Resolve{Header: as("chen"), Solution: "改为异步导出", RootCause: "同步生成大文件"})
	at(13*time.Hour, requirement.Confirm{Header: as("customer"), Rating: 5, Comment: "很好"})
	return all
}

// together is several transitions as one, as they come after an outage.
func together(all []requirement.Transition) requirement.Transition {
	one := requirement.Transition{State: all[len(all)-1].State}
	for _, tr := range all {
		one.Events = append(one.Events, tr.Events...)
	}
	return one
}

// tables are those that a transition writes, with what tells two requirements
// of the same life apart.
var tables = []struct{ name, order, but string }{
	{"requirement", "id", "{id,ref,state}"},
	{"requirement_text", "requirement_id", "{}"},
	{"requirement_version", "version", "{}"},
	{"event", "seq", "{position}"},
	{"clock", "name, cycle", "{}"},
	{"approval_round", "round", "{}"},
	{"approval_vote", "round, position", "{}"},
	{"escalation", "id", "{}"},
	{"knowledge", "requirement_id", "{}"},
}

// everything returns what the ledger has about a requirement.
func everything(t require.TestingT, conn *pgx.Conn, id string) map[string][]string {
	found := map[string][]string{}
	for _, table := range tables {
		key := "requirement_id"
		if table.name == "requirement" {
			key = "id"
		}
		rows, err := conn.Query(context.Background(), fmt.Sprintf(
			`SELECT replace((to_jsonb(x) - 'requirement_id' - '%s'::text[])::text, $1, 'REQ') FROM %s x WHERE %s = $1 ORDER BY %s`,
			table.but, table.name, key, table.order), id)
		require.NoError(t, err)
		found[table.name], err = pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
	}
	return found
}

func TestWholeLife(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	all := life(t, "REQ-LIFE")
	for _, tr := range all {
		w, err := l.Write(t.Context(), tr, nil)
		require.NoError(t, err)
		require.Equal(t, ledger.Written{Events: len(tr.Events), Current: true}, w)
	}
	last := all[len(all)-1].State

	t.Run("the state comes back exactly", func(t *testing.T) {
		r, err := l.Get(t.Context(), "REQ-LIFE")
		require.NoError(t, err)
		require.Equal(t, last, r.State)
		require.Equal(t, rules, r.Process())
	})
	t.Run("the row", func(t *testing.T) {
		row := table(t, conn, `SELECT stage, status, priority, owner, department, version, cycle, reopened, first_time_resolved,
			rating, breached, next_deadline, closed_at, ref, waiting_for FROM requirement`)[0]
		require.Equal(t, map[string]any{
			"stage": "archived", "status": "done", "priority": "high", "owner": "chen", "department": "operations",
			"version": int32(3), "cycle": int32(2), "reopened": int32(1), "first_time_resolved": false,
			"rating": int16(5), "breached": false, "next_deadline": nil, "ref": "test:REQ-LIFE",
			"closed_at": start.Add(13 * time.Hour).Truncate(time.Microsecond).Local(), "waiting_for": []any{},
		}, row)
	})
	t.Run("events are those of the domain", func(t *testing.T) {
		events, err := l.Events(t.Context(), "REQ-LIFE", 0, 0)
		require.NoError(t, err)
		expected := together(all).Events
		require.Len(t, events, len(expected))
		for i, e := range events {
			want := expected[i]
			require.Equal(t, want.Seq, e.Seq)
			require.Equal(t, want.Kind, e.Kind)
			require.Equal(t, want.Actor, e.Actor)
			require.Equal(t, want.At.Truncate(time.Microsecond), e.At)
			if want.Data != nil {
				require.JSONEq(t, string(want.Data), string(e.Data))
			}
		}
		one, err := l.Event(t.Context(), "REQ-LIFE", 2)
		require.NoError(t, err)
		require.Equal(t, events[1], one)
		after, err := l.Events(t.Context(), "REQ-LIFE", 3, 2)
		require.NoError(t, err)
		require.Equal(t, events[3:5], after)
	})
	t.Run("versions", func(t *testing.T) {
		versions, err := l.Versions(t.Context(), "REQ-LIFE")
		require.NoError(t, err)
		require.Len(t, versions, 3)
		require.Equal(t, []string{"导出报表太慢", "导出报表超时", "导出报表超时"},
			[]string{versions[0].Title, versions[1].Title, versions[2].Title})
		require.Equal(t, "每次导出 report 都要二十分钟", versions[2].Description)
		require.Equal(t, "zhou", versions[1].Actor)
		require.Equal(t, start.Truncate(time.Microsecond), versions[0].At)
	})
	t.Run("clocks", func(t *testing.T) {
		rows := table(t, conn, `SELECT name, cycle, state, target, target_seconds, elapsed_seconds,
			breached_at = $1 AS at_deadline, detected_at = $2 AS noticed, breach_owner, breach_department,
			jsonb_array_length(pauses) AS pauses FROM clock WHERE name IN ('response', 'resolution') ORDER BY name DESC, cycle`,
			start.Add(2*time.Hour+30*time.Minute), start.Add(3*time.Hour))
		require.Equal(t, []map[string]any{
			{
				"name": "response", "cycle": int32(1), "state": "breached", "target": "2h", "target_seconds": 7200.0,
				"elapsed_seconds": 16200.0, "at_deadline": true, "noticed": true, "breach_owner": "li",
				"breach_department": "technology", "pauses": int32(1),
			},
			{
				"name": "resolution", "cycle": int32(1), "state": "met", "target": "24h", "target_seconds": 86400.0,
				"elapsed_seconds": 19800.0, "at_deadline": nil, "noticed": nil, "breach_owner": nil,
				"breach_department": nil, "pauses": int32(1),
			},
			{
				"name": "resolution", "cycle": int32(2), "state": "met", "target": "24h", "target_seconds": 86400.0,
				"elapsed_seconds": 18000.0, "at_deadline": nil, "noticed": nil, "breach_owner": nil,
				"breach_department": nil, "pauses": int32(0),
			},
		}, rows)
	})
	t.Run("approvals", func(t *testing.T) {
		require.Equal(t, []map[string]any{
			{"round": int32(1), "state": "withdrawn", "decided_by": "system", "decided": 4.0},
			{"round": int32(2), "state": "approved", "decided_by": "ma", "decided": 8.0},
			{"round": int32(3), "state": "approved", "decided_by": "ma", "decided": 660.0},
		}, table(t, conn, `SELECT round, state, decided_by, (extract(epoch FROM decided_at - $1::timestamptz) / 60)::float8 AS decided
			FROM approval_round ORDER BY round`, start.Truncate(time.Microsecond)))
		require.Equal(t, []map[string]any{
			{"round": int32(1), "person": "wang", "vote": "approve", "comment": "值得做", "passed_on_by": []any{}},
			{"round": int32(1), "person": "ma", "vote": "withdrawn", "comment": "", "passed_on_by": []any{}},
			{"round": int32(2), "person": "qian", "vote": "approve", "comment": "代王", "passed_on_by": []any{"wang"}},
			{"round": int32(2), "person": "ma", "vote": "approve", "comment": "", "passed_on_by": []any{}},
			{"round": int32(3), "person": "wang", "vote": "approve", "comment": "", "passed_on_by": []any{}},
			{"round": int32(3), "person": "ma", "vote": "approve", "comment": "", "passed_on_by": []any{}},
		}, table(t, conn, "SELECT round, person, vote, comment, passed_on_by FROM approval_vote ORDER BY round, position"))
	})
	t.Run("the escalation", func(t *testing.T) {
		require.Equal(t, []map[string]any{{
			"id": "response-1", "clock": "response", "chain": "desk", "state": "ended", "level": int32(1),
			"acknowledged_by": "li", "called": []any{"li"}, "over": true,
		}}, table(t, conn, "SELECT id, clock, chain, state, level, acknowledged_by, called, ended_at IS NOT NULL AS over FROM escalation"))
	})
	t.Run("knowledge", func(t *testing.T) {
		require.Equal(t, []map[string]any{{
			"title": "导出报表超时", "problem": "每次导出 report 都要二十分钟", "solution": "改为异步导出",
			"root_cause": "同步生成大文件", "owner": "chen", "rating": int16(5),
		}}, table(t, conn, "SELECT title, problem, solution, root_cause, owner, rating FROM knowledge"))
	})
	t.Run("found by its reference", func(t *testing.T) {
		id, err := l.FindRef(t.Context(), "test:REQ-LIFE")
		require.NoError(t, err)
		require.Equal(t, "REQ-LIFE", id)
		receipt, err := l.Receipt(t.Context(), "REQ-LIFE")
		require.NoError(t, err)
		require.Equal(t, ledger.Receipt{
			ID: "REQ-LIFE", Stage: requirement.Archived, Ref: "test:REQ-LIFE", Seq: last.Seq,
			ClosedAt: receipt.ClosedAt,
		}, receipt)
		require.NotNil(t, receipt.ClosedAt)
	})
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	for name, read := range map[string]func() error{
		"get":      func() error { _, err := l.Get(t.Context(), "REQ-NONE"); return err },
		"receipt":  func() error { _, err := l.Receipt(t.Context(), "REQ-NONE"); return err },
		"events":   func() error { _, err := l.Events(t.Context(), "REQ-NONE", 0, 0); return err },
		"event":    func() error { _, err := l.Event(t.Context(), "REQ-NONE", 1); return err },
		"versions": func() error { _, err := l.Versions(t.Context(), "REQ-NONE"); return err },
		"ref":      func() error { _, err := l.FindRef(t.Context(), "jira:1"); return err },
		"process":  func() error { _, err := l.Process(t.Context(), "none"); return err },
		"terminate": func() error {
			_, err := l.Terminate(t.Context(), "REQ-NONE", start, "gone")
			return err
		},
		"an id with a NUL": func() error { _, err := l.Get(t.Context(), "REQ\x00"); return err },
	} {
		require.ErrorIs(t, read(), ledger.ErrNotFound, name)
	}
}

// However transitions are cut, repeated and mixed up, the ledger ends up the
// same: as if each had been written once and in order.
func TestAnyOrderGivesTheSameLedger(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	reference := life(t, "REQ-REFERENCE")
	for _, tr := range reference {
		_, err := l.Write(t.Context(), tr, nil)
		require.NoError(t, err)
	}
	expected := everything(t, conn, "REQ-REFERENCE")
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		id := fmt.Sprintf("REQ-%d", n)
		all := life(t, id)
		stored := 0 // transitions that are written
		for range rapid.IntRange(1, 5).Draw(t, "writes") {
			from := rapid.IntRange(0, min(stored+1, len(all)-1)).Draw(t, "from")
			to := rapid.IntRange(from+1, len(all)).Draw(t, "to")
			w, err := l.Write(context.Background(), together(all[from:to]), nil)
			if from > stored {
				require.ErrorIs(t, err, ledger.ErrGap)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, to >= stored, w.Current)
			stored = max(stored, to)
		}
		if stored < len(all) {
			_, err := l.Write(context.Background(), together(all[rapid.IntRange(0, stored).Draw(t, "rest"):]), nil)
			require.NoError(t, err)
		}
		for table, rows := range everything(t, conn, id) {
			require.Equal(t, expected[table], rows, table)
		}
	})
}

func TestConcurrentWriters(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	all := life(t, "REQ-MANY")
	for _, tr := range life(t, "REQ-REFERENCE") {
		_, err := l.Write(t.Context(), tr, nil)
		require.NoError(t, err)
	}
	// Everybody writes everything in order, so nobody can find a gap; only the
	// first to write an event adds it.
	var group sync.WaitGroup
	var mu sync.Mutex
	events := 0
	for range 6 {
		group.Go(func() {
			for _, tr := range all {
				w, err := l.Write(context.Background(), tr, nil)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				events += w.Events
				mu.Unlock()
			}
		})
	}
	group.Wait()
	require.Equal(t, all[len(all)-1].State.Seq, events)
	expected := everything(t, conn, "REQ-REFERENCE")
	for table, rows := range everything(t, conn, "REQ-MANY") {
		require.Equal(t, expected[table], rows, table)
	}
}

func TestRefusedTransitions(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	all := life(t, "REQ-A")
	_, err := l.Write(t.Context(), all[0], nil)
	require.NoError(t, err)
	before := everything(t, conn, "REQ-A")

	other := func(change func(*requirement.Event)) requirement.Transition {
		tr := requirement.Transition{State: all[0].State, Events: slices.Clone(all[0].Events)}
		change(&tr.Events[0])
		return tr
	}
	sparse := together(all[:3])
	sparse.Events = slices.Delete(sparse.Events, 1, 2)
	short := together(all[:3])
	short.Events = short.Events[:1]
	twin := life(t, "REQ-TWIN")[0]
	twin.State.Ref = all[0].State.Ref

	for _, c := range []struct {
		name string
		tr   requirement.Transition
		is   error
		says string
	}{
		{"a gap", all[2], ledger.ErrGap, "events are missing before these"},
		{"a gap at the beginning", life(t, "REQ-B")[1], ledger.ErrGap, "the ledger has 0"},
		{"another kind", other(func(e *requirement.Event) { e.Kind = requirement.Commented }), ledger.ErrConflict, "its event 1"},
		{"another actor", other(func(e *requirement.Event) { e.Actor = "li" }), ledger.ErrConflict, "its event 1"},
		{"another time", other(func(e *requirement.Event) { e.At = e.At.Add(time.Second) }), ledger.ErrConflict, "its event 1"},
		{"other particulars", other(func(e *requirement.Event) { e.Data = json.RawMessage(`{"title":"x"}`) }), ledger.ErrConflict, "its event 1"},
		{"another audience", other(func(e *requirement.Event) { e.To = []string{"li"} }), ledger.ErrConflict, "its event 1"},
		{"a reference that is taken", twin, ledger.ErrConflict, "test:REQ-A"},
		{"no events", requirement.Transition{State: all[0].State}, nil, "told once more"},
		{"sparse numbers", sparse, nil, "not numbered densely"},
		{"a state beyond its events", short, nil, "the last event is 1"},
	} {
		_, err := l.Write(t.Context(), c.tr, nil)
		require.ErrorContains(t, err, c.says, c.name)
		if c.is != nil {
			require.ErrorIs(t, err, c.is, c.name)
		}
	}
	require.Equal(t, before, everything(t, conn, "REQ-A"), "nothing is left behind")
	require.Len(t, table(t, conn, "SELECT FROM requirement"), 1)
}

// A signal may bring any text. None may hold up the requirement.
func TestTextsThatPostgreSQLHasNoPlaceFor(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	r := submit(t, "REQ-ODD", func(*requirement.Submission) {})
	r.Refuse(start, "assign", "actor\x00", "webhook:\x00", `reason \u0000 and `+"\x00\xff")
	write(t, l, r)
	events, err := l.Events(t.Context(), "REQ-ODD", 0, 0)
	require.NoError(t, err)
	refused := events[len(events)-1]
	require.Equal(t, "actor\uFFFD", refused.Actor)
	var data struct{ Reason string }
	require.NoError(t, json.Unmarshal(refused.Data, &data))
	require.Equal(t, "reason \\u0000 and \uFFFD\uFFFD", data.Reason)
	// The same once more is no conflict.
	tr := r.State
	_, err = l.Write(t.Context(), requirement.Transition{State: tr, Events: events}, nil)
	require.NoError(t, err)
}

func TestProcesses(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	nameless := rules
	nameless.Digest = ""
	require.ErrorContains(t, l.KeepProcess(t.Context(), nameless), "no digest")
	require.NoError(t, l.KeepProcess(t.Context(), rules), "once more")
	require.Len(t, table(t, conn, "SELECT FROM process"), 1)

	r := submit(t, "REQ-LOST", nil)
	r.Policy = "never-kept"
	write(t, l, r)
	_, err := l.Get(t.Context(), "REQ-LOST")
	require.ErrorIs(t, err, ledger.ErrNotFound)
	require.ErrorContains(t, err, "the rules never-kept")
}
