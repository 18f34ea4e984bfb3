package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"closeloop/requirement"
)

// Receipt is what the ledger knows of a requirement without looking into it.
type Receipt struct {
	ID    string            `json:"id"`
	Stage requirement.Stage `json:"stage"`
	// Ref is the external reference; empty when there is none.
	Ref string `json:"ref,omitempty"`
	// Origin is the workflow run that took the requirement in.
	Origin string `json:"origin,omitempty"`
	// ClosedAt is nil while the requirement has not ended.
	ClosedAt *time.Time `json:"closed_at"`
	// Seq is the number of its latest event.
	Seq int `json:"seq"`
}

// Receipt tells whether a requirement is in the ledger; the error is
// [ErrNotFound] when it is not.
func (l *Ledger) Receipt(ctx context.Context, id string) (Receipt, error) {
	const query = `SELECT stage, coalesce(ref, ''), coalesce(state ->> 'origin', ''), closed_at, seq
FROM requirement WHERE id = $1`
	r := Receipt{ID: id}
	err := l.pool.QueryRow(ctx, query, storable(id)).Scan(&r.Stage, &r.Ref, &r.Origin, &r.ClosedAt, &r.Seq)
	return r, failed("find "+id, err)
}

// Get returns a requirement as the ledger last heard of it, with its rules. The
// error is [ErrNotFound] when it is not in the ledger, or its rules are not.
func (l *Ledger) Get(ctx context.Context, id string) (*requirement.Requirement, error) {
	var state requirement.State
	if err := l.pool.QueryRow(ctx, `SELECT state FROM requirement WHERE id = $1`, storable(id)).Scan(&state); err != nil {
		return nil, failed("find "+id, err)
	}
	process, err := l.Process(ctx, state.Policy)
	if err != nil {
		return nil, failed("find "+id, err)
	}
	return requirement.Restore(state, process), nil
}

// FindRef returns the id of the requirement with that external reference (I5);
// the error is [ErrNotFound] when there is none.
func (l *Ledger) FindRef(ctx context.Context, ref string) (string, error) {
	var id string
	err := l.pool.QueryRow(ctx, `SELECT id FROM requirement WHERE ref = $1`, storable(ref)).Scan(&id)
	return id, failed("find the reference "+ref, err)
}

// Load is what somebody has to do, for the choice of an owner (T1).
type Load struct {
	// Open is how many requirements that have not ended the person owns.
	Open int
	// LastAssigned is when the person was last given one; zero for never.
	LastAssigned time.Time
}

// Load returns the load of each of those people.
func (l *Ledger) Load(ctx context.Context, people []string) (map[string]Load, error) {
	const query = `SELECT person,
	(SELECT count(*) FROM requirement WHERE owner = person AND closed_at IS NULL),
	(SELECT max(at) FROM event WHERE kind = 'assigned' AND data ->> 'to' = person)
FROM unnest($1::text[]) AS person`
	loads := make(map[string]Load, len(people))
	rows, err := l.pool.Query(ctx, query, orNone(people))
	if err != nil {
		return nil, failed("count the work of people", err)
	}
	var person string
	var open int
	var assigned *time.Time
	_, err = pgx.ForEachRow(rows, []any{&person, &open, &assigned}, func() error {
		load := Load{Open: open}
		if assigned != nil {
			load.LastAssigned = *assigned
		}
		loads[person] = load
		return nil
	})
	return loads, failed("count the work of people", err)
}
