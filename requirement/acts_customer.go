package requirement

import (
	"fmt"
	"time"
)

// Confirm is the customer's yes to a resolution, with a rating from 1 to 5 and
// a comment if they like (C1, C3).
type Confirm struct {
	Header
	Rating  int    `json:"rating,omitempty"`
	Comment string `json:"comment,omitempty"`
}

// Name of the act.
func (Confirm) Name() Name { return ActConfirm }

// Valid checks the fields.
func (c Confirm) Valid() error {
	if c.Rating < 0 || c.Rating > 5 {
		return invalid("rating", "out_of_range", fmt.Sprintf("it is 1 to 5, not %d", c.Rating), "value", itoa(c.Rating), "min", "1", "max", "5")
	}
	return validText("comment", c.Comment, MaxText, false)
}

func (c Confirm) allowed(r *Requirement) error { return r.notOwnWork(c.By()) }

func (c Confirm) apply(r *Requirement, now time.Time) int {
	return r.close(now, Closing{At: now, By: c.By(), Rating: c.Rating, Comment: c.Comment})
}

// Dispute is the customer's no: the requirement is reopened in a new cycle and
// no longer solved the first time (C1).
type Dispute struct {
	Header
	Reason string `json:"reason"`
}

// Name of the act.
func (Dispute) Name() Name { return ActDispute }

// Valid checks the fields.
func (d Dispute) Valid() error { return validText("reason", d.Reason, MaxText, true) }

func (d Dispute) allowed(*Requirement) error { return nil }

func (d Dispute) apply(r *Requirement, now time.Time) int {
	no := false
	r.FirstTimeResolved = &no
	r.Reopened++
	r.Cycle++
	r.CycleSince, r.UpdatedFor = now, now
	r.Resolution = nil
	r.Stage = Executing
	if r.Department != "" {
		r.HandOvers++
		r.DepartmentSince = now
	}
	return r.record(now, Disputed, d.By(), struct {
		Dispute
		Cycle int `json:"cycle"`
	}{d, r.Cycle})
}

// notOwnWork refuses the owner's judgement of their own work.
func (r *Requirement) notOwnWork(person string) error {
	if person == r.Owner {
		return refuse(CodeSelf, person+" owns "+r.ID+" and cannot confirm their own work",
			"record it with --as customer, or let an operator do it", "person", person)
	}
	return nil
}

// close ends the process well: by the customer's word, or by their silence
// after the agreed time (C2).
func (r *Requirement) close(now time.Time, c Closing) int {
	r.Closing = &c
	if r.FirstTimeResolved == nil {
		yes := true
		r.FirstTimeResolved = &yes
	}
	seq := r.record(now, Confirmed, c.By, c)
	r.end(now, Archived, c.By)
	return seq
}
