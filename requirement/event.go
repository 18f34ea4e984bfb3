package requirement

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"closeloop/policy"
	"closeloop/sla"
)

// Kind says what an event is about. Kinds of acts are their past tense.
type Kind string

// The kinds of events.
const (
	Submitted     Kind = "submitted"
	Triaged       Kind = "triaged"
	RoundOpened   Kind = "round_opened"
	VoteAsked     Kind = "vote_asked" // in sequence, the next one's turn has come
	VoteApproved  Kind = "approved"
	VoteDeclined  Kind = "declined"
	VoteDelegated Kind = "delegated"
	RoundDecided  Kind = "round_decided"
	RequestDenied Kind = "rejected"
	WasAppealed   Kind = "appealed"
	WasAssigned   Kind = "assigned"
	RoutingFailed Kind = "routing_failed"
	WasAccepted   Kind = "accepted"
	HandedBack    Kind = "handed_back"
	Responded     Kind = "responded"
	Planned       Kind = "planned"
	Progressed    Kind = "progressed"
	WasHeld       Kind = "held"
	WasResumed    Kind = "resumed"
	Resolved      Kind = "resolved"
	Confirmed     Kind = "confirmed"
	Disputed      Kind = "disputed"
	Amended       Kind = "amended"
	Reprioritised Kind = "reprioritised"
	WasMerged     Kind = "merged"
	MergeTaken    Kind = "merge_taken" // the survivor knows of it
	MergeUndone   Kind = "merge_undone"
	WasAbsorbed   Kind = "absorbed"
	WasWithdrawn  Kind = "withdrawn"
	Commented     Kind = "commented"
	ActRefused    Kind = "refused"
	WasArchived   Kind = "archived"
	Adopted       Kind = "policy_adopted"
	Cancelled     Kind = "cancelled"
	Terminated    Kind = "terminated"
	// NoticeParked: nobody could be reached with a notification.
	NoticeParked Kind = "notice_parked"

	ClockStarted    Kind = "clock_started"
	ClockPaused     Kind = "clock_paused"
	ClockResumed    Kind = "clock_resumed"
	ClockRetargeted Kind = "clock_retargeted"
	ClockStopped    Kind = "clock_stopped"
	ClockMarked     Kind = "clock_marked"
	ClockBreached   Kind = "clock_breached"
	ClockRepeated   Kind = "clock_repeated"
	// ClockLapsed: the end was reached and what was agreed for it happens.
	ClockLapsed Kind = "clock_lapsed"
	// ClockUndated: the calendar lacks what it takes to know the deadline.
	ClockUndated Kind = "clock_undated"

	EscalationStarted      Kind = "escalation_started"
	EscalationRaised       Kind = "escalation_raised"
	EscalationAcknowledged Kind = "escalation_acknowledged"
	EscalationAlarm        Kind = "escalation_alarm"
	EscalationEnded        Kind = "escalation_ended"
)

// Event is one fact in a requirement's life. Facts are never changed.
type Event struct {
	// Seq numbers the events of one requirement densely from 1.
	Seq  int       `json:"seq"`
	At   time.Time `json:"at"`
	Kind Kind      `json:"kind"`
	// Actor is the id of who did it; the system for what fell due.
	Actor string `json:"actor"`
	// Via is how the actor was known to be who they say; empty when nobody said.
	Via string `json:"via,omitempty"`
	// Stage is where the requirement stood once everything of the same instant had
	// happened.
	Stage Stage `json:"stage,omitempty"`
	// Data are the particulars; their shape depends on the kind.
	Data json.RawMessage `json:"data,omitempty"`
	// Clock is set on events about a clock.
	Clock sla.Name `json:"-"`
	// To is whom the world must tell of it, as seats of the policy.
	To []string `json:"to,omitempty"`
}

// record appends a fact to the journal and returns its sequence number.
func (r *Requirement) record(now time.Time, kind Kind, actor string, data any) int {
	return r.append(Event{At: now, Kind: kind, Actor: actor}, data, nil)
}

// actsAs has what is recorded of that actor say how they were known, until the
// function that it returns is called. What is no such word is left out: a signal
// that was refused may have said anything.
func (r *Requirement) actsAs(actor, via string) func() {
	if validText("via", via, MaxName, false) != nil {
		via = ""
	}
	r.acting, r.via = actor, via
	return func() { r.acting, r.via = "", "" }
}

// append gives the fact its number, its particulars and its audience. called
// are the people an escalation calls.
func (r *Requirement) append(e Event, data any, called []string) int {
	if r.folding {
		return r.Seq
	}
	if data != nil {
		encoded, err := json.Marshal(data)
		if err != nil {
			// Everything that is recorded is plain data of this package.
			panic(fmt.Sprintf("closeloop: event %s cannot be encoded: %v", e.Kind, err))
		}
		e.Data = encoded
	}
	if e.Actor == r.acting {
		e.Via = r.via
	}
	r.Seq++
	r.UpdatedAt = e.At
	e.Seq = r.Seq
	e.To = r.audience(e, called)
	r.journal = append(r.journal, e)
	return e.Seq
}

// audience returns whom the event is told to: people's ids where the
// requirement knows them now, and the seats that only the directory can fill.
func (r *Requirement) audience(e Event, called []string) []string {
	cast := r.Cast()
	cast.Called = called
	var to []string
	for _, seat := range r.process.Audience(string(e.Kind), e.Clock) {
		ids, inCast := cast.Fill(seat)
		if !inCast {
			ids = []string{seat}
		}
		for _, id := range ids {
			// Nobody needs to be told what they did themselves, and the customer is not
			// asked for what somebody else has to bring.
			if id == CustomerActor && e.Kind == WasHeld && r.Hold.Kind() != policy.HoldCustomer {
				continue
			}
			if id != e.Actor && !slices.Contains(to, id) {
				to = append(to, id)
			}
		}
	}
	return to
}

// NoticesParked records that recipients of the events first to last could not be
// reached over any channel. Nobody is told of it: that might fail as well.
func (r *Requirement) NoticesParked(now time.Time, first, last, count int) {
	r.record(now, NoticeParked, SystemActor, struct {
		First int `json:"first"`
		Last  int `json:"last"`
		Count int `json:"count"`
	}{first, last, count})
}
