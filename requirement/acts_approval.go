package requirement

import (
	"slices"
	"time"
)

// Approve is a yes in the open round.
type Approve struct {
	Header
	Comment string `json:"comment,omitempty"`
}

// Name of the act.
func (Approve) Name() Name { return ActApprove }

// Valid checks the fields.
func (a Approve) Valid() error { return validText("comment", a.Comment, MaxText, false) }

func (a Approve) allowed(r *Requirement) error { return r.mayVote(a.By()) }

func (a Approve) apply(r *Requirement, now time.Time) int {
	return r.vote(now, a.By(), AnswerApprove, a.Comment, VoteApproved, a)
}

// Decline is a no in the open round.
type Decline struct {
	Header
	Reason string `json:"reason"`
}

// Name of the act.
func (Decline) Name() Name { return ActDecline }

// Valid checks the fields.
func (d Decline) Valid() error { return validText("reason", d.Reason, MaxText, true) }

func (d Decline) allowed(r *Requirement) error { return r.mayVote(d.By()) }

func (d Decline) apply(r *Requirement, now time.Time) int {
	return r.vote(now, d.By(), AnswerDecline, d.Reason, VoteDeclined, d)
}

// Delegate gives one's vote to somebody else.
type Delegate struct {
	Header
	To string `json:"to"`
}

// Name of the act.
func (Delegate) Name() Name { return ActDelegate }

// Names the person who is to vote instead.
func (d Delegate) Names() []string { return []string{d.To} }

// Valid checks the fields.
func (d Delegate) Valid() error { return validPerson("to", d.To) }

func (d Delegate) allowed(r *Requirement) error {
	if err := r.mayVote(d.By()); err != nil {
		return err
	}
	if slices.Contains(r.Requesters(), d.To) {
		return refuse(CodeSelf, d.To+" asked for this or owns it, and nobody approves their own",
			"delegate to somebody else", "person", d.To)
	}
	for _, v := range r.Approval.Votes {
		if v.Person == d.To {
			return refuse(CodeDecided, d.To+" has a vote in this round already", "delegate to somebody else", "person", d.To)
		}
		if v.Person == d.By() && slices.Contains(v.From, d.To) {
			return refuse(CodeDecided, d.To+" gave this vote away before", "delegate to somebody else", "person", d.To)
		}
	}
	return nil
}

func (d Delegate) apply(r *Requirement, now time.Time) int {
	for i := range r.Approval.Votes {
		if v := &r.Approval.Votes[i]; v.Person == d.By() && v.Answer == AnswerPending {
			v.From = append(v.From, v.Person)
			v.Person = d.To
			break
		}
	}
	return r.record(now, VoteDelegated, d.By(), d)
}

// mayVote checks that a vote of this person is waited for. It explains the
// cases in which it is not.
func (r *Requirement) mayVote(person string) error {
	a := r.Approval
	if a.State == RoundAsking {
		return refuse(CodeStage, "the people for round "+itoa(a.Round)+" are still being asked",
			"try again in a moment", "round", itoa(a.Round))
	}
	if slices.Contains(r.Requesters(), person) {
		return refuse(CodeSelf, person+" asked for this or owns it, and nobody approves their own",
			"one of "+join(a.waiting())+" has to decide", "person", person)
	}
	for _, v := range a.Votes {
		if v.Person != person {
			continue
		}
		switch v.Answer {
		case AnswerPending:
			return nil
		case AnswerQueued:
			return refuse(CodeRole, person+" is asked after "+join(a.waiting()),
				"wait for "+join(a.waiting()), "person", person)
		default:
			return refuse(CodeDecided, person+" has voted in round "+itoa(a.Round)+" already",
				"a vote stands once it is cast", "person", person)
		}
	}
	return refuse(CodeRole, person+" is not asked in round "+itoa(a.Round)+"; that takes one of "+join(a.waiting()),
		"vote as one of them with --as", "person", person)
}

// Appeal asks for another review of a rejection. It is possible once (R3).
type Appeal struct {
	Header
	Reason string `json:"reason"`
}

// Name of the act.
func (Appeal) Name() Name { return ActAppeal }

// Valid checks the fields.
func (a Appeal) Valid() error { return validText("reason", a.Reason, MaxText, true) }

func (a Appeal) allowed(r *Requirement) error {
	if r.Appealed {
		return refuse(CodeAppealed, r.ID+" was rejected for good: a rejection can be appealed once, while the appeal clock runs",
			"submit a new requirement", "id", r.ID)
	}
	return nil
}

func (a Appeal) apply(r *Requirement, now time.Time) int {
	r.Appealed = true
	seq := r.record(now, WasAppealed, a.By(), a)
	r.ask(r.ruleOfRound())
	return seq
}
