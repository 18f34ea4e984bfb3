package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"closeloop/notify"
)

const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// ticketing is an upstream system that is told what becomes of its tickets.
type ticketing struct {
	url string

	mu sync.Mutex
	// answer is what it answers; nil is 204.
	answer func(w http.ResponseWriter, p notify.Payload)
	// taken are the payloads that it took, ids those of all that came.
	taken []notify.Payload
	ids   map[string]int
	wrong []string
}

func newTicketing(t *testing.T) *ticketing {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(hookSecret)
	require.NoError(t, err)
	s := &ticketing{ids: map[string]int{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var p notify.Payload
		err := verifier.Verify(body, r.Header)
		if err == nil {
			err = json.Unmarshal(body, &p)
		}
		s.mu.Lock()
		if err != nil {
			s.wrong = append(s.wrong, err.Error())
		}
		s.ids[r.Header.Get("webhook-id")]++
		answer := s.answer
		s.mu.Unlock()
		recorder := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		if answer != nil {
			answer(recorder, p)
		}
		if recorder.status < 300 && r.Context().Err() == nil {
			s.mu.Lock()
			s.taken = append(s.taken, p)
			s.mu.Unlock()
		}
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/closeloop"
	return s
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(code int) {
	w.status = code
	w.ResponseWriter.WriteHeader(code)
}

func (s *ticketing) answers(f func(http.ResponseWriter, notify.Payload)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

// told returns the kinds of events that it took, in their order.
func (s *ticketing) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	kinds := []string{}
	for _, p := range s.taken {
		kinds = append(kinds, string(p.Data.Event.Kind))
	}
	return kinds
}

func (s *ticketing) last() notify.Payload {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken[len(s.taken)-1]
}

// writesBack is a calm office that tells jira what becomes of its tickets.
func writesBack(t *testing.T, system *ticketing) *office {
	t.Helper()
	rules, err := os.ReadFile(repoFile("e2e", "testdata", "calm.yaml"))
	require.NoError(t, err)
	rules = fmt.Appendf(rules, "\nupstreams:\n  - {name: jira, kind: jira, write_back: {url: %q}}\n", system.url)
	path := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(path, rules, 0o600))
	return newOffice(t, func(o *office) {
		o.policy = path
		o.env = append(o.env, "CLOSELOOP_WRITEBACK_JIRA_SECRETS="+hookSecret)
	})
}

// notices returns the notifications to jira of a requirement, by state.
func (o *office) notices(t *testing.T, id string) map[string][]map[string]any {
	t.Helper()
	a := o.try(t, "notifications", "list", "--requirement", id, "--recipient", "upstream:jira", "-o", "json")
	require.Zero(t, a.status, a.stderr)
	var list []map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.stdout), &list))
	found := map[string][]map[string]any{}
	for _, n := range list {
		state := n["state"].(string)
		found[state] = append(found[state], n)
	}
	return found
}

// TestWriteBack tells a system everything about its ticket, signed and in order,
// though it is busy for a while; it adds no activity of its own to a transition.
func TestWriteBack(t *testing.T) {
	t.Parallel()
	system := newTicketing(t)
	var busy atomic.Bool
	system.answers(func(w http.ResponseWriter, p notify.Payload) {
		if p.Type == "requirement.triaged" && !busy.Swap(true) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	o := writesBack(t, system)
	id := o.submit(t, "--as", "wang.fang", "--ref", "jira:OPS-"+strconv.Itoa(os.Getpid()))
	o.run(t, "triage", id, "--as", "wang.fang")
	o.run(t, "assign", id, "--as", "wang.fang", "--to", "li.na", "--department", "service")
	o.run(t, "respond", id, "--as", "li.na", "--method", "phone", "--message", "我们在看")
	o.run(t, "resolve", id, "--as", "li.na", "--solution", "加了导出按钮", "--root-cause", "内部原因")
	o.run(t, "confirm", id, "--as", "customer", "--rating", "5")
	settled(t, id)
	require.Equal(t, []string{"submitted", "triaged", "assigned", "responded", "accepted", "resolved", "confirmed", "archived"}, system.told())
	require.Empty(t, system.wrong)
	p := system.last()
	require.Equal(t, "加了导出按钮", p.Data.Outcome.Solution)
	require.Equal(t, 5, p.Data.Outcome.Rating)
	require.Equal(t, "archived", string(p.Data.Stage))
	tellings := notified(historyOf(t, id).Events)
	require.LessOrEqual(t, tellings, 6, "one a transition, whoever is told")
	require.Len(t, o.notices(t, id)["sent"], 8)
}

// TestWriteBackDeadLetters has a system that has gone: what it was to be told is
// listed, and sent again when it is back, though the requirement has ended.
func TestWriteBackDeadLetters(t *testing.T) {
	t.Parallel()
	system := newTicketing(t)
	system.answers(func(w http.ResponseWriter, _ notify.Payload) { w.WriteHeader(http.StatusGone) })
	o := writesBack(t, system)
	id := o.submit(t, "--as", "wang.fang", "--ref", "jira:GONE-"+strconv.Itoa(os.Getpid()))
	o.run(t, "withdraw", id, "--as", "wang.fang", "--reason", "不需要了")
	settled(t, id)
	require.Empty(t, system.told())
	parked := o.notices(t, id)["parked"]
	require.Len(t, parked, 2)
	require.Contains(t, parked[0]["error"], "410")

	system.answers(nil)
	number := strconv.Itoa(int(parked[0]["number"].(float64)))
	require.EqualValues(t, 1, o.run(t, "notifications", "retry", number)["requested"])
	eventually(t, func() bool { return len(o.notices(t, id)["sent"]) == 1 }, "%s is told again", id)
	require.Equal(t, []string{"withdrawn"}, system.told())
	again := o.try(t, "notifications", "retry", number, "-o", "json")
	require.Equal(t, 4, again.status, again.stderr)

	require.EqualValues(t, 1, o.run(t, "notifications", "retry", "--requirement", id)["requested"])
	eventually(t, func() bool { return len(o.notices(t, id)["sent"]) == 2 }, "%s is told everything", id)
	require.Equal(t, []string{"withdrawn", "submitted"}, system.told())
	// What comes late takes no ticket back in time.
	require.Equal(t, "withdrawn", string(system.last().Data.Stage))
	require.Empty(t, system.wrong)
}

// TestWriteBackThroughACrash kills the worker while a webhook is under way. Nobody
// knows whether it has arrived, so it comes once more, under the same id, and
// before everything that happened after it.
func TestWriteBackThroughACrash(t *testing.T) {
	t.Parallel()
	system := newTicketing(t)
	under, release := make(chan struct{}), make(chan struct{})
	hang := sync.OnceFunc(func() { close(under); <-release })
	system.answers(func(_ http.ResponseWriter, p notify.Payload) {
		if p.Type == "requirement.triaged" {
			hang()
		}
	})
	o := writesBack(t, system)
	id := o.submit(t, "--as", "wang.fang", "--ref", "jira:CRASH-"+strconv.Itoa(os.Getpid()))
	o.run(t, "triage", id, "--as", "wang.fang")
	<-under
	o.kill()
	close(release)
	require.NoError(t, o.open())
	o.run(t, "withdraw", id, "--as", "wang.fang", "--reason", "不需要了")
	settled(t, id)
	require.Len(t, o.notices(t, id)["sent"], 3)
	told := system.told()
	require.Equal(t, []string{"triaged", "withdrawn"}, told[len(told)-2:])
	require.Equal(t, "submitted", told[0])
	system.mu.Lock()
	defer system.mu.Unlock()
	require.Len(t, system.ids, 3, "the second time it has the same id")
	require.Empty(t, system.wrong)
}
