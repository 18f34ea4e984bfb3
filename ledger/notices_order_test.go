package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/ledger"
	"closeloop/notify"
	"closeloop/requirement"
)

func webhook(id string, seq int) notify.Notice {
	n := notice(id, seq, "upstream:jira", "webhook")
	n.Address = "jira"
	return n
}

// endpoint is a system that answers differently from message to message, and
// keeps what it was told.
type endpoint struct {
	mu   sync.Mutex
	told []int
	had  map[int]int
}

func (*endpoint) Name() string { return "webhook" }

func (*endpoint) Terms() notify.Terms {
	return notify.Terms{Repeatable: true, InOrder: true, Waits: []time.Duration{time.Millisecond}, Patience: time.Hour}
}

// Send fails for a passing reason twice for every second message, and refuses
// every seventh for good.
func (e *endpoint) Send(_ context.Context, m notify.Message) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.had[m.Seq]++
	h := fnv.New32()
	fmt.Fprint(h, m.Seq)
	switch {
	case m.Seq%7 == 0:
		return &notify.SendError{Permanent: true, Err: errors.New("410 gone")}
	case h.Sum32()%2 == 0 && e.had[m.Seq] <= 2:
		return &notify.SendError{Err: errors.New("503 not now")}
	}
	e.told = append(e.told, m.Seq)
	return nil
}

// TestWebhooksKeepTheirOrder lets a courier for each transition race, as workers
// do: the system hears everything once, in order, and what it refuses for good
// holds up nobody.
func TestWebhooksKeepTheirOrder(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	r := submit(t, "REQ-A", nil)
	const last = 24
	for r.Seq < last {
		do(t, r, time.Minute*time.Duration(r.Seq), requirement.Comment{Header: as("zhou"), Message: "还在看"})
	}
	tr := carried(t, r.Take())
	var notices []notify.Notice
	for seq := 1; seq <= last; seq++ {
		notices = append(notices, webhook("REQ-A", seq))
	}
	_, err := l.Write(t.Context(), tr, notices)
	require.NoError(t, err)

	system := &endpoint{had: map[int]int{}}
	courier := notify.Courier{
		Store: impatient{l}, Source: l, Channels: notify.Channels{"webhook": system}, Logger: slog.New(slog.DiscardHandler),
	}
	var group sync.WaitGroup
	for from := 1; from <= last; from += 2 {
		// Two couriers for each pair of events: one worker that is thought dead, and
		// the one that took over.
		for range 2 {
			group.Go(func() {
				for {
					_, err := courier.Deliver(context.Background(), notify.Request{ID: "REQ-A", From: from, To: from + 1})
					var retry *notify.RetryError
					if errors.As(err, &retry) {
						continue
					}
					if err != nil {
						t.Error(err)
					}
					return
				}
			})
		}
	}
	group.Wait()
	var want []int
	for seq := 1; seq <= last; seq++ {
		state := states(t, l, "REQ-A")[fmt.Sprintf("%d upstream:jira webhook", seq)]
		if seq%7 == 0 {
			require.Equal(t, notify.Parked, state)
			continue
		}
		require.Equal(t, notify.Sent, state)
		want = append(want, seq)
	}
	require.Equal(t, want, system.told)
}

// impatient leaves a notice that failed alone for no time.
type impatient struct{ *ledger.Ledger }

func (i impatient) PostponeNotice(ctx context.Context, k notify.Key, reason string, _ time.Duration) error {
	return i.Ledger.PostponeNotice(ctx, k, reason, 0)
}

func TestWebhookTurns(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	r := submit(t, "REQ-A", nil)
	tr := carried(t, r.Take())
	require.GreaterOrEqual(t, tr.State.Seq, 3)
	_, err := l.Write(t.Context(), tr, []notify.Notice{webhook("REQ-A", 1), webhook("REQ-A", 2), webhook("REQ-A", 3), notice("REQ-A", 3, "zhou", "email")})
	require.NoError(t, err)
	claim := func(n notify.Notice, inOrder bool) notify.Claim {
		t.Helper()
		c, err := l.ClaimNotice(t.Context(), n.Key, inOrder)
		require.NoError(t, err)
		return c
	}
	due := func() []notify.Due {
		t.Helper()
		list, err := l.DueNotices(t.Context(), "REQ-A", 1, 99)
		require.NoError(t, err)
		return list
	}

	// Those behind come a second after each other.
	require.Equal(t, notify.Claim{After: time.Second}, claim(webhook("REQ-A", 2), true))
	require.Equal(t, notify.Claim{After: 2 * time.Second}, claim(webhook("REQ-A", 3), true))
	require.Equal(t, notify.Claim{Taken: true}, claim(notice("REQ-A", 3, "zhou", "email"), false), "somebody else waits for nobody")
	require.Equal(t, notify.Claim{Taken: true}, claim(webhook("REQ-A", 1), true))

	// Whoever has it is left alone, and may be dead after that.
	again := claim(webhook("REQ-A", 1), true)
	require.False(t, again.Taken)
	require.InDelta(t, (notify.Lease + time.Second).Seconds(), again.After.Seconds(), 5)
	require.InDelta(t, notify.Lease.Seconds(), due()[0].In.Seconds(), 5)
	_, err = conn.Exec(t.Context(), `UPDATE notice SET claimed_at = claimed_at - interval '1 hour', opened_at = opened_at - interval '2 hours' WHERE seq = 1`)
	require.NoError(t, err)
	require.Zero(t, due()[0].In)
	require.InDelta(t, 2*time.Hour.Seconds(), due()[0].Age.Seconds(), 5)

	// One that has to wait is not taken before its time, and nobody passes it.
	require.NoError(t, l.PostponeNotice(t.Context(), webhook("REQ-A", 1).Key, "503", time.Hour))
	require.InDelta(t, time.Hour.Seconds(), due()[0].In.Seconds(), 5)
	require.InDelta(t, time.Hour.Seconds(), claim(webhook("REQ-A", 1), true).After.Seconds(), 5)
	require.InDelta(t, time.Hour.Seconds(), claim(webhook("REQ-A", 3), true).After.Seconds(), 5)
	page, err := l.Notices(t.Context(), ledger.NoticeFilter{Channel: "webhook", States: []notify.State{notify.Pending}})
	require.NoError(t, err)
	require.Len(t, page.Notices, 3)
	require.NotNil(t, page.Notices[2].DueAt)

	// Parked, it holds up nobody.
	_, err = conn.Exec(t.Context(), `UPDATE notice SET due_at = now() WHERE seq = 1`)
	require.NoError(t, err)
	require.True(t, claim(webhook("REQ-A", 1), true).Taken)
	require.NoError(t, l.SettleNotice(t.Context(), webhook("REQ-A", 1).Key, notify.Parked, "410", nil))
	require.True(t, claim(webhook("REQ-A", 2), true).Taken)
	require.Zero(t, claim(webhook("REQ-A", 1), true), "what is settled is nobody's")

	// Sent again, it has all its time anew.
	count, from, to, err := l.ReopenNotices(t.Context(), "REQ-A", []int64{page.Notices[2].Number})
	require.NoError(t, err)
	require.Equal(t, []int{1, 1, 1}, []int{count, from, to})
	require.Less(t, due()[0].Age, time.Minute)
	require.Zero(t, due()[0].In)
}
