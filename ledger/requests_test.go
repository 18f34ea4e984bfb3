package ledger_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"closeloop/internal/testdb"
	"closeloop/ledger"
)

func TestRequestsHappenOnce(t *testing.T) {
	t.Parallel()
	url := testdb.New(t)
	l, err := ledger.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(l.Close)
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	ctx := t.Context()
	one := ledger.Request{Principal: "li", Key: "k", Digest: []byte("one")}
	other := ledger.Request{Principal: "li", Key: "k", Digest: []byte("other")}
	mine := ledger.Request{Principal: "wu", Key: "k", Digest: []byte("other")}

	begin := func(r ledger.Request) string {
		t.Helper()
		answer, err := l.BeginRequest(ctx, r)
		require.NoError(t, err)
		return string(answer)
	}
	require.Empty(t, begin(one))
	require.Empty(t, begin(one), "it may be under way twice")
	require.Empty(t, begin(mine), "a key is its principal's own")
	_, err = l.BeginRequest(ctx, other)
	require.ErrorIs(t, err, ledger.ErrRequest)

	kept, err := l.AnswerRequest(ctx, one, []byte("first"))
	require.NoError(t, err)
	require.Equal(t, "first", string(kept))
	kept, err = l.AnswerRequest(ctx, one, []byte("second"))
	require.NoError(t, err)
	require.Equal(t, "first", string(kept), "who was first counts")
	require.Equal(t, "first", begin(one))

	// What was answered stays, also when a straggler is refused.
	require.NoError(t, l.DropRequest(ctx, one))
	require.Equal(t, "first", begin(one))
	require.NoError(t, l.DropRequest(ctx, mine))
	require.Empty(t, begin(ledger.Request{Principal: "wu", Key: "k", Digest: []byte("free again")}))

	// A day later the key means nothing.
	_, err = conn.Exec(ctx, `UPDATE request SET created_at = now() - interval '25 hours'`)
	require.NoError(t, err)
	require.Empty(t, begin(other))
	kept, err = l.AnswerRequest(ctx, one, []byte("late"))
	require.NoError(t, err)
	require.Equal(t, "late", string(kept), "somebody else has the key now")
	require.Empty(t, begin(other), "and their answer is not that one")
	gone, err := l.ForgetRequests(ctx, 10)
	require.NoError(t, err)
	require.Equal(t, 1, gone)
	gone, err = l.ForgetRequests(ctx, 10)
	require.NoError(t, err)
	require.Zero(t, gone)
}
