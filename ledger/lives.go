package ledger

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"closeloop/requirement"
	"closeloop/sla"
	"closeloop/whatif"
)

// readLives reads requirements in the order of their ids, each with its events
// and clocks. The order comes from the index, and each life is looked up by its
// id, so nothing is sorted but the ids and nothing is kept: the first life is
// there at once, however many follow. Texts of people stay behind, as far as no
// clock depends on them: whether a customer's resumption says something matters.
const readLives = `SELECT r.id, e.seq, e.at, e.kind, e.actor, e.stage, e.data,
	c.name, c.cycle, c.state, c.deadline, c.stopped_at, c.breached_at
FROM (
	SELECT id FROM requirement WHERE created_at >= $1 AND created_at < $2 ORDER BY id OFFSET 0
) r
CROSS JOIN LATERAL (
	SELECT array_agg(seq) AS seq, array_agg(at) AS at, array_agg(kind) AS kind, array_agg(actor) AS actor,
		array_agg(coalesce(stage, '')) AS stage, array_agg(CASE
			WHEN kind IN ('responded', 'resolved', 'disputed', 'amended', 'appealed', 'withdrawn', 'handed_back') THEN NULL
			WHEN kind = 'resumed' THEN data
			ELSE data - '{title,description,background,scenario,outcome,pain,attachments,message,reason,comment,votes}'::text[]
		END::text) AS data
	FROM (
		SELECT seq, at, kind, actor, stage, data FROM event
		WHERE requirement_id = r.id AND kind = ANY ($3) AND (kind <> 'clock_lapsed' OR clock = 'appeal')
		ORDER BY seq OFFSET 0
	) facts
) e
CROSS JOIN LATERAL (
	SELECT array_agg(name) AS name, array_agg(cycle) AS cycle, array_agg(state) AS state,
		array_agg(deadline) AS deadline, array_agg(stopped_at) AS stopped_at, array_agg(breached_at) AS breached_at
	FROM clock WHERE requirement_id = r.id
) c
ORDER BY r.id`

// Lives calls each with every requirement that came in from since on and before
// until, in the order of their ids, with the facts that a fold needs and the
// clocks as they ran. A zero instant sets no bound. It changes nothing: the
// transaction is read-only, and all of it is of one moment. It stops at the first
// error of each, and returns it wrapped.
func (l *Ledger) Lives(ctx context.Context, since, until time.Time, each func(whatif.Life) error) error {
	kinds := make([]string, 0, len(requirement.FoldedKinds()))
	for _, k := range requirement.FoldedKinds() {
		kinds = append(kinds, string(k))
	}
	read := func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, readLives, bound(since, pgtype.NegativeInfinity), bound(until, pgtype.Infinity), kinds)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			life, err := scanLife(rows)
			if err != nil {
				return err
			}
			if err := each(life); err != nil {
				return err
			}
		}
		return rows.Err()
	}
	return failed("read lives", pgx.BeginTxFunc(ctx, l.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, read))
}

// bound is one end of a span of time; open stands for none.
func bound(at time.Time, open pgtype.InfinityModifier) pgtype.Timestamptz {
	if at.IsZero() {
		return pgtype.Timestamptz{InfinityModifier: open, Valid: true}
	}
	return pgtype.Timestamptz{Time: at, Valid: true}
}

func scanLife(row pgx.Row) (whatif.Life, error) {
	var (
		life                      whatif.Life
		seqs, cycles              []int32
		ats                       []time.Time
		kinds, actors, stages     []string
		data                      []*string
		names, states             []string
		deadlines, ends, breaches []*time.Time
	)
	err := row.Scan(&life.ID, &seqs, &ats, &kinds, &actors, &stages, &data,
		&names, &cycles, &states, &deadlines, &ends, &breaches)
	if err != nil {
		return life, err
	}
	life.Events = slices.Grow(life.Events, len(seqs))
	for i, seq := range seqs {
		e := requirement.Event{
			Seq: int(seq), At: ats[i], Kind: requirement.Kind(kinds[i]), Actor: actors[i], Stage: requirement.Stage(stages[i]),
		}
		if data[i] != nil {
			e.Data = json.RawMessage(*data[i])
		}
		life.Events = append(life.Events, e)
	}
	life.Clocks = slices.Grow(life.Clocks, len(names))
	for i, name := range names {
		life.Clocks = append(life.Clocks, whatif.Ran{
			Clock: sla.Name(name), Cycle: int(cycles[i]), State: sla.State(states[i]),
			Deadline: deadlines[i], StoppedAt: ends[i], BreachedAt: breaches[i],
		})
	}
	return life, nil
}
