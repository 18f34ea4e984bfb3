package ledger_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/notify"
	"closeloop/requirement"
)

// again is a second copy of a requirement, as a workflow task that is tried
// again has it.
func again(t *testing.T, r *requirement.Requirement) *requirement.Requirement {
	t.Helper()
	text, err := json.Marshal(r.State)
	require.NoError(t, err)
	var s requirement.State
	require.NoError(t, json.Unmarshal(text, &s))
	return requirement.Restore(s, r.Process())
}

// TestSecondAttemptReplacesTheFirst: the first attempt of a workflow task wrote
// to the ledger and was cut off before Temporal heard of it. The second attempt
// comes later and may tell another, shorter story; a straggler of the first may
// come after it.
func TestSecondAttemptReplacesTheFirst(t *testing.T) {
	t.Parallel()
	for _, straggler := range []bool{false, true} {
		l, conn := open(t)
		first := submit(t, "REQ-A", nil)
		write(t, l, first)
		second := again(t, first)

		do(t, first, time.Minute,
			requirement.Triage{Header: as("zhou")}, requirement.Assign{Header: as("zhou"), To: "li"},
			requirement.Amend{Header: as("zhou"), Title: "另一个标题"},
			requirement.Resolve{Header: as("li"), Solution: "加了索引"}, requirement.Confirm{Header: as("customer")})
		lost := carried(t, first.Take())
		do(t, second, 2*time.Minute, requirement.Comment{Header: as("zhou"), Message: "真的"})
		kept := carried(t, second.Take())

		_, err := l.Write(t.Context(), lost, nil)
		require.NoError(t, err)
		written, err := l.Write(t.Context(), kept, nil)
		require.NoError(t, err)
		require.True(t, written.Current)
		if straggler {
			written, err = l.Write(t.Context(), lost, nil)
			require.NoError(t, err)
			require.False(t, written.Current)
		}

		other, otherConn := open(t)
		write(t, other, submit(t, "REQ-A", nil))
		_, err = other.Write(t.Context(), kept, nil)
		require.NoError(t, err)
		require.Equal(t, everything(t, otherConn, "REQ-A"), everything(t, conn, "REQ-A"), "as if the first had never been")
	}
}

// TestSecondAttemptAsksFewerPeople: somebody left between the two attempts.
func TestSecondAttemptAsksFewerPeople(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	first := submit(t, "REQ-A", nil)
	do(t, first, time.Minute, requirement.Triage{Header: as("zhou"), Priority: "high"})
	write(t, l, first)
	second := again(t, first)
	at := first.UpdatedAt
	first.OpenRound(at.Add(time.Minute), []requirement.FilledSeat{{Seat: "role:a", Person: "li"}, {Seat: "role:b", Person: "wu"}})
	write(t, l, first)
	second.OpenRound(at.Add(2*time.Minute), []requirement.FilledSeat{{Seat: "role:a", Person: "li"}})
	write(t, l, second)
	votes := table(t, conn, `SELECT person, vote FROM approval_vote WHERE requirement_id = 'REQ-A' ORDER BY position`)
	require.Equal(t, []map[string]any{{"person": "li", "vote": "pending"}}, votes)
}

// TestSystemsAreToldWhatReplacedIt: people are not written to twice; a system is
// told what happened in the place of what never did.
func TestSystemsAreToldWhatReplacedIt(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	first := submit(t, "REQ-A", nil)
	write(t, l, first)
	second := again(t, first)
	do(t, first, time.Minute, requirement.Triage{Header: as("zhou")})
	do(t, second, 2*time.Minute, requirement.Triage{Header: as("zhou")})
	lost, kept := carried(t, first.Take()), carried(t, second.Take())
	seq := lost.Events[0].Seq
	notices := func() []notify.Notice {
		return []notify.Notice{webhook("REQ-A", seq), notice("REQ-A", seq, "li", "email")}
	}
	_, err := l.Write(t.Context(), lost, notices())
	require.NoError(t, err)
	for _, n := range notices() {
		claim, err := l.ClaimNotice(t.Context(), n.Key, false)
		require.NoError(t, err)
		require.True(t, claim.Taken)
		require.NoError(t, l.SettleNotice(t.Context(), n.Key, notify.Sent, "", nil))
	}
	written, err := l.Write(t.Context(), kept, notices())
	require.NoError(t, err)
	require.Equal(t, 1, written.Notices)
	due, err := l.DueNotices(t.Context(), "REQ-A", 1, 99)
	require.NoError(t, err)
	require.Len(t, due, 1)
	require.Equal(t, "webhook", due[0].Channel)
}
