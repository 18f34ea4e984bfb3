package ledger

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"closeloop/policy"
)

// Ledger is a database with requirements in it. It is safe for concurrent use.
type Ledger struct {
	pool *pgxpool.Pool
	// processes are rules by digest. Rules of one digest never change.
	processes sync.Map
	// holds are the tickets that are held at present; see [Ledger.Hold].
	holds chan struct{}
}

// Open returns the ledger in the database of that URL. It connects when it is
// first asked something, so that a worker may start before its database; see
// [Ledger.Ping] and [Ledger.SchemaCurrent].
func Open(ctx context.Context, url string) (*Ledger, error) {
	config, err := configure(url)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, failed("open the ledger", err)
	}
	return &Ledger{pool: pool, holds: make(chan struct{}, max(1, config.MaxConns/2))}, nil
}

// connectWithin bounds how long a connection may take to come about, unless the URL
// says it (connect_timeout).
const connectWithin = 10 * time.Second

func configure(url string) (*pgxpool.Config, error) {
	if url == "" {
		return nil, fmt.Errorf("no database is named: set CLOSELOOP_DATABASE_URL, like postgres://user@host:5432/closeloop")
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The message has the URL in it, with the password struck out.
		return nil, fmt.Errorf("the database URL is wrong: %w", err)
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "closeloop"
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectWithin
	}
	config.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		conn.TypeMap().RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		return nil
	}
	return config, nil
}

// Close waits for what is under way and closes all connections.
func (l *Ledger) Close() { l.pool.Close() }

// Ping reports whether the database answers; the error is [ErrUnreachable] when
// it does not.
func (l *Ledger) Ping(ctx context.Context) error {
	return failed("reach the ledger", l.pool.Ping(ctx))
}

// KeepProcess stores the rules under their digest. Rules that are there already
// stay as they are.
func (l *Ledger) KeepProcess(ctx context.Context, p policy.Process) error {
	if p.Digest == "" {
		return fmt.Errorf("the rules have no digest: load them from a policy file")
	}
	// Every intake asks for this, so rules that were kept before are only looked for:
	// a restored database may have lost them.
	if _, known := l.processes.Load(p.Digest); known {
		var there bool
		err := l.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM process WHERE digest = $1)`, p.Digest).Scan(&there)
		if there || err != nil {
			return failed("look for the rules "+p.Digest, err)
		}
	}
	rules, err := encode(p)
	if err != nil {
		return err
	}
	const insert = `INSERT INTO process (digest, rules) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	if _, err := l.pool.Exec(ctx, insert, p.Digest, rules); err != nil {
		return failed("keep the rules "+p.Digest, err)
	}
	l.processes.Store(p.Digest, p)
	return nil
}

// Process returns the rules of that digest, or [ErrNotFound].
func (l *Ledger) Process(ctx context.Context, digest string) (policy.Process, error) {
	if p, known := l.processes.Load(digest); known {
		return p.(policy.Process), nil
	}
	var p policy.Process
	err := l.pool.QueryRow(ctx, `SELECT rules FROM process WHERE digest = $1`, digest).Scan(&p)
	if err != nil {
		return policy.Process{}, failed("find the rules "+digest, err)
	}
	l.processes.Store(digest, p)
	return p, nil
}
