package main

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"closeloop/ledger"
	"closeloop/notify"
	"closeloop/requirement"
)

// noticeColumns are the columns of a list of notices in CSV: the names of the
// JSON fields.
var noticeColumns = []string{
	"number", "requirement", "seq", "event", "recipient", "channel", "address", "state", "attempts", "error",
	"created_at", "claimed_at", "settled_at", "due_at",
}

// noticeStates are the states of notices, as people think of them.
var noticeStates = []notify.State{
	notify.Pending, notify.Sending, notify.Sent, notify.Failed, notify.Uncertain, notify.Parked, notify.Cancelled,
}

// noticeFlags are the filters as they are typed.
type noticeFlags struct {
	states                          []string
	requirement, recipient, channel string
	limit                           int
	cursor                          string
}

func (a *app) notificationsCommand() *cobra.Command {
	c := a.command("notifications", "notifications", "closeloop notifications list --state parked\ncloseloop notifications retry --all-parked")
	a.parent(c)
	c.AddCommand(a.notificationsListCommand(), a.notificationsRetryCommand())
	return c
}

func (a *app) notificationsListCommand() *cobra.Command {
	var f noticeFlags
	c := a.command("notifications.list", "list",
		"closeloop notifications list --state parked\n"+
			"closeloop notifications list --requirement REQ-7K2M9QXA --channel webhook\n"+
			"closeloop notifications list --recipient upstream:jira --state pending,parked -o csv")
	c.Args = a.takes(0)
	c.Annotations[listing] = "yes"
	fs := a.flags(c)
	fs.choices(&f.states, "state", words(noticeStates))
	a.noticeFilters(fs, &f)
	fs.number(&f.limit, "limit")
	fs.text(&f.cursor, "cursor")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		filter, err := a.noticeFilter(cmd, f)
		if err != nil {
			return err
		}
		books, err := a.open(cmd.Context())
		if err != nil {
			return err
		}
		defer books.Close()
		page, err := books.Notices(cmd.Context(), filter)
		if err != nil {
			return err
		}
		if err := printList(a, page.Notices, noticeColumns, func(s *screen) { a.showNotices(s, page.Notices) }); err != nil {
			return err
		}
		if page.Next != "" && !a.quiet {
			s := a.screen(a.err)
			s.line(s.faint.Render(a.say("cli.list.more", map[string]any{"Cursor": page.Next})))
		}
		return nil
	}
	return c
}

// noticeFilters are the flags that both commands have.
func (a *app) noticeFilters(fs flags, f *noticeFlags) {
	fs.text(&f.requirement, "requirement")
	fs.complete("requirement", a.completeIDs(""))
	fs.text(&f.recipient, "recipient")
	fs.choice(&f.channel, "channel", noticeChannels)
}

// noticeFilter checks the filters and puts them into the ledger's terms.
func (a *app) noticeFilter(cmd *cobra.Command, f noticeFlags) (ledger.NoticeFilter, error) {
	filter := ledger.NoticeFilter{Recipient: f.recipient, Channel: f.channel, Limit: f.limit, Cursor: f.cursor}
	for _, s := range f.states {
		if !slices.Contains(noticeStates, notify.State(s)) {
			return filter, a.misused(cmd, "not_one_of", map[string]any{"Flag": "state", "Value": s, "Allowed": joined(noticeStates)})
		}
		filter.States = append(filter.States, notify.State(s))
	}
	if f.channel != "" && !slices.Contains(noticeChannels, f.channel) {
		return filter, a.misused(cmd, "not_one_of", map[string]any{"Flag": "channel", "Value": f.channel, "Allowed": joined(noticeChannels)})
	}
	if f.limit < 0 || f.limit > ledger.MaxLimit {
		return filter, a.misused(cmd, "invalid", map[string]any{"Flag": "limit", "Reason": fmt.Sprintf("%d: 1 … %d", f.limit, ledger.MaxLimit)})
	}
	if f.requirement != "" {
		id, err := a.requirementID(f.requirement)
		if err != nil {
			return filter, err
		}
		filter.Requirement = id
	}
	return filter, nil
}

func (a *app) showNotices(s *screen, notices []ledger.NoticeEntry) {
	if len(notices) == 0 {
		if !a.quiet {
			s.line(a.say("cli.notifications.none", nil))
		}
		return
	}
	rows := make([][]string, len(notices))
	for i, n := range notices {
		rows[i] = []string{
			strconv.FormatInt(n.Number, 10), s.strong.Render(n.Requirement), a.text.Name("event", string(n.Event)),
			clean(n.Recipient), clean(n.Channel), a.noticeState(s, n.State), strconv.Itoa(n.Attempts),
			n.CreatedAt.In(a.zone).Format("2006-01-02 15:04:05"), a.nextAttempt(n), short(n.Error, 60),
		}
	}
	s.table(a.headers("number", "id", "event", "recipient", "notice_channel", "state", "attempts", "created", "next_attempt", "reason"), rows, 3, 9)
}

func (a *app) noticeState(s *screen, state notify.State) string {
	text := a.text.Name("notice_state", string(state))
	switch state {
	case notify.Parked, notify.Uncertain:
		return s.bad.Render(text)
	case notify.Pending, notify.Sending, notify.Failed:
		return s.warn.Render(text)
	default:
		return text
	}
}

// nextAttempt is when a notice that waits is tried next.
func (a *app) nextAttempt(n ledger.NoticeEntry) string {
	if n.State != notify.Pending || n.DueAt == nil {
		return ""
	}
	return n.DueAt.In(a.zone).Format("2006-01-02 15:04:05")
}

// someNotice is a notice as scripts see it where it is to be sent again.
type someNotice struct {
	Number      int64            `json:"number"`
	Requirement string           `json:"requirement"`
	Seq         int              `json:"seq"`
	Event       requirement.Kind `json:"event"`
	Recipient   string           `json:"recipient"`
	Channel     string           `json:"channel"`
}
