package ledger_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/ledger"
	"closeloop/upstream"
)

func delivery(system, id, signed string, at time.Time, refs ...string) upstream.Kept {
	sum := sha256.Sum256([]byte(signed))
	return upstream.Kept{
		Upstream: system, ID: id, ReceivedAt: at, Event: "issues.opened", Refs: refs, Body: []byte(`{"a": "\u0000"}`), Signed: sum[:],
	}
}

var received = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestDeliveriesAreKeptOnce(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	keep := func(d upstream.Kept) (upstream.Kept, bool) {
		k, fresh, err := l.KeepDelivery(t.Context(), d)
		require.NoError(t, err)
		return k, fresh
	}
	first, fresh := keep(delivery("jira", "d1", "body", received, "jira:A-1"))
	require.True(t, fresh)
	require.Equal(t, upstream.Received, first.State)
	require.Equal(t, []string{"jira:A-1"}, first.Refs)
	require.Equal(t, 1, first.Attempts)

	again, fresh := keep(delivery("jira", "d1", "another body", received))
	require.False(t, fresh)
	require.Equal(t, first.Body, again.Body)
	require.Equal(t, 2, again.Attempts)
	replayed, fresh := keep(delivery("jira", "d2", "body", received))
	require.False(t, fresh, "the same signed content under another id")
	require.Equal(t, "d1", replayed.ID)
	_, fresh = keep(delivery("github", "d1", "body", received))
	require.True(t, fresh, "another system's")

	require.NoError(t, l.Settle(t.Context(), "jira", "d1", upstream.Result{State: upstream.Done, Steps: []upstream.Step{{Did: "submitted"}, {Did: "commented", Reason: "why\x00"}}}))
	require.NoError(t, l.Settle(t.Context(), "jira", "d1", upstream.Result{State: upstream.Ignored}))
	settled, fresh := keep(delivery("jira", "d1", "body", received))
	require.False(t, fresh)
	require.Equal(t, upstream.Done, settled.State, "the first word holds")
	require.Equal(t, "submitted, commented", settled.Outcome)
	require.Equal(t, "why\uFFFD", settled.Reason)
	require.Equal(t, 3, settled.Attempts, "what is settled is not tried again")
	require.NotNil(t, settled.SettledAt)

	taken, err := l.TakeUp(t.Context(), "jira", "d1")
	require.NoError(t, err)
	require.Equal(t, upstream.Received, taken.State)
	require.Nil(t, taken.SettledAt)
	for _, id := range []string{"d9", "d\x001"} {
		_, err = l.TakeUp(t.Context(), "jira", id)
		require.ErrorIs(t, err, ledger.ErrNotFound)
		_, err = l.Delivery(t.Context(), "jira", id)
		require.ErrorIs(t, err, ledger.ErrNotFound)
	}
}

func TestDeliveriesAreListed(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	for n := range 5 {
		system := []string{"jira", "github"}[n%2]
		_, _, err := l.KeepDelivery(t.Context(), delivery(system, fmt.Sprint("d", n), fmt.Sprint(n), received.Add(time.Duration(n)*time.Second), system+":A"))
		require.NoError(t, err)
	}
	require.NoError(t, l.Settle(t.Context(), "jira", "d2", upstream.Result{State: upstream.Refused}))
	list := func(f ledger.DeliveryFilter) []string {
		var ids []string
		kept, err := l.Deliveries(t.Context(), f)
		require.NoError(t, err)
		for _, k := range kept {
			require.Empty(t, k.Body, "bodies are not listed")
			ids = append(ids, k.ID)
		}
		return ids
	}
	require.Equal(t, []string{"d4", "d3", "d2", "d1", "d0"}, list(ledger.DeliveryFilter{}))
	require.Equal(t, []string{"d4", "d3"}, list(ledger.DeliveryFilter{Limit: 2}))
	require.Equal(t, []string{"d3", "d1"}, list(ledger.DeliveryFilter{Upstream: "github"}))
	require.Equal(t, []string{"d2"}, list(ledger.DeliveryFilter{State: upstream.Refused}))

	waiting, err := l.Waiting(t.Context(), "jira", "jira:A")
	require.NoError(t, err)
	require.Len(t, waiting, 2)
	require.Equal(t, "d0", waiting[0].ID)
	require.NotEmpty(t, waiting[0].Body)
	waiting, err = l.Waiting(t.Context(), "jira", "jira:B")
	require.NoError(t, err)
	require.Empty(t, waiting)
}

func TestTicketsAreHeldByOne(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	lost := errors.New("lost")
	require.ErrorIs(t, l.Hold(t.Context(), "jira:A-1", func(k *upstream.Ticket) error {
		k.Requirement = "REQ-1"
		return lost
	}), lost)
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			err := l.Hold(context.Background(), "jira:A-1", func(k *upstream.Ticket) error {
				if k.Requirement == "" {
					require.True(t, k.StateAt.IsZero(), "nothing is kept of what failed")
					k.StateAt = received
				}
				k.Requirement, k.State, k.Customer = "REQ-1", upstream.Open, "c\x00"
				k.StateAt = k.StateAt.Add(time.Second)
				k.Title, k.Description, k.AskedAt = "t", "d", k.StateAt
				return nil
			})
			require.NoError(t, err)
		})
	}
	all.Wait()
	require.NoError(t, l.Hold(t.Context(), "jira:A-1", func(k *upstream.Ticket) error {
		at := received.Add(40 * time.Second)
		require.Equal(t, upstream.Ticket{
			Ref: "jira:A-1", Requirement: "REQ-1", State: upstream.Open, StateAt: at, Title: "t", Description: "d", AskedAt: at, Customer: "c\uFFFD",
		}, *k)
		return nil
	}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, l.Hold(ctx, "jira:A-1", func(*upstream.Ticket) error { return nil }), context.Canceled)
}
