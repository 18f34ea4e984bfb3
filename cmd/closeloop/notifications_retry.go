package main

import (
	"context"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"closeloop/contract"
	"closeloop/ledger"
	"closeloop/notify"
	"closeloop/policy"
)

// noticeChannels are the channels over which anything is told.
var noticeChannels = append(policy.Channels[:len(policy.Channels):len(policy.Channels)], policy.ChannelWebhook)

// retried answers a retry.
type retried struct {
	// Requested is the number of notices that are to be sent again.
	Requested int          `json:"requested"`
	Notices   []someNotice `json:"notices"`
}

func (a *app) notificationsRetryCommand() *cobra.Command {
	var f noticeFlags
	var all bool
	c := a.command("notifications.retry", "retry [NUMBER…]",
		"closeloop notifications retry 4711 4712\n"+
			"closeloop notifications retry --requirement REQ-7K2M9QXA\n"+
			"closeloop notifications retry --all-parked --recipient upstream:jira")
	fs := a.flags(c)
	fs.truth(&all, "all-parked")
	a.noticeFilters(fs, &f)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		numbers, err := a.noticeNumbers(cmd, args)
		if err != nil {
			return err
		}
		narrowed := f.requirement != "" || f.recipient != "" || f.channel != ""
		switch {
		case len(numbers) > 0 && (all || narrowed):
			return a.misused(cmd, "retry_both", nil)
		case len(numbers) == 0 && !all && f.requirement == "":
			return a.misused(cmd, "retry_what", nil)
		}
		filter, err := a.noticeFilter(cmd, f)
		if err != nil {
			return err
		}
		filter.Numbers = numbers
		return a.retry(cmd.Context(), filter)
	}
	return c
}

func (a *app) noticeNumbers(cmd *cobra.Command, args []string) ([]int64, error) {
	var numbers []int64
	for _, arg := range args {
		n, err := strconv.ParseInt(arg, 10, 64)
		if err != nil || n < 1 {
			return nil, a.misused(cmd, "notice_number", map[string]any{"Value": arg})
		}
		if !slices.Contains(numbers, n) {
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}

// retry has notices sent again: those that are named, or the parked ones.
func (a *app) retry(ctx context.Context, filter ledger.NoticeFilter) error {
	books, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer books.Close()
	if len(filter.Numbers) == 0 {
		filter.States = []notify.State{notify.Parked}
	}
	if filter.Requirement != "" {
		// A slip of the pen is told, and not taken for a requirement without any.
		if _, err := books.Get(ctx, filter.Requirement); err != nil {
			return err
		}
	}
	found, err := allNotices(ctx, books, filter)
	if err != nil {
		return err
	}
	if err := a.retryable(filter.Numbers, found); err != nil {
		return err
	}
	d, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	answer := retried{Notices: []someNotice{}}
	for _, order := range a.orders(found) {
		if err := d.Redeliver(ctx, order); err != nil {
			return err
		}
		answer.Requested += len(order.Numbers)
	}
	for _, n := range found {
		answer.Notices = append(answer.Notices, someNotice{n.Number, n.Requirement, n.Seq, n.Event, n.Recipient, n.Channel})
	}
	return a.print(answer, func(s *screen) {
		s.line(s.good.Render(a.say("cli.notifications.requested", map[string]any{"Count": answer.Requested})))
	})
}

// allNotices reads a list to its end, the earliest first.
func allNotices(ctx context.Context, books archive, filter ledger.NoticeFilter) ([]ledger.NoticeEntry, error) {
	var all []ledger.NoticeEntry
	for filter.Limit = ledger.MaxLimit; ; {
		page, err := books.Notices(ctx, filter)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Notices...)
		if filter.Cursor = page.Next; filter.Cursor == "" {
			slices.Reverse(all)
			return all, nil
		}
	}
}

// retryable refuses numbers that no notice has, and notices that need no second
// attempt; nothing is sent then.
func (a *app) retryable(numbers []int64, found []ledger.NoticeEntry) error {
	for _, number := range numbers {
		i := slices.IndexFunc(found, func(n ledger.NoticeEntry) bool { return n.Number == number })
		params := map[string]any{"Number": number}
		if i < 0 {
			return &failure{exitNotFound, "not_found", a.say("cli.error.no_notice", params), a.say("cli.hint.no_notice", nil)}
		}
		if !ledger.Retryable(found[i].State) {
			params["State"] = a.text.Name("notice_state", string(found[i].State))
			return &failure{exitRefused, "not_retryable", a.say("cli.error.not_retryable", params), a.say("cli.hint.not_retryable", nil)}
		}
	}
	return nil
}

// orders are the notices by requirement, in the order in which they were written.
func (a *app) orders(found []ledger.NoticeEntry) []contract.RedeliverRequest {
	var orders []contract.RedeliverRequest
	at := map[string]int{}
	for _, n := range found {
		i, known := at[n.Requirement]
		if !known {
			i = len(orders)
			at[n.Requirement] = i
			orders = append(orders, contract.RedeliverRequest{ID: n.Requirement, By: a.as})
		}
		orders[i].Numbers = append(orders[i].Numbers, n.Number)
	}
	return orders
}
