package ledger

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"closeloop/requirement"
	"closeloop/sla"
)

// Account returns all that the ledger has of a requirement, for
// [requirement.Explain]. The error is [ErrNotFound] when it is not in the ledger.
func (l *Ledger) Account(ctx context.Context, id string) (requirement.Account, error) {
	r, err := l.Get(ctx, id)
	if err != nil {
		return requirement.Account{}, err
	}
	record := requirement.Account{State: r.State, Clocks: r.Clocks}
	for after := 0; ; after = len(record.Events) {
		some, err := l.Events(ctx, id, after, MaxEvents)
		if err != nil {
			return requirement.Account{}, err
		}
		// Events that were written meanwhile belong to a later state.
		for _, e := range some {
			if e.Seq <= r.Seq {
				record.Events = append(record.Events, e)
			}
		}
		if len(some) < MaxEvents || len(record.Events) == r.Seq {
			break
		}
	}
	forgotten, err := l.forgottenClocks(ctx, r.State)
	if err != nil {
		return requirement.Account{}, failed("read the clocks of "+id, err)
	}
	record.Clocks = append(forgotten, record.Clocks...)
	for _, digest := range requirement.RulesOf(record.State, record.Events) {
		rules, err := l.Process(ctx, digest)
		if err != nil {
			return requirement.Account{}, err
		}
		record.Rules = append(record.Rules, rules)
	}
	return record, nil
}

// forgottenClocks returns the ended clocks that the state no longer has.
func (l *Ledger) forgottenClocks(ctx context.Context, s requirement.State) ([]sla.Clock, error) {
	const query = `SELECT name, cycle, state, target, target_seconds, calendar, started_at, deadline, stopped_at,
breached_at, detected_at, elapsed_seconds, pauses, marks, max_pause
FROM clock WHERE requirement_id = $1 AND stopped_at IS NOT NULL ORDER BY started_at, cycle`
	rows, err := l.pool.Query(ctx, query, storable(s.ID))
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, scanClock)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(row sla.Clock) bool {
		return slices.ContainsFunc(s.Clocks, func(c sla.Clock) bool { return c.Name == row.Name && c.Cycle == row.Cycle })
	})
	for i := range all {
		if c := &all[i]; c.Name == sla.PlanStep && c.Cycle <= len(s.Plan) {
			c.Due = &s.Plan[c.Cycle-1].Due
		}
	}
	return all, nil
}

// scanClock makes a clock of its row. What its policy said beside the target is
// not on record; of a clock that has ended nobody needs it.
func scanClock(row pgx.CollectableRow) (sla.Clock, error) {
	var c sla.Clock
	var state sla.State
	var target string
	var maxPause *string
	var elapsed *float64
	var seconds float64
	final := &sla.Figures{}
	err := row.Scan(&c.Name, &c.Cycle, &state, &target, &seconds, &c.Calendar, &c.StartedAt, &final.Deadline, &c.StoppedAt,
		&c.BreachedAt, &c.DetectedAt, &elapsed, &c.Pauses, &c.Fired, &maxPause)
	if err != nil {
		return c, err
	}
	c.Void = state == sla.Stopped
	if final.Target = nanoseconds(seconds); elapsed != nil {
		final.Elapsed = nanoseconds(*elapsed)
	}
	c.Final = final
	if c.Target, err = sla.ParseDuration(target); err != nil {
		return c, err
	}
	if maxPause != nil {
		c.MaxPause, err = sla.ParseDuration(*maxPause)
	}
	return c, err
}

func nanoseconds(seconds float64) time.Duration {
	return time.Duration(math.Round(seconds * float64(time.Second)))
}
