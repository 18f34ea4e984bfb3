package contract

import (
	"time"

	"closeloop/escalation"
	"closeloop/policy"
	"closeloop/requirement"
)

// Input starts a Requirement workflow: with a submission, or with the state
// that an earlier run carried over.
type Input struct {
	Submission requirement.Submission `json:"submission,omitzero"`
	// Key is what the id was made from; it tells two intakes apart whose ids
	// happen to be the same.
	Key string `json:"key,omitempty"`
	// Attempt identifies the call that started the workflow.
	Attempt string `json:"attempt,omitempty"`
	// State and Process are set when the workflow continues as new.
	State   *requirement.State `json:"state,omitempty"`
	Process *policy.Process    `json:"process,omitempty"`
	// Telling are the notifications that the earlier run left to be sent.
	Telling []NotifyRequest `json:"telling,omitempty"`
}

// SubmitRequest asks a new or an existing requirement for its receipt.
type SubmitRequest struct {
	Key string `json:"key"`
	// Attempt identifies the call: the one that started the workflow created the
	// requirement.
	Attempt string `json:"attempt"`
}

// Receipt answers an intake.
type Receipt struct {
	ID string `json:"id"`
	// Created is false when the requirement existed before.
	Created bool              `json:"created"`
	Stage   requirement.Stage `json:"stage"`
	// Ref is the external reference that the id stands for.
	Ref string `json:"ref,omitempty"`
	// Key tells one intake from another with the same id.
	Key string `json:"key,omitempty"`
	// Attempt is that of the request which was answered. Temporal answers a
	// repeated Update with what it said the first time, so a receipt with another
	// attempt is an earlier caller's.
	Attempt string `json:"attempt,omitempty"`
}

// OpenRequest asks for what a new requirement needs.
type OpenRequest struct {
	ID string `json:"id"`
	// Origin is the run that asks.
	Origin string `json:"origin"`
}

// Opening is the rules for a new requirement, or the word that there is one
// with this id already.
type Opening struct {
	Process policy.Process `json:"process,omitzero"`
	// Existing is the receipt of the requirement that the ledger has.
	Existing *Receipt `json:"existing,omitempty"`
}

// WhoRequest asks who people are and whether departments exist.
type WhoRequest struct {
	People      []string `json:"people,omitempty"`
	Departments []string `json:"departments,omitempty"`
}

// SeatsRequest asks who fills seats at this instant.
type SeatsRequest struct {
	Seats []string    `json:"seats"`
	Cast  policy.Cast `json:"cast"`
	// Except may not be asked: nobody approves their own.
	Except []string `json:"except,omitempty"`
	// Fallback is asked where a seat can be filled by nobody.
	Fallback string    `json:"fallback,omitempty"`
	At       time.Time `json:"at"`
}

// ChainRequest asks who stands on the levels of a chain at this instant.
type ChainRequest struct {
	Chain policy.Chain `json:"chain"`
	Cast  policy.Cast  `json:"cast"`
	At    time.Time    `json:"at"`
}

// StaffedChain is a chain's levels with the people who were found.
type StaffedChain struct {
	Calls []escalation.Call `json:"calls"`
	Alarm []string          `json:"alarm"`
}

// OwnerRequest asks for an owner within a department.
type OwnerRequest struct {
	requirement.Routing
	At time.Time `json:"at"`
}

// OwnerFound is the answer; an empty owner means that there is nobody.
type OwnerFound struct {
	Owner   string `json:"owner"`
	Tracker string `json:"tracker,omitempty"`
}

// Persisted says what a transition left to do.
type Persisted struct {
	// Notices is the number of notifications to be sent.
	Notices int `json:"notices"`
}

// Handover is what the survivor of a merge is told: who asks, and what it is to
// take over.
type Handover struct {
	From   string                 `json:"from"`
	Merged []requirement.Absorbed `json:"merged"`
}

// MergeAnswer is what the survivor says to that.
type MergeAnswer struct {
	From  string `json:"from"`
	Taken bool   `json:"taken"`
	// Reason why it was not taken.
	Reason string `json:"reason,omitempty"`
}

// NotifyRequest asks to send the notifications of the events From to To.
type NotifyRequest struct {
	ID   string `json:"id"`
	From int    `json:"from"`
	To   int    `json:"to"`
}

// Notified says what became of notifications.
type Notified struct {
	Sent   int `json:"sent"`
	Parked int `json:"parked"`
}

// EscalationInput starts an Escalation workflow or carries it over.
type EscalationInput struct {
	Ladder escalation.Ladder `json:"ladder"`
	// Running is set when the ladder was begun by an earlier run.
	Running bool `json:"running,omitempty"`
}

// Adopt puts a requirement under other rules; it is answered like an act.
type Adopt struct {
	requirement.Header
	Process policy.Process `json:"process"`
}

// Acknowledge is the act on an escalation.
type Acknowledge struct {
	requirement.Header
	Comment string `json:"comment,omitempty"`
}

// Acknowledged is the answer to it.
type Acknowledged struct {
	Escalation string `json:"escalation"`
	By         string `json:"by"`
	Level      int    `json:"level"`
}
