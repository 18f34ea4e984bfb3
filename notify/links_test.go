package notify_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/locale"
	"closeloop/notify"
	"closeloop/requirement"
)

const secretLink = "https://care.example.com/r/AQJrMWMB_-secret?x=1&y=2"

func linked(t *testing.T, m moment, recipient, language string) notify.Message {
	t.Helper()
	n := notify.Notice{
		Key:   notify.Key{Requirement: m.r.ID, Seq: m.Seq, Recipient: recipient, Channel: "email"},
		Event: m.Kind, Address: "x@example.com", Language: language, Link: secretLink,
	}
	msg, err := renderer(t).Render(n, m.r, m.Event, office(), m.At)
	require.NoError(t, err, "%s to %s", m.Kind, recipient)
	return msg
}

// TestEveryNoticeCanHaveALink: whatever is told to whomever, the link is in the
// text and in the HTML once each, and nowhere else.
func TestEveryNoticeCanHaveALink(t *testing.T) {
	t.Parallel()
	for _, m := range story(t, plain()) {
		for _, recipient := range recipientsOf(m) {
			for _, language := range locale.Languages {
				msg := linked(t, m, recipient, language)
				yours := locale.For(language).Text("message.link_yours", nil)
				require.Equal(t, secretLink, msg.Link)
				require.NotContains(t, msg.Subject, "care.example.com")
				require.Equal(t, 1, strings.Count(msg.Text, "\n"+secretLink+"\n"), msg.Text)
				require.Equal(t, 1, strings.Count(msg.HTML, `href="`+strings.ReplaceAll(secretLink, "&", "&amp;")+`"`), msg.HTML)
				require.Contains(t, msg.Text, yours)
				require.NotContains(t, msg.Text, "message.")
				require.NotContains(t, msg.Text, "\n\n\n")
				wellFormed(t, msg.HTML)

				without := render(t, renderer(t), m, recipient, language)
				require.Empty(t, without.Link)
				require.NotContains(t, without.Text, yours)
				require.NotContains(t, without.HTML, "<a ")
			}
		}
	}
}

// TestLinksSayWhatCanBeDone by the recipient, as the requirement stands.
func TestLinksSayWhatCanBeDone(t *testing.T) {
	t.Parallel()
	told := story(t, plain())
	for _, c := range []struct {
		name      string
		m         moment
		recipient string
		en, zh    string
	}{
		{"received", last(t, told, "REQ-1", requirement.Submitted), "customer", "See how far it is", "查看进展"},
		{"a question", last(t, told, "REQ-1", requirement.WasHeld), "customer", "Answer our question", "回复我们的问题"},
		{"on hold for a supplier", last(t, told, "REQ-4", requirement.WasHeld), "customer", "See how far it is", "查看进展"},
		{"a solution", last(t, told, "REQ-2", requirement.Resolved), "customer", "Confirm, or tell us what is wrong", "确认或反馈问题"},
		{"a solution for who was merged", last(t, told, "REQ-1", requirement.Resolved), "customer:REQ-9", "See how far it is", "查看进展"},
		{"turned down", last(t, told, "REQ-7", requirement.RequestDenied), "customer", "See the result or appeal", "查看结果或申诉"},
		{"appealed", last(t, told, "REQ-7", requirement.WasAppealed), "customer", "See how far it is", "查看进展"},
		{"closed", last(t, told, "REQ-1", requirement.WasArchived), "customer", "See how far it is", "查看进展"},
		{"a vote", last(t, told, "REQ-1", requirement.RoundOpened), "chen", "Approve or decline", "批准或否决"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for language, does := range map[string]string{"en": c.en + ": \n", "zh-CN": c.zh + "：\n"} {
				msg := linked(t, c.m, c.recipient, language)
				require.Contains(t, msg.Text, "\n"+does+secretLink+"\n")
				require.Contains(t, msg.HTML, ">"+strings.TrimRight(does, "：: \n")+"</a>")
			}
		})
	}
}

// desks makes links that say whose they are.
type desks struct{ err error }

func (d desks) Customer(_ context.Context, requirement string, _ time.Time) (string, error) {
	return "link-of-customer-of-" + requirement, d.err
}

func (d desks) Approver(_ context.Context, requirement, person string, round int, _ time.Time) (string, error) {
	return "link-of-" + person + "-on-" + requirement + "-round-" + strconv.Itoa(round), d.err
}

// TestWhoGetsALink: customers the one of their own requirement, people the one of
// a vote that is waited for, everybody else none.
func TestWhoGetsALink(t *testing.T) {
	t.Parallel()
	voting := &requirement.Approval{Round: 3, State: requirement.RoundOpen, Need: 2, Votes: []requirement.Vote{
		{Seat: "role:product", Person: "chen", Answer: requirement.AnswerPending},
		{Seat: "role:management", Person: "wang", Answer: requirement.AnswerApprove},
		{Seat: "role:manager", Person: "zhao", Answer: requirement.AnswerQueued},
	}}
	for _, c := range []struct {
		name, recipient string
		approval        *requirement.Approval
		link            string
	}{
		{"the customer", "customer", nil, "link-of-customer-of-REQ-1"},
		{"who was merged", "customer:REQ-9", nil, "link-of-customer-of-REQ-9"},
		{"whose vote is waited for", "chen", voting, "link-of-chen-on-REQ-1-round-3"},
		{"who has voted", "wang", voting, ""},
		{"whose turn has not come", "zhao", voting, ""},
		{"a colleague", "li", voting, ""},
		{"a colleague without a round", "li", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			store := newMemory(notice(c.recipient, "email"))
			if store.state.Approval = c.approval; c.approval != nil {
				store.state.Stage = requirement.Reviewing
			}
			post, wires, _ := courier(store, map[string]func(notify.Message) error{"email": answers(nil)})
			post.Links = desks{}
			_, err := post.Deliver(t.Context(), all)
			require.NoError(t, err)
			require.Len(t, wires["email"].got, 1)
			require.Equal(t, c.link, wires["email"].got[0].Link)
			for _, n := range store.notices {
				require.Empty(t, n.Link, "a link is kept nowhere")
			}
		})
	}
}

// TestLinksThatCannotBeMade hold a notice up, and lose none.
func TestLinksThatCannotBeMade(t *testing.T) {
	t.Parallel()
	store := newMemory(notice("customer", "email"))
	post, wires, log := courier(store, map[string]func(notify.Message) error{"email": answers(nil)})
	broken := errors.New("the ledger does not answer")
	post.Links = desks{err: broken}
	_, err := post.Deliver(t.Context(), all)
	require.ErrorIs(t, err, broken)
	require.Empty(t, wires["email"].got)

	post.Links = desks{}
	report, err := post.Deliver(t.Context(), all)
	require.NoError(t, err)
	require.Equal(t, notify.Report{Sent: 1}, report)
	require.NotContains(t, log.String(), "link-of")
}
