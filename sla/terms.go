package sla

import (
	"slices"
	"time"
)

// Terms are what a policy says of one clock: the part that a change of
// priority, tier or policy replaces.
type Terms struct {
	Target   Duration `json:"target"`
	Calendar string   `json:"calendar"`
	// Due is a date that was promised by hand; it takes the place of the target. One
	// outside working time means the next working instant.
	Due *time.Time `json:"due,omitempty"`
	// MaxPause is how long the clock may be on hold in total, in working time; zero
	// for no limit. Then it goes on although the hold lasts.
	MaxPause Duration `json:"max_pause,omitzero"`
	// Marks besides the deadline.
	Marks  []Mark `json:"marks,omitempty"`
	Repeat Repeat `json:"repeat"`
	// Lapses is set when reaching the end is an agreed outcome and no breach:
	// the customer's silence, an approval that times out into a verdict.
	Lapses bool `json:"lapses,omitempty"`
}

// Same reports whether the terms say the same.
func (t Terms) Same(other Terms) bool {
	due := t.Due == other.Due || t.Due != nil && other.Due != nil && t.Due.Equal(*other.Due)
	return due && t.Target == other.Target && t.Calendar == other.Calendar && t.MaxPause == other.MaxPause &&
		t.Repeat == other.Repeat && t.Lapses == other.Lapses && slices.Equal(t.Marks, other.Marks)
}
