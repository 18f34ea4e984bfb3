package notify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"closeloop/notify"
	"closeloop/requirement"
)

// errCrash is what everything answers after a crash.
var errCrash = errors.New("crashed")

// memory is a Store and a Source that keeps strictly to the notices' states, and
// can crash after a number of operations: from then on nothing that is called
// has an effect.
type memory struct {
	mu      sync.Mutex
	notices map[notify.Key]notify.Notice
	order   []notify.Key
	state   requirement.State
	events  map[int]requirement.Event
	illegal []string
	// age of all notices, and for how long they are to be left alone.
	age, in time.Duration
	// crashIn counts down to the crash; negative means never.
	crashIn int
}

func newMemory(notices ...notify.Notice) *memory {
	m := &memory{notices: map[notify.Key]notify.Notice{}, events: map[int]requirement.Event{}, crashIn: -1}
	m.state.ID = "REQ-1"
	m.state.Title, m.state.Customer, m.state.Stage = "Export is broken", "Acme", requirement.Received
	for _, n := range notices {
		m.put(n)
		m.events[n.Seq] = requirement.Event{Seq: n.Seq, Kind: n.Event, Actor: "system"}
	}
	return m
}

func (m *memory) put(n notify.Notice) {
	if _, exists := m.notices[n.Key]; !exists {
		m.notices[n.Key] = n
		m.order = append(m.order, n.Key)
	}
}

// step counts an operation. With false the process is dead.
func (m *memory) step() bool {
	if m.crashIn == 0 {
		return false
	}
	if m.crashIn > 0 {
		m.crashIn--
	}
	return true
}

func (m *memory) DueNotices(_ context.Context, id string, from, to int) ([]notify.Due, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.step() {
		return nil, errCrash
	}
	var due []notify.Due
	for _, k := range m.order {
		n := m.notices[k]
		if k.Requirement == id && k.Seq >= from && k.Seq <= to && (n.State == notify.Pending || n.State == notify.Sending) {
			due = append(due, notify.Due{Notice: n, Age: m.age, In: m.in})
		}
	}
	return due, nil
}

func (m *memory) ClaimNotice(_ context.Context, k notify.Key, inOrder bool) (notify.Claim, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.step() {
		return notify.Claim{}, errCrash
	}
	n, ok := m.notices[k]
	if !ok {
		m.illegal = append(m.illegal, fmt.Sprintf("claim of a notice that is not there: %v", k))
		return notify.Claim{}, nil
	}
	for before, b := range m.notices {
		earlier := before.Recipient == k.Recipient && before.Channel == k.Channel && before.Seq < k.Seq
		if inOrder && earlier && (b.State == notify.Pending || b.State == notify.Sending) {
			return notify.Claim{After: time.Second}, nil
		}
	}
	if n.State != notify.Pending {
		return notify.Claim{}, nil
	}
	n.State = notify.Sending
	n.Attempts++
	m.notices[k] = n
	return notify.Claim{Taken: true}, nil
}

// PostponeNotice forgets how long: the tests do not wait.
func (m *memory) PostponeNotice(ctx context.Context, k notify.Key, reason string, after time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if !m.step() {
		return errCrash
	}
	n := m.notices[k]
	if n.State != notify.Sending || reason == "" || after < 0 {
		m.illegal = append(m.illegal, fmt.Sprintf("%v, %s, postponed by %s because of %q", k, n.State, after, reason))
	}
	n.State, n.Error = notify.Pending, reason
	m.notices[k] = n
	return nil
}

var legal = []notify.State{notify.Sent, notify.Failed, notify.Uncertain, notify.Parked, notify.Cancelled}

func (m *memory) SettleNotice(ctx context.Context, k notify.Key, s notify.State, reason string, next *notify.Notice) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if !m.step() {
		return errCrash
	}
	n := m.notices[k]
	if n.State != notify.Sending || !slices.Contains(legal, s) {
		m.illegal = append(m.illegal, fmt.Sprintf("%v from %s to %s", k, n.State, s))
	}
	if next != nil && (next.State != notify.Pending || next.Attempts != 0 || next.Key == k || (s != notify.Failed && s != notify.Uncertain)) {
		m.illegal = append(m.illegal, fmt.Sprintf("%v taken over by %v", k, *next))
	}
	if (reason == "") != (s == notify.Sent) {
		m.illegal = append(m.illegal, fmt.Sprintf("%v settled as %s because of %q", k, s, reason))
	}
	n.State, n.Error = s, reason
	m.notices[k] = n
	if next != nil {
		m.put(*next)
	}
	return nil
}

func (m *memory) Get(context.Context, string) (*requirement.Requirement, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.step() {
		return nil, errCrash
	}
	return requirement.Restore(m.state, processOf()), nil
}

func (m *memory) Event(_ context.Context, _ string, seq int) (requirement.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.step() {
		return requirement.Event{}, errCrash
	}
	return m.events[seq], nil
}

// of returns the states of one recipient's notices by channel, in the order in
// which they were made.
func (m *memory) of(recipient string) string {
	var list []string
	for _, k := range m.order {
		if k.Recipient == recipient {
			list = append(list, k.Channel+" "+string(m.notices[k].State))
		}
	}
	return strings.Join(list, ", ")
}

// wire is a Channel that answers what a test says and remembers what it was
// given.
type wire struct {
	name  string
	reply func(m notify.Message) error
	store *memory

	mu  sync.Mutex
	got []notify.Message
}

func (w *wire) Name() string { return w.name }

func (w *wire) Send(_ context.Context, m notify.Message) error {
	if w.store != nil {
		w.store.mu.Lock()
		alive := w.store.step()
		w.store.mu.Unlock()
		if !alive {
			return errCrash
		}
	}
	var err error
	if w.reply != nil {
		err = w.reply(m)
	}
	var failed *notify.SendError
	if err == nil || (errors.As(err, &failed) && failed.MayHaveArrived) {
		w.mu.Lock()
		w.got = append(w.got, m)
		w.mu.Unlock()
	}
	return err
}
