package ledger_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/notify"
	"closeloop/requirement"
)

func TestTerminate(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	r := submit(t, "REQ-A", func(s *requirement.Submission) { s.Priority = "high" })
	do(t, r, time.Minute, requirement.Triage{Header: as("zhou"), Department: "technology"})
	r.OpenRound(start.Add(2*time.Minute), []requirement.FilledSeat{{Seat: "role:product", Person: "wang"}, {Seat: "role:management", Person: "ma"}})
	r.Tick(start.Add(3 * time.Hour))
	r.EscalationStarted(start.Add(3*time.Hour), "response-1")
	tr := carried(t, r.Take())
	sending := notice("REQ-A", 1, "zhou", "webhook")
	sending.State = notify.Sending
	_, err := l.Write(t.Context(), tr, []notify.Notice{notice("REQ-A", 1, "zhou", "email"), sending})
	require.NoError(t, err)
	open, err := l.OpenEntries(t.Context(), "", 0)
	require.NoError(t, err)
	require.Len(t, open, 1)

	// The clock that told when the workflow ended is behind.
	done, err := l.Terminate(t.Context(), "REQ-A", start.Add(time.Hour), "its workflow was terminated")
	require.NoError(t, err)
	require.True(t, done)

	got, err := l.Get(t.Context(), "REQ-A")
	require.NoError(t, err)
	require.Equal(t, requirement.Withdrawn, got.Stage)
	require.Equal(t, start.Add(3*time.Hour), *got.ClosedAt, "not before its last event")
	require.Equal(t, requirement.RoundWithdrawn, got.Approval.State)
	for _, c := range got.Clocks {
		require.False(t, c.Open(), c.Name)
	}
	events, err := l.Events(t.Context(), "REQ-A", tr.State.Seq, 0)
	require.NoError(t, err)
	require.Equal(t, requirement.Terminated, events[0].Kind)
	require.Equal(t, requirement.SystemActor, events[0].Actor)
	require.JSONEq(t, `{"reason":"its workflow was terminated"}`, string(events[0].Data))
	require.Equal(t, []map[string]any{{"state": "ended"}}, table(t, conn, "SELECT state FROM escalation"))
	require.Equal(t, []map[string]any{
		{"name": "response", "state": "breached"}, {"name": "approval", "state": "stopped"}, {"name": "resolution", "state": "stopped"},
	}, table(t, conn, "SELECT name, state FROM clock ORDER BY state, name"))
	require.Equal(t, map[string]notify.State{"1 zhou email": notify.Cancelled, "1 zhou webhook": notify.Sending}, states(t, l, "REQ-A"))

	before := everything(t, conn, "REQ-A")
	done, err = l.Terminate(t.Context(), "REQ-A", start.Add(9*time.Hour), "again")
	require.NoError(t, err)
	require.False(t, done, "it has ended")
	require.Equal(t, before, everything(t, conn, "REQ-A"))
	open, err = l.OpenEntries(t.Context(), "", 0)
	require.NoError(t, err)
	require.Empty(t, open)

	// A workflow that was reset goes on, and its word stands.
	do(t, r, 4*time.Hour, requirement.Comment{Header: as("zhou"), Message: "还在"})
	_, err = l.Write(t.Context(), carried(t, r.Take()), nil)
	require.NoError(t, err)
	got, err = l.Get(t.Context(), "REQ-A")
	require.NoError(t, err)
	require.False(t, got.Over())
	events, err = l.Events(t.Context(), "REQ-A", tr.State.Seq, 0)
	require.NoError(t, err)
	for _, e := range events {
		require.NotEqual(t, requirement.Terminated, e.Kind)
	}
}

func TestTerminateAfterTheCustomersSilence(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	r := submit(t, "REQ-A", nil)
	do(t, r, time.Minute,
		requirement.Triage{Header: as("zhou")}, requirement.Assign{Header: as("zhou"), To: "li"},
		requirement.Resolve{Header: as("li"), Solution: "加了索引"})
	write(t, l, r)
	done, err := l.Terminate(t.Context(), "REQ-A", start.Add(100*time.Hour), "terminated")
	require.NoError(t, err)
	require.True(t, done)
	got, err := l.Get(t.Context(), "REQ-A")
	require.NoError(t, err)
	require.Equal(t, requirement.Archived, got.Stage, "it had been agreed what silence means")
	require.True(t, got.Closing.Automatic)
	events, err := l.Events(t.Context(), "REQ-A", 0, 0)
	require.NoError(t, err)
	text, err := json.Marshal(events)
	require.NoError(t, err)
	require.NotContains(t, string(text), "terminated")
}
