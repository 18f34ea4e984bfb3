package notify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"closeloop/access"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// typePrefix begins the types of payloads; the kind of the event follows.
const typePrefix = "requirement."

// Payload is what a system is told of an event, as the Standard Webhooks
// specification has it. Its field names are a contract; more may be added.
//
// It says what a customer may know, and nothing more: no people of ours, no
// clocks but the promises made to the customer, no reasons of delays, no root
// causes.
type Payload struct {
	// Type is requirement.KIND.
	Type string `json:"type"`
	// Timestamp is when it happened.
	Timestamp time.Time `json:"timestamp"`
	Data      Telling   `json:"data"`
}

// Telling is the event, and the requirement as it stands when the message is
// made: one that comes late never takes a ticket back in time.
type Telling struct {
	ID string `json:"id"`
	// Ref is the ticket's reference.
	Ref   string `json:"ref"`
	Event Told   `json:"event"`
	// Seq is the number of the latest event that the rest of it knows of.
	Seq      int                `json:"seq"`
	Stage    requirement.Stage  `json:"stage"`
	Status   requirement.Status `json:"status"`
	OnHold   bool               `json:"on_hold"`
	Priority string             `json:"priority"`
	// NextDeadline is the earliest of those of Clocks that tick.
	NextDeadline *time.Time `json:"next_deadline"`
	// Clocks are the latest of each name.
	Clocks  []Promise    `json:"clocks"`
	Outcome *ToldOutcome `json:"outcome"`
}

// Told is an event for a system.
type Told struct {
	Seq  int              `json:"seq"`
	Kind requirement.Kind `json:"kind"`
	At   time.Time        `json:"at"`
	// ActorKind is customer, person or system.
	ActorKind string `json:"actor_kind"`
	// Stage is where the requirement stood after it.
	Stage requirement.Stage `json:"stage,omitempty"`
	// Echo: it is what the receiver's own webhook did.
	Echo bool `json:"echo"`
	// Clock is the name of the promise that it is about.
	Clock sla.Name `json:"clock,omitempty"`
	// Message is what the customer was told: an answer, a question, why it was
	// rejected.
	Message string `json:"message,omitempty"`
}

// Promise is a clock for a system.
type Promise struct {
	Name       sla.Name   `json:"name"`
	Cycle      int        `json:"cycle"`
	State      sla.State  `json:"state"`
	Deadline   *time.Time `json:"deadline"`
	BreachedAt *time.Time `json:"breached_at"`
}

// ToldOutcome is what has come of a requirement so far.
type ToldOutcome struct {
	Solution   string     `json:"solution,omitempty"`
	ResolvedAt *time.Time `json:"resolved_at,omitempty"`
	// Automatic: it was closed because the customer said nothing in time.
	Automatic bool `json:"automatic,omitempty"`
	// Rating is the customer's, 1 to 5.
	Rating   int        `json:"rating,omitempty"`
	ClosedAt *time.Time `json:"closed_at,omitempty"`
	// MergedInto is the requirement that goes on in its place.
	MergedInto string `json:"merged_into,omitempty"`
}

// promises are the clocks that are the customer's to know, in the order in which
// a system is told of them.
var promises = []sla.Name{sla.Response, sla.Resolution, sla.Update, sla.NextResponse, sla.Confirmation, sla.Appeal}

// concernsUpstream reports whether an event is for the eyes of that system. It is
// not told of our own clocks; nor of words that it has just sent us itself, which
// would come back to us as its next.
func concernsUpstream(name string, e requirement.Event) bool {
	said, _ := particularsOf(e)
	if said.Clock != "" && !slices.Contains(promises, said.Clock) {
		return false
	}
	switch e.Kind {
	case requirement.Commented, requirement.Amended, requirement.ActRefused:
		return !echoes(name, e)
	default:
		return true
	}
}

// echoes reports whether the system itself did it.
func echoes(name string, e requirement.Event) bool { return e.Via == access.ViaWebhook+name }

// tellSystem makes the message for a system.
func tellSystem(n Notice, r *requirement.Requirement, e requirement.Event, now time.Time) (Message, error) {
	clocks, next := promisesOf(r)
	body := Payload{
		Type: typePrefix + string(e.Kind), Timestamp: e.At,
		Data: Telling{
			ID: r.ID, Ref: r.Ref, Seq: r.Seq, Stage: r.Stage, Status: r.Stage.Status(), OnHold: r.Hold != nil, Priority: r.Priority,
			Event: toldOf(n, r, e), NextDeadline: next, Clocks: clocks, Outcome: outcomeOf(r),
		},
	}
	payload, err := json.Marshal(body)
	if err != nil {
		return Message{}, fmt.Errorf("the payload cannot be written: %w", err)
	}
	// An event that never happened, after all, may have been told under the same
	// number.
	id := digest(n.Requirement, strconv.Itoa(n.Seq), n.Recipient, n.Channel, e.At.UTC().Format(time.RFC3339Nano))
	return Message{Key: n.Key, ID: id, Address: n.Address, Subject: body.Type, Payload: payload, At: now}, nil
}

func toldOf(n Notice, r *requirement.Requirement, e requirement.Event) Told {
	said, _ := particularsOf(e)
	told := Told{
		Seq: e.Seq, Kind: e.Kind, At: e.At, Stage: e.Stage, ActorKind: actorKind(r, e.Actor),
		Echo: echoes(n.Address, e), Clock: said.Clock,
	}
	switch e.Kind {
	case requirement.Responded, requirement.Progressed:
		told.Message = quote(said.Message)
	case requirement.RequestDenied:
		told.Message = quote(said.Reason)
	case requirement.WasHeld:
		// What somebody else has to bring is not the customer's business.
		if said.For == "" || said.For == policy.HoldCustomer {
			told.Message = quote(said.Reason)
		}
	default: // what was said is not for the customer
	}
	return told
}

func actorKind(r *requirement.Requirement, actor string) string {
	switch {
	case actor == requirement.SystemActor, actor == "", toSystem(actor):
		return "system"
	case actor == requirement.CustomerActor, actor == r.Contact, actor == r.Customer:
		return "customer"
	default:
		return "person"
	}
}

// promisesOf returns the latest clock of each promise, and the earliest deadline
// of those that tick.
func promisesOf(r *requirement.Requirement) (list []Promise, next *time.Time) {
	list = []Promise{}
	for _, name := range promises {
		var latest *sla.Clock
		for i := range r.Clocks {
			if c := &r.Clocks[i]; c.Name == name && (latest == nil || c.Cycle > latest.Cycle) {
				latest = c
			}
		}
		if latest == nil {
			continue
		}
		p := Promise{Name: name, Cycle: latest.Cycle, State: latest.State(), BreachedAt: latest.BreachedAt}
		if at, ok := latest.Deadline(r.CalendarOf(latest)); ok {
			p.Deadline = &at
			if latest.Ticking() && (next == nil || at.Before(*next)) {
				next = &at
			}
		}
		list = append(list, p)
	}
	return list, next
}

func outcomeOf(r *requirement.Requirement) *ToldOutcome {
	if r.Resolution == nil && r.ClosedAt == nil && !r.Stage.Ended() {
		return nil
	}
	o := &ToldOutcome{ClosedAt: r.ClosedAt, MergedInto: r.MergedInto}
	if r.Resolution != nil {
		o.Solution, o.ResolvedAt = quote(r.Resolution.Solution), &r.Resolution.At
	}
	if r.Closing != nil {
		o.Automatic, o.Rating = r.Closing.Automatic, r.Closing.Rating
	}
	return o
}
