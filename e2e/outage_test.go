package e2e_test

import (
	"io"
	"net"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// gate is a way to the database that can be shut.
type gate struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	shut  bool
	conns []net.Conn
}

func newGate(t *testing.T, target string) *gate {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g := &gate{listener: listener, target: target}
	t.Cleanup(func() { _ = listener.Close(); g.setShut(true) })
	go g.serve()
	return g
}

func (g *gate) serve() {
	for {
		in, err := g.listener.Accept()
		if err != nil {
			return
		}
		g.mu.Lock()
		out, err := net.Dial("tcp", g.target)
		if g.shut || err != nil {
			_ = in.Close()
			g.mu.Unlock()
			continue
		}
		g.conns = append(g.conns, in, out)
		g.mu.Unlock()
		go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
		go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
	}
}

// setShut cuts all connections and refuses new ones, or lets them through.
func (g *gate) setShut(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
	for _, c := range g.conns {
		_ = c.Close()
	}
	g.conns = nil
}

// TestDatabaseOutage: while the worker cannot reach the database acts are still
// answered; afterwards the ledger has everything, with its true times.
func TestDatabaseOutage(t *testing.T) {
	t.Parallel()
	database, err := url.Parse(os.Getenv("CLOSELOOP_DATABASE_URL"))
	require.NoError(t, err)
	g := newGate(t, database.Host)
	gated := *database
	gated.Host = g.listener.Addr().String()
	o := newOffice(t, func(o *office) {
		o.policy = repoFile("e2e", "testdata", "calm.yaml")
		o.env = append(o.env, "CLOSELOOP_DATABASE_URL="+gated.String())
	})
	id := o.submit(t, "--as", "wang.fang")

	g.setShut(true)
	away := time.Now()
	// The first act may wait for the local attempt to give up; none fails.
	o.run(t, "triage", id, "--as", "wang.fang")
	o.run(t, "assign", id, "--as", "wang.fang", "--to", "li.na", "--department", "service")
	o.run(t, "respond", id, "--as", "li.na", "--method", "phone", "--message", "我们在看")
	require.Equal(t, 5, o.try(t, "history", id).status, "the ledger cannot be read")
	require.Equal(t, "executing", o.show(t, id)["stage"], "the requirement itself can")
	back := time.Now()
	g.setShut(false)

	o.run(t, "resolve", id, "--as", "li.na", "--solution", "好了")
	o.run(t, "confirm", id, "--as", "customer")
	settled(t, id)
	o.sameAsHistory(t, id)
	for _, e := range o.history(t, id) {
		if e["kind"] == "responded" {
			require.WithinRange(t, instant(t, e["at"]), away, back, "the fact keeps its time")
		}
	}
}
