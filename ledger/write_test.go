package ledger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/ledger"
	"closeloop/requirement"
)

// life returns the transitions of a whole life, one an act.
func life(t testing.TB, id string) []requirement.Transition {
	t.Helper()
	var all []requirement.Transition
	r := submit(t, id, nil)
	step := func(after time.Duration, acts ...requirement.Act) {
		all = append(all, carried(t, r.Take()))
		do(t, r, after, acts...)
	}
	step(time.Minute, requirement.Triage{Header: as("zhou"), Priority: "high", Department: "technology"})
	r.OpenRound(start.Add(time.Minute), []requirement.FilledSeat{{Seat: "role:product", Person: "wang"}, {Seat: "role:management", Person: "ma"}})
	step(2*time.Minute, requirement.Approve{Header: as("wang"), Comment: "值得做"})
	step(3*time.Minute, requirement.Approve{Header: as("ma")})
	step(4*time.Minute, requirement.Assign{Header: as("zhou"), To: "li"})
	step(5*time.Minute, requirement.Accept{Header: as("li")})
	step(10*time.Minute, requirement.PutOnHold{Header: as("li"), Reason: "等客户提供日志"})
	step(40*time.Minute, requirement.Resume{Header: as("customer")})
	step(50*time.Minute, requirement.Respond{Header: as("li"), Method: "phone", Message: "已联系"})
	step(2*time.Hour, requirement.Resolve{Header: as("li"), Solution: "加了索引 index", RootCause: "全表扫描"})
	step(3*time.Hour, requirement.Dispute{Header: as("customer"), Reason: "还是慢"})
	step(30*time.Hour, requirement.Resolve{Header: as("li"), Solution: "改为异步导出", RootCause: "同步生成大文件"})
	step(31*time.Hour, requirement.Confirm{Header: as("customer"), Rating: 5, Comment: "很好"})
	return append(all, carried(t, r.Take()))
}

func TestWriteOfAWholeLife(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	all := life(t, "REQ-LIFE")
	for _, tr := range all {
		w, err := l.Write(t.Context(), tr, nil)
		require.NoError(t, err)
		require.Equal(t, len(tr.Events), w.Events)
		require.True(t, w.Current)
	}
	require.Len(t, table(t, conn, "SELECT * FROM requirement"), 1)
	r, err := l.Get(t.Context(), "REQ-LIFE")
	require.NoError(t, err)
	require.Equal(t, all[len(all)-1].State, r.State)
	_, err = l.Get(t.Context(), "REQ-NONE")
	require.ErrorIs(t, err, ledger.ErrNotFound)
}
