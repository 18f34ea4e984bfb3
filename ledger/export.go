package ledger

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"closeloop/requirement"
	"closeloop/sla"
	"closeloop/whatif"
)

// Exported is a requirement for a table about it.
type Exported struct {
	State requirement.State
	// Events are those of the kinds that were asked for, in their order.
	Events []requirement.Event
	// Clocks are what became of the promises, in the order in which they began.
	Clocks []whatif.Ran
}

// readExport reads requirements in the order in which they came in. As with lives,
// only ids and instants are sorted, and each requirement is looked up by its id, so
// that the first is there at once and nothing is kept.
const readExport = `SELECT r.state, e.seq, e.at, e.kind, e.actor, e.via, e.stage, e.clock, e.data,
	c.name, c.cycle, c.state, c.deadline, c.stopped_at, c.breached_at
FROM (
	SELECT id, created_at FROM requirement #where ORDER BY created_at, id OFFSET 0
) o
CROSS JOIN LATERAL (SELECT state FROM requirement WHERE id = o.id OFFSET 0) r
CROSS JOIN LATERAL (
	SELECT array_agg(seq) AS seq, array_agg(at) AS at, array_agg(kind) AS kind, array_agg(actor) AS actor,
		array_agg(coalesce(via, '')) AS via, array_agg(coalesce(stage, '')) AS stage, array_agg(coalesce(clock, '')) AS clock,
		array_agg(data::text) AS data
	FROM (
		SELECT seq, at, kind, actor, via, stage, clock, data FROM event
		WHERE requirement_id = o.id #kinds ORDER BY seq OFFSET 0
	) facts
) e
CROSS JOIN LATERAL (
	SELECT array_agg(name) AS name, array_agg(cycle) AS cycle, array_agg(state) AS state,
		array_agg(deadline) AS deadline, array_agg(stopped_at) AS stopped_at, array_agg(breached_at) AS breached_at
	FROM (
		SELECT name, cycle, state, deadline, stopped_at, breached_at FROM clock
		WHERE requirement_id = o.id ORDER BY started_at, name, cycle OFFSET 0
	) promises
) c
ORDER BY o.created_at, o.id`

// Export calls each with every requirement that the filter matches, in the order in
// which they came in, with its events of those kinds; all events when kinds is nil,
// none when it is empty. Limit, Cursor and Count of the filter mean nothing here.
// All of it is of one moment, and memory does not grow with the number of
// requirements. It stops at the first error of each, and returns it wrapped.
func (l *Ledger) Export(ctx context.Context, f Filter, kinds []requirement.Kind, each func(Exported) error) error {
	query, values, err := f.exportStatement(kinds)
	if err != nil {
		return err
	}
	read := func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query, values...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			x, err := scanExported(rows)
			if err != nil {
				return err
			}
			if err := each(x); err != nil {
				return err
			}
		}
		return rows.Err()
	}
	return failed("export requirements", pgx.BeginTxFunc(ctx, l.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, read))
}

// exportStatement returns the query of an export.
func (f Filter) exportStatement(kinds []requirement.Kind) (string, []any, error) {
	var c conditions
	if err := f.narrow(&c); err != nil {
		return "", nil, err
	}
	where, only := c.where(), ""
	if kinds != nil {
		only = "AND kind = ANY (" + c.value(words(kinds)) + ")"
	}
	return strings.NewReplacer("#where", where, "#kinds", only).Replace(readExport), c.values, nil
}

// words are the kinds as texts.
func words(kinds []requirement.Kind) []string {
	list := make([]string, len(kinds))
	for i, k := range kinds {
		list[i] = string(k)
	}
	return list
}

func scanExported(row pgx.Row) (Exported, error) {
	var (
		x                         Exported
		seqs, cycles              []int32
		ats                       []time.Time
		kinds, actors, vias       []string
		stages, abouts            []string
		data                      []*string
		names, states             []string
		deadlines, ends, breaches []*time.Time
	)
	err := row.Scan(&x.State, &seqs, &ats, &kinds, &actors, &vias, &stages, &abouts, &data,
		&names, &cycles, &states, &deadlines, &ends, &breaches)
	if err != nil {
		return x, err
	}
	x.Events = slices.Grow(x.Events, len(seqs))
	for i, seq := range seqs {
		e := requirement.Event{
			Seq: int(seq), At: ats[i], Kind: requirement.Kind(kinds[i]), Actor: actors[i], Via: vias[i],
			Stage: requirement.Stage(stages[i]), Clock: sla.Name(abouts[i]),
		}
		if data[i] != nil {
			e.Data = json.RawMessage(*data[i])
		}
		x.Events = append(x.Events, e)
	}
	x.Clocks = slices.Grow(x.Clocks, len(names))
	for i, name := range names {
		x.Clocks = append(x.Clocks, whatif.Ran{
			Clock: sla.Name(name), Cycle: int(cycles[i]), State: sla.State(states[i]),
			Deadline: deadlines[i], StoppedAt: ends[i], BreachedAt: breaches[i],
		})
	}
	return x, nil
}
