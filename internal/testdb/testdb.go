// Package testdb gives each test a PostgreSQL database of its own, with the
// ledger's schema in it. Databases are cloned from a template that is made once
// for each state of the migrations, which takes some milliseconds.
//
// Only tests import it.
package testdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"closeloop/ledger"
	"closeloop/ledger/migrations"
)

// Variable names the URL of a database whose user may create others.
const Variable = "CLOSELOOP_DATABASE_URL"

// lockID is the advisory lock under which the template is made.
const lockID = 7_214_902_551

// New returns the URL of a database with the ledger's schema, empty and for
// this test alone. It is dropped when the test ends. Without PostgreSQL the test
// fails, or is skipped when only short tests are asked for.
func New(t testing.TB) string {
	t.Helper()
	return create(t, func(ctx context.Context, admin *pgx.Conn, server string) (string, error) {
		name, err := template(ctx, admin, server)
		return "TEMPLATE " + quote(name) + strategy(ctx, admin), err
	})
}

// Empty returns the URL of a database without any schema, otherwise as [New].
func Empty(t testing.TB) string {
	t.Helper()
	return create(t, func(context.Context, *pgx.Conn, string) (string, error) { return "", nil })
}

var count atomic.Int64

// create makes a database; how adds to the statement that does.
func create(t testing.TB, how func(context.Context, *pgx.Conn, string) (string, error)) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs PostgreSQL")
	}
	server := os.Getenv(Variable)
	if server == "" {
		t.Fatal("needs PostgreSQL: run make test, or start make dev and source .closeloop/env")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	admin, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatalf("connect to %s: %v", Variable, err)
	}
	defer func() { _ = admin.Close(ctx) }()
	options, err := how(ctx, admin, server)
	if err != nil {
		t.Fatalf("make the template database: %v", err)
	}
	name := fmt.Sprintf("closeloop_test_%d_%d_%d", os.Getpid(), time.Now().UnixNano(), count.Add(1))
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+quote(name)+" "+options); err != nil {
		t.Fatalf("create a database: %v", err)
	}
	t.Cleanup(func() { drop(t, server, name) })
	return within(t, server, name)
}

// notAllowed is PostgreSQL's code for a lack of privileges.
const notAllowed = "42501"

func drop(t testing.TB, server, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	admin, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Errorf("connect to %s: %v", Variable, err)
		return
	}
	defer func() { _ = admin.Close(ctx) }()
	// Force, because a test may have left a connection open, and one that fails
	// for another reason must not fail for this too. PostgreSQL's own vacuum may
	// not be ended by force; the plain statement makes it step aside.
	_, err = admin.Exec(ctx, "DROP DATABASE "+quote(name)+" WITH (FORCE)")
	var answer *pgconn.PgError
	if errors.As(err, &answer) && answer.Code == notAllowed {
		_, err = admin.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(name))
	}
	if err != nil {
		t.Errorf("drop the database: %v", err)
	}
}

var (
	making    sync.Mutex
	templated = map[string]string{}
)

// template returns the name of the template database on the server, which it
// makes when it is not there. Other processes may want it at the same time.
func template(ctx context.Context, admin *pgx.Conn, server string) (string, error) {
	making.Lock()
	defer making.Unlock()
	if name, ok := templated[server]; ok {
		return name, nil
	}
	digest, err := digest()
	if err != nil {
		return "", err
	}
	// Each user has their own, because they own the tables in it.
	var user uint32
	if err := admin.QueryRow(ctx, "SELECT current_user::regrole::oid").Scan(&user); err != nil {
		return "", err
	}
	name := fmt.Sprintf("closeloop_template_%s_%d", digest, user)
	if _, err := admin.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(lockID)); err != nil {
		return "", err
	}
	// The lock ends with the connection too.
	defer func() { _, _ = admin.Exec(ctx, "SELECT pg_advisory_unlock($1)", int64(lockID)) }()
	var exists bool
	if err := admin.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists); err != nil {
		return "", err
	}
	if !exists {
		if err := makeTemplate(ctx, admin, server, name); err != nil {
			return "", err
		}
	}
	templated[server] = name
	return name, nil
}

// makeTemplate migrates a database under another name first, so that a template
// is always whole.
func makeTemplate(ctx context.Context, admin *pgx.Conn, server, name string) error {
	draft := name + "_draft"
	if _, err := admin.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(draft)+" WITH (FORCE)"); err != nil {
		return err
	}
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+quote(draft)); err != nil {
		return err
	}
	address, err := rename(server, draft)
	if err != nil {
		return err
	}
	if _, err := ledger.Migrate(ctx, address); err != nil {
		return err
	}
	_, err = admin.Exec(ctx, "ALTER DATABASE "+quote(draft)+" RENAME TO "+quote(name))
	return err
}

// digest identifies the migrations.
func digest() (string, error) {
	names, err := fs.Glob(migrations.Files, "*.sql")
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	for _, name := range names {
		text, err := migrations.Files.ReadFile(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(hash, "%s %d\n%s", name, len(text), text)
	}
	return hex.EncodeToString(hash.Sum(nil))[:16], nil
}

// strategy asks for the faster way to clone, where the server knows it.
func strategy(ctx context.Context, admin *pgx.Conn) string {
	var version int
	if err := admin.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil || version < 150000 {
		return ""
	}
	return " STRATEGY FILE_COPY"
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func within(t testing.TB, server, name string) string {
	t.Helper()
	address, err := rename(server, name)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// rename returns the URL with another database in it.
func rename(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		return "", fmt.Errorf("%s is not a URL like postgres://user@host:5432/database", Variable)
	}
	u.Path = "/" + name
	return u.String(), nil
}
