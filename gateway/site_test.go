package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"closeloop/access"
	"closeloop/contract"
	"closeloop/internal/testdb"
	"closeloop/internal/trial"
	"closeloop/ledger"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/starter"
	"closeloop/worker"
)

// bearers are tokens whose text is who they belong to: a person's id,
// upstream:NAME, or reader:ID; a scope may follow after a blank.
type bearers struct{ policy *policy.Policy }

func (b bearers) Principal(_ context.Context, token string) (access.Principal, error) {
	token, scope, narrowed := strings.Cut(token, "/")
	var who access.Principal
	known := true
	switch kind, name, _ := strings.Cut(token, ":"); kind {
	case "upstream":
		who = access.System(name, access.ViaToken+name)
	case "reader":
		who = access.Reader(name, access.ViaToken+name)
	default:
		who, known = access.Person(b.policy, token, access.ViaToken+"t1")
	}
	if narrowed {
		who.Scopes = []access.Scope{access.Scope(scope)}
	}
	if !known {
		return who, ErrUnknownBearer
	}
	return who, nil
}

// site is a gateway on a real stack, with a worker and a database of its own.
type site struct {
	t      testing.TB
	books  *ledger.Ledger
	url    string
	desk   *starter.Client
	config Config
	gate   *Gateway
	log    *lockedWriter
	server *httptest.Server
}

func newSite(t testing.TB, change ...func(*Config)) *site {
	t.Helper()
	s := newStack(t)
	s.serve(change...)
	return s
}

// newStack is a site without a gateway.
func newStack(t testing.TB, change ...func(*worker.Config)) *site {
	t.Helper()
	s := &site{t: t, url: testdb.New(t), log: &lockedWriter{to: &bytes.Buffer{}}}
	require.NotEmpty(t, os.Getenv("TEMPORAL_ADDRESS"), "needs Temporal: run make test, or start make dev and source .closeloop/env")
	queue := "gateway/" + t.Name() + time.Now().Format("150405.000000")
	options := envconfig.MustLoadDefaultClientOptions()
	options.Logger = log.NewStructuredLogger(slog.New(slog.DiscardHandler))
	temporal, err := client.Dial(options)
	require.NoError(t, err)
	t.Cleanup(temporal.Close)
	s.books, err = ledger.Open(context.Background(), s.url)
	require.NoError(t, err)
	t.Cleanup(s.books.Close)
	s.desk = starter.New(temporal, queue, 20*time.Second)
	rules := trial.Policy()
	s.config = Config{
		Desk: s.desk, Books: s.books, Policy: rules, Bearers: bearers{rules},
		Logger: slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}

	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	works := worker.Config{
		Temporal: temporal, TaskQueue: queue, Ledger: s.books, Policy: rules,
		Logger: slog.New(slog.DiscardHandler), Ready: func() { close(ready) },
	}
	for _, c := range change {
		c(&works)
	}
	go func() { ended <- worker.Run(ctx, works) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
		// Nobody else would end what audits this queue.
		_ = temporal.ScheduleClient().GetHandle(context.Background(), contract.AuditScheduleID(queue)).Delete(context.Background())
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		require.NoError(t, err, "the worker has ended")
	}
	return s
}

// serve puts a gateway in front of the stack.
func (s *site) serve(change ...func(*Config)) {
	for _, c := range change {
		c(&s.config)
	}
	s.gate = New(s.config)
	s.server = httptest.NewServer(s.gate)
	s.t.Cleanup(s.server.Close)
	s.t.Cleanup(s.gate.stop)
}

// reply is what a request was answered.
type reply struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

// send sends a request as somebody; a body that is no text is sent as JSON.
func (s *site) send(who, method, path string, body any, header ...string) reply {
	s.t.Helper()
	var text io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		text = strings.NewReader(b)
	default:
		encoded, err := json.Marshal(b)
		require.NoError(s.t, err)
		text = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.server.URL+path, text)
	require.NoError(s.t, err)
	if text != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if who != "" {
		req.Header.Set("Authorization", "Bearer "+who)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			req.Header.Del(header[i])
		}
	}
	resp, err := s.client().Do(req)
	require.NoError(s.t, err)
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return reply{s.t, resp.StatusCode, resp.Header, string(answer)}
}

func (s *site) get(who, path string, header ...string) reply {
	s.t.Helper()
	return s.send(who, http.MethodGet, path, nil, header...)
}

func (s *site) post(who, path string, body any, header ...string) reply {
	s.t.Helper()
	return s.send(who, http.MethodPost, path, body, header...)
}

// submit takes a requirement in as an operator and waits until the ledger has it.
func (s *site) submit(more ...map[string]any) string {
	s.t.Helper()
	body := map[string]any{"title": "导出报表", "customer": "Acme", "contact": "li@acme.example"}
	for _, m := range more {
		maps.Copy(body, m)
	}
	id := s.post("wang.fang", "/v1/requirements", body).is(http.StatusCreated).text("id")
	s.settled(id)
	return id
}

// does does an act that must succeed, and waits until the ledger has it.
func (s *site) does(who, id, act string, body any) {
	s.t.Helper()
	s.post(who, "/v1/requirements/"+id+"/"+act, body).is(http.StatusOK)
	s.settled(id)
}

// settled waits until the ledger has all that the workflow knows by now.
func (s *site) settled(id string) {
	s.t.Helper()
	var v requirement.View
	require.Eventually(s.t, func() bool {
		var err error
		v, err = s.desk.View(s.t.Context(), id)
		return err == nil
	}, waitFor, tick, "%s answers", id)
	require.Eventually(s.t, func() bool {
		r, err := s.books.Receipt(s.t.Context(), id)
		return err == nil && r.Seq >= v.Seq
	}, waitFor, tick, "%s is settled", id)
}

// is checks the status.
func (r reply) is(status int) reply {
	r.t.Helper()
	require.Equal(r.t, status, r.status, r.body)
	return r
}

// refused checks that the answer is a problem of that code.
func (r reply) refused(status int, code string) Problem {
	r.t.Helper()
	r.is(status)
	require.Equal(r.t, "application/problem+json", r.header.Get("Content-Type"))
	var p Problem
	require.NoError(r.t, json.Unmarshal([]byte(r.body), &p), r.body)
	require.Equal(r.t, code, p.Code, r.body)
	require.Equal(r.t, status, p.Status)
	require.Equal(r.t, problemType+code, p.Type)
	require.NotEmpty(r.t, p.Title)
	require.NotEmpty(r.t, p.Detail)
	require.NotContains(r.t, r.body, "no value")
	require.NotContains(r.t, r.body, "problem.", "a text is missing")
	return p
}

// into decodes the answer.
func (r reply) into(v any) {
	r.t.Helper()
	require.NoError(r.t, json.Unmarshal([]byte(r.body), v), r.body)
}

// text is a field of the answer.
func (r reply) text(field string) string {
	r.t.Helper()
	var fields map[string]any
	r.into(&fields)
	text, ok := fields[field].(string)
	require.True(r.t, ok, "%s in %s", field, r.body)
	return text
}

// lockedWriter lets several write.
type lockedWriter struct {
	mu sync.Mutex
	to *bytes.Buffer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}

// String is what was written so far.
func (w *lockedWriter) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.String()
}

// ref is a reference that no test had before: ids are made of them, and Temporal
// remembers.
func ref(system string) string { return system + ":" + rand.Text() }

// How long conditions are waited for, and how often they are looked at.
const (
	waitFor = 30 * time.Second
	tick    = 10 * time.Millisecond
)

// revocable are tokens that can be revoked.
type revocable struct {
	bearers Bearers
	revoked sync.Map
}

func (r *revocable) revoke(token string) { r.revoked.Store(token, true) }

func (r *revocable) Principal(ctx context.Context, token string) (access.Principal, error) {
	if _, gone := r.revoked.Load(token); gone {
		return access.Principal{}, ErrUnknownBearer
	}
	return r.bearers.Principal(ctx, token)
}

// quiet is a log of the Temporal client that nobody reads.
var quiet = log.NewStructuredLogger(slog.New(slog.DiscardHandler))

// submission is one that is taken in past the gateway.
func submission() requirement.Submission {
	return requirement.Submission{Title: "导出报表", Customer: "Acme", SubmittedBy: "wang.fang"}
}

// client is the one for the site's server, which may have been started by hand.
func (s *site) client() *http.Client {
	if c := s.server.Client(); c != nil {
		return c
	}
	return http.DefaultClient
}
