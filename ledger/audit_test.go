package ledger_test

import (
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"closeloop/ledger"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

func TestOpenEntries(t *testing.T) {
	t.Parallel()
	l := shelf(t)
	var all []string
	after := ""
	for {
		entries, err := l.OpenEntries(t.Context(), after, 2)
		require.NoError(t, err)
		if len(entries) == 0 {
			break
		}
		require.LessOrEqual(t, len(entries), 2)
		for _, e := range entries {
			require.Nil(t, e.ClosedAt)
			all = append(all, e.ID)
		}
		after = all[len(all)-1]
	}
	require.Equal(t, []string{"REQ-1", "REQ-2", "REQ-3", "REQ-4", "REQ-5", "REQ-8"}, all)

	some, err := l.Entries(t.Context(), []string{"REQ-1", "REQ-6", "REQ-NONE"})
	require.NoError(t, err)
	require.Len(t, some, 2)
	require.NotNil(t, some["REQ-6"].ClosedAt)
}

// TestNextMark: the row says what falls due next, of all clocks, and nothing when
// nothing will.
func TestNextMark(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	r := submit(t, "REQ-A", nil)
	next := func() *time.Time {
		t.Helper()
		write(t, l, r)
		entries, err := l.Entries(t.Context(), []string{"REQ-A"})
		require.NoError(t, err)
		return entries["REQ-A"].NextMarkAt
	}
	due := func() time.Time {
		t.Helper()
		wake, ok := r.Next()
		require.True(t, ok)
		return wake.At.Truncate(time.Microsecond)
	}
	require.Equal(t, due(), *next())
	r.Tick(start.Add(3 * time.Hour))
	require.Equal(t, due(), *next(), "the response is late, the resolution is next")
	do(t, r, 4*time.Hour, requirement.PutOnHold{Header: as("li"), Reason: "which version?"})
	require.Nil(t, next(), "on hold nothing falls due")
	do(t, r, 5*time.Hour, requirement.Resume{Header: as("customer")})
	require.Equal(t, due(), *next())
	do(t, r, 6*time.Hour, requirement.Withdraw{Header: as("customer"), Reason: "over"})
	require.Nil(t, next())
}

func TestLiveEscalations(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	for _, id := range []string{"REQ-A", "REQ-B", "REQ-C", "REQ-D"} {
		r := submit(t, id, nil)
		r.Tick(start.Add(3 * time.Hour))
		if id != "REQ-C" { // its people are still being looked up
			r.EscalationStarted(start.Add(3*time.Hour), "response-1")
		}
		if id == "REQ-D" {
			do(t, r, 4*time.Hour, requirement.Respond{Header: as("li"), Method: "phone", Message: "hello"})
		}
		write(t, l, r)
	}
	ids := func(after, last string) []string {
		t.Helper()
		live, err := l.LiveEscalations(t.Context(), after, last)
		require.NoError(t, err)
		var found []string
		for _, e := range live {
			require.Equal(t, "response-1", e.ID)
			require.Equal(t, requirement.EscalationClimbs, e.State)
			found = append(found, e.RequirementID)
		}
		return found
	}
	require.Equal(t, []string{"REQ-A", "REQ-B"}, ids("", ""))
	require.Equal(t, []string{"REQ-A"}, ids("", "REQ-A"))
	require.Equal(t, []string{"REQ-B"}, ids("REQ-A", "REQ-Z"))
	indexed(t, conn, "escalation_alive", `SELECT id FROM escalation
		WHERE state IN ('climbing', 'acknowledged', 'alarmed') AND requirement_id > 'REQ-A'`)
}

// TestUndatedClocks: what has no deadline because it waits is in order; what has
// none because a year's holidays are not known is not.
func TestUndatedClocks(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	office, err := policy.Default().Timetable("cn-office")
	require.NoError(t, err)
	long := rules
	long.Calendars = []sla.Timetable{office}
	long.Digest, long.Clocks = "sha-of-the-long-rules", slices.Clone(rules.Clocks)
	long.Clocks[1].Calendar, long.Clocks[1].Target = "cn-office", sla.Exactly(5000*time.Hour)
	require.NoError(t, l.KeepProcess(t.Context(), long))
	var lacks int
	for _, id := range []string{"REQ-A", "REQ-B", "REQ-C", "REQ-D"} {
		under := rules
		if id > "REQ-A" {
			under = long
		}
		r, err := requirement.New(id, requirement.Submission{Title: "t", Customer: "c"}, under, start)
		require.NoError(t, err)
		do(t, r, time.Minute, requirement.PutOnHold{Header: as("li"), Reason: "which version?"})
		if id > "REQ-B" {
			do(t, r, time.Hour, requirement.Resume{Header: as("customer")})
			lacks = r.Clocks[1].Lacks.Year
		}
		if id == "REQ-D" {
			do(t, r, time.Hour, requirement.Withdraw{Header: as("customer"), Reason: "over"})
		}
		write(t, l, r)
	}
	require.Greater(t, lacks, start.Year())
	undated := func(after, last string) []ledger.UndatedClock {
		t.Helper()
		found, err := l.UndatedClocks(t.Context(), after, last)
		require.NoError(t, err)
		return found
	}
	require.Equal(t, []ledger.UndatedClock{{
		RequirementID: "REQ-C", Name: "resolution", Cycle: 1, Calendar: "cn-office", Year: lacks,
		Since: start.Add(time.Hour).Round(time.Microsecond),
	}}, undated("", ""))
	require.Empty(t, undated("REQ-C", ""))
	require.Empty(t, undated("", "REQ-B"))
	indexed(t, conn, "clock_without_deadline", `SELECT name FROM clock
		WHERE stopped_at IS NULL AND deadline IS NULL AND requirement_id > 'REQ-A'`)
}

// indexed requires that a query can be answered from the index, however small the
// table.
func indexed(t *testing.T, conn *pgx.Conn, index, query string) {
	t.Helper()
	_, err := conn.Exec(t.Context(), "SET enable_seqscan = off")
	require.NoError(t, err)
	var plan string
	require.NoError(t, conn.QueryRow(t.Context(), "EXPLAIN (FORMAT JSON) "+query).Scan(&plan))
	require.Contains(t, plan, `"`+index+`"`)
}

// TestRestate: a state that is told once more puts right what is wrong, and
// nothing else.
func TestRestate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		// spoil brings the ledger away from what the workflow knows.
		spoil func(t *testing.T, l *ledger.Ledger, conn *pgx.Conn, r *requirement.Requirement)
		// heals is false where a state cannot help.
		heals bool
		err   error
	}{
		"a row was changed by hand": {heals: true, spoil: func(t *testing.T, _ *ledger.Ledger, conn *pgx.Conn, _ *requirement.Requirement) {
			for _, change := range []string{
				`UPDATE requirement SET owner = 'nobody', stage = 'received', next_mark_at = NULL, state = '{}'`,
				`UPDATE clock SET state = 'met', deadline = NULL`,
				`DELETE FROM approval_vote`,
				`DELETE FROM requirement_text`,
			} {
				_, err := conn.Exec(t.Context(), change)
				require.NoError(t, err)
			}
		}},
		"the workflow was reset": {heals: true, spoil: func(t *testing.T, l *ledger.Ledger, _ *pgx.Conn, r *requirement.Requirement) {
			other := again(t, r)
			do(t, other, 5*time.Minute, requirement.Resolve{Header: as("li"), Solution: "x"}, requirement.Amend{Header: as("zhou"), Title: "另一个标题"})
			write(t, l, other)
		}},
		"it was closed too early": {heals: true, spoil: func(t *testing.T, l *ledger.Ledger, _ *pgx.Conn, r *requirement.Requirement) {
			done, err := l.Terminate(t.Context(), "REQ-A", r.UpdatedAt.Add(time.Minute), "its workflow was terminated")
			require.NoError(t, err)
			require.True(t, done)
		}},
		"facts are missing": {err: ledger.ErrGap, spoil: func(t *testing.T, _ *ledger.Ledger, conn *pgx.Conn, r *requirement.Requirement) {
			_, err := conn.Exec(t.Context(), `DELETE FROM event WHERE seq > $1`, r.Seq-2)
			require.NoError(t, err)
			_, err = conn.Exec(t.Context(), `UPDATE requirement SET seq = $1`, r.Seq-2)
			require.NoError(t, err)
		}},
		"the whole requirement is missing": {err: ledger.ErrGap, spoil: func(t *testing.T, _ *ledger.Ledger, conn *pgx.Conn, _ *requirement.Requirement) {
			_, err := conn.Exec(t.Context(), `DELETE FROM requirement`)
			require.NoError(t, err)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, conn := open(t)
			r := submit(t, "REQ-A", nil)
			do(t, r, time.Minute, requirement.Triage{Header: as("zhou"), Priority: "high", Department: "technology"})
			r.OpenRound(start.Add(2*time.Minute), []requirement.FilledSeat{{Seat: "role:product", Person: "wang"}, {Seat: "role:management", Person: "ma"}})
			do(t, r, 3*time.Minute, requirement.Approve{Header: as("wang")}, requirement.Approve{Header: as("ma")},
				requirement.Assign{Header: as("zhou"), To: "li"})
			write(t, l, r)
			right := everything(t, conn, "REQ-A")
			c.spoil(t, l, conn, r)
			wrong := everything(t, conn, "REQ-A")
			require.NotEqual(t, right, wrong)
			entries, err := l.Entries(t.Context(), []string{"REQ-A"})
			require.NoError(t, err)

			// What somebody saw there before is no longer there.
			seen := entries["REQ-A"].Standing()
			stale := requirement.Standing{Seq: seen.Seq, At: seen.At.Add(-time.Second)}
			if c.err == nil {
				_, err := l.Write(t.Context(), carried(t, r.Restate(stale)), nil)
				require.NoError(t, err)
				require.Equal(t, wrong, everything(t, conn, "REQ-A"))
			}
			written, err := l.Write(t.Context(), carried(t, r.Restate(seen)), nil)
			require.ErrorIs(t, err, c.err)
			if !c.heals {
				require.Equal(t, wrong, everything(t, conn, "REQ-A"))
				return
			}
			require.True(t, written.Current)
			require.Zero(t, written.Events)
			require.Equal(t, right, everything(t, conn, "REQ-A"))

			// A straggler comes after the next fact.
			do(t, r, 10*time.Minute, requirement.Comment{Header: as("zhou"), Message: "weiter"})
			write(t, l, r)
			right = everything(t, conn, "REQ-A")
			for _, old := range []requirement.Standing{seen, stale} {
				_, err = l.Write(t.Context(), carried(t, r.Restate(old)), nil)
				require.NoError(t, err)
				require.Equal(t, right, everything(t, conn, "REQ-A"))
			}
		})
	}
}

// TestATransitionHasEventsOrIsARestatement: nothing else makes sense.
func TestATransitionHasEventsOrIsARestatement(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	r := submit(t, "REQ-A", nil)
	first := write(t, l, r)
	_, err := l.Write(t.Context(), requirement.Transition{State: first.State}, nil)
	require.ErrorContains(t, err, "told once more")
	first.Instead = &requirement.Standing{Seq: 1}
	_, err = l.Write(t.Context(), first, nil)
	require.ErrorContains(t, err, "told once more")
}
