package testdb_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"closeloop/internal/testdb"
)

// count returns the number of rows of a query in the database of that URL.
func count(t *testing.T, url, query string, args ...any) int {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	var n int
	require.NoError(t, conn.QueryRow(t.Context(), query, args...).Scan(&n))
	return n
}

func TestDatabasesAreApartAndDropped(t *testing.T) {
	t.Parallel()
	home := testdb.New(t)
	var first string
	t.Run("inside", func(t *testing.T) {
		first = testdb.New(t)
		second := testdb.New(t)
		require.NotEqual(t, first, second)
		require.Zero(t, count(t, first, "SELECT count(*) FROM requirement"))
		require.Equal(t, 1, count(t, first, "WITH new AS (INSERT INTO process VALUES ('x', '{}') RETURNING 1) SELECT count(*) FROM new"))
		require.Zero(t, count(t, second, "SELECT count(*) FROM process"))
		require.Zero(t, count(t, testdb.Empty(t), "SELECT count(*) FROM pg_class WHERE relname = 'requirement'"))
	})
	config, err := pgx.ParseConfig(first)
	require.NoError(t, err)
	require.Zero(t, count(t, home, "SELECT count(*) FROM pg_database WHERE datname = $1", config.Database))
}

func TestWithoutPostgreSQL(t *testing.T) {
	t.Setenv(testdb.Variable, "")
	stub := &recorder{TB: t}
	func() {
		defer func() { _ = recover() }()
		testdb.New(stub)
	}()
	if testing.Short() {
		require.Equal(t, "needs PostgreSQL", stub.skipped)
		return
	}
	require.Equal(t, "needs PostgreSQL: run make test, or start make dev and source .closeloop/env", stub.failed)
}

// recorder is a test that notes how it ends.
type recorder struct {
	testing.TB
	failed, skipped string
}

func (r *recorder) Fatal(args ...any) {
	r.failed = fmt.Sprint(args...)
	panic("ended")
}

func (r *recorder) Skip(args ...any) {
	r.skipped = fmt.Sprint(args...)
	panic("ended")
}
