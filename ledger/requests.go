package ledger

import (
	"bytes"
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// ErrRequest says that the key was used for another request.
var ErrRequest = errors.New("the key belongs to another request")

// Request is one that is to happen once: who sends it, under which key, and the
// digest of what it asks for.
type Request struct {
	Principal string
	Key       string
	Digest    []byte
}

// requestLife is how long a request is known again.
const requestLife = "interval '24 hours'"

// BeginRequest notes that a request is under way, and returns the answer that
// the same one was given before, or nil. A request may be under way twice: what
// it does must happen once all the same. The error is [ErrRequest] when another
// request has the key.
func (l *Ledger) BeginRequest(ctx context.Context, r Request) ([]byte, error) {
	const statement = `INSERT INTO request (principal, key, digest) VALUES ($1, $2, $3)
ON CONFLICT (principal, key) DO UPDATE SET (digest, answer, created_at) =
	(SELECT excluded.digest, NULL::bytea, now() WHERE request.created_at < now() - ` + requestLife + `
	UNION ALL SELECT request.digest, request.answer, request.created_at WHERE request.created_at >= now() - ` + requestLife + `)
RETURNING digest, answer`
	var digest, answer []byte
	err := l.pool.QueryRow(ctx, statement, storable(r.Principal), storable(r.Key), r.Digest).Scan(&digest, &answer)
	switch {
	case err != nil:
		return nil, failed("note a request", err)
	case !bytes.Equal(digest, r.Digest):
		return nil, ErrRequest
	default:
		return answer, nil
	}
}

// AnswerRequest keeps the answer to a request and returns the one that counts:
// that of whoever was first.
func (l *Ledger) AnswerRequest(ctx context.Context, r Request, answer []byte) ([]byte, error) {
	const statement = `INSERT INTO request (principal, key, digest, answer) VALUES ($1, $2, $3, $4)
ON CONFLICT (principal, key) DO UPDATE SET answer = coalesce(request.answer, excluded.answer)
WHERE request.digest = excluded.digest RETURNING answer`
	var kept []byte
	err := l.pool.QueryRow(ctx, statement, storable(r.Principal), storable(r.Key), r.Digest, answer).Scan(&kept)
	if errors.Is(err, pgx.ErrNoRows) {
		return answer, nil // it took longer than it is known again
	}
	return kept, failed("keep the answer to a request", err)
}

// DropRequest forgets a request that was refused, so that its key is free: it
// changed nothing.
func (l *Ledger) DropRequest(ctx context.Context, r Request) error {
	const statement = `DELETE FROM request WHERE principal = $1 AND key = $2 AND digest = $3 AND answer IS NULL`
	_, err := l.pool.Exec(ctx, statement, storable(r.Principal), storable(r.Key), r.Digest)
	return failed("forget a request", err)
}

// ForgetRequests deletes requests that are not known again any more, at most
// limit of them, and returns how many.
func (l *Ledger) ForgetRequests(ctx context.Context, limit int) (int, error) {
	const statement = `DELETE FROM request WHERE (principal, key) IN (
	SELECT principal, key FROM request WHERE created_at < now() - ` + requestLife + ` ORDER BY created_at LIMIT $1)`
	done, err := l.pool.Exec(ctx, statement, limit)
	return int(done.RowsAffected()), failed("forget requests", err)
}
