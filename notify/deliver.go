package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"closeloop/policy"
	"closeloop/requirement"
)

// Limits of one delivery.
const (
	// sendTime bounds one message, so that a dead channel does not use up the
	// time of a whole call.
	sendTime = 20 * time.Second
	// settleTime bounds the note of what became of a message. It is taken even
	// when the call is being stopped.
	settleTime = 5 * time.Second
	// atOnce is how many messages are under way at the same time.
	atOnce = 8
	// soon is the shortest time after which to call again.
	soon = 50 * time.Millisecond
	// maxReason bounds the reason that is kept of a failure, in characters.
	maxReason = 500
)

// Source is where the words come from.
type Source interface {
	// Get returns the requirement as it stands now.
	Get(ctx context.Context, id string) (*requirement.Requirement, error)
	// Event returns one of its facts.
	Event(ctx context.Context, id string, seq int) (requirement.Event, error)
}

// Request asks to send the notices of the events From to To of a requirement.
type Request struct {
	ID   string `json:"id"`
	From int    `json:"from"`
	To   int    `json:"to"`
}

// Report counts what became of the notices of a request in one call.
type Report struct {
	Sent int
	// Failed were refused, and the next channel took over.
	Failed int
	// Uncertain may have arrived; where there was another channel it took over.
	Uncertain int
	// Parked are those for which no channel is left, uncertain ones included:
	// somebody has to look whether the recipient knows.
	Parked    int
	Cancelled int
	// Waiting are those to be tried again.
	Waiting int
}

// RetryError says that notices are left to be sent: call again after a while.
type RetryError struct {
	// Waiting is how many.
	Waiting int
	// After is when to call again, at the earliest.
	After time.Duration
	// Err is the last reason.
	Err error
}

func (e *RetryError) Error() string {
	return fmt.Sprintf("%d notices are still to be sent, in %s: %v", e.Waiting, e.After, e.Err)
}

// Unwrap returns the last reason.
func (e *RetryError) Unwrap() error { return e.Err }

// Courier sends notices.
type Courier struct {
	Store    Store
	Channels Channels
	Source   Source
	// Renderer words the messages; those of the program when nil.
	Renderer *Renderer
	// Links makes the addresses of the pages on which recipients answer; there are
	// none when nil.
	Links Links
	// Directory has the names of people and departments; ids are shown for those
	// it does not have.
	Directory policy.Directory
	// Logger gets what an operator has to look at; slog's default when nil.
	Logger *slog.Logger
	// Now is the clock; the machine's when nil.
	Now func() time.Time
}

// Deliver sends all due notices of a request. Each is claimed before it is
// handed to a channel, and settled afterwards, so that none is sent twice: one
// that is found claimed was cut off by a crash, and is given up as uncertain
// unless the channel's [Terms] let it be repeated. What is refused, or fails too
// often, goes on to the recipient's next channel; without one it is parked and
// the logger told. Recipients do not wait for each other. A [*RetryError] says
// that some are to be tried again; any other error that the store or the source
// could not be reached.
func (c Courier) Deliver(ctx context.Context, req Request) (Report, error) {
	due, err := c.Store.DueNotices(ctx, req.ID, req.From, req.To)
	if err != nil {
		return Report{}, fmt.Errorf("due notices of %s: %w", req.ID, err)
	}
	if len(due) == 0 {
		return Report{}, nil
	}
	r, err := c.Source.Get(ctx, req.ID)
	if err != nil {
		return Report{}, fmt.Errorf("requirement %s: %w", req.ID, err)
	}
	d := &delivery{Courier: c, requirement: r}
	if d.Renderer == nil {
		d.Renderer = Standard()
	}
	if d.Logger == nil {
		d.Logger = slog.Default()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	var group sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, lane := range d.lanes(due) {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			d.drive(ctx, lane)
		})
	}
	group.Wait()
	return d.report, d.err()
}

// delivery is one call of Deliver.
type delivery struct {
	Courier
	requirement *requirement.Requirement

	mu      sync.Mutex
	report  Report
	waiting *RetryError
	broken  []error
}

// lanes are the notices that go one after the other; different lanes go at the
// same time.
func (d *delivery) lanes(due []Due) [][]Due {
	var lanes [][]Due
	ordered := map[Route]int{}
	for _, n := range due {
		lane := Route{Channel: n.Channel, Address: n.Recipient}
		if i, known := ordered[lane]; known {
			lanes[i] = append(lanes[i], n)
			continue
		}
		if termsOf(d.Channels[n.Channel]).InOrder {
			ordered[lane] = len(lanes)
		}
		lanes = append(lanes, []Due{n})
	}
	return lanes
}

// drive sends the notices of a lane until one has to wait.
func (d *delivery) drive(ctx context.Context, lane []Due) {
	for i, n := range lane {
		err := d.follow(ctx, n)
		if err == nil {
			continue
		}
		var wait *RetryError
		if errors.As(err, &wait) {
			d.later(n.Notice, len(lane)-i, wait)
			return
		}
		d.mu.Lock()
		d.broken = append(d.broken, fmt.Errorf("notice to %s over %s of %s/%d: %w", n.Recipient, n.Channel, n.Requirement, n.Seq, err))
		d.mu.Unlock()
		return
	}
}

// follow sends a notice, and the ones that take over from it, until one has
// arrived or nothing more can be done. A [*RetryError] says that it is to be
// tried again.
func (d *delivery) follow(ctx context.Context, n Due) error {
	for {
		next, err := d.one(ctx, n)
		if err != nil || next == nil {
			return err
		}
		n = Due{Notice: *next}
	}
}

// one handles one notice and returns the one that takes over, if any. Its error
// is a [*RetryError], or the store's or the source's.
func (d *delivery) one(ctx context.Context, n Due) (*Notice, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	channel, works := d.Channels[n.Channel]
	terms := termsOf(channel)
	// One that was cut off on its way to a person is given up, and the next channel
	// must not wait; one that is sent again must not overtake itself.
	if n.In > 0 && (n.State == Pending || terms.Repeatable) {
		return nil, &RetryError{After: n.In, Err: errors.New("it is not time yet: " + or(n.Error, "it is being sent"))}
	}
	if n.State == Sending {
		const reason = "cut off while it was being sent"
		if !terms.Repeatable {
			return d.pass(ctx, n, Uncertain, reason)
		}
		if err := d.postpone(ctx, n, reason, 0); err != nil {
			return nil, err
		}
	}
	event, err := d.Source.Event(ctx, n.Requirement, n.Seq)
	if err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	if n.Link, err = d.link(ctx, n.Notice); err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	message, wording := d.Renderer.Render(n.Notice, d.requirement, event, d.Directory, d.Now())
	claim, err := d.Store.ClaimNotice(ctx, n.Key, terms.InOrder)
	switch {
	case err != nil:
		return nil, fmt.Errorf("claim: %w", err)
	case !claim.Taken && claim.After > 0:
		return nil, &RetryError{After: claim.After, Err: errors.New("it is in somebody's hands, or one before it is not settled")}
	case !claim.Taken:
		return nil, nil // it was sent by somebody else, or cancelled
	}
	n.Attempts++
	if terms.InOrder {
		// It must not tell of an earlier state than the one before it did.
		r, err := d.Source.Get(ctx, n.Requirement)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("requirement: %w", err), d.postpone(ctx, n, "the ledger did not answer", 0))
		}
		message, wording = d.Renderer.Render(n.Notice, r, event, d.Directory, d.Now())
	}
	switch {
	case d.answered(n.Notice):
		return nil, d.settle(ctx, n.Notice, Cancelled, "the escalation was answered meanwhile", nil)
	case wording != nil:
		// Another channel would have the same words.
		return nil, d.settle(ctx, n.Notice, Parked, wording.Error(), nil)
	case !works:
		return d.pass(ctx, n, Failed, "the channel "+n.Channel+" is not set up here")
	}
	return d.send(ctx, n, channel, terms, message)
}

// send hands the message to the channel and notes what became of it.
func (d *delivery) send(ctx context.Context, n Due, channel Channel, terms Terms, m Message) (*Notice, error) {
	limited, cancel := context.WithTimeout(ctx, sendTime)
	err := channel.Send(limited, m)
	cancel()
	if err == nil {
		return nil, d.settle(ctx, n.Notice, Sent, "", nil)
	}
	reason := shorten(err.Error(), maxReason)
	var failure *SendError
	if !errors.As(err, &failure) {
		failure = &SendError{Err: err}
	}
	switch {
	case failure.MayHaveArrived && !terms.Repeatable:
		return d.pass(ctx, n, Uncertain, reason)
	case failure.Permanent, terms.exhausted(n):
		return d.pass(ctx, n, Failed, reason)
	}
	after := max(terms.wait(n), failure.RetryAfter)
	if err := d.postpone(ctx, n, reason, after); err != nil {
		return nil, err
	}
	return nil, &RetryError{After: after, Err: failure}
}

// postpone leaves a notice to be tried again, even when the call is being
// stopped: nobody would know that it is in nobody's hands.
func (d *delivery) postpone(ctx context.Context, n Due, reason string, after time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if err := d.Store.PostponeNotice(ctx, n.Key, reason, after); err != nil {
		return fmt.Errorf("postpone: %w", err)
	}
	return nil
}

// pass gives a notice up on its channel in favour of the next one.
func (d *delivery) pass(ctx context.Context, n Due, s State, reason string) (*Notice, error) {
	next := d.next(n.Notice)
	if next == nil && s == Failed {
		s = Parked
	}
	if err := d.settle(ctx, n.Notice, s, reason, next); err != nil {
		return nil, err
	}
	return next, nil
}

// next returns the notice over the recipient's next channel. Where no channel
// of theirs was ever set up here there is the log, as for somebody without any
// channel; a system learns nothing from our log.
func (d *delivery) next(n Notice) *Notice {
	rest := n.Rest
	_, works := d.Channels[n.Channel]
	if len(rest) == 0 && !works && n.Channel != policy.ChannelLog && !toSystem(n.Recipient) {
		rest = []Route{logRoute(n.Recipient)}
	}
	if len(rest) == 0 {
		return nil
	}
	next := n
	next.Channel, next.Address, next.Rest = rest[0].Channel, rest[0].Address, rest[1:]
	next.State, next.Attempts, next.Error = Pending, 0, ""
	return &next
}

// answered reports whether the call of an escalation has become pointless: a
// notice that took over from another may be younger than the acknowledgement.
func (d *delivery) answered(n Notice) bool {
	if n.Event != requirement.EscalationRaised {
		return false
	}
	i := slices.IndexFunc(d.requirement.Escalations, func(e requirement.Escalation) bool { return e.ID == n.Escalation })
	if i < 0 {
		return false
	}
	s := d.requirement.Escalations[i].State
	return s == requirement.EscalationAcked || s == requirement.EscalationOver
}

// settle notes what became of a notice, even when the call is being stopped: a
// message that was sent must not look as if it was not.
func (d *delivery) settle(ctx context.Context, n Notice, s State, reason string, next *Notice) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if err := d.Store.SettleNotice(ctx, n.Key, s, reason, next); err != nil {
		return fmt.Errorf("settle as %s: %w", s, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch s {
	case Sent:
		d.report.Sent++
	case Failed:
		d.report.Failed++
	case Uncertain:
		d.report.Uncertain++
		if next == nil {
			d.report.Parked++
		}
	case Parked:
		d.report.Parked++
	case Cancelled:
		d.report.Cancelled++
	default: // not settled; see postpone
	}
	d.tellOperator(n, s, reason, next)
	return nil
}

// tellOperator logs what somebody has to look at.
func (d *delivery) tellOperator(n Notice, s State, reason string, next *Notice) {
	told := []any{
		"requirement", n.Requirement, "seq", n.Seq, "event", n.Event, "recipient", n.Recipient,
		"channel", n.Channel, "state", s, "attempts", n.Attempts, "reason", reason,
	}
	switch {
	case s == Parked:
		d.Logger.Error("Nobody was told: no channel is left", told...)
	case s == Uncertain && next == nil:
		d.Logger.Error("Somebody may not have been told: the only channel was cut off", told...)
	case s == Failed || s == Uncertain:
		d.Logger.Warn("A notice goes on to the next channel", append(told, "next", next.Channel)...)
	}
}

// later notes that a notice is to be tried again, and how many that makes with
// those that wait behind it.
func (d *delivery) later(n Notice, count int, wait *RetryError) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.report.Waiting += count
	after := max(wait.After, soon)
	if d.waiting == nil {
		d.waiting = &RetryError{After: after}
	}
	d.waiting.Waiting = d.report.Waiting
	d.waiting.After = min(d.waiting.After, after)
	d.waiting.Err = fmt.Errorf("%s over %s: %w", n.Recipient, n.Channel, wait.Err)
}

func (d *delivery) err() error {
	switch {
	case len(d.broken) > 0:
		return errors.Join(d.broken...)
	case d.waiting != nil:
		return d.waiting
	default:
		return nil
	}
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
