package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"closeloop/requirement"
)

// Version is one wording of a requirement (A7).
type Version struct {
	Version     int       `json:"version"`
	Title       string    `json:"title"`
	Description string    `json:"description"`
	At          time.Time `json:"at"`
	Actor       string    `json:"actor"`
}

const (
	insertVersions = `INSERT INTO requirement_version (requirement_id, version, title, description, at, actor)
SELECT $2, version, title, description, at, actor FROM jsonb_populate_recordset(NULL::requirement_version, $1)
ON CONFLICT DO NOTHING`

	upsertText = `INSERT INTO requirement_text (requirement_id, version, tokens)
SELECT $2, version, tokens FROM jsonb_populate_record(NULL::requirement_text, $1)
ON CONFLICT (requirement_id) DO UPDATE SET version = excluded.version, tokens = excluded.tokens
WHERE requirement_text.version < excluded.version`
)

// versions stores the wordings that the events brought, and the words of the
// latest for search.
func (w *writing) versions() error {
	var rows []Version
	for _, e := range w.t.Events {
		if e.Kind != requirement.Submitted && e.Kind != requirement.Amended {
			continue
		}
		// The submission is the first version and does not say so.
		v := Version{Version: 1}
		if err := json.Unmarshal(e.Data, &v); err != nil {
			return fmt.Errorf("event %d (%s): %w", e.Seq, e.Kind, err)
		}
		v.At, v.Actor = stamp(e.At), e.Actor
		rows = append(rows, v)
	}
	if len(rows) == 0 {
		return nil
	}
	if err := w.put(insertVersions, rows, w.id()); err != nil {
		return err
	}
	latest := rows[len(rows)-1]
	return w.words(latest.Version, latest.Title, latest.Description)
}

// words stores the words of a wording for search, unless those of a later one
// are there.
func (w *writing) words(version int, title, description string) error {
	return w.put(upsertText, struct {
		Version int      `json:"version"`
		Tokens  []string `json:"tokens"`
	}{version, Tokens(title, description)}, w.id())
}

// Versions returns every wording of a requirement, the first one first. The
// error is [ErrNotFound] when the requirement is not in the ledger.
func (l *Ledger) Versions(ctx context.Context, id string) ([]Version, error) {
	const query = `SELECT version, title, description, at, actor
FROM requirement_version WHERE requirement_id = $1 ORDER BY version`
	rows, err := l.pool.Query(ctx, query, storable(id))
	if err != nil {
		return nil, failed("read the versions of "+id, err)
	}
	versions, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Version])
	if err == nil && len(versions) == 0 {
		err = pgx.ErrNoRows
	}
	return versions, failed("read the versions of "+id, err)
}
