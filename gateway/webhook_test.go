package gateway

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/ledger"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/starter"
	"closeloop/upstream"
)

// withUpstreams gives the policy of a site upstream systems, as a policy file has
// them. Their secret is "s3cret", and one that is no longer used, "old".
func withUpstreams(t testing.TB, section string) func(*Config) {
	t.Helper()
	parsed, err := policy.Parse("p.yaml", []byte(string(policy.DefaultYAML())+"\nupstreams:\n"+section))
	require.NoError(t, err)
	return func(c *Config) {
		changed := *c.Policy.Current()
		changed.Upstreams = parsed.Upstreams
		c.Policy = &changed
		secrets := map[string]string{}
		for _, u := range parsed.Upstreams {
			secrets[u.SecretsEnv()] = "old s3cret"
		}
		c.Secrets = func(variable string) string { return secrets[variable] }
	}
}

// systemNamed is a name that no test had before: references begin with it.
func systemNamed(kind string) string { return kind + "-" + strings.ToLower(rand.Text()[:8]) }

// signedAs are the headers with which a system of that kind sends a body.
func signedAs(kind policy.UpstreamKind, secret, id string, at time.Time, body []byte) []string {
	mac := func(parts ...string) []byte {
		m := hmac.New(sha256.New, []byte(secret))
		for _, p := range parts {
			m.Write([]byte(p))
		}
		return m.Sum(nil)
	}
	switch kind {
	case policy.GitHub:
		return []string{"X-Hub-Signature-256", "sha256=" + hex.EncodeToString(mac(string(body))), "X-GitHub-Delivery", id}
	case policy.Jira:
		return []string{"X-Hub-Signature", "sha256=" + hex.EncodeToString(mac(string(body))), "X-Atlassian-Webhook-Identifier", id}
	case policy.Zendesk:
		stamp := at.UTC().Format(time.RFC3339)
		return []string{
			"X-Zendesk-Webhook-Signature-Timestamp", stamp, "X-Zendesk-Webhook-Invocation-Id", id,
			"X-Zendesk-Webhook-Signature", base64.StdEncoding.EncodeToString(mac(stamp, string(body))),
		}
	case policy.Freshdesk, policy.ServiceNow:
		return []string{"X-Closeloop-Secret", secret}
	default:
		stamp := strconv.FormatInt(at.Unix(), 10)
		return []string{
			"Webhook-Id", id, "Webhook-Timestamp", stamp,
			"Webhook-Signature", "v1," + base64.StdEncoding.EncodeToString(mac(id, ".", stamp, ".", string(body))),
		}
	}
}

// hook sends a body as the system does.
func (s *site) hook(u policy.Upstream, id string, body []byte) reply {
	s.t.Helper()
	return s.hookAt(u, id, time.Now(), body)
}

// hookAt sends a body that was signed at that instant.
func (s *site) hookAt(u policy.Upstream, id string, at time.Time, body []byte) reply {
	s.t.Helper()
	return s.post("", "/v1/upstreams/"+u.Name+"/webhook", string(body), signedAs(u.Kind, "s3cret", id, at, body)...)
}

// ticketed is a body in our own form.
func ticketed(event, title, state string, minute int, more string) []byte {
	at := time.Date(2026, 3, 2, 9, minute, 0, 0, time.UTC).Format(time.RFC3339)
	return fmt.Appendf(nil, `{"type": "ticket.%s", "data": {"ticket": {"id": "A-17", "title": %q, "customer": "Acme", "state": %q, "updated_at": %q}%s}}`,
		event, title, state, at, more)
}

func TestWebhookIsVerifiedBeforeItIsRead(t *testing.T) {
	t.Parallel()
	name := systemNamed("shop")
	s := newSite(t, withUpstreams(t, fmt.Sprintf("  - {name: %s, kind: standard, max_age: 1m}\n  - {name: unset, kind: github}\n", name)), func(c *Config) {
		secrets := c.Secrets
		c.Secrets = func(v string) string {
			if v == "CLOSELOOP_UPSTREAM_UNSET_SECRETS" {
				return ""
			}
			return secrets(v)
		}
	})
	path := "/v1/upstreams/" + name + "/webhook"
	body := ticketed("created", "Slow export", "open", 0, "")
	send := func(secret, id string, at time.Time, sent []byte) reply {
		return s.post("", path, string(sent), signedAs(policy.StandardWebhooks, secret, id, at, body)...)
	}
	send("another", "d1", time.Now(), body).refused(http.StatusUnauthorized, "bad_signature")
	send("s3cret", "d1", time.Now(), body[:len(body)-1]).refused(http.StatusUnauthorized, "bad_signature")
	send("s3cret", "d1", time.Now(), ticketed("deleted", "Slow export", "open", 0, "")).refused(http.StatusUnauthorized, "bad_signature")
	s.post("", path, string(body)).refused(http.StatusUnauthorized, "bad_signature")
	s.post("wang.fang", path, string(body)).refused(http.StatusUnauthorized, "bad_signature")
	send("s3cret", "d1", time.Now().Add(-61*time.Second), body).refused(http.StatusUnauthorized, "stale_signature")
	send("s3cret", "d1", time.Now().Add(65*time.Second), body).refused(http.StatusUnauthorized, "stale_signature")
	s.post("", "/v1/upstreams/none/webhook", string(body)).refused(http.StatusNotFound, "not_found")
	s.post("", "/v1/upstreams/unset/webhook", string(body)).refused(http.StatusServiceUnavailable, "no_upstream_secret")
	s.post("", path, strings.Repeat("x", maxWebhook+1)).refused(http.StatusRequestEntityTooLarge, "too_large")
	kept, err := s.books.Deliveries(t.Context(), ledger.DeliveryFilter{})
	require.NoError(t, err)
	require.Empty(t, kept, "what was not believed is not kept")

	// Either of two secrets will do while one is exchanged for the other.
	send("old", "d1", time.Now(), body).is(http.StatusAccepted)
	var again accepted
	send("s3cret", "d1", time.Now(), body).is(http.StatusAccepted).into(&again)
	require.True(t, again.Repeated)
	require.Equal(t, upstream.Done, again.State)
	require.NotContains(t, s.log.String(), "s3cret")
	require.NotContains(t, s.log.String(), "Slow export")
}

func TestWebhooksOfATicketsLife(t *testing.T) {
	t.Parallel()
	name := systemNamed("shop")
	s := newSite(t, withUpstreams(t, fmt.Sprintf("  - {name: %s, kind: standard}\n", name)))
	u, _ := s.config.Policy.Current().Upstream(name)
	var got accepted
	hook := func(id string, body []byte, outcome string) {
		t.Helper()
		s.hook(u, id, body).is(http.StatusAccepted).into(&got)
		require.Equal(t, outcome, got.Outcome)
	}
	stage := func(want string) {
		t.Helper()
		s.settled(got.Requirements[0])
		require.Equal(t, want, s.get("wang.fang", "/v1/requirements/"+got.Requirements[0]).is(http.StatusOK).text("stage"))
	}
	hook("d1", ticketed("created", "Slow export", "open", 0, ""), "submitted")
	id := got.Requirements[0]
	stage("received")
	s.does("wang.fang", id, "triage", map[string]any{"type": "fault"})
	s.does("wang.fang", id, "assign", map[string]any{"to": "li.na"})
	s.does("li.na", id, "accept", nil)
	s.does("li.na", id, "hold", map[string]any{"reason": "Which browser?"})

	hook("d2", ticketed("commented", "Slow export", "open", 1, `, "comment": {"id": "9", "text": "Firefox", "by_customer": true}`), "commented")
	s.settled(id)
	v, err := s.desk.View(t.Context(), id)
	require.NoError(t, err)
	require.Nil(t, v.Hold, "the customer's answer ends the hold")
	hook("d3", ticketed("updated", "Very slow export", "open", 2, ""), "amended")
	hook("d4", ticketed("closed", "Very slow export", "closed", 3, ""), "resolved")
	stage("confirming")
	hook("d5", ticketed("reopened", "Very slow export", "open", 4, `, "comment": {"id": "10", "text": "Still slow", "by_customer": true}`), "commented, disputed")
	stage("executing")
	hook("d6", ticketed("deleted", "Very slow export", "", 5, ""), "withdrawn")
	stage("withdrawn")
	hook("d7", ticketed("commented", "Very slow export", "open", 6, `, "comment": {"id": "11", "text": "Hello?", "by_customer": true}`), "refused, stale")
	require.Equal(t, upstream.Refused, got.State)

	// The ledger tells who it was, and how they were known.
	events, err := s.books.Events(t.Context(), id, 0, 100)
	require.NoError(t, err)
	var told []string
	for _, e := range events {
		if e.Via == "webhook:"+name {
			told = append(told, string(e.Kind)+" by "+e.Actor)
		}
	}
	require.Subset(t, told, []string{
		"submitted by upstream:" + name, "commented by customer", "resumed by customer", "amended by customer",
		"resolved by system", "disputed by customer", "withdrawn by customer",
	})
}

// A desk that is lost answers 503, and the next delivery carries on.
func TestWebhookWithoutAWorker(t *testing.T) {
	t.Parallel()
	name := systemNamed("shop")
	s := newStack(t)
	idle := starter.New(s.desk.Temporal(), "nobody-"+name, 300*time.Millisecond)
	s.serve(withUpstreams(t, fmt.Sprintf("  - {name: %s, kind: standard}\n", name)), func(c *Config) { c.Desk = idle })
	u, _ := s.config.Policy.Current().Upstream(name)
	body := []byte(strings.ReplaceAll(string(ticketed("created", "Slow export", "open", 0, "")), "A-17", "B-1"))
	s.hook(u, "d1", body).refused(http.StatusServiceUnavailable, "no_worker")
	kept, err := s.books.Delivery(t.Context(), name, "d1")
	require.NoError(t, err)
	require.Equal(t, upstream.Received, kept.State)
	require.Equal(t, body, kept.Body)

	// The workflow was started on a queue of nobody; a worker comes.
	s.serve(func(c *Config) { c.Desk = s.desk })
	elsewhere := []byte(strings.ReplaceAll(string(body), "B-1", "B-2"))
	var got accepted
	s.hook(u, "d2", elsewhere).is(http.StatusAccepted).into(&got)
	require.Equal(t, "submitted", got.Outcome)
}

// Many deliveries of one ticket at once are one requirement, and the newest state
// holds.
func TestWebhooksAtOnce(t *testing.T) {
	t.Parallel()
	name := systemNamed("shop")
	s := newSite(t, withUpstreams(t, fmt.Sprintf("  - {name: %s, kind: standard, on: {closed: comment}}\n", name)))
	u, _ := s.config.Policy.Current().Upstream(name)
	var all sync.WaitGroup
	ids := make([]string, 30)
	for n := range ids {
		all.Go(func() {
			state := []string{"open", "closed"}[n%2]
			var got accepted
			s.hook(u, fmt.Sprint("d", n), ticketed("updated", "Slow export", state, n, fmt.Sprintf(`, "comment": {"id": "%d", "text": "again", "by_customer": true}`, n))).is(http.StatusAccepted).into(&got)
			ids[n] = got.Requirements[0]
		})
	}
	all.Wait()
	slices.Sort(ids)
	require.Len(t, slices.Compact(ids), 1)
	s.settled(ids[0])
	events, err := s.books.Events(t.Context(), ids[0], 0, 1_000)
	require.NoError(t, err)
	said := 0
	for _, e := range events {
		if e.Kind == requirement.Commented && e.Actor == requirement.CustomerActor {
			said++
		}
	}
	require.Equal(t, len(ids), said, "no comment is lost and none is there twice")
	require.NoError(t, s.books.Hold(t.Context(), name+":A-17", func(ticket *upstream.Ticket) error {
		require.Equal(t, upstream.Closed, ticket.State)
		require.Equal(t, 29, ticket.StateAt.Minute())
		return nil
	}))
}

// TestEveryRealBodyInBothOrders delivers each body that is there to try with
// twice, from the first to the last and from the last to the first: the same
// requirements in the same stages result.
func TestEveryRealBodyInBothOrders(t *testing.T) {
	t.Parallel()
	folders := map[string]policy.UpstreamKind{
		"github": policy.GitHub, "jira-cloud": policy.Jira, "zendesk": policy.Zendesk,
		"freshdesk": policy.Freshdesk, "servicenow": policy.ServiceNow,
	}
	root := filepath.Join("..", "..", "shared", "data", "webhooks")
	if _, err := os.Stat(root); os.IsNotExist(err) {
		t.Skip("there are no bodies in ../shared/data/webhooks")
	}
	var section strings.Builder
	names := map[string]string{}
	for _, order := range []string{"straight", "reverse"} {
		for folder, kind := range folders {
			names[order+folder] = systemNamed(string(kind))
			fmt.Fprintf(&section, "  - {name: %s, kind: %s}\n", names[order+folder], kind)
		}
	}
	s := newSite(t, withUpstreams(t, section.String()))
	var table strings.Builder
	// All of one instant: two files with the same body are the same delivery then.
	at := time.Now()
	for _, folder := range []string{"freshdesk", "github", "jira-cloud", "servicenow", "zendesk"} {
		files, err := filepath.Glob(filepath.Join(root, folder, "*.json"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		results := map[string]map[string]string{}
		outcomes := map[string]map[string]int{}
		for _, order := range []string{"straight", "reverse"} {
			u, ok := s.config.Policy.Current().Upstream(names[order+folder])
			require.True(t, ok)
			sequence := slices.Clone(files)
			if order == "reverse" {
				slices.Reverse(sequence)
			}
			outcomes[order] = map[string]int{}
			results[order] = map[string]string{}
			ids := map[string]bool{}
			for _, file := range sequence {
				body, err := os.ReadFile(file)
				require.NoError(t, err)
				for range 2 {
					var got accepted
					s.hookAt(u, filepath.Base(file), at, body).is(http.StatusAccepted).into(&got)
					if !got.Repeated {
						outcomes[order][string(got.State)]++
					}
					for _, id := range got.Requirements {
						ids[id] = true
					}
				}
			}
			for id := range ids {
				s.settled(id)
				v, err := s.desk.View(t.Context(), id)
				if err != nil {
					r, err := s.books.Get(t.Context(), id)
					require.NoError(t, err)
					v = r.View(time.Now())
				}
				_, ticket, _ := strings.Cut(v.Ref, ":")
				results[order][ticket] = fmt.Sprintf("%-10s %s", v.Stage, v.Title)
			}
		}
		fmt.Fprintf(&table, "%s: %d bodies, each twice; straight %v, reverse %v\n", folder, len(files), outcomes["straight"], outcomes["reverse"])
		for _, ticket := range slices.Sorted(maps.Keys(results["straight"])) {
			fmt.Fprintf(&table, "  %-30s %s\n", ticket, results["straight"][ticket])
		}
		require.Equal(t, results["straight"], results["reverse"], folder)
	}
	t.Log("\n" + table.String())
	golden := filepath.Join("testdata", "webhooks.txt")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(table.String()), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), table.String())
}

// TestWhatMaySucceedLater: not every system sends again what is answered 409.
func TestWhatMaySucceedLater(t *testing.T) {
	t.Parallel()
	notReady := fmt.Errorf("REQ-1: %w", &requirement.Error{Code: requirement.CodeNotReady, Message: "not yet"})
	for _, err := range []error{notReady, starter.ErrNoWorker, ledger.ErrUnreachable, context.DeadlineExceeded} {
		require.Equal(t, http.StatusServiceUnavailable, problemOf(later(err)).Status, err)
	}
}
