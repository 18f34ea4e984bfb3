package upstream

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"closeloop/access"
	"closeloop/locale"
	"closeloop/policy"
	"closeloop/requirement"
)

// Desk is where requirements are submitted and acted on.
type Desk interface {
	// Submit takes in a requirement, or finds the one of its reference, and returns
	// its id. A refusal is a [*requirement.Error].
	Submit(ctx context.Context, s requirement.Submission) (id string, err error)
	// Do does an act. A refusal is a [*requirement.Error], also when the requirement
	// has ended.
	Do(ctx context.Context, id string, act requirement.Act) error
}

// Register is what is remembered of deliveries and tickets.
type Register interface {
	// Hold gives the ticket to nobody else while f is at work on it, and keeps what f
	// made of it when that returns nil.
	Hold(ctx context.Context, ref string, f func(*Ticket) error) error
	// Settle notes what came of a delivery, unless that is known already.
	Settle(ctx context.Context, upstream, id string, r Result) error
	// Waiting are the deliveries that wait for the ticket to be known.
	Waiting(ctx context.Context, upstream, ref string) ([]Kept, error)
}

// Ticket is what was applied of a ticket. State and wording have times of their
// own: not every body tells of both.
type Ticket struct {
	Ref string
	// Requirement that it is; empty when none has been started.
	Requirement string
	State       State
	StateAt     time.Time
	// Title and Description are digests of the wording.
	Title, Description string
	AskedAt            time.Time
	// Customer is the id over there of who asked for it.
	Customer string
}

// DeliveryState is what became of a delivery.
type DeliveryState string

// The states of deliveries.
const (
	// Received: it is kept, and nothing came of it yet.
	Received DeliveryState = "received"
	Done     DeliveryState = "done"
	// Ignored: it means nothing to us.
	Ignored DeliveryState = "ignored"
	// Refused: the process did not allow what it says, not even as a comment.
	Refused DeliveryState = "refused"
	// Failed: no requirement could be made of it; the mapping is to be mended.
	Failed DeliveryState = "failed"
)

// DeliveryStates are all of them.
var DeliveryStates = []DeliveryState{Received, Done, Ignored, Refused, Failed}

// Settled reports whether there is nothing more to do.
func (s DeliveryState) Settled() bool { return s == Done || s == Ignored || s == Refused }

// Kept is a delivery as it is kept.
type Kept struct {
	Upstream   string
	ID         string
	ReceivedAt time.Time
	Event      string
	Refs       []string
	Body       []byte
	// Signed is what tells repetitions of it, besides the id.
	Signed []byte
	State  DeliveryState
	// Outcome and Reason are what came of it; see [Result].
	Outcome   string
	Reason    string
	Attempts  int
	SettledAt *time.Time
}

// untimedRepeat is for how long a body that tells no time counts as a repetition
// of the same one: a status that comes back later is another event.
const untimedRepeat = 10 * time.Minute

// Keep returns the delivery to be kept of a body that was verified. What is no
// JSON is kept as well.
func Keep(u policy.Upstream, p Proof, event string, body []byte, now time.Time) Kept {
	d, _ := Read(u, event, body)
	k := Kept{
		Upstream: u.Name, ID: p.ID, ReceivedAt: now.UTC(), Event: d.Event, Refs: d.Refs(u), Body: body,
		Signed: p.Signed[:], State: Received, Attempts: 1,
	}
	if d.Timed || !p.At.IsZero() {
		return k
	}
	sum := sha256.Sum256(fmt.Appendf(p.Signed[:], "%d", now.Unix()/int64(untimedRepeat/time.Second)))
	k.Signed = sum[:]
	if p.ID == digestID(p.Signed) {
		k.ID = digestID(sum)
	}
	return k
}

// What a step came to.
const (
	didSubmit    = "submitted"
	didComment   = "commented"
	didRemark    = "remarked" // a comment that changes nothing
	didAmend     = "amended"
	didDispute   = "disputed"
	didWithdraw  = "withdrawn"
	didResolve   = "resolved"
	didConfirm   = "confirmed"
	didStale     = "stale"     // older than what was applied
	didUnchanged = "unchanged" // it is so already
	didIgnore    = "ignored"   // the policy says so
	didWait      = "waiting"   // for the ticket to be known
	didRefuse    = "refused"
	didFail      = "failed"
)

// Step is one thing that a delivery came to.
type Step struct {
	Ref         string
	Requirement string
	Did         string
	// Reason why it came to nothing else.
	Reason string
}

// Result is what a delivery came to.
type Result struct {
	State DeliveryState
	Steps []Step
}

// Outcome is what was done in words, each once: submitted, resolved.
func (r Result) Outcome() string {
	var words []string
	for _, s := range r.Steps {
		if !slices.Contains(words, s.Did) {
			words = append(words, s.Did)
		}
	}
	return strings.Join(words, separator)
}

// Reason is why something came to nothing.
func (r Result) Reason() string {
	var reasons []string
	for _, s := range r.Steps {
		if s.Reason != "" && !slices.Contains(reasons, s.Reason) {
			reasons = append(reasons, s.Reason)
		}
	}
	return strings.Join(reasons, "; ")
}

// Requirements are those that it was about, each once.
func (r Result) Requirements() []string {
	ids := []string{}
	for _, s := range r.Steps {
		if s.Requirement != "" && !slices.Contains(ids, s.Requirement) {
			ids = append(ids, s.Requirement)
		}
	}
	return ids
}

func resultOf(steps []Step) Result {
	r := Result{State: Ignored, Steps: steps}
	did := func(words ...string) bool {
		return slices.ContainsFunc(steps, func(s Step) bool { return slices.Contains(words, s.Did) })
	}
	all := len(steps) > 0 && !slices.ContainsFunc(steps, func(s Step) bool { return s.Did != didIgnore })
	switch {
	case did(didFail):
		r.State = Failed
	case did(didWait):
		r.State = Received
	case did(didRefuse):
		r.State = Refused
	case len(steps) > 0 && !all:
		r.State = Done
	}
	return r
}

// Clerk does what follows from deliveries. It is safe for concurrent use when its
// desk and register are.
type Clerk struct {
	Desk     Desk
	Register Register
	// Who the system is, and how it was known.
	Who access.Principal
}

// Process does what follows from a delivery that is kept, and settles it. An
// error is about the desk or the register: nothing is lost, and processing it
// again carries on.
func (c *Clerk) Process(ctx context.Context, u policy.Upstream, rules policy.Process, k Kept) (Result, error) {
	d, err := Read(u, k.Event, k.Body)
	if errors.Is(err, ErrNotJSON) {
		r := Result{State: Ignored, Steps: []Step{{Did: didIgnore, Reason: ErrNotJSON.Error()}}}
		return r, c.Register.Settle(ctx, u.Name, k.ID, r)
	}
	r, err := c.take(ctx, u, rules, k, d)
	if err != nil {
		return r, err
	}
	// Those that came before the ticket was known.
	for _, ref := range d.Refs(u) {
		waiting, err := c.Register.Waiting(ctx, u.Name, ref)
		if err != nil {
			return r, err
		}
		for _, w := range waiting {
			if w.ID == k.ID {
				continue
			}
			early, err := Read(u, w.Event, w.Body)
			if err != nil {
				continue
			}
			came, err := c.take(ctx, u, rules, w, early)
			if err != nil {
				return r, err
			}
			if err := c.Register.Settle(ctx, u.Name, w.ID, came); err != nil {
				return r, err
			}
		}
	}
	return r, c.Register.Settle(ctx, u.Name, k.ID, r)
}

// farAhead is how far a time may lie ahead of its arrival. One that lies further
// ahead is no time at which anything happened; were it believed, nothing that
// happens until then would be newer.
const farAhead = 24 * time.Hour

// take does what the items of a delivery say.
func (c *Clerk) take(ctx context.Context, u policy.Upstream, rules policy.Process, k Kept, d Delivery) (Result, error) {
	var steps []Step
	for n, i := range d.Items {
		if i.At.IsZero() || i.At.Sub(k.ReceivedAt) > farAhead {
			i.At = k.ReceivedAt
		}
		err := c.Register.Hold(ctx, i.Ref(u), func(t *Ticket) error {
			w := &work{clerk: c, u: u, rules: rules, item: i, ticket: t, id: fmt.Sprintf("%s/%s/%d", u.Name, k.ID, n)}
			if err := w.do(ctx); err != nil {
				return err
			}
			steps = append(steps, w.steps...)
			return nil
		})
		if err != nil {
			return Result{State: Received, Steps: steps}, err
		}
	}
	return resultOf(steps), nil
}

// work is on one item with its ticket.
type work struct {
	clerk  *Clerk
	u      policy.Upstream
	rules  policy.Process
	item   Item
	ticket *Ticket
	// id is the beginning of the ids of the acts.
	id    string
	steps []Step
}

func (w *work) did(did, reason string) {
	w.steps = append(w.steps, Step{Ref: w.ticket.Ref, Requirement: w.ticket.Requirement, Did: did, Reason: reason})
}

// do does what the item says. The end is the same in whichever order the items of
// a ticket come: comments are done whenever they come, and of states and wordings
// the newest holds.
func (w *work) do(ctx context.Context) error {
	s := Submission(w.u, w.item, w.rules)
	fresh := w.ticket.Requirement == ""
	if fresh {
		if !w.item.Whole {
			w.did(didWait, "the ticket is not known yet, and the body does not tell enough of it")
			return nil
		}
		id, err := w.clerk.Desk.Submit(ctx, w.clerk.Who.Recorded(s))
		if refused, ok := errors.AsType[*requirement.Error](err); ok {
			w.did(didFail, refused.Message)
			return nil
		}
		if err != nil {
			return err
		}
		w.ticket.Requirement, w.ticket.State = id, Open
		w.did(didSubmit, "")
	}
	if w.ticket.Customer == "" {
		w.ticket.Customer = w.item.Customer
	}
	for _, comment := range w.item.Comments {
		if err := w.comment(ctx, comment); err != nil {
			return err
		}
	}
	if !w.item.Passing || fresh {
		if err := w.wording(ctx, s, fresh); err != nil {
			return err
		}
	}
	if !w.item.Passing {
		if err := w.state(ctx); err != nil {
			return err
		}
	}
	if len(w.steps) == 0 {
		w.did(didUnchanged, "")
	}
	return nil
}

// comment puts what somebody wrote on the requirement.
func (w *work) comment(ctx context.Context, c Comment) error {
	by := c.By
	if by == Somebody {
		by = sameSide(c.Author, w.ticket.Customer)
	}
	act := requirement.Comment{Message: c.Text, Header: requirement.Header{
		ActID: w.u.Name + "/comment/" + identifier(c.ID), Actor: requirement.CustomerActor, Via: w.clerk.Who.Via,
	}}
	if act.Message == "" {
		act.Message = w.words("comment_without_text")
	}
	did := didComment
	switch on := w.u.On.Commented; {
	case on == policy.ReactIgnore:
		w.did(didIgnore, "")
		return nil
	case by == Colleague, on == policy.ReactComment:
		// Nobody is waited for who says so, and no clock waits for an answer to it.
		act.Actor, did = requirement.SystemActor, didRemark
		if name := line(c.Name); name != "" {
			act.Message = name + ": " + act.Message
		}
	}
	act.Message = cut(act.Message, requirement.MaxText)
	return w.act(ctx, act, did, false)
}

// wording amends the requirement when title or description are others than what
// was applied last.
func (w *work) wording(ctx context.Context, s requirement.Submission, fresh bool) error {
	title, description := "", ""
	if w.item.Whole && s.Title != s.Ref {
		title = digestOf(s.Title)
	}
	if s.Description != "" {
		description = digestOf(s.Description)
	}
	t := w.ticket
	if fresh {
		t.Title, t.Description = title, description
		if !w.item.Passing {
			t.AskedAt = w.item.At
		}
		return nil
	}
	if t.State == Deleted || title == "" && description == "" {
		return nil
	}
	newer := w.item.At.After(t.AskedAt) ||
		w.item.At.Equal(t.AskedAt) && title+description > t.Title+t.Description
	act := requirement.Amend{Header: w.header("amend")}
	if title != "" && title != t.Title && (newer || t.Title == "") {
		act.Title, t.Title = s.Title, title
	}
	if description != "" && description != t.Description && (newer || t.Description == "") {
		act.Description, t.Description = s.Description, description
	}
	// Until a whole snapshot was applied, the requirement has only the beginnings of
	// one: to complete it is no change.
	first := t.AskedAt.IsZero()
	if w.item.At.After(t.AskedAt) {
		t.AskedAt = w.item.At
	}
	switch {
	case act.Title == "" && act.Description == "":
		return nil
	case w.u.On.Updated == policy.ReactIgnore && !first:
		w.did(didIgnore, "")
		return nil
	}
	return w.act(ctx, act, didAmend, true)
}

// state does what the policy has for a ticket that was closed, reopened or
// deleted since.
func (w *work) state(ctx context.Context) error {
	t, i := w.ticket, w.item
	before := t.State
	switch {
	case i.State == Unknown:
		return nil
	case i.State == Deleted && w.u.On.Deleted == policy.ReactIgnore:
		// Not even remembered: it must not make late what comes after it and happened
		// before.
		return w.react(ctx, policy.ReactIgnore, "deleted")
	case before == Deleted:
		// Nothing follows a deletion: what comes after it is late.
		if i.State != Deleted {
			w.did(didStale, "")
		}
		return nil
	case i.State == Deleted:
		t.State, t.StateAt = Deleted, i.At
		return w.react(ctx, w.u.On.Deleted, "deleted")
	case i.At.Before(t.StateAt):
		if i.State != before {
			w.did(didStale, "")
		}
		return nil
	case i.At.Equal(t.StateAt) && before == Closed:
		// Of two states of one instant, closed is the later one.
		return nil
	}
	t.State, t.StateAt = i.State, i.At
	switch {
	case i.State == before:
		return nil
	case i.State == Closed:
		return w.react(ctx, w.u.On.Closed, "closed")
	default:
		return w.react(ctx, w.u.On.Reopened, "reopened")
	}
}

// react does what the policy has for the event.
func (w *work) react(ctx context.Context, r policy.Reaction, event string) error {
	h, words := w.header(event), w.reason(event)
	switch r {
	case policy.ReactIgnore:
		w.did(didIgnore, "")
		return nil
	case policy.ReactDispute:
		return w.act(ctx, requirement.Dispute{Header: h, Reason: words}, didDispute, true)
	case policy.ReactWithdraw:
		return w.act(ctx, requirement.Withdraw{Header: h, Reason: words}, didWithdraw, true)
	case policy.ReactConfirm:
		return w.act(ctx, requirement.Confirm{Header: h, Comment: words}, didConfirm, true)
	case policy.ReactResolve:
		h.Actor = requirement.SystemActor
		return w.act(ctx, requirement.Resolve{Header: h, Solution: words}, didResolve, true)
	default:
		h.Actor = requirement.SystemActor
		return w.act(ctx, requirement.Comment{Header: h, Message: words}, didRemark, false)
	}
}

// header is that of an act that follows from the delivery. A system speaks for
// its customer, unless it tells that somebody else did it.
func (w *work) header(event string) requirement.Header {
	h := requirement.Header{ActID: w.id + "/" + event, Actor: requirement.CustomerActor, Via: w.clerk.Who.Via}
	if w.item.By == Colleague {
		h.Actor = requirement.SystemActor
	}
	return h
}

// reason is what was said when the ticket changed, or what it is that changed.
func (w *work) reason(event string) string {
	if n := len(w.item.Comments); n > 0 && w.item.Comments[n-1].Text != "" {
		return cut(w.item.Comments[n-1].Text, requirement.MaxText)
	}
	if w.item.Moved != "" {
		event = "moved"
	}
	return w.words(event)
}

// words is a text of ours on the requirement, in the language that the policy has
// for customers.
func (w *work) words(key string) string {
	return cut(locale.For(w.rules.Defaults.Language).Text("upstream."+key, map[string]any{
		"System": w.u.Name, "Ticket": w.item.Ticket, "Where": w.item.Moved,
	}), requirement.MaxText)
}

// act does the act. One that the process does not allow becomes a remark with the
// same words, when there is still something to remark on.
func (w *work) act(ctx context.Context, act requirement.Act, did string, remark bool) error {
	err := w.clerk.Desk.Do(ctx, w.ticket.Requirement, act)
	refused, ok := errors.AsType[*requirement.Error](err)
	switch {
	case err == nil:
		w.did(did, "")
		return nil
	case !ok:
		return err
	case refused.Code == requirement.CodeNotReady:
		return fmt.Errorf("%s: %w", w.ticket.Requirement, err)
	case refused.Code == requirement.CodeOver && (did == didWithdraw || did == didResolve || did == didConfirm):
		// It has ended here as well.
		w.did(didUnchanged, "")
		return nil
	case refused.Params["stage"] == string(requirement.Confirming) && did == didResolve:
		// It is resolved here already; most likely it was closed there for that.
		w.did(didUnchanged, "")
		return nil
	case !remark || refused.Code == requirement.CodeOver:
		w.did(didRefuse, refused.Message)
		return nil
	}
	said := requirement.Comment{Header: requirement.Header{
		ActID: act.ID() + "/remark", Actor: requirement.SystemActor, Via: w.clerk.Who.Via,
	}, Message: w.said(act)}
	err = w.clerk.Desk.Do(ctx, w.ticket.Requirement, said)
	switch _, again := errors.AsType[*requirement.Error](err); {
	case err == nil:
		w.did(didRemark, refused.Message)
		return nil
	case again:
		w.did(didRefuse, refused.Message)
		return nil
	default:
		return err
	}
}

// said are the words of an act that was not allowed.
func (w *work) said(act requirement.Act) string {
	switch a := act.(type) {
	case requirement.Dispute:
		return a.Reason
	case requirement.Withdraw:
		return a.Reason
	case requirement.Confirm:
		return a.Comment
	case requirement.Resolve:
		return a.Solution
	case requirement.Amend:
		return cut(strings.TrimSpace(w.words("updated")+"\n\n"+a.Title+"\n\n"+a.Description), requirement.MaxText)
	default:
		return w.words("updated")
	}
}
