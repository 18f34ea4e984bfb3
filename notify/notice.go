package notify

import (
	"context"
	"time"

	"closeloop/requirement"
)

// Key identifies a notice.
type Key struct {
	Requirement string `json:"requirement"`
	// Seq is the event that is told.
	Seq int `json:"seq"`
	// Recipient is a person's id, or customer, or customer:ID for the customer
	// of a requirement that was merged, or upstream:NAME for a system.
	Recipient string `json:"recipient"`
	Channel   string `json:"channel"`
}

// State is what became of a notice.
type State string

// The states of a notice.
const (
	Pending State = "pending"
	// Sending notices are in a channel's hands. One that is found so later was
	// cut off by a crash: it may have arrived.
	Sending State = "sending"
	Sent    State = "sent"
	// Failed notices were refused for good, or too often: the next channel took
	// over.
	Failed State = "failed"
	// Uncertain notices were cut off by a crash. People's are not sent again, so
	// that nobody gets one twice: the next channel takes over.
	Uncertain State = "uncertain"
	// Parked notices had no channel left; an operator must look.
	Parked State = "parked"
	// Cancelled notices lost their reason before they were sent.
	Cancelled State = "cancelled"
)

// Route is a channel with the recipient's address on it.
type Route struct {
	Channel string `json:"channel"`
	Address string `json:"address"`
}

// Notice is one message to one recipient over one channel.
type Notice struct {
	Key
	Event    requirement.Kind `json:"event"`
	Address  string           `json:"address"`
	Language string           `json:"language"`
	// Escalation is the id of the escalation it belongs to; an acknowledgement
	// cancels those that are not sent.
	Escalation string `json:"escalation,omitempty"`
	// Rest are the channels to try after this one.
	Rest     []Route `json:"rest,omitempty"`
	State    State   `json:"state"`
	Attempts int     `json:"attempts"`
	Error    string  `json:"error,omitempty"`
	// Link is the address of the page on which the recipient can answer; empty when
	// there is none. It is made when the notice is sent, and kept nowhere: it is a
	// secret.
	Link string `json:"-"`
}

// Due is a notice that is not settled.
type Due struct {
	Notice
	// In is for how long it is to be left alone: until its next attempt, or until a
	// courier that has it must have let go of it. Zero: it may be taken now.
	In time.Duration
	// Age is how long ago it was written, or somebody asked to have it sent again.
	Age time.Duration
}

// Claim is what became of the wish to send a notice.
type Claim struct {
	// Taken: it is ours to send.
	Taken bool
	// After is when to look again at a notice that is not ours and not settled. Zero:
	// it is settled.
	After time.Duration
}

// Lease is how long a notice that is being sent is left to the courier that has
// it: longer than any sends and settles.
const Lease = sendTime + settleTime + 5*time.Second

// Store keeps notices; the ledger is one.
type Store interface {
	// DueNotices returns the notices of the events from to that are pending or
	// sending, in a fixed order, those of earlier events first.
	DueNotices(ctx context.Context, requirementID string, from, to int) ([]Due, error)
	// ClaimNotice marks a pending notice as sending and counts the attempt, before
	// it is handed to a channel. It is not taken when somebody else has it, or it is
	// not time yet; with inOrder, nor while an earlier notice to the same recipient
	// on that channel about the requirement is not settled.
	ClaimNotice(ctx context.Context, k Key, inOrder bool) (Claim, error)
	// PostponeNotice makes a notice that was being sent pending again, to be tried
	// after that time.
	PostponeNotice(ctx context.Context, k Key, reason string, after time.Duration) error
	// SettleNotice records what became of a notice in the end. With next, that notice
	// takes over, in the same transaction; one that exists already is left as it is.
	SettleNotice(ctx context.Context, k Key, s State, reason string, next *Notice) error
}
