package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/access"
	"closeloop/ledger"
	"closeloop/requirement"
)

// follower reads a stream of events.
type follower struct {
	t     testing.TB
	lines *bufio.Scanner
	end   func()
	// last is the id that came last, of an event or of a sign of life.
	last string
}

// follow opens a stream.
func (s *site) follow(who, query string, header ...string) *follower {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.URL+"/v1/events"+query, nil)
	require.NoError(s.t, err)
	req.Header.Set("Authorization", "Bearer "+who)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.client().Do(req)
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusOK, resp.StatusCode)
	require.Equal(s.t, "text/event-stream", resp.Header.Get("Content-Type"))
	f := &follower{t: s.t, lines: bufio.NewScanner(resp.Body)}
	f.end = sync.OnceFunc(func() { cancel(); _ = resp.Body.Close() })
	s.t.Cleanup(f.end)
	return f
}

// next returns the next event; false when the stream has ended.
func (f *follower) next() (fact Fact, ok bool) {
	f.t.Helper()
	for f.lines.Scan() {
		field, value, _ := strings.Cut(f.lines.Text(), ": ")
		switch field {
		case "id":
			f.last = value
		case "data":
			require.NoError(f.t, json.Unmarshal([]byte(value), &fact))
			return fact, true
		}
	}
	return fact, false
}

// alive waits for a comment.
func (f *follower) alive() {
	f.t.Helper()
	for f.lines.Scan() {
		if strings.HasPrefix(f.lines.Text(), ": ") {
			return
		}
	}
	f.t.Fatal("the stream has ended")
}

// TestStreamLosesNothing cuts streams off again and again while requirements are
// worked on, and begins anew where they ended.
func TestStreamLosesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	f := s.follow("reader:a", "")
	var desk sync.WaitGroup
	for range 8 {
		desk.Go(func() {
			id := s.submit()
			s.does("wang.fang", id, "triage", map[string]any{"department": "technology"})
			s.does("wang.fang", id, "assign", map[string]any{"to": "zhang.wei"})
			s.does("zhang.wei", id, "accept", nil)
			s.does("wang.fang", id, "withdraw", map[string]any{"reason": "enough"})
		})
	}
	// What is written last ends the reading.
	mark := ref("crm")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		desk.Wait()
		s.submit(map[string]any{"ref": mark})
	}()

	type event struct {
		id  string
		seq int
	}
	var told []event
	for {
		fact, ok := f.next()
		require.True(t, ok, "the stream has ended")
		told = append(told, event{fact.ID, fact.Seq})
		if strings.Contains(string(fact.Data), mark) {
			break
		}
		if len(told)%7 == 0 {
			f.end()
			f = s.follow("reader:a", "", "Last-Event-ID", f.last)
		}
	}
	<-ended
	until, err := strconv.ParseInt(f.last, 10, 64)
	require.NoError(t, err)
	written, err := s.books.Feed(t.Context(), ledger.FeedFilter{Until: until, Reader: access.Reader("a", "")})
	require.NoError(t, err)
	var want, some []event
	last := map[string]int{}
	for _, e := range written {
		want = append(want, event{e.ID, e.Seq})
		require.Equal(t, last[e.ID]+1, e.Seq, "those of %s are in order", e.ID)
		last[e.ID] = e.Seq
	}
	require.Equal(t, want, told, "everything was told, once and in order")

	// From the beginning it is the same, and of one requirement only that.
	again := s.follow("reader:a", "?after=0")
	for range want {
		fact, ok := again.next()
		require.True(t, ok)
		some = append(some, event{fact.ID, fact.Seq})
	}
	require.Equal(t, want, some)
	one := s.follow("reader:a", "?after=0&requirement="+want[0].id)
	for seq := range last[want[0].id] {
		fact, ok := one.next()
		require.True(t, ok)
		require.Equal(t, event{want[0].id, seq + 1}, event{fact.ID, fact.Seq})
	}
	// Whoever is at the end is told what comes next, and nothing before.
	now := s.follow("reader:a", "")
	id := s.submit()
	for {
		fact, ok := now.next()
		require.True(t, ok)
		require.Greater(t, fact.Seq, last[fact.ID], "%s was told before", fact.ID)
		if fact.ID == id {
			require.Equal(t, requirement.Submitted, fact.Kind)
			return
		}
	}
}

func TestStreamIsForItsReader(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	jira := s.follow("upstream:jira", "")
	s.submit(map[string]any{"ref": ref("crm")})
	id := s.submit(map[string]any{"ref": ref("jira")})
	fact, ok := jira.next()
	require.True(t, ok)
	require.Equal(t, id, fact.ID)
	s.get("upstream:crm", "/v1/events?requirement="+id).refused(http.StatusNotFound, "not_found")
	s.get("upstream:jira", "/v1/events?requirement=x").refused(http.StatusNotFound, "not_found")
	s.get("", "/v1/events").refused(http.StatusUnauthorized, "unauthenticated")

	for given, location := range map[string]string{"x": "query.after", "-1": "query.after"} {
		p := s.get("reader:a", "/v1/events?after="+given).refused(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, location, p.Errors[0].Location)
	}
	s.get("reader:a", "/v1/events", "Last-Event-ID", "nonsense").refused(http.StatusUnprocessableEntity, "invalid")
	s.get("reader:a", "/v1/events?after=99999999").refused(http.StatusUnprocessableEntity, "cursor")

	s.send("reader:a", http.MethodHead, "/v1/events", nil).is(http.StatusOK)
	for range MaxStreams {
		s.follow("reader:many", "")
	}
	answer := s.get("reader:many", "/v1/events")
	answer.refused(http.StatusTooManyRequests, "too_many_streams")
	require.NotEmpty(t, answer.header.Get("Retry-After"))
	s.follow("reader:other", "")
}

// TestStreamEnds with the gateway, with the token, and not before.
func TestStreamEnds(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	tokens := &revocable{bearers: s.config.Bearers}
	s.serve(func(c *Config) { c.Bearers = tokens })
	s.gate.beat = 20 * time.Millisecond
	f := s.follow("reader:a", "")
	f.alive()
	last := f.last
	s.submit()
	_, ok := f.next()
	require.True(t, ok)
	require.NotEqual(t, last, f.last)
	tokens.revoke("reader:a")
	for ok {
		_, ok = f.next()
	}

	other := s.follow("reader:b", "")
	other.alive()
	s.gate.stop()
	for ok = true; ok; {
		_, ok = other.next()
	}
	require.Eventually(t, func() bool {
		s.gate.streams.mu.Lock()
		defer s.gate.streams.mu.Unlock()
		s.gate.ears.mu.Lock()
		defer s.gate.ears.mu.Unlock()
		return len(s.gate.streams.open) == 0 && s.gate.ears.deafen == nil
	}, waitFor, tick, "nobody listens any more")
}
