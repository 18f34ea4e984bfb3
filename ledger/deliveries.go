package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"closeloop/upstream"
)

var _ upstream.Register = (*Ledger)(nil)

const deliveryColumns = `upstream, delivery_id, received_at, event, refs, body, signed, state, outcome, reason, attempts, settled_at`

func scanDelivery(row pgx.CollectableRow) (upstream.Kept, error) {
	var k upstream.Kept
	err := row.Scan(&k.Upstream, &k.ID, &k.ReceivedAt, &k.Event, &k.Refs, &k.Body, &k.Signed,
		&k.State, &k.Outcome, &k.Reason, &k.Attempts, &k.SettledAt)
	return k, err
}

// KeepDelivery keeps a delivery before anything is done about it. One that was
// kept before, under the same id or with the same signed content, is returned as
// it is, and counted as another attempt while nothing came of it; fresh is false
// then.
func (l *Ledger) KeepDelivery(ctx context.Context, k upstream.Kept) (kept upstream.Kept, fresh bool, err error) {
	const doing = "keep a delivery"
	const insert = `INSERT INTO delivery (upstream, delivery_id, signed, received_at, event, refs, body)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`
	added, err := l.pool.Exec(ctx, insert, k.Upstream, storable(k.ID), k.Signed, stamp(k.ReceivedAt), storable(k.Event), orNone(k.Refs), k.Body)
	if err != nil {
		return kept, false, failed(doing, err)
	}
	if added.RowsAffected() == 1 {
		kept, err = l.Delivery(ctx, k.Upstream, k.ID)
		return kept, true, err
	}
	const again = `UPDATE delivery d SET attempts = attempts + CASE WHEN state IN ('received', 'failed') THEN 1 ELSE 0 END
WHERE (upstream, delivery_id) = (SELECT upstream, delivery_id FROM delivery
	WHERE upstream = $1 AND (delivery_id = $2 OR signed = $3) ORDER BY delivery_id = $2 DESC LIMIT 1)
RETURNING ` + deliveryColumns
	rows, err := l.pool.Query(ctx, again, k.Upstream, storable(k.ID), k.Signed)
	if err != nil {
		return kept, false, failed(doing, err)
	}
	kept, err = pgx.CollectExactlyOneRow(rows, scanDelivery)
	return kept, false, failed(doing, err)
}

// Delivery returns a delivery that is kept, or [ErrNotFound].
func (l *Ledger) Delivery(ctx context.Context, system, id string) (upstream.Kept, error) {
	const doing = "read a delivery"
	rows, err := l.pool.Query(ctx, `SELECT `+deliveryColumns+` FROM delivery WHERE upstream = $1 AND delivery_id = $2`, storable(system), storable(id))
	if err != nil {
		return upstream.Kept{}, failed(doing, err)
	}
	k, err := pgx.CollectExactlyOneRow(rows, scanDelivery)
	return k, failed(doing, err)
}

// Settle notes what came of a delivery, unless that is known already.
func (l *Ledger) Settle(ctx context.Context, system, id string, r upstream.Result) error {
	const update = `UPDATE delivery SET state = $3, outcome = $4, reason = $5,
	settled_at = CASE WHEN $3 = 'received' THEN NULL ELSE now() END
WHERE upstream = $1 AND delivery_id = $2 AND state IN ('received', 'failed')`
	_, err := l.pool.Exec(ctx, update, system, storable(id), string(r.State), storable(r.Outcome()), storable(r.Reason()))
	return failed("settle a delivery", err)
}

// TakeUp makes a delivery one that nothing came of yet, so that it is processed
// once more. It returns it, or [ErrNotFound].
func (l *Ledger) TakeUp(ctx context.Context, system, id string) (upstream.Kept, error) {
	const doing = "take up a delivery"
	const update = `UPDATE delivery SET state = 'received', settled_at = NULL, attempts = attempts + 1
WHERE upstream = $1 AND delivery_id = $2 RETURNING ` + deliveryColumns
	rows, err := l.pool.Query(ctx, update, storable(system), storable(id))
	if err != nil {
		return upstream.Kept{}, failed(doing, err)
	}
	k, err := pgx.CollectExactlyOneRow(rows, scanDelivery)
	return k, failed(doing, err)
}

// maxWaiting bounds how many deliveries wait for one ticket.
const maxWaiting = 100

// Waiting are the deliveries about the ticket of which nothing came yet, in the
// order in which they came.
func (l *Ledger) Waiting(ctx context.Context, system, ref string) ([]upstream.Kept, error) {
	const doing = "look for deliveries that wait"
	const query = `SELECT ` + deliveryColumns + ` FROM delivery
WHERE state = 'received' AND upstream = $1 AND refs @> ARRAY[$2::text] ORDER BY received_at, delivery_id LIMIT $3`
	rows, err := l.pool.Query(ctx, query, system, storable(ref), maxWaiting)
	if err != nil {
		return nil, failed(doing, err)
	}
	list, err := pgx.CollectRows(rows, scanDelivery)
	return list, failed(doing, err)
}

// DeliveryFilter says which deliveries a list has.
type DeliveryFilter struct {
	// Upstream is the name of the system; empty for all.
	Upstream string
	// State is theirs; empty for all.
	State upstream.DeliveryState
	// Limit is the number of rows; outside 1 to [MaxLimit] it is brought there, with
	// [DefaultLimit] for none.
	Limit int
}

// Deliveries returns deliveries without their bodies, the newest first.
func (l *Ledger) Deliveries(ctx context.Context, f DeliveryFilter) ([]upstream.Kept, error) {
	const doing = "list deliveries"
	const query = `SELECT upstream, delivery_id, received_at, event, refs, ''::bytea, ''::bytea, state, outcome, reason, attempts, settled_at
FROM delivery WHERE ($1 = '' OR upstream = $1) AND ($2 = '' OR state = $2)
ORDER BY received_at DESC, upstream, delivery_id LIMIT $3`
	rows, err := l.pool.Query(ctx, query, storable(f.Upstream), string(f.State), bounded(f.Limit, DefaultLimit, MaxLimit))
	if err != nil {
		return nil, failed(doing, err)
	}
	list, err := pgx.CollectRows(rows, scanDelivery)
	return list, failed(doing, err)
}

// Hold gives the ticket to nobody else while f is at work on it, and keeps what f
// made of it when that returns nil. Other processes wait as well. f may take its
// time, so only half of the connections are ever given away like this.
func (l *Ledger) Hold(ctx context.Context, ref string, f func(*upstream.Ticket) error) error {
	const doing = "hold a ticket"
	select {
	case l.holds <- struct{}{}:
		defer func() { <-l.holds }()
	case <-ctx.Done():
		return failed(doing, ctx.Err())
	}
	var inside error
	err := pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO upstream_ticket (ref) VALUES ($1) ON CONFLICT DO NOTHING`, storable(ref)); err != nil {
			return err
		}
		t := upstream.Ticket{Ref: ref}
		var stateAt, askedAt *time.Time
		const find = `SELECT requirement_id, state, state_at, title, description, asked_at, customer
FROM upstream_ticket WHERE ref = $1 FOR UPDATE`
		err := tx.QueryRow(ctx, find, storable(ref)).Scan(&t.Requirement, &t.State, &stateAt, &t.Title, &t.Description, &askedAt, &t.Customer)
		if err != nil {
			return err
		}
		t.StateAt, t.AskedAt = orZero(stateAt), orZero(askedAt)
		if inside = f(&t); inside != nil {
			return inside
		}
		const update = `UPDATE upstream_ticket SET requirement_id = $2, state = $3, state_at = $4,
	title = $5, description = $6, asked_at = $7, customer = $8 WHERE ref = $1`
		_, err = tx.Exec(ctx, update, storable(ref), t.Requirement, string(t.State), stampOrNull(&t.StateAt),
			t.Title, t.Description, stampOrNull(&t.AskedAt), storable(t.Customer))
		return err
	})
	if inside != nil {
		return fmt.Errorf("%s: %w", ref, inside)
	}
	return failed(doing, err)
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
