package ledger_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/internal/trial"
	"closeloop/ledger"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// TestAccountExplains: the ledger has all that it takes to say why.
func TestAccountExplains(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	lived := trial.NationalDay("REQ-TEST0001", "zh-CN")
	require.NoError(t, l.KeepProcess(t.Context(), lived.Rules[0]))
	_, err := l.Write(t.Context(), carried(t, requirement.Transition{State: lived.State, Events: lived.Events}), nil)
	require.NoError(t, err)
	read, err := l.Account(t.Context(), "REQ-TEST0001")
	require.NoError(t, err)
	told := func(record requirement.Account) string {
		e, err := requirement.Explain(record, requirement.Which{All: true}, trial.AfterNationalDay)
		require.NoError(t, err)
		text, err := json.MarshalIndent(e, "", " ")
		require.NoError(t, err)
		return string(text)
	}
	require.Equal(t, told(lived), told(read))
	_, err = l.Account(t.Context(), "REQ-TEST0002")
	require.ErrorIs(t, err, ledger.ErrNotFound)
}

// TestAccountOfForgottenClocks: a state keeps a dozen clocks that recur, the
// ledger all of them. Rules that changed on the way are found, too.
func TestAccountOfForgottenClocks(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	recurring := rules
	recurring.Digest = "with-updates"
	recurring.Clocks = append(recurring.Clocks[:len(recurring.Clocks):len(recurring.Clocks)], policy.ClockRule{
		Name: sla.Update, Calendar: sla.AlwaysOpen, Target: sla.Exactly(time.Hour),
		RunsIn: []string{"assigned", "executing"}, PausesOnHold: policy.AllHolds, Marks: []sla.Mark{{Percent: 50}},
	})
	require.NoError(t, l.KeepProcess(t.Context(), recurring))
	r := submit(t, "REQ-TEST0001", nil)
	do(t, r, time.Minute, requirement.Triage{Header: as("zhou")}, requirement.Assign{Header: as("zhou"), To: "wu"},
		requirement.Respond{Header: as("wu"), Method: "phone", Message: "m"})
	r.Adopt(start.Add(2*time.Minute), recurring, "zhou")
	const updates = 20
	for i := range updates {
		at := time.Duration(i+1)*2*time.Hour + 123*time.Nanosecond
		do(t, r, at-90*time.Minute, requirement.PutOnHold{Header: as("wu"), Reason: "r"})
		do(t, r, at-80*time.Minute, requirement.Resume{Header: as("wu")})
		do(t, r, at, requirement.Progress{Header: as("wu"), Message: "m"})
		write(t, l, r)
	}
	require.Less(t, len(r.Clocks), updates)
	read, err := l.Account(t.Context(), "REQ-TEST0001")
	require.NoError(t, err)
	e, err := requirement.Explain(read, requirement.Which{Clock: sla.Update}, start.Add(50*time.Hour))
	require.NoError(t, err)
	require.Len(t, e.Clocks, updates+1, "and the one that runs")
	for i, c := range e.Clocks[:updates] {
		require.Equal(t, i+1, c.Cycle)
		require.Equal(t, sla.Breached, c.State)
		require.Equal(t, 600.0, c.PausedSeconds, "cycle %d", c.Cycle)
		last := c.Intervals[len(c.Intervals)-1]
		require.InDelta(t, c.ElapsedSeconds, last.TotalSeconds, 1e-5)
		require.True(t, last.Overdue)
		require.Equal(t, "wu", c.Breach.Owner)
		require.Equal(t, []string{"50%", "100%"}, []string{c.Marks[0].Mark, c.Marks[1].Mark}, fmt.Sprint(c.Marks))
	}
}
