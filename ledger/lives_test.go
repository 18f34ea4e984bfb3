package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"closeloop/internal/trial"
	"closeloop/ledger"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/whatif"
)

// presently is after all of [trial.Life] has happened.
var presently = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// recorded writes n lives under the rules into a ledger of their own.
func recorded(t testing.TB, n int, rules policy.Process) (*ledger.Ledger, *pgx.Conn) {
	t.Helper()
	l, conn := open(t)
	require.NoError(t, l.KeepProcess(t.Context(), rules))
	numbers := make(chan int)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range numbers {
				r := trial.Life(i, rules)
				// The system was up: what is overdue has been noticed.
				r.Tick(presently)
				if _, err := l.Write(context.Background(), r.Take(), nil); err != nil {
					t.Errorf("life %d: %v", i, err)
				}
			}
		})
	}
	for i := range n {
		numbers <- i
	}
	close(numbers)
	group.Wait()
	_, err := conn.Exec(t.Context(), `ANALYZE`)
	require.NoError(t, err)
	return l, conn
}

func ask(t testing.TB, l *ledger.Ledger, q whatif.Question, since, until time.Time) whatif.Answer {
	t.Helper()
	q.At = presently
	a, err := whatif.Ask(t.Context(), q, func(ctx context.Context, each func(whatif.Life) error) error {
		return l.Lives(ctx, since, until, each)
	})
	require.NoError(t, err)
	return a
}

// TestWhatIf: the rules that requirements lived by change nothing, other rules
// do, and the answer adds up.
func TestWhatIf(t *testing.T) {
	t.Parallel()
	const lives = 150
	rules := trial.Office().Process
	l, conn := recorded(t, lives, rules)
	before := table(t, conn, `SELECT (SELECT count(*) FROM event) AS events, (SELECT max(xmin::text::bigint) FROM requirement) AS written`)

	same := ask(t, l, whatif.Question{Rules: rules, Limit: 10}, time.Time{}, time.Time{})
	require.Equal(t, lives, same.Requirements)
	require.Equal(t, lives, same.Folded, "%v", same.Examples)
	require.Empty(t, same.Changed)
	require.Zero(t, same.ChangedPromises)
	require.Equal(t, same.Total.Old, same.Total.New)
	require.NotZero(t, same.Total.Old.Met)
	require.NotZero(t, same.Total.Old.Breached)

	other := ask(t, l, whatif.Question{Rules: policy.Default().Process, Limit: 10}, time.Time{}, time.Time{})
	require.Equal(t, same.Total.Old, other.Total.Old)
	require.Greater(t, other.Total.New.Breached, other.Total.Old.Breached, "nights count")
	require.Len(t, other.Changed, 10)
	require.Greater(t, other.ChangedPromises, 10)
	require.LessOrEqual(t, other.ChangedRequirements, other.ChangedPromises)
	require.Equal(t, other, ask(t, l, whatif.Question{Rules: policy.Default().Process, Limit: 10}, time.Time{}, time.Time{}), "the same each time")
	for _, groups := range [][]whatif.Group{other.ByClock, other.ByPriority, other.ByDepartment} {
		sum := whatif.Tally{}
		for _, g := range groups {
			sum.Met, sum.Breached, sum.Running = sum.Met+g.New.Met, sum.Breached+g.New.Breached, sum.Running+g.New.Running
			sum.Stopped, sum.Undated = sum.Stopped+g.New.Stopped, sum.Undated+g.New.Undated
		}
		require.Equal(t, other.Total.New, sum)
	}

	half := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	early := ask(t, l, whatif.Question{Rules: rules}, time.Time{}, half)
	late := ask(t, l, whatif.Question{Rules: rules}, half, time.Time{})
	require.Equal(t, lives, early.Requirements+late.Requirements)
	require.NotZero(t, early.Requirements)
	require.NotZero(t, late.Requirements)
	require.Equal(t, before, table(t, conn, `SELECT (SELECT count(*) FROM event) AS events, (SELECT max(xmin::text::bigint) FROM requirement) AS written`))

	_, err := conn.Exec(t.Context(), `UPDATE event SET stage = NULL WHERE requirement_id = 'REQ-00000003' AND kind = 'triaged'`)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `UPDATE event SET stage = 'confirming' WHERE requirement_id = 'REQ-00000005' AND kind = 'submitted'`)
	require.NoError(t, err)
	odd := ask(t, l, whatif.Question{Rules: rules}, time.Time{}, time.Time{})
	require.Equal(t, 1, odd.NoStage)
	require.Equal(t, 1, odd.Odd)
	require.Equal(t, lives-2, odd.Folded)
	require.Equal(t, []string{"REQ-00000003", "REQ-00000005"}, odd.Examples)
}

// TestLivesAreReadInOrder, one by one, from what is there at one moment, and no
// further than they are wanted.
func TestLivesAreReadInOrder(t *testing.T) {
	t.Parallel()
	l, conn := recorded(t, 30, trial.Office().Process)
	var ids []string
	require.NoError(t, l.Lives(t.Context(), time.Time{}, time.Time{}, func(life whatif.Life) error {
		ids = append(ids, life.ID)
		require.Equal(t, requirement.Submitted, life.Events[0].Kind)
		require.NotContains(t, string(life.Events[0].Data), "每次导出", "no texts")
		require.NotEmpty(t, life.Clocks)
		return nil
	}))
	require.Len(t, ids, 30)
	require.IsIncreasing(t, ids)
	enough := errors.New("enough")
	require.ErrorIs(t, l.Lives(t.Context(), time.Time{}, time.Time{}, func(whatif.Life) error { return enough }), enough)

	var plan strings.Builder
	for _, row := range table(t, conn, "EXPLAIN (COSTS OFF) "+ledger.ReadLives, "-infinity", "infinity", []string{"submitted"}) {
		fmt.Fprintln(&plan, row["QUERY PLAN"])
	}
	require.NotContains(t, plan.String(), "Seq Scan on event")
	require.NotRegexp(t, `(?s)^\s*Sort\n`, plan.String(), "nothing but ids is sorted")
}

// BenchmarkWhatIf measures the whole way: a year of requirements, read from
// PostgreSQL and folded under another calendar. The lives are written first,
// which takes longer.
//
//	bin/devstack run -- go test ./ledger -run '^$' -bench WhatIf -benchtime 3x
func BenchmarkWhatIf(b *testing.B) {
	const lives = 25_000
	l, _ := recorded(b, lives, policy.Default().Process)
	office := trial.Office().Process
	for b.Loop() {
		a := ask(b, l, whatif.Question{Rules: office, Limit: 20}, time.Time{}, time.Time{})
		require.Equal(b, lives, a.Folded)
		require.NotZero(b, a.ChangedPromises)
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/whatif")
	b.ReportMetric(float64(lives*b.N)/b.Elapsed().Seconds(), "requirements/s")
}
