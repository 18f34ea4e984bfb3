package notify

import (
	"context"

	"closeloop/requirement"
)

// Key identifies a notice: it is sent at most once.
type Key struct {
	Requirement string `json:"requirement"`
	// Seq is the event that is told.
	Seq int `json:"seq"`
	// Recipient is a person's id, or customer, or customer:ID for the customer
	// of a requirement that was merged.
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
	// Uncertain notices were cut off by a crash. They are not sent again, so that
	// nobody gets one twice: the next channel takes over.
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

// Store keeps notices; the ledger is one.
type Store interface {
	// DueNotices returns the notices of the events from to that are pending or
	// sending, in a fixed order.
	DueNotices(ctx context.Context, requirementID string, from, to int) ([]Notice, error)
	// ClaimNotice marks a pending notice as sending and counts the attempt,
	// before it is handed to a channel. It is false when somebody else has it.
	ClaimNotice(ctx context.Context, k Key) (bool, error)
	// SettleNotice records what became of a notice. With next, that notice takes
	// over, in the same transaction; one that exists already is left as it is.
	SettleNotice(ctx context.Context, k Key, s State, reason string, next *Notice) error
}
