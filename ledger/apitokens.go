package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"closeloop/access"
)

//nolint:gosec // the names of columns
const apiTokenColumns = `id, name, coalesce(person, ''), coalesce(upstream, ''), auditor, scopes, hash, created_at, created_by,
	expires_at, revoked_at, coalesce(revoked_by, ''), last_used_at`

func scanAPIToken(row pgx.CollectableRow) (access.Token, error) {
	var t access.Token
	var hash []byte
	err := row.Scan(&t.ID, &t.Name, &t.Person, &t.Upstream, &t.Auditor, &t.Scopes, &hash, &t.CreatedAt, &t.CreatedBy,
		&t.ExpiresAt, &t.RevokedAt, &t.RevokedBy, &t.LastUsedAt)
	copy(t.Hash[:], hash)
	return t, err
}

// KeepAPIToken stores a new API token.
func (l *Ledger) KeepAPIToken(ctx context.Context, t access.Token) error {
	const insert = `INSERT INTO api_token (id, name, hash, person, upstream, auditor, scopes, created_at, created_by, expires_at)
VALUES ($1, $2, $3, nullif($4, ''), nullif($5, ''), $6, $7, $8, $9, $10)`
	_, err := l.pool.Exec(ctx, insert, t.ID, storable(t.Name), t.Hash[:], storable(t.Person), storable(t.Upstream), t.Auditor, t.Scopes,
		stamp(t.CreatedAt), storable(t.CreatedBy), stamp(t.ExpiresAt))
	return failed("keep the token "+t.ID, err)
}

// APIToken returns the API token of that id, whatever has become of it; the
// error is [ErrNotFound] when there was never one.
func (l *Ledger) APIToken(ctx context.Context, id string) (access.Token, error) {
	return l.oneAPIToken(ctx, "find the token "+id, `SELECT `+apiTokenColumns+` FROM api_token WHERE id = $1`, storable(id))
}

// APITokens returns all API tokens, the latest first.
func (l *Ledger) APITokens(ctx context.Context) ([]access.Token, error) {
	const doing = "list the tokens"
	rows, err := l.pool.Query(ctx, `SELECT `+apiTokenColumns+` FROM api_token ORDER BY created_at DESC, id`)
	if err != nil {
		return nil, failed(doing, err)
	}
	tokens, err := pgx.CollectRows(rows, scanAPIToken)
	return tokens, failed(doing, err)
}

// RevokeAPIToken ends an API token and returns it. One that was revoked before
// stays as it is: who did it first, and when. The error is [ErrNotFound] when
// there is no such token.
func (l *Ledger) RevokeAPIToken(ctx context.Context, id, by string, at time.Time) (access.Token, error) {
	const update = `UPDATE api_token SET revoked_at = coalesce(revoked_at, $2), revoked_by = coalesce(revoked_by, $3)
WHERE id = $1 RETURNING ` + apiTokenColumns
	return l.oneAPIToken(ctx, "revoke the token "+id, update, storable(id), stamp(at), storable(by))
}

// APITokenUsed notes that the token was used at that instant; what is noted
// never goes back.
func (l *Ledger) APITokenUsed(ctx context.Context, id string, at time.Time) error {
	const update = `UPDATE api_token SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)`
	_, err := l.pool.Exec(ctx, update, storable(id), stamp(at))
	return failed("note the use of the token "+id, err)
}

func (l *Ledger) oneAPIToken(ctx context.Context, doing, query string, args ...any) (access.Token, error) {
	rows, err := l.pool.Query(ctx, query, args...)
	if err != nil {
		return access.Token{}, failed(doing, err)
	}
	t, err := pgx.CollectExactlyOneRow(rows, scanAPIToken)
	return t, failed(doing, err)
}
