package ledger_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/ledger"
	"closeloop/notify"
	"closeloop/requirement"
)

func notice(id string, seq int, recipient, channel string) notify.Notice {
	return notify.Notice{
		Key:   notify.Key{Requirement: id, Seq: seq, Recipient: recipient, Channel: channel},
		Event: requirement.Submitted, Address: recipient + "@example.com", Language: "zh-CN", State: notify.Pending,
	}
}

func states(t testing.TB, l *ledger.Ledger, id string) map[string]notify.State {
	t.Helper()
	page, err := l.Notices(t.Context(), ledger.NoticeFilter{Requirement: id, Limit: ledger.MaxLimit})
	require.NoError(t, err)
	found := map[string]notify.State{}
	for _, n := range page.Notices {
		found[fmt.Sprintf("%d %s %s", n.Seq, n.Recipient, n.Channel)] = n.State
	}
	return found
}

func TestNoticesAreWrittenWithTheirTransition(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	tr := carried(t, submit(t, "REQ-A", nil).Take())
	li := notice("REQ-A", 1, "li", "email")
	li.Rest = []notify.Route{{Channel: "webhook", Address: "https://example.com/hook"}}
	li.Escalation = "response-1"
	notices := []notify.Notice{notice("REQ-A", 1, "zhou", "email"), li}
	w, err := l.Write(t.Context(), tr, notices)
	require.NoError(t, err)
	require.Equal(t, 2, w.Notices)

	due, err := l.DueNotices(t.Context(), "REQ-A", 1, tr.State.Seq)
	require.NoError(t, err)
	require.Equal(t, []notify.Notice{li, notices[0]}, []notify.Notice{due[0].Notice, due[1].Notice}, "by event, recipient and channel")
	require.Len(t, due, 2)
	require.Zero(t, due[0].In)
	none, err := l.DueNotices(t.Context(), "REQ-A", tr.State.Seq+1, tr.State.Seq+9)
	require.NoError(t, err)
	require.Empty(t, none)

	// A repetition neither adds one nor takes one back.
	claim, err := l.ClaimNotice(t.Context(), li.Key, false)
	require.NoError(t, err)
	require.True(t, claim.Taken)
	require.NoError(t, l.SettleNotice(t.Context(), li.Key, notify.Sent, "", nil))
	w, err = l.Write(t.Context(), tr, notices)
	require.NoError(t, err)
	require.Equal(t, ledger.Written{Current: true, Notices: 1}, w)
	require.Equal(t, map[string]notify.State{"1 li email": notify.Sent, "1 zhou email": notify.Pending}, states(t, l, "REQ-A"))

	_, err = l.Write(t.Context(), tr, []notify.Notice{notice("REQ-B", 1, "li", "email")})
	require.ErrorContains(t, err, "does not belong to events 1 to")
	_, err = l.Write(t.Context(), tr, []notify.Notice{notice("REQ-A", 99, "li", "email")})
	require.ErrorContains(t, err, "does not belong to events 1 to")
}

func TestNoticeStates(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	tr := carried(t, submit(t, "REQ-A", nil).Take())
	first := notice("REQ-A", 1, "li", "email")
	_, err := l.Write(t.Context(), tr, []notify.Notice{first})
	require.NoError(t, err)
	only := func() ledger.NoticeEntry {
		page, err := l.Notices(t.Context(), ledger.NoticeFilter{Channel: "email"})
		require.NoError(t, err)
		require.Len(t, page.Notices, 1)
		return page.Notices[0]
	}
	claim := func(k notify.Key) bool {
		claim, err := l.ClaimNotice(t.Context(), k, false)
		require.NoError(t, err)
		return claim.Taken
	}

	require.True(t, claim(first.Key))
	require.False(t, claim(first.Key), "it is in somebody's hands")
	n := only()
	require.Equal(t, notify.Sending, n.State)
	require.Equal(t, 1, n.Attempts)
	require.NotNil(t, n.ClaimedAt)
	require.Nil(t, n.SettledAt)

	require.NoError(t, l.PostponeNotice(t.Context(), first.Key, "connection refused", 0))
	n = only()
	require.Equal(t, notify.Pending, n.State)
	require.Equal(t, "connection refused", n.Error)
	require.Nil(t, n.SettledAt, "it is to be tried again")

	require.True(t, claim(first.Key))
	second := notice("REQ-A", 1, "li", "webhook")
	second.State = ""
	require.NoError(t, l.SettleNotice(t.Context(), first.Key, notify.Failed, "no such mailbox\x00", &second))
	n = only()
	require.Equal(t, notify.Failed, n.State)
	require.Equal(t, "no such mailbox\uFFFD", n.Error)
	require.Equal(t, 2, n.Attempts)
	require.NotNil(t, n.SettledAt)
	require.Equal(t, map[string]notify.State{"1 li email": notify.Failed, "1 li webhook": notify.Pending}, states(t, l, "REQ-A"))

	// What has its final state keeps it, and nothing takes over any more.
	third := notice("REQ-A", 1, "li", "log")
	require.NoError(t, l.SettleNotice(t.Context(), first.Key, notify.Sent, "", &third))
	require.Equal(t, map[string]notify.State{"1 li email": notify.Failed, "1 li webhook": notify.Pending}, states(t, l, "REQ-A"))
	require.False(t, claim(first.Key))

	// One that took over and is there already stays as it is.
	require.True(t, claim(second.Key))
	require.NoError(t, l.SettleNotice(t.Context(), second.Key, notify.Uncertain, "cut off", &first))
	require.Equal(t, map[string]notify.State{"1 li email": notify.Failed, "1 li webhook": notify.Uncertain}, states(t, l, "REQ-A"))

	unknown := notice("REQ-A", 1, "nobody", "email").Key
	require.ErrorIs(t, l.SettleNotice(t.Context(), unknown, notify.Sent, "", nil), ledger.ErrNotFound)
	require.False(t, claim(unknown))
}

func TestOneOfManyClaimsWins(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	var notices []notify.Notice
	for i := range 20 {
		notices = append(notices, notice("REQ-A", 1, fmt.Sprintf("p%02d", i), "email"))
	}
	_, err := l.Write(t.Context(), submit(t, "REQ-A", nil).Take(), notices)
	require.NoError(t, err)
	var group sync.WaitGroup
	var mu sync.Mutex
	wins := map[notify.Key]int{}
	for range 4 {
		group.Go(func() {
			for _, n := range notices {
				claim, err := l.ClaimNotice(context.Background(), n.Key, false)
				mu.Lock()
				if err != nil {
					t.Error(err)
				}
				if claim.Taken {
					wins[n.Key]++
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	for _, n := range notices {
		require.Equal(t, 1, wins[n.Key], n.Recipient)
	}
}

func TestReopenNotices(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	for state, may := range map[notify.State]bool{
		notify.Parked: true, notify.Failed: true, notify.Uncertain: true,
		notify.Sent: false, notify.Cancelled: false,
	} {
		require.Equal(t, may, ledger.Retryable(state))
		id := "REQ-" + string(state)
		n, other := notice(id, 1, "li", "email"), notice(id, 2, "wang", "email")
		n.State, n.Attempts, n.Error = state, 7, "refused"
		other.State = notify.Parked
		_, err := l.Write(t.Context(), submit(t, id, nil).Take(), []notify.Notice{n, other})
		require.NoError(t, err)
		page, err := l.Notices(t.Context(), ledger.NoticeFilter{Requirement: id, Recipient: "li"})
		require.NoError(t, err)
		require.Len(t, page.Notices, 1)
		// The second time it is there already, as after a crash.
		for range 2 {
			count, from, to, err := l.ReopenNotices(t.Context(), id, []int64{page.Notices[0].Number, 1 << 40})
			require.NoError(t, err)
			if !may {
				require.Zero(t, count)
				require.Equal(t, state, states(t, l, id)["1 li email"])
				continue
			}
			require.Equal(t, []int{1, 1, 1}, []int{count, from, to})
			due, err := l.DueNotices(t.Context(), id, 1, 9)
			require.NoError(t, err)
			require.Len(t, due, 1, "only what was asked for")
			n.State, n.Attempts, n.Error = notify.Pending, 0, ""
			require.Equal(t, n, due[0].Notice)
		}
		// One of another requirement is none of its business.
		count, _, _, err := l.ReopenNotices(t.Context(), "REQ-other", []int64{page.Notices[0].Number})
		require.NoError(t, err)
		require.Zero(t, count)
	}
}

func TestAnswerToAnEscalationCancelsItsNotices(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(*requirement.Requirement){
		"acknowledged": func(r *requirement.Requirement) {
			r.EscalationReported(start.Add(4*time.Hour), requirement.Report{ID: "response-1", Kind: requirement.EscalationAcknowledged, By: "li"})
		},
		"ended": func(r *requirement.Requirement) {
			do(t, r, 4*time.Hour, requirement.Withdraw{Header: as("zhou"), Reason: "重复"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, _ := open(t)
			r := submit(t, "REQ-A", nil)
			r.Tick(start.Add(3 * time.Hour))
			r.EscalationStarted(start.Add(3*time.Hour), "response-1")
			tr := carried(t, r.Take())
			raised := notice("REQ-A", 2, "li", "email")
			raised.Escalation = "response-1"
			sent := notice("REQ-A", 2, "chen", "email")
			sent.Escalation = "response-1"
			other := notice("REQ-A", 2, "ma", "email")
			other.Escalation = "resolution-1"
			_, err := l.Write(t.Context(), tr, []notify.Notice{raised, sent, other, notice("REQ-A", 1, "zhou", "email")})
			require.NoError(t, err)
			_, err = l.ClaimNotice(t.Context(), sent.Key, false)
			require.NoError(t, err)

			answer(r)
			tr = carried(t, r.Take())
			// The answer itself is told, though it belongs to the escalation.
			last := tr.State.Seq
			told := notice("REQ-A", last, "li", "email")
			told.Escalation = "response-1"
			_, err = l.Write(t.Context(), tr, []notify.Notice{told})
			require.NoError(t, err)
			require.Equal(t, map[string]notify.State{
				"1 zhou email":                   notify.Pending,
				"2 li email":                     notify.Cancelled,
				"2 chen email":                   notify.Sending,
				"2 ma email":                     notify.Pending,
				fmt.Sprintf("%d li email", last): notify.Pending,
			}, states(t, l, "REQ-A"))

			// A notice that was cancelled while it was about to be parked stays so.
			require.NoError(t, l.SettleNotice(t.Context(), raised.Key, notify.Parked, "no channel", nil))
			require.Equal(t, notify.Cancelled, states(t, l, "REQ-A")["2 li email"])
		})
	}
}

func TestNoticesPageByPage(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	var notices []notify.Notice
	for i := range 25 {
		n := notice("REQ-A", 1, fmt.Sprintf("p%02d", i), "email")
		if i%5 == 0 {
			n.State = notify.Parked
		}
		notices = append(notices, n)
	}
	_, err := l.Write(t.Context(), submit(t, "REQ-A", nil).Take(), notices)
	require.NoError(t, err)
	seen := map[string]int{}
	f := ledger.NoticeFilter{States: []notify.State{notify.Pending, notify.Sending}, Limit: 7}
	pages := 0
	for {
		page, err := l.Notices(t.Context(), f)
		require.NoError(t, err)
		pages++
		for _, n := range page.Notices {
			seen[n.Recipient]++
			require.Equal(t, notify.Pending, n.State)
		}
		if f.Cursor = page.Next; f.Cursor == "" {
			break
		}
	}
	require.Equal(t, 3, pages)
	require.Len(t, seen, 20)

	for name, c := range map[string]struct {
		filter ledger.NoticeFilter
		want   int
	}{
		"recipient": {ledger.NoticeFilter{Recipient: "p03"}, 1},
		"parked":    {ledger.NoticeFilter{States: []notify.State{notify.Parked}}, 5},
		"event":     {ledger.NoticeFilter{Events: []requirement.Kind{requirement.Resolved}}, 0},
		"both":      {ledger.NoticeFilter{States: []notify.State{notify.Parked, notify.Sent}, Requirement: "REQ-A"}, 5},
		"another":   {ledger.NoticeFilter{Requirement: "REQ-B"}, 0},
	} {
		page, err := l.Notices(t.Context(), c.filter)
		require.NoError(t, err)
		require.Len(t, page.Notices, c.want, name)
	}
	_, err = l.Notices(t.Context(), ledger.NoticeFilter{Cursor: "!"})
	require.ErrorIs(t, err, ledger.ErrCursor)
}
