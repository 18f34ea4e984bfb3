package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/ledger"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/starter"
	"closeloop/upstream"
)

// fakeDeliveries are those that a ledger has, and what was asked of it.
type fakeDeliveries struct {
	kept    []upstream.Kept
	filter  ledger.DeliveryFilter
	settled []upstream.Result
	tickets map[string]upstream.Ticket
}

func (d *fakeDeliveries) Deliveries(_ context.Context, f ledger.DeliveryFilter) ([]upstream.Kept, error) {
	d.filter = f
	var list []upstream.Kept
	for _, k := range d.kept {
		if (f.Upstream == "" || k.Upstream == f.Upstream) && (f.State == "" || k.State == f.State) {
			list = append(list, k)
		}
	}
	return list, nil
}

func (d *fakeDeliveries) TakeUp(_ context.Context, system, id string) (upstream.Kept, error) {
	i := slices.IndexFunc(d.kept, func(k upstream.Kept) bool { return k.Upstream == system && k.ID == id })
	if i < 0 {
		return upstream.Kept{}, ledger.ErrNotFound
	}
	k := d.kept[i]
	k.State, k.Attempts = upstream.Received, k.Attempts+1
	return k, nil
}

func (d *fakeDeliveries) Hold(_ context.Context, ref string, f func(*upstream.Ticket) error) error {
	t := d.tickets[ref]
	t.Ref = ref
	return f(&t)
}

func (d *fakeDeliveries) Settle(_ context.Context, _, _ string, r upstream.Result) error {
	d.settled = append(d.settled, r)
	return nil
}

func (*fakeDeliveries) Waiting(context.Context, string, string) ([]upstream.Kept, error) {
	return nil, nil
}

const shopBody = `{"type": "ticket.created", "data": {"ticket": {"id": "A-17", "title": "Slow export", "customer": "Acme", "state": "open", "updated_at": "2026-11-23T11:59:00Z"}}}`

func someDeliveries() fakeDeliveries {
	settled := noon.Add(time.Second)
	return fakeDeliveries{kept: []upstream.Kept{
		{Upstream: "shop", ID: "d2", ReceivedAt: noon, Event: "ticket.created", Refs: []string{"shop:A-17"}, Body: []byte(shopBody), State: upstream.Failed, Outcome: "failed", Reason: "title: it is missing", Attempts: 2, SettledAt: &settled},
		{Upstream: "jira", ID: "d1", ReceivedAt: noon.Add(-time.Hour), Event: "jira:issue_created", Refs: []string{"jira:OPS-1"}, State: upstream.Done, Outcome: "submitted", Attempts: 1, SettledAt: &settled},
	}}
}

// upstreamPolicy is a policy file with the upstream system shop.
func upstreamPolicy(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	text := string(policy.DefaultYAML()) + "\nupstreams:\n  - {name: shop, kind: standard, fields: {tier: {constant: P1}}, write_back: {url: 'https://shop.example/hook'}}\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return "CLOSELOOP_POLICY=" + path
}

func TestDeliveriesList(t *testing.T) {
	t.Parallel()
	books := &fakeArchive{fakeDeliveries: someDeliveries()}
	got := calling{args: []string{"deliveries", "list", "--lang", "en"}, books: books}.run(t)
	require.Equal(t, exitDone, got.status, got.err)
	require.Regexp(t, `shop +d2 +2026-11-23 12:00:00 +ticket.created +shop:A-17 +failed +failed +2 +title: it is missing`, got.out)
	require.Regexp(t, `jira +d1 .* done +submitted +1`, got.out)

	got = calling{args: []string{"deliveries", "list", "--lang", "zh-CN"}, books: books}.run(t)
	require.Contains(t, got.out, "已处理")

	got = calling{args: []string{"deliveries", "list", "--upstream", "shop", "--state", "failed", "--limit", "5", "-o", "json"}, books: books}.run(t)
	require.Equal(t, exitDone, got.status, got.err)
	require.Equal(t, ledger.DeliveryFilter{Upstream: "shop", State: upstream.Failed, Limit: 5}, books.filter)
	require.JSONEq(t, `[{"upstream": "shop", "delivery": "d2", "event": "ticket.created", "tickets": ["shop:A-17"], "state": "failed",
		"outcome": "failed", "reason": "title: it is missing", "attempts": 2, "received_at": "2026-11-23T12:00:00Z", "settled_at": "2026-11-23T12:00:01Z"}]`, got.out)

	got = calling{args: []string{"deliveries", "list", "--lang", "en"}, books: &fakeArchive{}}.run(t)
	require.Equal(t, "There are no such deliveries.\n", got.out)
	for _, args := range [][]string{{"--state", "lost"}, {"--limit", "-1"}, {"--limit", "1001"}, {"more"}} {
		got = calling{args: append([]string{"deliveries", "list"}, args...), books: books}.run(t)
		require.Equal(t, exitUsage, got.status, args)
	}
}

func TestDeliveriesRetry(t *testing.T) {
	t.Parallel()
	env := []string{upstreamPolicy(t)}
	for name, tc := range map[string]struct {
		args   []string
		desk   error
		ticket map[string]upstream.Ticket
		status int
		out    string
	}{
		"done": {args: []string{"shop", "d2"}, status: exitDone, out: "shop d2: done · submitted\n"},
		"it has ended meanwhile": {
			args: []string{"shop", "d2"}, desk: starter.ErrOver, status: exitRefused, out: "refused",
			ticket: map[string]upstream.Ticket{"shop:A-17": {Requirement: someID, State: upstream.Open, Title: "other"}},
		},
		"it cannot be taken in": {args: []string{"shop", "d2"}, desk: &requirement.Error{Code: requirement.CodeInvalid, Message: "no"}, status: exitFailure, out: "failed"},
		"nobody is there":       {args: []string{"shop", "d2"}, desk: &starter.Unreachable{Service: "Temporal"}, status: exitUnreachable},
		"unknown delivery":      {args: []string{"shop", "d9"}, status: exitNotFound},
		"unknown system":        {args: []string{"jira", "d1"}, status: exitNotFound},
		"too few arguments":     {args: []string{"shop"}, status: exitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			books := &fakeArchive{fakeDeliveries: someDeliveries()}
			books.tickets = tc.ticket
			desk := &fakeDesk{err: tc.desk}
			got := calling{args: append([]string{"deliveries", "retry", "--lang", "en"}, tc.args...), env: env, desk: desk, books: books}.run(t)
			require.Equal(t, tc.status, got.status, got.err)
			require.Contains(t, got.out, tc.out)
			if name == "done" {
				require.Len(t, desk.submitted, 1)
				require.Equal(t, "shop:A-17", desk.submitted[0].Ref)
				require.Equal(t, "P1", desk.submitted[0].Tier)
				require.Equal(t, "webhook:shop", desk.submitted[0].Via)
				require.Len(t, books.settled, 1)
			}
		})
	}
	got := calling{args: []string{"deliveries", "retry", "shop", "d2", "-o", "json"}, env: env, desk: &fakeDesk{}, books: &fakeArchive{fakeDeliveries: someDeliveries()}}.run(t)
	require.JSONEq(t, `{"upstream": "shop", "delivery": "d2", "event": "ticket.created", "tickets": ["shop:A-17"], "state": "done",
		"outcome": "submitted", "reason": "", "attempts": 3, "received_at": "2026-11-23T12:00:00Z", "settled_at": "2026-11-23T12:00:00Z"}`, got.out)
}

func TestPolicyShowsUpstreams(t *testing.T) {
	t.Parallel()
	got := calling{args: []string{"policy", "show", "--lang", "en"}, env: []string{upstreamPolicy(t)}}.run(t)
	require.Equal(t, exitDone, got.status, got.err)
	require.Regexp(t, `Upstream systems\n.*\n.*\nshop +standard +tier +commented: resume, reopened: dispute, closed: resolve, deleted: withdraw, updated: amend +https://shop.example/hook`, got.out)
	got = calling{args: []string{"policy", "show", "--lang", "en"}}.run(t)
	require.NotContains(t, got.out, "Upstream systems")
}
