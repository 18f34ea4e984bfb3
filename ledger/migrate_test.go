package ledger_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"closeloop/internal/testdb"
	"closeloop/ledger"
	"closeloop/whatif"
)

func TestMigrateFromSeveralStarters(t *testing.T) {
	t.Parallel()
	url := testdb.Empty(t)
	l, err := ledger.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(l.Close)
	err = l.SchemaCurrent(t.Context())
	require.ErrorIs(t, err, ledger.ErrSchema)
	require.ErrorContains(t, err, "run closeloop migrate")
	require.ErrorContains(t, err, "version 0")
	_, err = l.Get(t.Context(), "REQ-1")
	require.ErrorIs(t, err, ledger.ErrSchema, "also when nobody asked before")

	var group sync.WaitGroup
	results := make([]ledger.Applied, 3)
	errs := make([]error, 3)
	for i := range results {
		group.Go(func() { results[i], errs[i] = ledger.Migrate(context.Background(), url) })
	}
	group.Wait()
	files := 0
	for i, applied := range results {
		require.NoError(t, errs[i])
		require.Positive(t, applied.Version)
		require.Equal(t, results[0].Version, applied.Version)
		files += len(applied.Files)
	}
	require.Equal(t, int(results[0].Version), files, "each migration ran once")
	require.NoError(t, l.SchemaCurrent(t.Context()))

	again, err := ledger.Migrate(t.Context(), url)
	require.NoError(t, err)
	require.Empty(t, again.Files)
}

func TestSchemaThatIsAheadIsFine(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	_, err := conn.Exec(t.Context(), "INSERT INTO closeloop_schema (version_id, is_applied) VALUES (99999, true)")
	require.NoError(t, err)
	require.NoError(t, l.SchemaCurrent(t.Context()))
}

// Every table and every column that does not speak for itself is explained in
// the database.
func TestTablesAreExplained(t *testing.T) {
	t.Parallel()
	_, conn := open(t)
	require.Empty(t, table(t, conn, `SELECT relname FROM pg_class
		WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'closeloop_schema' AND obj_description(oid) IS NULL`))
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	// A port that was free a moment ago, and is not listened on.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	url := "postgres://me:secret@" + address + "/closeloop"
	l, err := ledger.Open(t.Context(), url)
	require.NoError(t, err, "it need not be there yet")
	t.Cleanup(l.Close)
	for name, ask := range map[string]func() error{
		"ping":   func() error { return l.Ping(t.Context()) },
		"schema": func() error { return l.SchemaCurrent(t.Context()) },
		"get":    func() error { _, err := l.Get(t.Context(), "REQ-1"); return err },
		"list":   func() error { _, err := l.List(t.Context(), ledger.Filter{}); return err },
		"write":  func() error { _, err := l.Write(t.Context(), life(t, "REQ-1")[0], nil); return err },
		"listen": func() error { return l.Listen(t.Context(), func(string) {}) },
		"lives": func() error {
			return l.Lives(t.Context(), time.Time{}, time.Time{}, func(whatif.Life) error { return nil })
		},
		"migrate": func() error { _, err := ledger.Migrate(t.Context(), url); return err },
	} {
		err := ask()
		require.ErrorIs(t, err, ledger.ErrUnreachable, name)
		require.NotErrorIs(t, err, ledger.ErrNotFound, name)
		require.NotContains(t, err.Error(), "secret", name)
	}
}

func TestAServerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	l, err := ledger.Open(t.Context(), "postgres://me@"+listener.Addr().String()+"/closeloop")
	require.NoError(t, err)
	t.Cleanup(l.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, l.Ping(ctx), ledger.ErrUnreachable)
}

func TestDatabaseURL(t *testing.T) {
	t.Parallel()
	_, err := ledger.Open(t.Context(), "")
	require.ErrorContains(t, err, "CLOSELOOP_DATABASE_URL")
	_, err = ledger.Open(t.Context(), "postgres://me:secret@host:notaport/x")
	require.ErrorContains(t, err, "the database URL is wrong")
	require.False(t, strings.Contains(err.Error(), "secret"), err)
}

func TestListen(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := make(chan string, 10)
	ended := make(chan error, 1)
	go func() { ended <- l.Listen(ctx, func(id string) { told <- id }) }()
	require.Empty(t, <-told, "it listens")
	write(t, l, submit(t, "REQ-1", nil))
	require.Equal(t, "REQ-1", <-told)
	// What is refused is not told.
	_, err := l.Write(t.Context(), life(t, "REQ-2")[1], nil)
	require.ErrorIs(t, err, ledger.ErrGap)
	write(t, l, submit(t, "REQ-3", nil))
	require.Equal(t, "REQ-3", <-told)
	cancel()
	require.NoError(t, <-ended)

	// A connection that is cut off is told from an end that was asked for.
	go func() { ended <- l.Listen(t.Context(), func(id string) { told <- id }) }()
	require.Empty(t, <-told)
	cut(t, conn, "LISTEN")
	require.ErrorIs(t, <-ended, ledger.ErrUnreachable)
}

// cut ends the server's side of the connections whose last statement begins so.
func cut(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	_, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND query LIKE $1 || '%' AND pid <> pg_backend_pid()`, statement)
	require.NoError(t, err)
}
