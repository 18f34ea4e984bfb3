package nexus

import "time"

// OutcomeRequest names the requirement whose end is waited for.
type OutcomeRequest struct {
	// ID of the requirement, as its [Receipt] has it.
	ID string `json:"id"`
}

// The stages in which a requirement ends.
const (
	// Archived: the customer has confirmed the solution, or has been silent for the
	// agreed time.
	Archived = "archived"
	// Rejected: the review has declined it, and no appeal is left.
	Rejected = "rejected"
	// Withdrawn: it was taken back.
	Withdrawn = "withdrawn"
	// Merged: another requirement has taken it over.
	Merged = "merged"
)

// Outcome is what became of a requirement.
type Outcome struct {
	ID string `json:"id"`
	// Stage in which it ended: [Archived], [Rejected], [Withdrawn] or [Merged].
	Stage string `json:"stage"`
	// Ref is the upstream's own reference; empty when there was none.
	Ref string `json:"ref,omitempty"`
	// MergedInto is the requirement that took over one that was merged.
	MergedInto string `json:"merged_into,omitempty"`
	// Solution and RootCause are what the customer was told at the end.
	Solution  string `json:"solution,omitempty"`
	RootCause string `json:"root_cause,omitempty"`
	// Reason is why the review declined a requirement that was rejected.
	Reason string `json:"reason,omitempty"`
	// Rating is the customer's, 1 to 5; 0 when they gave none.
	Rating int `json:"rating,omitempty"`
	// Comment is what the customer said to the solution.
	Comment string `json:"comment,omitempty"`
	// BySilence is set when the customer said nothing in time.
	BySilence bool `json:"by_silence,omitempty"`
	// Reopened is how often the customer said that it was not solved.
	Reopened  int       `json:"reopened,omitempty"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	ClosedAt  time.Time `json:"closed_at,omitzero"`
}
