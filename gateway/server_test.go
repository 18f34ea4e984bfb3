package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"closeloop/access"
	"closeloop/ledger"
	"closeloop/starter"
)

// slow are bearers that take their time.
type slow struct {
	Bearers
	asked, goOn chan struct{}
}

func (s slow) Principal(ctx context.Context, token string) (access.Principal, error) {
	if token == "slow" {
		s.asked <- struct{}{}
		<-s.goOn
		token = "wang.fang"
	}
	return s.Bearers.Principal(ctx, token)
}

// TestStopping: who is told to stop takes nothing more, ends streams, and lets
// requests end that are under way.
func TestStopping(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	bearers := slow{s.config.Bearers, make(chan struct{}), make(chan struct{})}
	s.config.Bearers = bearers
	s.gate = New(s.config)
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.server = &httptest.Server{URL: "http://" + l.Addr().String()}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.gate.Serve(ctx, l) }()
	require.Equal(t, "ok\n", s.get("", "/healthz").is(http.StatusOK).body)

	stream := s.follow("reader:a", "")
	answered := make(chan reply, 1)
	body := map[string]any{"title": "a", "customer": "b"}
	go func() { answered <- s.post("slow", "/v1/requirements", body) }()
	<-bearers.asked
	stop()
	for ok := true; ok; {
		_, ok = stream.next()
	}
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", l.Addr().String())
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, waitFor, tick, "nothing more is taken")
	select {
	case err := <-ended:
		t.Fatal("it has stopped before the request had ended", err)
	default:
	}
	close(bearers.goOn)
	(<-answered).is(http.StatusCreated)
	require.NoError(t, <-ended)
}

// TestStreamsOutliveTheTimeouts of the server, which are for other requests.
func TestStreamsOutliveTheTimeouts(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.gate = New(s.config)
	s.gate.beat = 20 * time.Millisecond
	s.server = httptest.NewUnstartedServer(s.gate)
	const limit = 150 * time.Millisecond
	s.server.Config.ReadTimeout, s.server.Config.WriteTimeout = limit, limit
	s.server.Start()
	t.Cleanup(s.server.Close)
	t.Cleanup(s.gate.stop)
	f := s.follow("reader:a", "")
	for began := time.Now(); time.Since(began) < 4*limit; {
		f.alive()
	}
	id := func() string {
		receipt, err := s.desk.Submit(t.Context(), submission(), "")
		require.NoError(t, err)
		return receipt.ID
	}()
	fact, ok := f.next()
	require.True(t, ok)
	require.Equal(t, id, fact.ID)
}

// TestOutages: what cannot be reached is named, and when to try again.
func TestOutages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.submit()
	path := "/v1/requirements/" + id
	body := map[string]any{"title": "a", "customer": "b"}

	nowhere, err := client.NewLazyClient(client.Options{HostPort: "127.0.0.1:1", Logger: quiet})
	require.NoError(t, err)
	t.Cleanup(nowhere.Close)
	cut := s.beside(func(c *Config) { c.Desk = starter.New(nowhere, "nobody", 500*time.Millisecond) })
	for _, r := range []reply{
		cut.post("wang.fang", "/v1/requirements", body), cut.post("wang.fang", path+"/triage", nil),
	} {
		r.refused(http.StatusServiceUnavailable, "unreachable")
		require.NotEmpty(t, r.header.Get("Retry-After"))
	}
	cut.get("wang.fang", path).is(http.StatusOK)

	alone := s.beside(func(c *Config) { c.Desk = starter.New(s.desk.Temporal(), "nobody-"+id, 500*time.Millisecond) })
	alone.post("wang.fang", "/v1/requirements", body, "Idempotency-Key", id).refused(http.StatusServiceUnavailable, "no_worker")
	require.Equal(t, 1, s.count("request"), "it may have happened, so the key is kept")

	gone, err := ledger.Open(t.Context(), "postgres://nobody@127.0.0.1:1/none?connect_timeout=1")
	require.NoError(t, err)
	t.Cleanup(gone.Close)
	blind := s.beside(func(c *Config) { c.Books = gone })
	r := blind.get("wang.fang", "/v1/requirements")
	r.refused(http.StatusServiceUnavailable, "ledger_unreachable")
	require.NotEmpty(t, r.header.Get("Retry-After"))
	require.Equal(t, id, blind.get("wang.fang", path).is(http.StatusOK).text("id"), "the requirement itself answers")
	blind.get("reader:a", "/v1/events").refused(http.StatusServiceUnavailable, "ledger_unreachable")
	blind.get("wang.fang", path+"/events").refused(http.StatusServiceUnavailable, "ledger_unreachable")
	blind.post("wang.fang", "/v1/requirements", body).is(http.StatusCreated)
	blind.post("wang.fang", "/v1/requirements", body, "Idempotency-Key", id).refused(http.StatusServiceUnavailable, "ledger_unreachable")
}

// TestSilence: what is reached and does not answer is named before the connection
// is given up, and so before proxies give up.
func TestSilence(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	id := p.submit()
	page := p.path(id, "customer", 0)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	books, err := ledger.Open(t.Context(), "postgres://nobody@"+silent.Addr().String()+"/none")
	require.NoError(t, err)
	t.Cleanup(books.Close)
	p.config.Books = books
	p.gate = New(p.config)
	p.gate.patience = 400 * time.Millisecond
	p.server = httptest.NewServer(p.gate)
	t.Cleanup(p.server.Close)
	t.Cleanup(p.gate.stop)
	for _, path := range []string{"/v1/requirements", "/v1/events", "/v1/requirements/" + id + "/events"} {
		p.get("reader:a", path).refused(http.StatusServiceUnavailable, "ledger_unreachable")
	}
	require.Equal(t, id, p.get("reader:a", "/v1/requirements/"+id).is(http.StatusOK).text("id"), "the requirement itself answers")
	p.post("wang.fang", "/v1/requirements", map[string]any{"title": "a", "customer": "b"}, "Idempotency-Key", id).refused(http.StatusServiceUnavailable, "ledger_unreachable")
	p.open(page, "Accept-Language", "en").says(http.StatusServiceUnavailable, "We cannot be reached right now")
}

// beside is another gateway on the same stack.
func (s *site) beside(change func(*Config)) *site {
	other := &site{t: s.t, books: s.books, url: s.url, desk: s.desk, config: s.config, log: s.log}
	other.serve(change)
	return other
}

// TestLogOfRequests: one line for each, by which it is found again, without what
// the caller wrote.
func TestLogOfRequests(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	got := s.get("reader:a", "/v1/requirements?customer="+secret)
	got.is(http.StatusOK)
	s.get(secret, "/v1/requirements/"+secret).is(http.StatusUnauthorized)
	s.send("reader:a", secret, "/"+secret, nil).is(http.StatusNotFound)
	require.NotContains(t, s.log.String(), secret)
	var found bool
	for lines := bufio.NewScanner(strings.NewReader(s.log.String())); lines.Scan(); {
		var line struct {
			Msg, Request, Method, Route, Principal string
			Status                                 int
			MS                                     *float64
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		if line.Request != got.header.Get(requestID) {
			continue
		}
		found = true
		require.Equal(t, "GET", line.Method)
		require.Equal(t, "GET /v1/requirements", line.Route)
		require.Equal(t, http.StatusOK, line.Status)
		require.Equal(t, "a", line.Principal)
		require.NotNil(t, line.MS)
	}
	require.True(t, found)
}
