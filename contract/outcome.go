package contract

import (
	"time"

	"closeloop/requirement"
)

// Outcome is what a Requirement workflow returns: what became of the
// requirement. Whoever waits for the end through Nexus is answered with it, so
// its fields are a contract with other systems.
type Outcome struct {
	ID    string            `json:"id"`
	Stage requirement.Stage `json:"stage"`
	// Created is false when there was nothing to do, because the ledger had the
	// requirement already.
	Created bool `json:"created"`
	// Ref is the external reference; empty when there is none.
	Ref string `json:"ref,omitempty"`
	// MergedInto is the survivor of a merge.
	MergedInto string `json:"merged_into,omitempty"`
	// Solution and RootCause are those of the last resolution.
	Solution  string `json:"solution,omitempty"`
	RootCause string `json:"root_cause,omitempty"`
	// Reason is what whoever decided against it in the review gave as theirs.
	Reason string `json:"reason,omitempty"`
	// Rating is the customer's, 1 to 5; 0 when they gave none.
	Rating int `json:"rating,omitempty"`
	// Comment is what the customer said to the solution.
	Comment string `json:"comment,omitempty"`
	// BySilence is set when the customer said nothing in time (row C2).
	BySilence bool `json:"by_silence,omitempty"`
	// Reopened counts the customer's disputes.
	Reopened  int       `json:"reopened,omitempty"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	ClosedAt  time.Time `json:"closed_at,omitzero"`
}

// OutcomeOf returns the outcome of a requirement that has ended.
func OutcomeOf(r *requirement.Requirement) Outcome {
	o := Outcome{
		ID: r.ID, Stage: r.Stage, Created: true, Ref: r.Ref, MergedInto: r.MergedInto, Reopened: r.Reopened, CreatedAt: r.CreatedAt,
	}
	if r.ClosedAt != nil {
		o.ClosedAt = *r.ClosedAt
	}
	if r.Resolution != nil {
		o.Solution, o.RootCause = r.Resolution.Solution, r.Resolution.RootCause
	}
	if c := r.Closing; c != nil {
		o.Rating, o.Comment, o.BySilence = c.Rating, c.Comment, c.Automatic
	}
	if r.Stage == requirement.Rejected && r.Approval != nil {
		for _, v := range r.Approval.Votes {
			if v.Answer == requirement.AnswerDecline && v.Person == r.Approval.DecidedBy {
				o.Reason = v.Comment
			}
		}
	}
	return o
}
