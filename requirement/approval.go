package requirement

import (
	"slices"
	"time"

	"closeloop/policy"
	"closeloop/sla"
)

// RoundState is where a round of approval stands.
type RoundState string

// The states of a round.
const (
	RoundAsking    RoundState = "asking" // the people are being looked up
	RoundOpen      RoundState = "open"
	RoundApproved  RoundState = "approved"
	RoundRejected  RoundState = "rejected"
	RoundWithdrawn RoundState = "withdrawn" // no longer asked for
)

// Decided reports whether the round is over.
func (s RoundState) Decided() bool {
	return s == RoundApproved || s == RoundRejected || s == RoundWithdrawn
}

// Approval is one round of approval (R1, R2). Rounds are numbered; votes of an
// earlier round never count.
type Approval struct {
	Round int        `json:"round"`
	State RoundState `json:"state"`
	// Need is how many approvals decide.
	Need       int            `json:"need"`
	Rule       string         `json:"rule"`
	InSequence bool           `json:"in_sequence,omitempty"`
	OnTimeout  policy.Timeout `json:"on_timeout"`
	OpenedAt   time.Time      `json:"opened_at,omitzero"`
	DecidedAt  *time.Time     `json:"decided_at,omitempty"`
	// DecidedBy is who cast the deciding vote, or the system.
	DecidedBy string `json:"decided_by,omitempty"`
	Votes     []Vote `json:"votes"`
}

// Answer is what became of a vote.
type Answer string

// The answers.
const (
	AnswerQueued    Answer = "queued" // asked after those before it, in sequence
	AnswerPending   Answer = "pending"
	AnswerApprove   Answer = "approve"
	AnswerDecline   Answer = "decline"
	AnswerWithdrawn Answer = "withdrawn" // can no longer matter
)

// Vote is one seat of a round and who fills it.
type Vote struct {
	Seat   string `json:"seat"`
	Person string `json:"person"`
	// From are the people who passed the vote on, first to last.
	From    []string   `json:"from,omitempty"`
	Answer  Answer     `json:"vote"`
	At      *time.Time `json:"at,omitempty"`
	Comment string     `json:"comment,omitempty"`
}

// FilledSeat is a person found for a seat.
type FilledSeat struct {
	Seat   string `json:"seat"`
	Person string `json:"person"`
}

// waiting returns whose votes are waited for.
func (a *Approval) waiting() []string {
	if a == nil || a.State != RoundOpen {
		return nil
	}
	var people []string
	for _, v := range a.Votes {
		if v.Answer == AnswerPending {
			people = append(people, v.Person)
		}
	}
	return people
}

func (a *Approval) waitsFor(person string) bool { return slices.Contains(a.waiting(), person) }

func (a *Approval) decidedByPeople() bool {
	return a.State.Decided() && a.State != RoundWithdrawn && a.DecidedBy != SystemActor
}

// withdraw closes a round that nobody needs an answer to any longer.
func (a *Approval) withdraw(now time.Time) {
	a.State, a.DecidedAt, a.DecidedBy = RoundWithdrawn, &now, SystemActor
	a.withdrawVotes()
}

func (a *Approval) withdrawVotes() {
	for i := range a.Votes {
		if v := &a.Votes[i]; v.Answer == AnswerPending || v.Answer == AnswerQueued {
			v.Answer = AnswerWithdrawn
		}
	}
}

// outcome tells whether the votes decide the round: enough approvals, or too
// few left to reach the number (R2: a vote that can no longer matter closes
// it).
func (a *Approval) outcome() (approved, decided bool) {
	yes, open := 0, 0
	for _, v := range a.Votes {
		switch v.Answer {
		case AnswerApprove:
			yes++
		case AnswerPending, AnswerQueued:
			open++
		}
	}
	switch {
	case len(a.Votes) == 0:
		return false, false
	case yes >= a.Need:
		return true, true
	default:
		return false, yes+open < a.Need
	}
}

// ask begins a new round under the rule; the people are still to be found.
func (r *Requirement) ask(rule policy.ApprovalRule) {
	round := 1
	if r.Approval != nil {
		round = r.Approval.Round + 1
	}
	r.Stage, r.Routing = Reviewing, nil
	r.Approval = &Approval{
		Round: round, State: RoundAsking, Rule: rule.Name,
		InSequence: rule.InSequence, OnTimeout: rule.OnTimeout, Votes: []Vote{},
	}
}

// Asking returns the rule of a round whose people are to be found.
func (r *Requirement) Asking() (policy.ApprovalRule, bool) {
	if r.Stage != Reviewing || r.Approval.State != RoundAsking {
		return policy.ApprovalRule{}, false
	}
	return r.ruleOfRound(), true
}

// ruleOfRound returns the rule of the latest round. Should other rules have come
// since that no longer have it, any manager decides.
func (r *Requirement) ruleOfRound() policy.ApprovalRule {
	for _, rule := range r.process.Approvals {
		if rule.Name == r.Approval.Rule {
			return rule
		}
	}
	return policy.ApprovalRule{
		Name: r.Approval.Rule, Seats: []string{policy.SeatRole + string(Manager)},
		Need: policy.NeedAny, OnTimeout: policy.TimeoutEscalates,
	}
}

// Requesters are the people who may not judge the requirement: nobody approves
// their own.
func (r *Requirement) Requesters() []string {
	var ids []string
	for _, id := range []string{r.SubmittedBy, r.Owner} {
		if id != "" && id != SystemActor && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// OpenRound asks the people that were found for the seats.
func (r *Requirement) OpenRound(now time.Time, seats []FilledSeat) {
	rule, asking := r.Asking()
	if !asking {
		return
	}
	r.Tick(now)
	a := r.Approval
	a.State, a.OpenedAt, a.Need = RoundOpen, now, rule.Need.Of(len(seats))
	for i, s := range seats {
		answer := AnswerPending
		if a.InSequence && i > 0 {
			answer = AnswerQueued
		}
		a.Votes = append(a.Votes, Vote{Seat: s.Seat, Person: s.Person, Answer: answer})
	}
	r.record(now, RoundOpened, SystemActor, a)
	r.retime(now, SystemActor)
}

// vote records the answer of a person and decides the round when it can.
func (r *Requirement) vote(now time.Time, person string, answer Answer, comment string, kind Kind, act Act) int {
	a := r.Approval
	i := slices.IndexFunc(a.Votes, func(v Vote) bool { return v.Person == person && v.Answer == AnswerPending })
	v := &a.Votes[i]
	v.Answer, v.At, v.Comment = answer, &now, comment
	seq := r.record(now, kind, person, act)
	if approved, decided := a.outcome(); decided {
		r.decide(now, approved, person, comment)
		return seq
	}
	r.askNext(now)
	return seq
}

// askNext asks the next person of a round that asks one after the other.
func (r *Requirement) askNext(now time.Time) {
	for i := range r.Approval.Votes {
		switch v := &r.Approval.Votes[i]; v.Answer {
		case AnswerPending:
			return
		case AnswerQueued:
			v.Answer = AnswerPending
			r.record(now, VoteAsked, SystemActor, struct {
				Round  int    `json:"round"`
				Seat   string `json:"seat"`
				Person string `json:"person"`
			}{r.Approval.Round, v.Seat, v.Person})
			return
		}
	}
}

// decide closes the round and moves the requirement on.
func (r *Requirement) decide(now time.Time, approved bool, actor, reason string) {
	a := r.Approval
	a.State = RoundRejected
	if approved {
		a.State = RoundApproved
	}
	a.DecidedAt, a.DecidedBy = &now, actor
	a.withdrawVotes()
	r.record(now, RoundDecided, actor, struct {
		Round  int        `json:"round"`
		State  RoundState `json:"state"`
		Reason string     `json:"reason,omitempty"`
	}{a.Round, a.State, reason})
	if approved {
		r.goOn()
		return
	}
	r.reject(now, actor, reason)
}

// goOn puts an approved requirement where its ownership says.
func (r *Requirement) goOn() {
	switch {
	case r.Owner == "":
		r.findOwner()
	case r.AcceptedAt == nil:
		r.Stage = Assigned
	default:
		r.Stage = Executing
	}
}

// denial is what the event of a rejection says.
type denial struct {
	Reason string `json:"reason"`
	// Final: it cannot be appealed.
	Final bool `json:"final,omitempty"`
}

// reject ends the review with a no (R3). Unless it was appealed before, the
// customer may appeal while the appeal clock runs.
func (r *Requirement) reject(now time.Time, actor, reason string) {
	_, appealable := r.process.Clock(sla.Appeal)
	d := denial{Reason: reason, Final: r.Appealed || !appealable}
	r.Stage, r.RejectedAt, r.Hold = Rejected, now, nil
	r.record(now, RequestDenied, actor, d)
	if d.Final {
		r.end(now, Rejected, actor)
	}
}
