package ledger

import (
	"context"

	"github.com/jackc/pgx/v5"

	"closeloop/requirement"
)

// OpenRequirements returns requirements that have not ended, as the ledger last
// heard of them and with their rules, in the order of their ids and after the id
// `after`; at most limit of them, 500 when that is not positive.
func (l *Ledger) OpenRequirements(ctx context.Context, after string, limit int) ([]*requirement.Requirement, error) {
	const doing = "read the open requirements"
	const query = `SELECT state FROM requirement WHERE closed_at IS NULL AND id > $1 ORDER BY id LIMIT $2`
	rows, err := l.pool.Query(ctx, query, storable(after), bounded(limit, 500, 1_000))
	if err != nil {
		return nil, failed(doing, err)
	}
	states, err := pgx.CollectRows(rows, pgx.RowTo[requirement.State])
	if err != nil {
		return nil, failed(doing, err)
	}
	open := make([]*requirement.Requirement, len(states))
	for i, s := range states {
		rules, err := l.Process(ctx, s.Policy)
		if err != nil {
			return nil, failed("find "+s.ID, err)
		}
		open[i] = requirement.Restore(s, rules)
	}
	return open, nil
}

// RulesOf returns the digest of the rules that each of the requirements lives
// by; those that the ledger does not have are left out.
func (l *Ledger) RulesOf(ctx context.Context, ids []string) (map[string]string, error) {
	const doing = "look up the rules of requirements"
	rows, err := l.pool.Query(ctx, `SELECT id, policy FROM requirement WHERE id = ANY ($1)`, orNone(ids))
	if err != nil {
		return nil, failed(doing, err)
	}
	digests := make(map[string]string, len(ids))
	var id, digest string
	_, err = pgx.ForEachRow(rows, []any{&id, &digest}, func() error {
		digests[id] = digest
		return nil
	})
	return digests, failed(doing, err)
}
