package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"closeloop/requirement"
	"closeloop/sla"
)

// Entry is what the ledger has of a requirement and an audit compares.
type Entry struct {
	ID           string            `db:"id"`
	Stage        requirement.Stage `db:"stage"`
	Owner        string            `db:"owner"`
	OnHold       bool              `db:"on_hold"`
	Breached     bool              `db:"breached"`
	NextDeadline *time.Time        `db:"next_deadline"`
	// NextMarkAt is when a clock next reaches a mark.
	NextMarkAt *time.Time `db:"next_mark_at"`
	Seq        int        `db:"seq"`
	UpdatedAt  time.Time  `db:"updated_at"`
	ClosedAt   *time.Time `db:"closed_at"`
}

// Standing is where the ledger stands with the requirement.
func (e Entry) Standing() requirement.Standing {
	return requirement.Standing{Seq: e.Seq, At: e.UpdatedAt}
}

const entryColumns = `id, stage, owner, on_hold, breached, next_deadline, next_mark_at, seq, updated_at, closed_at`

// OpenEntries returns the requirements that are not closed, in the order of
// their ids, after the id `after`; at most limit of them, 1000 when that is not
// positive.
func (l *Ledger) OpenEntries(ctx context.Context, after string, limit int) ([]Entry, error) {
	const query = `SELECT ` + entryColumns + ` FROM requirement WHERE closed_at IS NULL AND id > $1 ORDER BY id LIMIT $2`
	return l.entries(ctx, query, storable(after), bounded(limit, 1_000, 10_000))
}

// Entries returns those of the requirements that the ledger has, open or not, by
// id.
func (l *Ledger) Entries(ctx context.Context, ids []string) (map[string]Entry, error) {
	list, err := l.entries(ctx, `SELECT `+entryColumns+` FROM requirement WHERE id = ANY ($1)`, orNone(ids))
	found := make(map[string]Entry, len(list))
	for _, e := range list {
		found[e.ID] = e
	}
	return found, err
}

func (l *Ledger) entries(ctx context.Context, query string, args ...any) ([]Entry, error) {
	rows, err := l.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, failed("read what there is to audit", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Entry])
	return list, failed("read what there is to audit", err)
}

// LiveEscalation is an escalation whose workflow should run.
type LiveEscalation struct {
	RequirementID string                      `db:"requirement_id"`
	ID            string                      `db:"id"`
	State         requirement.EscalationState `db:"state"`
}

// LiveEscalations returns the escalations that were started and have not ended,
// of the requirements with ids after `after` up to `last`; an empty last is no
// limit.
func (l *Ledger) LiveEscalations(ctx context.Context, after, last string) ([]LiveEscalation, error) {
	const query = `SELECT requirement_id, id, state FROM escalation
WHERE state IN ('climbing', 'acknowledged', 'alarmed') AND requirement_id > $1 AND ($2 = '' OR requirement_id <= $2)
ORDER BY requirement_id, id`
	rows, err := l.pool.Query(ctx, query, storable(after), storable(last))
	if err != nil {
		return nil, failed("read the escalations", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[LiveEscalation])
	return list, failed("read the escalations", err)
}

// UndatedClock is a clock that ticks and has no deadline.
type UndatedClock struct {
	RequirementID string   `db:"requirement_id"`
	Name          sla.Name `db:"name"`
	Cycle         int      `db:"cycle"`
	Calendar      string   `db:"calendar"`
	// Year whose holidays the calendar lacks; zero when it lacks open hours.
	Year int `db:"year"`
	// Since is when it last began to tick.
	Since time.Time `db:"since"`
}

// UndatedClocks returns the clocks that tick and whose deadline could not be
// computed, as when a calendar has no data for the year; of the requirements
// with ids after `after` up to `last`, where an empty last is no limit.
func (l *Ledger) UndatedClocks(ctx context.Context, after, last string) ([]UndatedClock, error) {
	const query = `SELECT requirement_id, name, cycle, calendar,
	coalesce((
		SELECT (c -> 'lacks' ->> 'year')::integer FROM requirement r, jsonb_array_elements(r.state -> 'clocks') c
		WHERE r.id = requirement_id AND c ->> 'name' = clock.name AND (c ->> 'cycle')::integer = clock.cycle), 0) AS year,
	coalesce((pauses -> -1 ->> 'to')::timestamptz, started_at) AS since
FROM clock
WHERE stopped_at IS NULL AND deadline IS NULL AND (pauses = '[]' OR pauses -> -1 ? 'to')
AND requirement_id > $1 AND ($2 = '' OR requirement_id <= $2)
ORDER BY requirement_id, name, cycle`
	rows, err := l.pool.Query(ctx, query, storable(after), storable(last))
	if err != nil {
		return nil, failed("read the clocks without a deadline", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[UndatedClock])
	return list, failed("read the clocks without a deadline", err)
}
