package ledger_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/ledger"
	"closeloop/requirement"
	"closeloop/sla"
)

// What an export gives is what was written: states, the events that were asked for,
// and the clocks, in the order in which requirements came in.
func TestExport(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	// The ids do not sort like the instants.
	for i, id := range []string{"REQ-C", "REQ-A", "REQ-B"} {
		r, err := requirement.New(id, requirement.Submission{
			Title: "导出报表太慢 " + id, Customer: "华东物流", SubmittedBy: "zhou", Via: "cli",
		}, rules, start.Add(time.Duration(i)*time.Minute))
		require.NoError(t, err)
		if id == "REQ-A" {
			do(t, r, 10*time.Minute, requirement.Amend{Header: as("zhou"), Title: "导出太慢"}, requirement.Reprioritise{Header: as("li"), Priority: "low", Reason: "不急"})
		}
		write(t, l, r)
	}
	read := func(f ledger.Filter, kinds []requirement.Kind) []ledger.Exported {
		var all []ledger.Exported
		require.NoError(t, l.Export(t.Context(), f, kinds, func(x ledger.Exported) error {
			all = append(all, x)
			return nil
		}))
		return all
	}
	all := read(ledger.Filter{Limit: 1}, nil)
	require.Len(t, all, 3, "a limit is for lists")
	for i, id := range []string{"REQ-C", "REQ-A", "REQ-B"} {
		require.Equal(t, id, all[i].State.ID)
		events, err := l.Events(t.Context(), id, 0, 0)
		require.NoError(t, err)
		require.Len(t, all[i].Events, len(events))
		for j, e := range events {
			got := all[i].Events[j]
			require.Equal(t, []any{e.Seq, e.Kind, e.Actor, e.Via, e.Stage, e.Clock}, []any{got.Seq, got.Kind, got.Actor, got.Via, got.Stage, got.Clock})
			require.True(t, e.At.Equal(got.At))
			if len(e.Data) > 0 {
				require.JSONEq(t, string(e.Data), string(got.Data))
			}
		}
		require.Equal(t, "cli", all[i].Events[0].Via)
		require.Equal(t, sla.Resolution, all[i].Clocks[0].Clock)
		require.NotNil(t, all[i].Clocks[0].Deadline)
	}

	some := read(ledger.Filter{Priorities: []string{"low"}, Text: "导出"}, []requirement.Kind{requirement.Submitted, requirement.Reprioritised})
	require.Len(t, some, 1)
	require.Equal(t, "导出太慢", some[0].State.Title)
	require.Len(t, some[0].Events, 2)
	require.Equal(t, requirement.Reprioritised, some[0].Events[1].Kind)

	none := read(ledger.Filter{}, []requirement.Kind{})
	require.Len(t, none, 3)
	for _, x := range none {
		require.Empty(t, x.Events)
	}

	stop := errors.New("enough")
	calls := 0
	require.ErrorIs(t, l.Export(t.Context(), ledger.Filter{}, nil, func(ledger.Exported) error { calls++; return stop }), stop)
	require.Equal(t, 1, calls)
	require.ErrorContains(t, l.Export(t.Context(), ledger.Filter{Text: fmt.Sprint(make([]int, 600))}, nil, nil), "search for at most")
}
