package pg

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"closeloop/devstack/ports"
	"closeloop/devstack/proc"
)

const (
	dataName     = "data"
	passwordName = "password"

	// Superuser is the role that owns the cluster.
	Superuser = "postgres"
)

// Options say how a cluster is to be run.
type Options struct {
	StateDir string // absolute; the cluster goes into it, or beside it, see place
	LogFile  string
	Port     int
	// Durable makes PostgreSQL wait for the disk at every commit, so that
	// even a power cut loses nothing. Without it a commit still survives the
	// death of every process (the operating system has it), which is all that
	// a stack for one test run needs, and is much faster.
	Durable bool
	Say     func(format string, args ...any) // news for the user
	Output  io.Writer                        // of package managers
}

// Cluster is a running PostgreSQL server.
type Cluster struct {
	opts     Options
	user     runUser
	bin      binaries
	dir      string
	password string

	mu       sync.Mutex
	cmd      *exec.Cmd
	exited   chan struct{} // closed when cmd has ended
	stopping bool
	failed   chan error
}

// Start brings the cluster of a state directory up, and makes it first when
// there is none.
func Start(ctx context.Context, opts Options) (*Cluster, error) {
	c := &Cluster{opts: opts, failed: make(chan error, 1)}
	var err error
	if c.user, err = currentRunUser(); err != nil {
		return nil, err
	}
	var note string
	if c.dir, note, err = place(opts.StateDir, c.user); err != nil {
		return nil, err
	}
	if note != "" {
		opts.Say("%s", note)
	}
	if err := stopLeftover(c.data()); err != nil {
		return nil, err
	}

	major, err := c.existing()
	if err != nil {
		return nil, err
	}
	if c.bin, err = find(ctx, c.user, major); err != nil {
		return nil, err
	}
	if c.bin.dir == "" {
		if err := install(ctx, opts.Say, opts.Output); err != nil {
			return nil, err
		}
		// The package may have brought the user postgres along; that one it
		// must be from now on, unless a cluster of another's is here already.
		if major == 0 {
			if c.user, err = currentRunUser(); err != nil {
				return nil, err
			}
		}
		if c.bin, err = find(ctx, c.user, major); err != nil {
			return nil, err
		}
		if c.bin.dir == "" {
			return nil, fmt.Errorf("PostgreSQL was installed, but none of version %d or newer that user %s can run was found; "+
				"name the directory of its programs in %s", oldest, c.user.name, binEnv)
		}
	}
	if major == 0 {
		if err := c.create(ctx); err != nil {
			return nil, err
		}
	}
	if err := c.launch(ctx); err != nil {
		return nil, err
	}
	go c.supervise() //nolint:gosec,contextcheck // ctx is for the start; the server lives until Stop
	return c, nil
}

func (c *Cluster) data() string { return filepath.Join(c.dir, dataName) }

// existing gives the major version of the cluster in the directory, 0 when
// there is none, and reads its password and owner.
func (c *Cluster) existing() (major int, err error) {
	version, err := os.ReadFile(filepath.Join(c.data(), "PG_VERSION"))
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("cannot read the database cluster (was it made by another user?): %w", err)
	}
	if major, err = strconv.Atoi(strings.TrimSpace(string(version))); err != nil {
		return 0, fmt.Errorf("%s/PG_VERSION: %w", c.data(), err)
	}
	if c.user, err = ownerOf(c.data()); err != nil {
		return 0, fmt.Errorf("owner of %s: %w", c.data(), err)
	}
	password, err := os.ReadFile(filepath.Join(c.dir, passwordName))
	if err != nil {
		return 0, fmt.Errorf("the cluster's password is gone; delete %s to start anew: %w", c.opts.StateDir, err)
	}
	c.password = strings.TrimSpace(string(password))
	return major, nil
}

// create makes the cluster in a directory beside and renames it at the end:
// one that was interrupted half-way is not taken for a cluster.
func (c *Cluster) create(ctx context.Context) error {
	fresh := c.data() + ".new"
	passwordFile := filepath.Join(c.dir, passwordName)
	c.password = rand.Text()
	err := errors.Join(
		os.RemoveAll(fresh),
		os.RemoveAll(passwordFile),
		os.Mkdir(fresh, 0o700),
		c.user.own(fresh),
		os.WriteFile(passwordFile, []byte(c.password+"\n"), 0o600),
		c.user.own(passwordFile), // initdb reads it, as that user
	)
	if err != nil {
		return err
	}
	args := []string{
		"--pgdata", fresh, "--username", Superuser,
		// A password, not "trust": other users of the machine can reach the
		// port too, and a superuser of PostgreSQL can run programs.
		"--auth", "scram-sha-256", "--pwfile", passwordFile,
		// C.UTF-8 is on every machine and sorts the same on all of them.
		"--encoding", "UTF8", "--locale", "C.UTF-8",
	}
	if !c.opts.Durable {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, c.bin.path("initdb"), args...)
	cmd.Dir = fresh // it may not enter ours
	c.user.become(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, strings.TrimSpace(string(out)))
	}
	return os.Rename(fresh, c.data())
}

// launch starts the server and waits until it answers.
func (c *Cluster) launch(ctx context.Context) error {
	log, err := os.OpenFile(c.opts.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	mark, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}

	onOff := map[bool]string{true: "on", false: "off"}[c.opts.Durable]
	var args []string
	args = append(args, "-D", c.data())
	for _, setting := range []string{
		"listen_addresses=" + ports.Host,
		"port=" + strconv.Itoa(c.opts.Port),
		"unix_socket_directories=", // none: no stale socket files, no path too long
		"max_connections=300",
		"shared_buffers=128MB",
		"fsync=" + onOff,
		"full_page_writes=" + onOff,
		// On in either case: a commit that was answered has left the process,
		// so a kill -9 of PostgreSQL itself cannot take it back.
		"synchronous_commit=on",
		"wal_level=minimal", "max_wal_senders=0", // nothing replicates from here
		"jit=off", // short statements only
		"timezone=UTC", "log_timezone=UTC",
		"logging_collector=off",
	} {
		args = append(args, "-c", setting)
	}
	cmd := exec.Command(c.bin.path("postgres"), args...)
	cmd.Dir = c.data()
	cmd.Stdout, cmd.Stderr = log, log
	// Settings for other clusters in our environment are not for this one.
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PG") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	c.user.become(cmd)
	proc.OwnGroup(cmd)
	exited := make(chan struct{})
	if err := c.begin(cmd, exited); err != nil {
		return err
	}

	ctx, cancel := context.WithTimeout(ctx, time.Minute) // crash recovery can take a while
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.URL(Superuser, c.password, "postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-exited:
			return fmt.Errorf("PostgreSQL ended at once: %s", c.lastLog(mark))
		case <-ctx.Done():
			c.halt()
			return fmt.Errorf("PostgreSQL does not answer on port %d: %w", c.opts.Port, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// begin starts the process, unless Stop came first.
func (c *Cluster) begin(cmd *exec.Cmd, exited chan struct{}) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping {
		return errors.New("PostgreSQL is being stopped")
	}
	// SIGINT is PostgreSQL's fast shutdown: it does not wait for clients.
	if err := proc.Start(cmd, syscall.SIGINT); err != nil {
		return fmt.Errorf("starting PostgreSQL: %w", err)
	}
	c.cmd, c.exited = cmd, exited
	go func() { _ = cmd.Wait(); close(exited) }()
	return nil
}

// lastLog is what PostgreSQL wrote since mark, shortened to what fits a message.
func (c *Cluster) lastLog(mark int64) string {
	text, err := os.ReadFile(c.opts.LogFile)
	if err != nil || int64(len(text)) < mark {
		return "see " + c.opts.LogFile
	}
	lines := strings.Split(strings.TrimSpace(string(text[mark:])), "\n")
	if len(lines) > 6 {
		lines = lines[len(lines)-6:]
	}
	return strings.Join(lines, "\n")
}

// supervise starts the server again when it ends without being told to. What
// closeloop promises is that nothing is lost then; so that can be tried.
func (c *Cluster) supervise() {
	for failures := 0; ; {
		c.mu.Lock()
		exited := c.exited
		c.mu.Unlock()
		<-exited
		c.mu.Lock()
		stopping := c.stopping
		c.mu.Unlock()
		if stopping {
			return
		}
		if failures == 0 {
			c.opts.Say("PostgreSQL ended by itself; starting it again (see %s)", c.opts.LogFile)
		}
		// Its orphaned backends need a moment to notice and leave; until then
		// a new server refuses to start.
		time.Sleep(500 * time.Millisecond)
		if err := c.launch(context.Background()); err != nil {
			if failures++; failures >= 20 {
				c.failed <- fmt.Errorf("PostgreSQL could not be started again: %w", err)
				return
			}
			continue
		}
		failures = 0
		c.opts.Say("PostgreSQL is back")
	}
}

// Failed yields an error if the server is down for good.
func (c *Cluster) Failed() <-chan error { return c.failed }

// Stop ends the server with a fast shutdown.
func (c *Cluster) Stop() {
	c.mu.Lock()
	c.stopping = true
	c.mu.Unlock()
	c.halt()
}

func (c *Cluster) halt() {
	c.mu.Lock()
	cmd, exited := c.cmd, c.exited
	c.mu.Unlock()
	for _, step := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGINT, 10 * time.Second}, {syscall.SIGQUIT, 5 * time.Second}, {syscall.SIGKILL, 5 * time.Second}} {
		// To the server process alone, it tells its children itself.
		_ = cmd.Process.Signal(step.signal)
		select {
		case <-exited:
			return
		case <-time.After(step.wait):
		}
	}
}

// URL is the address of a database in the cluster.
func (c *Cluster) URL(role, password, database string) string {
	return (&url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(role, password),
		Host:     ports.Address(c.opts.Port),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}).String()
}

// Password is the one of all roles in the cluster.
func (c *Cluster) Password() string { return c.password }

// Describe says what runs and where, for people.
func (c *Cluster) Describe() string {
	return fmt.Sprintf("PostgreSQL %d, run by %s, in %s", c.bin.major, c.user.name, c.dir)
}

// EnsureDatabase makes the role and the database that it owns, unless they
// are there. The role may make further databases (tests do) and is no
// superuser.
func (c *Cluster) EnsureDatabase(ctx context.Context, role, database string) error {
	conn, err := pgx.Connect(ctx, c.URL(Superuser, c.password, "postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()

	roleName, databaseName := pgx.Identifier{role}.Sanitize(), pgx.Identifier{database}.Sanitize()
	var there bool
	if err := conn.QueryRow(ctx, "select exists (select from pg_roles where rolname = $1)", role).Scan(&there); err != nil {
		return err
	}
	if !there {
		// The password is letters and digits (rand.Text), so it needs no quoting.
		if _, err := conn.Exec(ctx, "create role "+roleName+" login createdb password '"+c.password+"'"); err != nil {
			return fmt.Errorf("creating role %s: %w", role, err)
		}
	}
	if err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", database).Scan(&there); err != nil {
		return err
	}
	if !there {
		if _, err := conn.Exec(ctx, "create database "+databaseName+" owner "+roleName); err != nil {
			return fmt.Errorf("creating database %s: %w", database, err)
		}
	}
	return nil
}
