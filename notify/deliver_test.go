package notify_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/notify"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

func processOf() policy.Process { return policy.Process{} }

func notice(recipient string, channels ...string) notify.Notice {
	n := notify.Notice{
		Key:   notify.Key{Requirement: "REQ-1", Seq: 1, Recipient: recipient, Channel: channels[0]},
		Event: requirement.Submitted, Address: recipient, Language: "en", State: notify.Pending,
	}
	for _, c := range channels[1:] {
		n.Rest = append(n.Rest, notify.Route{Channel: c, Address: recipient})
	}
	return n
}

var (
	passing   = &notify.SendError{Err: errors.New("451 later")}
	permanent = &notify.SendError{Permanent: true, Err: errors.New("550 no such user")}
	unknown   = &notify.SendError{MayHaveArrived: true, Err: errors.New("connection reset")}
)

// courier delivers from a store over channels that answer with what replies say.
func courier(store *memory, replies map[string]func(notify.Message) error) (notify.Courier, map[string]*wire, *bytes.Buffer) {
	channels, wires := notify.Channels{}, map[string]*wire{}
	for name, reply := range replies {
		w := &wire{name: name, reply: reply, store: store}
		channels[name], wires[name] = w, w
	}
	log := new(bytes.Buffer)
	return notify.Courier{
		Store: store, Source: store, Channels: channels, Logger: slog.New(slog.NewTextHandler(log, nil)),
		Now: func() time.Time { return noon },
	}, wires, log
}

func answers(err error) func(notify.Message) error { return func(notify.Message) error { return err } }

var all = notify.Request{ID: "REQ-1", From: 1, To: 9}

func TestDeliver(t *testing.T) {
	t.Parallel()
	works := answers(nil)
	sending := func(n notify.Notice) notify.Notice { n.State, n.Attempts = notify.Sending, 1; return n }
	tried := func(n notify.Notice, times int) notify.Notice { n.Attempts = times; return n }
	type replies = map[string]func(notify.Message) error
	for _, c := range []struct {
		name    string
		notice  notify.Notice
		replies replies
		states  string
		report  notify.Report
		retry   time.Duration // zero: nothing is left
		alarm   string
	}{
		{
			"sent", notice("li", "email", "log"),
			replies{"email": works, "log": works},
			"email sent",
			notify.Report{Sent: 1},
			0, "",
		},
		{
			"refused for good: the next channel", notice("li", "email", "log"),
			replies{"email": answers(permanent), "log": works},
			"email failed, log sent",
			notify.Report{Sent: 1, Failed: 1},
			0, "goes on",
		},
		{
			"refused for good by all", notice("li", "email", "pager"),
			replies{"email": answers(permanent), "pager": answers(permanent)},
			"email failed, pager parked",
			notify.Report{Failed: 1, Parked: 1},
			0, "Nobody was told",
		},
		{
			"not now: tried again", notice("li", "email", "log"),
			replies{"email": answers(passing), "log": works},
			"email pending",
			notify.Report{Waiting: 1},
			time.Second, "",
		},
		{
			"an error of no kind is passing", notice("li", "email"),
			replies{"email": answers(errors.New("odd"))},
			"email pending",
			notify.Report{Waiting: 1},
			time.Second, "",
		},
		{
			"later attempts wait longer", tried(notice("li", "email"), 3),
			replies{"email": answers(passing)},
			"email pending",
			notify.Report{Waiting: 1},
			2 * time.Minute, "",
		},
		{
			"the channel says how long", notice("li", "email"),
			replies{"email": answers(&notify.SendError{RetryAfter: time.Hour, Err: errors.New("slow down")})},
			"email pending",
			notify.Report{Waiting: 1},
			time.Hour, "",
		},
		{
			"too often: the next channel", tried(notice("li", "email", "log"), 4),
			replies{"email": answers(passing), "log": works},
			"email failed, log sent",
			notify.Report{Sent: 1, Failed: 1},
			0, "goes on",
		},
		{
			"too often on the last channel", tried(notice("li", "email"), 4),
			replies{"email": answers(passing)},
			"email parked",
			notify.Report{Parked: 1},
			0, "Nobody was told",
		},
		{
			"found sending: not sent again", sending(notice("li", "email", "log")),
			replies{"email": works, "log": works},
			"email uncertain, log sent",
			notify.Report{Sent: 1, Uncertain: 1},
			0, "goes on",
		},
		{
			"found sending, no other channel", sending(notice("li", "email")),
			replies{"email": works},
			"email uncertain",
			notify.Report{Uncertain: 1, Parked: 1},
			0, "may not have been told",
		},
		{
			"no answer: not sent again", notice("li", "email", "log"),
			replies{"email": answers(unknown), "log": works},
			"email uncertain, log sent",
			notify.Report{Sent: 1, Uncertain: 1},
			0, "goes on",
		},
		{
			"not set up: the next channel", notice("li", "email", "pager"),
			replies{"pager": works},
			"email failed, pager sent",
			notify.Report{Sent: 1, Failed: 1},
			0, "not set up",
		},
		{
			"nothing of theirs is set up: the log", notice("li", "email"),
			replies{"log": works},
			"email failed, log sent",
			notify.Report{Sent: 1, Failed: 1},
			0, "not set up",
		},
		{
			"the log itself is not set up", notice("li", "email", "log"),
			replies{"pager": works},
			"email failed, log parked",
			notify.Report{Failed: 1, Parked: 1},
			0, "Nobody was told",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			store := newMemory(c.notice)
			if c.notice.State == notify.Sending {
				store.notices[c.notice.Key] = c.notice
			}
			courier, _, log := courier(store, c.replies)
			report, err := courier.Deliver(t.Context(), all)
			require.Equal(t, c.report, report)
			require.Equal(t, c.states, store.of("li"))
			require.Empty(t, store.illegal)
			var retry *notify.RetryError
			if c.retry == 0 {
				require.NoError(t, err)
			} else {
				require.ErrorAs(t, err, &retry)
				require.Equal(t, c.retry, retry.After)
				require.Equal(t, 1, retry.Waiting)
			}
			if c.alarm == "" {
				require.Empty(t, log.String())
			} else {
				require.Contains(t, log.String(), c.alarm)
			}
			// Nothing that is settled is done again.
			if c.retry == 0 {
				again, err := courier.Deliver(t.Context(), all)
				require.NoError(t, err)
				require.Zero(t, again)
			}
		})
	}
}

func TestDeliverDeadRecipientBlocksNobody(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	store := newMemory(notice("dead", "pager", "log"), notice("li", "email"), notice("wang", "log"))
	arrived := make(chan string, 2)
	courier, _, _ := courier(store, map[string]func(notify.Message) error{
		"pager": func(notify.Message) error { <-release; return permanent },
		"email": func(m notify.Message) error { arrived <- m.Recipient; return nil },
		"log": func(m notify.Message) error {
			if m.Recipient != "dead" {
				arrived <- m.Recipient
			}
			return nil
		},
	})
	done := make(chan error, 1)
	go func() { _, err := courier.Deliver(context.Background(), all); done <- err }()
	// Both arrive while the dead one still hangs.
	require.ElementsMatch(t, []string{"li", "wang"}, []string{<-arrived, <-arrived})
	close(release)
	require.NoError(t, <-done)
	require.Equal(t, "pager failed, log sent", store.of("dead"))
}

func TestDeliverCountsOnlyTheRangeAsked(t *testing.T) {
	t.Parallel()
	store := newMemory(notice("li", "log"))
	courier, wires, _ := courier(store, map[string]func(notify.Message) error{"log": nil})
	report, err := courier.Deliver(t.Context(), notify.Request{ID: "REQ-1", From: 2, To: 9})
	require.NoError(t, err)
	require.Zero(t, report)
	require.Empty(t, wires["log"].got)
}

func TestDeliverStopsWithTheContext(t *testing.T) {
	t.Parallel()
	store := newMemory(notice("li", "log"))
	courier, wires, _ := courier(store, map[string]func(notify.Message) error{"log": nil})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := courier.Deliver(ctx, all)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, wires["log"].got)
	require.Equal(t, "log pending", store.of("li"))
}

func TestDeliverNotesWhatWasSentWhenStopped(t *testing.T) {
	t.Parallel()
	store := newMemory(notice("li", "email"))
	ctx, cancel := context.WithCancel(t.Context())
	courier, _, _ := courier(store, map[string]func(notify.Message) error{
		"email": func(notify.Message) error { cancel(); return nil },
	})
	report, err := courier.Deliver(ctx, all)
	require.NoError(t, err)
	require.Equal(t, 1, report.Sent)
	require.Equal(t, "email sent", store.of("li"))
}

func TestDeliverDropsCallsOfAnAnsweredEscalation(t *testing.T) {
	t.Parallel()
	for state, want := range map[requirement.EscalationState]string{
		requirement.EscalationClimbs: "email sent",
		requirement.EscalationAcked:  "email cancelled",
		requirement.EscalationOver:   "email cancelled",
	} {
		n := notice("li", "email")
		n.Event, n.Escalation = requirement.EscalationRaised, "response-1"
		store := newMemory(n)
		store.state.Escalations = []requirement.Escalation{{ID: "response-1", State: state}}
		courier, _, _ := courier(store, map[string]func(notify.Message) error{"email": nil})
		_, err := courier.Deliver(t.Context(), all)
		require.NoError(t, err)
		require.Equal(t, want, store.of("li"), state)
	}
}

// TestDeliverThroughCrashes crashes deliveries at random operations, with
// channels that answer at random, until everything is settled.
func TestDeliverThroughCrashes(t *testing.T) {
	t.Parallel()
	names := []string{"email", "pager", "log"}
	rapid.Check(t, func(t *rapid.T) {
		store := newMemory()
		store.events[1] = requirement.Event{Seq: 1, Kind: requirement.Submitted, Actor: "system"}
		recipients := rapid.IntRange(1, 5).Draw(t, "recipients")
		for i := range recipients {
			channels := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 3, rapid.ID[string]).Draw(t, "channels")
			store.put(notice(fmt.Sprintf("p%d", i), channels...))
		}
		kinds := rapid.SampledFrom([]error{nil, nil, passing, permanent, unknown})
		replies := map[string]func(notify.Message) error{}
		for _, name := range names {
			list := rapid.SliceOfN(kinds, 1, 6).Draw(t, name)
			at := 0
			replies[name] = func(notify.Message) error {
				store.mu.Lock()
				defer store.mu.Unlock()
				at++
				return list[(at-1)%len(list)]
			}
		}
		courier, wires, _ := courier(store, replies)
		courier.Logger = slog.New(slog.DiscardHandler)
		for calls := 0; ; calls++ {
			if calls > 200 {
				t.Fatalf("never done: %v", store.notices)
			}
			store.crashIn = -1
			if calls < 6 {
				store.crashIn = rapid.IntRange(0, 40).Draw(t, "crash after")
			}
			_, err := courier.Deliver(context.Background(), all)
			if err == nil {
				break
			}
		}
		require.Empty(t, store.illegal)
		handed := map[notify.Key]int{}
		for _, w := range wires {
			for _, m := range w.got {
				handed[m.Key]++
			}
		}
		told := map[string]bool{}
		last := map[string]notify.State{}
		for _, k := range store.order {
			n := store.notices[k]
			last[k.Recipient] = n.State
			if handed[k] > 1 {
				t.Fatalf("%v was sent %d times", k, handed[k])
			}
			switch n.State {
			case notify.Sent:
				told[k.Recipient] = true
				require.Equal(t, 1, handed[k], "%v", k)
			case notify.Failed, notify.Parked:
				require.Zero(t, handed[k], "%v", k)
			case notify.Uncertain:
			default:
				t.Fatalf("%v is left %s", k, n.State)
			}
		}
		for i := range recipients {
			// Whoever was not told for sure has come to the end of their channels.
			id := fmt.Sprintf("p%d", i)
			if !told[id] && last[id] != notify.Parked && last[id] != notify.Uncertain {
				t.Fatalf("%s was not told and the last is %s", id, last[id])
			}
		}
	})
}

// TestDeliverAtOnce lets two deliveries race for the same notices.
func TestDeliverAtOnce(t *testing.T) {
	t.Parallel()
	store := newMemory()
	store.events[1] = requirement.Event{Seq: 1, Kind: requirement.Submitted, Actor: "system"}
	for i := range 50 {
		store.put(notice(fmt.Sprintf("p%d", i), "email"))
	}
	// All look at the same requirement, which looks calendars up for its clocks: the
	// race detector tells when they do so in each other's way.
	store.state.Clocks = []sla.Clock{{Name: sla.Response, Cycle: 1, StartedAt: noon, Terms: sla.Terms{Target: sla.Exactly(time.Hour), Calendar: sla.AlwaysOpen}}}
	courier, wires, _ := courier(store, map[string]func(notify.Message) error{"email": nil})
	courier.Logger = slog.New(slog.DiscardHandler)
	// Both see all as pending: whoever comes second would take a notice in the
	// other's hands for one that was cut off, which is safe but not meant here.
	due, err := store.DueNotices(t.Context(), "REQ-1", 1, 9)
	require.NoError(t, err)
	courier.Store = frozen{store, due}
	done := make(chan error, 2)
	for range 2 {
		go func() { _, err := courier.Deliver(context.Background(), all); done <- err }()
	}
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	require.Len(t, wires["email"].got, 50)
	require.Empty(t, store.illegal)
}

// frozen answers what was due at one time.
type frozen struct {
	*memory
	due []notify.Due
}

func (f frozen) DueNotices(context.Context, string, int, int) ([]notify.Due, error) {
	return f.due, nil
}
