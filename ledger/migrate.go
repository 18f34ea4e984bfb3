package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"closeloop/ledger/migrations"
)

// versions is the table in which the migrations that ran are noted.
const versions = "closeloop_schema"

// Applied says what a migration did.
type Applied struct {
	// Version is that of the schema now.
	Version int64 `json:"version"`
	// Files are the migrations that were run, in order; none when the schema was
	// up to date.
	Files []string `json:"files"`
}

// Migrate brings the database of that URL to the schema of this release. Several
// may start at once: one does the work, the others wait up to a minute for it.
// A migration that fails leaves nothing behind.
func Migrate(ctx context.Context, url string) (Applied, error) {
	config, err := configure(url)
	if err != nil {
		return Applied{}, err
	}
	config.MaxConns = 2 // one holds the lock, one works
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return Applied{}, failed("open the database", err)
	}
	defer pool.Close()
	if err := pool.Ping(ctx); err != nil {
		return Applied{}, failed("migrate the database", err)
	}
	db := stdlib.OpenDBFromPool(pool)
	defer func() { _ = db.Close() }()
	// goose asks again every few seconds whether the lock is free; its default is
	// five.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
	if err != nil {
		return Applied{}, err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Files,
		goose.WithSessionLocker(locker), goose.WithTableName(versions), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return Applied{}, err
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return Applied{}, failed("migrate the database", err)
	}
	applied := Applied{Files: []string{}}
	for _, r := range results {
		applied.Files = append(applied.Files, filepath.Base(r.Source.Path))
	}
	applied.Version, err = provider.GetDBVersion(ctx)
	return applied, failed("migrate the database", err)
}

// SchemaCurrent returns nil when the database has every migration of this
// release; one that is ahead is fine, because migrations keep the release before
// working. The error is [ErrSchema], which says what to run, or
// [ErrUnreachable].
func (l *Ledger) SchemaCurrent(ctx context.Context) error {
	needed, err := latest()
	if err != nil {
		return err
	}
	var have int64
	err = l.pool.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM `+versions+` WHERE is_applied`).Scan(&have)
	var answer *pgconn.PgError
	if errors.As(err, &answer) && answer.Code == "42P01" {
		have, err = 0, nil
	}
	if err != nil {
		return failed("look at the ledger's schema", err)
	}
	if have < needed {
		return fmt.Errorf("%w (it is at version %d, this release needs %d)", ErrSchema, have, needed)
	}
	return nil
}

// latest returns the number of the last migration.
func latest() (int64, error) {
	names, err := fs.Glob(migrations.Files, "*.sql")
	if err != nil || len(names) == 0 {
		return 0, fmt.Errorf("no migrations are built in: %w", err)
	}
	// Glob sorts, and the numbers have leading zeros.
	number, _, _ := strings.Cut(names[len(names)-1], "_")
	return strconv.ParseInt(number, 10, 64)
}
