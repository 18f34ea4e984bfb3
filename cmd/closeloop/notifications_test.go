package main

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/contract"
	"closeloop/ledger"
	"closeloop/notify"
	"closeloop/requirement"
	"closeloop/starter"
)

// fakeOrders are the notices that a desk was asked to send again.
type fakeOrders struct {
	orders []contract.RedeliverRequest
	refuse error
}

func (o *fakeOrders) Redeliver(_ context.Context, r contract.RedeliverRequest) error {
	if o.refuse == nil {
		o.orders = append(o.orders, r)
	}
	return o.refuse
}

// fakeNotices are those that a ledger has, and what was asked of it last.
type fakeNotices struct {
	notices []ledger.NoticeEntry
	wanted  ledger.NoticeFilter
}

// Notices gives out two a page, the latest first.
func (n *fakeNotices) Notices(_ context.Context, f ledger.NoticeFilter) (ledger.NoticePage, error) {
	n.wanted = f
	var page ledger.NoticePage
	for _, e := range slices.Backward(n.notices) {
		switch {
		case len(f.Numbers) > 0 && !slices.Contains(f.Numbers, e.Number):
		case len(f.States) > 0 && !slices.Contains(f.States, e.State):
		case f.Cursor != "" && e.CreatedAt.Format(time.RFC3339) >= f.Cursor:
		case len(page.Notices) == 2:
			page.Next = page.Notices[1].CreatedAt.Format(time.RFC3339)
			return page, nil
		default:
			page.Notices = append(page.Notices, e)
		}
	}
	return page, nil
}

func someNotices() fakeNotices {
	var list []ledger.NoticeEntry
	for i, state := range []notify.State{notify.Parked, notify.Sent, notify.Parked, notify.Pending, notify.Uncertain, notify.Parked} {
		id := someID
		if i == 5 {
			id = "REQ-GADW0TCZ"
		}
		e := ledger.NoticeEntry{Number: int64(i + 1), CreatedAt: noon.Add(time.Duration(i) * time.Minute)}
		e.Notice = notify.Notice{
			Key:   notify.Key{Requirement: id, Seq: i + 1, Recipient: "upstream:jira", Channel: "webhook"},
			Event: requirement.Resolved, Address: "jira", State: state, Attempts: 3, Error: "the receiver answers 410 Gone",
		}
		if state == notify.Pending {
			due := noon.Add(time.Hour)
			e.DueAt = &due
		}
		list = append(list, e)
	}
	return fakeNotices{notices: list}
}

func TestNotificationsList(t *testing.T) {
	t.Parallel()
	ask := func(args ...string) (called, *fakeArchive) {
		books := &fakeArchive{fakeNotices: someNotices()}
		return calling{args: append([]string{"notifications", "list"}, args...), books: books}.run(t), books
	}
	c, books := ask("--lang", "en", "--state", "parked,pending", "--recipient", "upstream:jira", "--channel", "webhook", "--requirement", "7K2M9QXA", "--limit", "7")
	require.Zero(t, c.status, c.err)
	require.Equal(t, ledger.NoticeFilter{
		Requirement: someID, Recipient: "upstream:jira", Channel: "webhook", Limit: 7,
		States: []notify.State{notify.Parked, notify.Pending},
	}, books.wanted)
	require.Contains(t, c.out, "REQ-GADW0TCZ")
	require.Contains(t, c.out, "2026-11-23 13:00:00", "when it is tried next")
	require.Contains(t, c.err, "--cursor")

	c, _ = ask("--lang", "zh-CN", "--state", "parked")
	require.Contains(t, c.out, "无可用渠道")

	c, _ = ask("-o", "json")
	var list []map[string]any
	require.NoError(t, json.Unmarshal([]byte(c.out), &list))
	require.Len(t, list, 2)
	require.EqualValues(t, 6, list[0]["number"])
	require.Equal(t, "parked", list[0]["state"])
	c, _ = ask("-o", "csv")
	require.Contains(t, c.out, "number,requirement,seq,event,recipient,channel,address,state,attempts,error")
	c, _ = ask("-o", "ndjson")
	require.Contains(t, c.out, `{"requirement":"REQ-GADW0TCZ"`)

	c = calling{args: []string{"notifications", "list", "--lang", "en"}, books: &fakeArchive{}}.run(t)
	require.Equal(t, "No notification matches.\n", c.out)

	for _, args := range [][]string{{"--state", "lost"}, {"--channel", "pigeon"}, {"--limit", "100000"}, {"more"}} {
		c, _ = ask(append(args, "-o", "json")...)
		require.Equal(t, exitUsage, c.status, args)
	}
	c, _ = ask("--requirement", "what")
	require.Equal(t, exitNotFound, c.status)
}

func TestNotificationsRetry(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		args   []string
		status int
		orders []contract.RedeliverRequest
	}{
		{"by number", []string{"5", "1", "5"}, exitDone, []contract.RedeliverRequest{{ID: someID, Numbers: []int64{1, 5}, By: "li.na"}}},
		{"all, page by page", []string{"--all-parked", "--recipient", "upstream:jira"}, exitDone, []contract.RedeliverRequest{
			{ID: someID, Numbers: []int64{1, 3}, By: "li.na"}, {ID: "REQ-GADW0TCZ", Numbers: []int64{6}, By: "li.na"},
		}},
		{"unknown", []string{"1", "99"}, exitNotFound, nil},
		{"sent already", []string{"1", "2"}, exitRefused, nil},
		{"tried by itself", []string{"4"}, exitRefused, nil},
		{"no number", []string{"one"}, exitUsage, nil},
		{"nothing named", nil, exitUsage, nil},
		{"only narrowed", []string{"--channel", "webhook"}, exitUsage, nil},
		{"named twice", []string{"1", "--all-parked"}, exitUsage, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			desk := &fakeDesk{}
			got := calling{
				args: append([]string{"notifications", "retry", "--as", "li.na", "-o", "json"}, c.args...),
				desk: desk, books: &fakeArchive{fakeNotices: someNotices()},
			}.run(t)
			require.Equal(t, c.status, got.status, got.err)
			require.Equal(t, c.orders, desk.orders)
			if c.status != exitDone {
				require.NotEmpty(t, got.told(t).Message)
				return
			}
			var answer retried
			require.NoError(t, json.Unmarshal([]byte(got.out), &answer))
			require.Len(t, answer.Notices, answer.Requested)
			require.Equal(t, int64(1), answer.Notices[0].Number)
		})
	}
	desk := &fakeDesk{}
	books := &fakeArchive{}
	got := calling{args: []string{"notifications", "retry", "--requirement", someID, "--lang", "en"}, desk: desk, books: books}.run(t)
	require.Zero(t, got.status, got.err)
	require.Equal(t, "0 notification(s) will be sent again\n", got.out)
	require.Equal(t, someID, books.wanted.Requirement)
	require.Equal(t, []notify.State{notify.Parked}, books.wanted.States)

	desk.refuse = &starter.Unreachable{Service: "Temporal", Cause: context.DeadlineExceeded}
	got = calling{args: []string{"notifications", "retry", "1"}, desk: desk, books: &fakeArchive{fakeNotices: someNotices()}}.run(t)
	require.Equal(t, exitUnreachable, got.status)
}
