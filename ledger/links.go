package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"closeloop/requirement"
)

// LinkVersion returns the version that links of the recipient have now, from 1:
// those of a lower one were revoked. A recipient is customer or a person's id; a
// requirement that is not in the ledger has had no links revoked.
func (l *Ledger) LinkVersion(ctx context.Context, id, recipient string) (int, error) {
	const query = `SELECT coalesce(max(version), 0) + 1 FROM link WHERE requirement_id = $1 AND recipient = $2`
	var version int
	err := l.pool.QueryRow(ctx, query, storable(id), storable(recipient)).Scan(&version)
	return version, failed("find the version of the links of "+id, err)
}

// Revoked is the end of all links of a recipient up to a version.
type Revoked struct {
	Version int       `json:"version"`
	At      time.Time `json:"revoked_at"`
	By      string    `json:"revoked_by"`
}

// RevokeLinks ends all links of the recipient that there are; new ones have the
// next version. Of two who revoke at once one does, and both are told. The error
// is [ErrNotFound] when the requirement is not in the ledger.
func (l *Ledger) RevokeLinks(ctx context.Context, id, recipient, by string) (Revoked, error) {
	const insert = `INSERT INTO link (requirement_id, recipient, version, revoked_by)
SELECT id, $2, 1 + coalesce((SELECT max(version) FROM link WHERE requirement_id = $1 AND recipient = $2), 0), $3
FROM requirement WHERE id = $1 ON CONFLICT DO NOTHING`
	doing := "revoke the links of " + id
	if _, err := l.pool.Exec(ctx, insert, storable(id), storable(recipient), storable(by)); err != nil {
		return Revoked{}, failed(doing, err)
	}
	const latest = `SELECT version, revoked_at, revoked_by FROM link
WHERE requirement_id = $1 AND recipient = $2 ORDER BY version DESC LIMIT 1`
	var r Revoked
	err := l.pool.QueryRow(ctx, latest, storable(id), storable(recipient)).Scan(&r.Version, &r.At, &r.By)
	return r, failed(doing, err)
}

// LatestOf returns the latest events of those kinds, at most limit of them, the
// oldest first. One that is not in the ledger has none.
func (l *Ledger) LatestOf(ctx context.Context, id string, kinds []requirement.Kind, limit int) ([]requirement.Event, error) {
	const query = `SELECT * FROM (
	SELECT ` + eventColumns + ` FROM event WHERE requirement_id = $1 AND kind = ANY ($2) ORDER BY seq DESC LIMIT $3
) latest ORDER BY seq`
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	rows, err := l.pool.Query(ctx, query, storable(id), names, bounded(limit, MaxEvents, MaxEvents))
	if err != nil {
		return nil, failed("read the events of "+id, err)
	}
	events, err := pgx.CollectRows(rows, scanEvent)
	return events, failed("read the events of "+id, err)
}
