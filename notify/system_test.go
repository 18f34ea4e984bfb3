package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/notify"
	"closeloop/policy"
	"closeloop/requirement"
)

// withJira is the office whose upstream system jira is told what becomes of its
// tickets.
func withJira(events ...string) policy.Directory {
	d := office()
	if len(events) == 0 {
		events = policy.DefaultWriteBack
	}
	d.Upstreams = []policy.Upstream{
		{Name: "jira", WriteBack: &policy.WriteBack{URL: "https://jira.example.com/hook", Events: events}},
		{Name: "mute"},
	}
	return d
}

func TestPlanToUpstream(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, ref string
		event     requirement.Event
		events    []string
		told      bool
	}{
		{"its ticket", "jira:OPS-7", requirement.Event{Kind: requirement.Resolved}, nil, true},
		{"what it did itself, because the stage has changed", "jira:OPS-7", requirement.Event{Kind: requirement.WasResumed, Via: "webhook:jira"}, nil, true},
		{"another's ticket", "crm:7", requirement.Event{Kind: requirement.Resolved}, nil, false},
		{"a name that only begins the same", "jira2:OPS-7", requirement.Event{Kind: requirement.Resolved}, nil, false},
		{"no ticket", "", requirement.Event{Kind: requirement.Resolved}, nil, false},
		{"a system without write-back", "mute:7", requirement.Event{Kind: requirement.Resolved}, nil, false},
		{"an event that is not wanted", "jira:OPS-7", requirement.Event{Kind: requirement.Planned}, nil, false},
		{"only what is wanted", "jira:OPS-7", requirement.Event{Kind: requirement.Resolved}, []string{"archived"}, false},
		{"a promise that was broken", "jira:OPS-7", requirement.Event{Kind: requirement.ClockBreached, Clock: "resolution"}, nil, true},
		{"our own clock", "jira:OPS-7", requirement.Event{Kind: requirement.ClockBreached, Clock: "acceptance"}, nil, false},
		{"a remark of ours where that is wanted", "jira:OPS-7", requirement.Event{Kind: requirement.Commented, Actor: "li"}, []string{"commented"}, true},
		{"a remark of theirs never comes back to them", "jira:OPS-7", requirement.Event{Kind: requirement.Commented, Via: "webhook:jira"}, []string{"commented"}, false},
		{"a change of words of theirs neither", "jira:OPS-7", requirement.Event{Kind: requirement.Amended, Via: "webhook:jira"}, []string{"amended"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			state := requirement.State{ID: "REQ-1"}
			state.Ref = c.ref
			c.event.Seq = 4
			notices := notify.Plan(state, c.event, withJira(c.events...), noon)
			if !c.told {
				require.Empty(t, notices)
				return
			}
			require.Equal(t, []notify.Notice{{
				Key:   notify.Key{Requirement: "REQ-1", Seq: 4, Recipient: "upstream:jira", Channel: "webhook"},
				Event: c.event.Kind, Address: "jira", State: notify.Pending, Rest: []notify.Route{},
			}}, notices)
		})
	}
}

// toldSystem renders what a system is told of a moment.
func toldSystem(t *testing.T, m moment) (notify.Payload, []byte) {
	t.Helper()
	n := notify.Notice{
		Key:   notify.Key{Requirement: m.r.ID, Seq: m.Seq, Recipient: "upstream:jira", Channel: "webhook"},
		Event: m.Kind, Address: "jira",
	}
	message, err := notify.Standard().Render(n, m.r, m.Event, withJira(), noon)
	require.NoError(t, err)
	var p notify.Payload
	d := json.NewDecoder(strings.NewReader(string(message.Payload)))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&p))
	return p, message.Payload
}

func TestPayload(t *testing.T) {
	t.Parallel()
	submission := plain()
	submission.Ref = "jira:OPS-7"
	r, err := requirement.New("REQ-1", submission, rules(), noon)
	require.NoError(t, err)
	do := func(act requirement.Act) {
		t.Helper()
		_, err := r.Do(noon.Add(time.Minute), act)
		require.NoError(t, err)
	}
	by := requirement.Header{Actor: "wang"}
	do(requirement.Triage{Header: requirement.Header{Actor: "li"}, Department: "service"})
	do(requirement.Assign{Header: requirement.Header{Actor: "li"}, To: "wang"})
	do(requirement.Respond{Header: by, Method: "phone", Message: "We are at it"})
	do(requirement.Resolve{Header: by, Solution: "Index added", RootCause: "SECRET"})
	do(requirement.Confirm{Header: requirement.Header{Actor: "customer", Via: "webhook:jira"}, Rating: 5, Comment: "Fast!"})
	tr := r.Take()
	find := func(kind requirement.Kind) moment {
		i := slices.IndexFunc(tr.Events, func(e requirement.Event) bool { return e.Kind == kind })
		require.GreaterOrEqual(t, i, 0, kind)
		return moment{tr.Events[i], requirement.Restore(tr.State, rules())}
	}

	p, text := toldSystem(t, find(requirement.Confirmed))
	require.Equal(t, "requirement.confirmed", p.Type)
	require.Equal(t, noon.Add(time.Minute), p.Timestamp)
	require.Equal(t, "jira:OPS-7", p.Data.Ref)
	require.Equal(t, requirement.Archived, p.Data.Stage)
	require.Equal(t, requirement.Done, p.Data.Status)
	require.Equal(t, tr.State.Seq, p.Data.Seq)
	require.Equal(t, "customer", p.Data.Event.ActorKind)
	require.True(t, p.Data.Event.Echo)
	require.Nil(t, p.Data.NextDeadline)
	require.Equal(t, "Index added", p.Data.Outcome.Solution)
	require.Equal(t, 5, p.Data.Outcome.Rating)
	require.NotNil(t, p.Data.Outcome.ClosedAt)
	require.NotContains(t, string(text), "SECRET")

	// The same has the same id; another event of the same number has another.
	id := func(m moment) string {
		message, err := notify.Standard().Render(notify.Notice{
			Key: notify.Key{Requirement: "REQ-1", Seq: m.Seq, Recipient: "upstream:jira", Channel: "webhook"}, Address: "jira",
		}, m.r, m.Event, withJira(), noon.Add(time.Hour))
		require.NoError(t, err)
		return message.ID
	}
	confirmed := find(requirement.Confirmed)
	require.Equal(t, id(confirmed), id(confirmed))
	other := confirmed
	other.At = other.At.Add(time.Second)
	require.NotEqual(t, id(confirmed), id(other))

	p, _ = toldSystem(t, find(requirement.Responded))
	require.Equal(t, "We are at it", p.Data.Event.Message)
	require.Equal(t, "person", p.Data.Event.ActorKind)
	require.False(t, p.Data.Event.Echo)
}

// TestSystemsSeeNothingInternal renders everything that can happen for a system:
// the payload is bounded, has none of our people, and no words of theirs but
// those that are for the customer.
func TestSystemsSeeNothingInternal(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("秘密", 5_000)
	s := plain()
	s.Description = long[:3_000]
	for _, m := range story(t, s) {
		p, text := toldSystem(t, m)
		require.Less(t, len(text), 16_000, m.Kind)
		require.LessOrEqual(t, len(p.Data.Clocks), 6)
		for _, person := range office().People {
			for _, name := range []string{person.Name, person.Email} {
				require.False(t, name != "" && strings.Contains(string(text), name), "%s: %s", m.Kind, name)
			}
			require.NotContains(t, string(text), `"`+person.ID+`"`, m.Kind)
		}
		for _, c := range p.Data.Clocks {
			require.Contains(t, []string{"response", "resolution", "update", "next_response", "confirmation", "appeal"}, string(c.Name))
		}
	}
}

// hook is a channel to a system.
type hook struct {
	*wire
	patience time.Duration
}

func (h hook) Terms() notify.Terms {
	return notify.Terms{
		Repeatable: true, InOrder: true, Spread: 0.2, Patience: h.patience,
		Waits: []time.Duration{5 * time.Second, time.Minute},
	}
}

func toJira(seq int) notify.Notice {
	return notify.Notice{
		Key:   notify.Key{Requirement: "REQ-1", Seq: seq, Recipient: "upstream:jira", Channel: "webhook"},
		Event: requirement.Submitted, Address: "jira", State: notify.Pending,
	}
}

func TestDeliverToSystem(t *testing.T) {
	t.Parallel()
	sending := toJira(1)
	sending.State, sending.Attempts = notify.Sending, 1
	tired := toJira(1)
	tired.Attempts = 9
	for _, c := range []struct {
		name    string
		notices []notify.Notice
		age     time.Duration
		reply   func(notify.Message) error
		states  string
		sent    int
		// least and most that it is left alone
		least, most time.Duration
	}{
		{"sent in one go", []notify.Notice{toJira(1), toJira(2)}, 0, answers(nil), "webhook sent, webhook sent", 2, 0, 0},
		{"found sending: sent again", []notify.Notice{sending}, 0, answers(nil), "webhook sent", 1, 0, 0},
		{"no answer: sent again", []notify.Notice{toJira(1)}, 0, answers(unknown), "webhook pending", 1, 5 * time.Second, 6 * time.Second},
		{"not now: those behind it wait", []notify.Notice{toJira(1), toJira(2)}, 0, answers(passing), "webhook pending, webhook pending", 0, 5 * time.Second, 6 * time.Second},
		{"the last wait again and again", []notify.Notice{tired}, time.Hour, answers(passing), "webhook pending", 0, time.Minute, 72 * time.Second},
		{"too long: parked, and the next is tried", []notify.Notice{toJira(1), toJira(2)}, 24 * time.Hour, answers(passing), "webhook parked, webhook parked", 0, 0, 0},
		{"refused for good: parked, and the next is tried", []notify.Notice{toJira(1), toJira(2)}, 0, func(m notify.Message) error {
			if m.Seq == 1 {
				return permanent
			}
			return nil
		}, "webhook parked, webhook sent", 1, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			store := newMemory(c.notices...)
			store.age = c.age
			w := &wire{name: "webhook", reply: c.reply}
			courier, _, _ := courier(store, map[string]func(notify.Message) error{"log": nil})
			courier.Channels["webhook"] = hook{w, 24 * time.Hour}
			_, err := courier.Deliver(t.Context(), all)
			require.Equal(t, c.states, store.of("upstream:jira"))
			require.Len(t, w.got, c.sent)
			require.Empty(t, store.illegal)
			if c.least == 0 {
				require.NoError(t, err)
				return
			}
			var retry *notify.RetryError
			require.ErrorAs(t, err, &retry)
			require.Equal(t, len(c.notices), retry.Waiting)
			require.GreaterOrEqual(t, retry.After, c.least)
			require.Less(t, retry.After, c.most)
		})
	}
}

// TestDeliverLeavesAlone: what waits is not tried before its time, and what may
// still be on its way to a system is not sent again yet. A person's next channel
// does not wait.
func TestDeliverLeavesAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state  notify.State
		states string
	}{
		{notify.Pending, "email pending, webhook pending"},
		{notify.Sending, "email uncertain, log sent, webhook sending"},
	} {
		store := newMemory(notice("li", "email", "log"), toJira(2))
		store.in = time.Minute
		for k, n := range store.notices {
			n.State = c.state
			store.notices[k] = n
		}
		courier, _, _ := courier(store, map[string]func(notify.Message) error{"email": nil, "log": nil})
		w := &wire{name: "webhook"}
		courier.Channels["webhook"] = hook{w, time.Hour}
		_, err := courier.Deliver(t.Context(), all)
		var retry *notify.RetryError
		require.ErrorAs(t, err, &retry)
		require.Equal(t, time.Minute, retry.After)
		require.Equal(t, c.states, store.of("li")+", "+store.of("upstream:jira"))
		require.Empty(t, w.got)
	}
}

func TestDeliverToSystemWithoutChannel(t *testing.T) {
	t.Parallel()
	store := newMemory(toJira(1))
	courier, wires, log := courier(store, map[string]func(notify.Message) error{"log": nil})
	report, err := courier.Deliver(t.Context(), all)
	require.NoError(t, err)
	require.Equal(t, 1, report.Parked)
	require.Equal(t, "webhook parked", store.of("upstream:jira"), "the log is no place to tell a system")
	require.Empty(t, wires["log"].got)
	require.Contains(t, log.String(), "Nobody was told")
}

// TestDeliverInOrderThroughCrashes: a system learns everything, each thing for
// the first time after what came before it was settled, however often couriers
// crash and whatever the endpoint answers.
func TestDeliverInOrderThroughCrashes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		store := newMemory()
		count := rapid.IntRange(1, 6).Draw(t, "notices")
		for seq := 1; seq <= count; seq++ {
			store.put(toJira(seq))
			store.events[seq] = requirement.Event{Seq: seq, Kind: requirement.Submitted, Actor: "system"}
		}
		list := rapid.SliceOfN(rapid.SampledFrom([]error{nil, nil, passing, permanent, unknown}), 1, 12).Draw(t, "answers")
		at := 0
		broken := ""
		w := &wire{name: "webhook", store: store}
		w.reply = func(m notify.Message) error {
			store.mu.Lock()
			defer store.mu.Unlock()
			for k, n := range store.notices {
				if k.Seq < m.Seq && (n.State == notify.Pending || n.State == notify.Sending) {
					broken = "one was sent before an earlier one was settled"
				}
			}
			at++
			if at > len(list) {
				return nil
			}
			return list[at-1]
		}
		courier := notify.Courier{
			Store: store, Source: store, Channels: notify.Channels{"webhook": hook{w, 24 * time.Hour}},
			Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon },
		}
		for calls := 0; ; calls++ {
			if calls > 200 {
				t.Fatalf("never done: %v", store.notices)
			}
			store.crashIn = -1
			if calls < 8 {
				store.crashIn = rapid.IntRange(0, 40).Draw(t, "crash after")
			}
			// Transitions are told by activities of their own.
			from := rapid.IntRange(1, count).Draw(t, "from")
			if calls > 20 {
				from = 1
			}
			_, err := courier.Deliver(context.Background(), notify.Request{ID: "REQ-1", From: from, To: count})
			var retry *notify.RetryError
			if err != nil && !errors.As(err, &retry) && !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			if err == nil && from == 1 {
				break
			}
		}
		require.Empty(t, store.illegal)
		require.Empty(t, broken)
		arrived := map[int]bool{}
		for _, m := range w.got {
			arrived[m.Seq] = true
		}
		for k, n := range store.notices {
			switch n.State {
			case notify.Sent:
				require.True(t, arrived[k.Seq], "%v", k)
			case notify.Parked:
			default:
				t.Fatalf("%v is left %s", k, n.State)
			}
		}
	})
}
