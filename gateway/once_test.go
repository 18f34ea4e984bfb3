package gateway

import (
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"closeloop/ledger"
	"closeloop/requirement"
)

// TestThousandSubmissionsOfOneReference: they arrive at the same time, through
// two gateways, and one requirement comes of them.
func TestThousandSubmissionsOfOneReference(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	second := &site{t: t, books: s.books, desk: s.desk, config: s.config, log: s.log}
	second.serve()
	const calls, atOnce = 1000, 50
	body := map[string]any{"title": "导出报表", "customer": "Acme", "ref": ref("jira")}
	var (
		mu       sync.Mutex
		statuses = map[int]int{}
		ids      = map[string]int{}
		created  int
		group    sync.WaitGroup
		queue    = make(chan int)
	)
	began := time.Now()
	for range atOnce {
		group.Go(func() {
			for n := range queue {
				at := s
				if n%2 == 1 {
					at = second
				}
				got := at.post("wang.fang", "/v1/requirements", body)
				mu.Lock()
				statuses[got.status]++
				ids[got.text("id")]++
				if strings.Contains(got.body, `"created":true`) {
					created++
				}
				mu.Unlock()
			}
		})
	}
	for n := range calls {
		queue <- n
	}
	close(queue)
	group.Wait()
	t.Logf("%d submissions in %s: %v", calls, time.Since(began).Round(time.Millisecond), statuses)
	require.Equal(t, map[int]int{http.StatusCreated: 1, http.StatusOK: calls - 1}, statuses)
	require.Len(t, ids, 1)
	require.Equal(t, 1, created)
	for id := range ids {
		s.settled(id)
	}
	var page ledger.Page
	s.get("wang.fang", "/v1/requirements?count=true").is(http.StatusOK).into(&page)
	require.Equal(t, 1, *page.Total)
	require.Zero(t, s.count("request"), "without a key nothing is kept")
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	body := map[string]any{"title": "导出报表", "customer": "Acme"}
	// Temporal remembers what other runs of the test have sent.
	run := rand.Text()
	key := []string{"Idempotency-Key", run + "1"}

	first := s.post("wang.fang", "/v1/requirements", body, key...).is(http.StatusCreated)
	again := s.post("wang.fang", "/v1/requirements", body, key...).is(http.StatusCreated)
	require.Equal(t, first.body, again.body)
	require.Equal(t, first.header.Get("Location"), again.header.Get("Location"))
	id := first.text("id")
	s.settled(id)
	other := s.post("sun.li", "/v1/requirements", body, key...).is(http.StatusCreated)
	require.NotEqual(t, id, other.text("id"), "a key is its principal's own")
	s.post("wang.fang", "/v1/requirements", map[string]any{"title": "导出", "customer": "Acme"}, key...).
		refused(http.StatusUnprocessableEntity, "idempotency_key_reused")
	s.post("wang.fang", "/v1/requirements/"+id+"/triage", nil, key...).refused(http.StatusUnprocessableEntity, "idempotency_key_reused")

	// An act happens once, and is answered as before when the stage is another one.
	key[1] = run + "2"
	hold := map[string]any{"reason": "等日志"}
	held := s.post("wang.fang", "/v1/requirements/"+id+"/hold", hold, key...).is(http.StatusOK)
	s.does("wang.fang", id, "resume", nil)
	require.Equal(t, held.body, s.post("wang.fang", "/v1/requirements/"+id+"/hold", hold, key...).is(http.StatusOK).body)
	var v requirement.View
	s.get("wang.fang", "/v1/requirements/"+id).into(&v)
	require.False(t, v.OnHold)

	// A crash before the answer was kept: the repetition is answered the same.
	s.sql(`UPDATE request SET answer = NULL`)
	require.Equal(t, held.body, s.post("wang.fang", "/v1/requirements/"+id+"/hold", hold, key...).is(http.StatusOK).body)
	key[1] = run + "1"
	repeated := s.post("wang.fang", "/v1/requirements", body, key...).is(http.StatusCreated)
	require.Equal(t, first.body, repeated.body, "no second requirement")
	s.settled(id)
	s.get("wang.fang", "/v1/requirements/"+id).into(&v)
	require.False(t, v.OnHold, "nothing has happened twice")

	// What is refused leaves the key free, for the corrected request.
	key[1] = run + "3"
	wrong := map[string]any{"message": "x"}
	s.post("wang.fang", "/v1/requirements/"+id+"/resume", wrong, key...).refused(http.StatusConflict, "not_on_hold")
	s.post("wang.fang", "/v1/requirements/"+id+"/hold", hold, key...).is(http.StatusOK)

	// Many at once with one key are one.
	var mu sync.Mutex
	var group sync.WaitGroup
	seen := map[string]int{}
	for range 20 {
		group.Go(func() {
			got := s.post("wang.fang", "/v1/requirements", body, "Idempotency-Key", run+"4")
			mu.Lock()
			defer mu.Unlock()
			seen[got.text("id")]++
		})
	}
	group.Wait()
	require.Len(t, seen, 1)

	// After a day a key is free for another request.
	key[1] = run + "1"
	s.sql(`UPDATE request SET created_at = now() - interval '2 days'`)
	fresh := s.post("wang.fang", "/v1/requirements", map[string]any{"title": "别的", "customer": "Acme"}, key...).is(http.StatusCreated)
	require.NotEqual(t, id, fresh.text("id"))

	// Old ones are forgotten.
	s.sql(`UPDATE request SET created_at = now() - interval '2 days'`)
	s.gate.tidy(t.Context(), ledger.Request{Digest: []byte{1}})
	require.NotZero(t, s.count("request"), "not with every request")
	s.gate.tidy(t.Context(), ledger.Request{Digest: []byte{0}})
	require.Zero(t, s.count("request"))
}

// count is how many rows a table has.
func (s *site) count(table string) (n int) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.url)
	require.NoError(s.t, err)
	defer func() { _ = conn.Close(s.t.Context()) }()
	require.NoError(s.t, conn.QueryRow(s.t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}

func (s *site) sql(statement string) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.url)
	require.NoError(s.t, err)
	defer func() { _ = conn.Close(s.t.Context()) }()
	_, err = conn.Exec(s.t.Context(), statement)
	require.NoError(s.t, err)
}
