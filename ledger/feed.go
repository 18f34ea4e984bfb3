package ledger

import (
	"context"

	"github.com/jackc/pgx/v5"

	"closeloop/access"
	"closeloop/requirement"
)

// Told is an event as those are told of it who follow many requirements.
type Told struct {
	// Position is its place in the order of writing.
	Position int64
	// ID of the requirement.
	ID string
	requirement.Event
}

// Horizon is a point in the order of writing up to which nothing new is begun.
// What was begun before may still be under way: see [Ledger.Reached].
type Horizon struct {
	// Last is the last position that was given out.
	Last int64
	// writers are the transactions that may have been given one of the positions and
	// have not ended.
	writers []string
}

// writers are the transactions that write events. Each has this lock before its
// events are given positions, and until what it wrote can be seen by all.
const writers = `SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND relation = 'event'::regclass AND mode = 'RowExclusiveLock' AND granted`

// Horizon returns the present one.
func (l *Ledger) Horizon(ctx context.Context) (Horizon, error) {
	var h Horizon
	batch := &pgx.Batch{}
	// The order matters: whoever was given a position by the first statement has
	// ended by the second, or is among those that it finds.
	batch.Queue(`SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM event_position_seq`).
		QueryRow(func(row pgx.Row) error { return row.Scan(&h.Last) })
	batch.Queue(writers).Query(func(rows pgx.Rows) (err error) {
		h.writers, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return h, failed("look how far the ledger is", l.pool.SendBatch(ctx, batch).Close())
}

// Reached reports whether everything up to the horizon is written, or never will
// be.
func (l *Ledger) Reached(ctx context.Context, h Horizon) (bool, error) {
	if len(h.writers) == 0 {
		return true, nil
	}
	var reached bool
	err := l.pool.QueryRow(ctx, `SELECT NOT EXISTS (`+writers+` AND virtualtransaction = ANY ($1))`, h.writers).Scan(&reached)
	return reached, failed("look how far the ledger is", err)
}

// FeedFilter says which events are told.
type FeedFilter struct {
	// After is the position after which to begin.
	After int64
	// Until is the last position that is told. Up to a horizon that is reached,
	// events are final and in their order.
	Until int64
	// Reader is who reads: events of requirements that they may not read are left
	// out.
	Reader access.Principal
	// Requirement narrows to one, when it is not empty.
	Requirement string
	// Limit is the number of events; outside 1 to [MaxEvents] it means that.
	Limit int
}

// Feed returns the events of all requirements in the order in which they were
// written. An event that is taken back because it never happened (see
// [Ledger.Write]) is followed by another with the same number and a later
// position.
func (l *Ledger) Feed(ctx context.Context, f FeedFilter) ([]Told, error) {
	var c conditions
	c.add("position > ? AND position <= ?", f.After, f.Until)
	if f.Requirement != "" {
		c.add("requirement_id = ?", storable(f.Requirement))
	}
	which := conditions{values: c.values}
	which.readable(f.Reader)
	if len(which.texts) > 0 {
		c.values = which.values
		c.texts = append(c.texts, "requirement_id IN (SELECT id FROM requirement"+which.where()+")")
	}
	query := "SELECT position, requirement_id, " + eventColumns + " FROM event" + c.where() +
		" ORDER BY position LIMIT " + c.value(bounded(f.Limit, MaxEvents, MaxEvents))
	rows, err := l.pool.Query(ctx, query, c.values...)
	if err != nil {
		return nil, failed("read the feed", err)
	}
	told, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Told, error) {
		var t Told
		var data []byte
		err := row.Scan(&t.Position, &t.ID, &t.Seq, &t.At, &t.Kind, &t.Actor, &t.Via, &t.Stage, &t.Clock, &data, &t.To)
		t.Data = compact(data)
		return t, err
	})
	return told, failed("read the feed", err)
}
