package requirement

import (
	"time"

	"closeloop/policy"
)

// Triage classifies a requirement and decides whether it needs approval. Empty
// fields stay as they are.
type Triage struct {
	Header
	Type       string `json:"type,omitempty"`
	Priority   string `json:"priority,omitempty"`
	Urgency    string `json:"urgency,omitempty"`
	Department string `json:"department,omitempty"`
	// NeedApproval demands a review even where no rule does.
	NeedApproval bool `json:"need_approval,omitempty"`
}

// Name of the act.
func (Triage) Name() Name { return ActTriage }

// Departments names the department, if the triage does.
func (t Triage) Departments() []string { return named(t.Department) }

// Valid checks the fields that are the same under every policy.
func (t Triage) Valid() error {
	if t.Priority != "" {
		if err := validChoice("priority", t.Priority, Priorities); err != nil {
			return err
		}
	}
	if t.Urgency != "" {
		if err := validChoice("urgency", t.Urgency, Urgencies); err != nil {
			return err
		}
	}
	return validText("department", t.Department, MaxName, false)
}

func (t Triage) allowed(r *Requirement) error {
	if t.Type != "" {
		if err := validChoice("type", t.Type, r.process.Types); err != nil {
			return err
		}
	}
	if t.NeedApproval {
		if _, ok := r.process.Approval(t.attributes(r), true); !ok {
			return invalid("need_approval", "no_rule", "the policy has no approval rule for this; add one with on_request: true")
		}
	}
	return nil
}

func (t Triage) attributes(r *Requirement) policy.Attributes {
	a := r.Attributes
	set := func(field *string, value string) {
		if value != "" {
			*field = value
		}
	}
	set(&a.Type, t.Type)
	set(&a.Priority, t.Priority)
	set(&a.Urgency, t.Urgency)
	return a
}

func (t Triage) apply(r *Requirement, now time.Time) int {
	r.Attributes = t.attributes(r)
	r.handOver(t.Department, now)
	if t.By() != SystemActor {
		r.Tracker = t.By()
	}
	seq := r.record(now, Triaged, t.By(), struct {
		Header
		policy.Attributes
		Department   string `json:"department,omitempty"`
		NeedApproval bool   `json:"need_approval,omitempty"`
	}{t.Header, r.Attributes, r.Department, t.NeedApproval})
	if rule, needed := r.process.Approval(r.Attributes, t.NeedApproval); needed {
		r.ask(rule)
	} else {
		r.findOwner()
	}
	return seq
}

// Amend changes what is asked for. Every change makes a new version; earlier
// ones stay readable in the ledger (A7).
type Amend struct {
	Header
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
}

// Name of the act.
func (Amend) Name() Name { return ActAmend }

// Valid checks the fields.
func (a Amend) Valid() error {
	if a.Title == "" && a.Description == "" {
		return invalid("amend", "nothing_new", "name a new title or a new description")
	}
	if err := validText("title", a.Title, MaxTitle, false); err != nil {
		return err
	}
	return validText("description", a.Description, MaxText, false)
}

func (a Amend) allowed(*Requirement) error { return nil }

func (a Amend) apply(r *Requirement, now time.Time) int {
	if a.Title != "" {
		r.Title = a.Title
	}
	if a.Description != "" {
		r.Description = a.Description
	}
	r.Version++
	seq := r.record(now, Amended, a.By(), struct {
		Amend
		Version     int    `json:"version"`
		Title       string `json:"title"`
		Description string `json:"description"`
	}{a, r.Version, r.Title, r.Description})
	// A vote was for the wording it was asked about: another wording is another
	// question.
	if r.Approval != nil && r.Stage.Working() {
		rule := r.ruleOfRound()
		if r.Stage == Reviewing || r.Approval.State == RoundApproved && rule.AgainOnAmend {
			r.ask(rule)
		}
	}
	return seq
}

// Reprioritise changes the priority; all clocks are retargeted from their start.
type Reprioritise struct {
	Header
	Priority string `json:"priority"`
	Reason   string `json:"reason"`
}

// Name of the act.
func (Reprioritise) Name() Name { return ActReprioritise }

// Valid checks the fields.
func (p Reprioritise) Valid() error {
	if err := validChoice("priority", p.Priority, Priorities); err != nil {
		return err
	}
	return validText("reason", p.Reason, MaxText, true)
}

func (Reprioritise) allowed(*Requirement) error { return nil }

func (p Reprioritise) apply(r *Requirement, now time.Time) int {
	before := r.Priority
	r.Priority = p.Priority
	return r.record(now, Reprioritised, p.By(), struct {
		Reprioritise
		Before string `json:"before"`
	}{p, before})
}

// Merge ends the requirement as a duplicate: it lives on in another, and its
// customer is told the outcome of that (A6).
type Merge struct {
	Header
	Into string `json:"into"`
}

// Name of the act.
func (Merge) Name() Name { return ActMerge }

// Valid checks the fields.
func (m Merge) Valid() error { return validText("into", m.Into, MaxName, true) }

func (m Merge) allowed(r *Requirement) error {
	if m.Into == r.ID {
		return refuse(CodeMergeCycle, r.ID+" cannot be merged into itself", "name the other requirement", "id", r.ID, "into", m.Into)
	}
	for _, a := range r.Absorbed {
		if a.ID == m.Into {
			return refuse(CodeMergeCycle, m.Into+" was merged into "+r.ID+": the two would point at each other",
				"go on with "+r.ID, "id", r.ID, "into", m.Into)
		}
	}
	return nil
}

func (m Merge) apply(r *Requirement, now time.Time) int {
	r.MergingFrom, r.MergedInto, r.Stage = r.Stage, m.Into, Merged
	return r.record(now, WasMerged, m.By(), m)
}

// MergeDone ends a merged requirement once the survivor knows of it.
func (r *Requirement) MergeDone(now time.Time) {
	if !r.Merging() {
		return
	}
	r.MergingFrom = ""
	r.record(now, MergeTaken, SystemActor, struct {
		Into string `json:"into"`
	}{r.MergedInto})
	r.end(now, Merged, SystemActor)
	r.retime(now, SystemActor)
}

// MergeUndone takes the requirement up again where it was, because the survivor
// cannot take it.
func (r *Requirement) MergeUndone(now time.Time, reason string) {
	if !r.Merging() {
		return
	}
	into := r.MergedInto
	r.Stage, r.MergingFrom, r.MergedInto = r.MergingFrom, "", ""
	r.record(now, MergeUndone, SystemActor, struct {
		Into   string `json:"into"`
		Reason string `json:"reason"`
	}{into, reason})
	r.retime(now, SystemActor)
	r.Tick(now)
}

// Handover is what the survivor of a merge is told, with all that were merged
// into the merged one before.
func (r *Requirement) Handover() []Absorbed {
	return append([]Absorbed{{
		ID: r.ID, Title: r.Title, Customer: r.Customer, Contact: r.Contact, Language: r.Language,
	}}, r.Absorbed...)
}

// Absorb takes in requirements that were merged into this one. Those it already
// has, and itself, are left out.
func (r *Requirement) Absorb(now time.Time, merged []Absorbed) {
	r.Tick(now)
	for _, m := range merged {
		if m.ID == r.ID || r.absorbed(m.ID) {
			continue
		}
		r.Absorbed = append(r.Absorbed, m)
		r.record(now, WasAbsorbed, SystemActor, m)
	}
}

func (r *Requirement) absorbed(id string) bool {
	for _, a := range r.Absorbed {
		if a.ID == id {
			return true
		}
	}
	return false
}

// Withdraw ends the requirement because nobody wants it any longer.
type Withdraw struct {
	Header
	Reason string `json:"reason"`
}

// Name of the act.
func (Withdraw) Name() Name { return ActWithdraw }

// Valid checks the fields.
func (w Withdraw) Valid() error { return validText("reason", w.Reason, MaxText, true) }

func (Withdraw) allowed(*Requirement) error { return nil }

func (w Withdraw) apply(r *Requirement, now time.Time) int {
	seq := r.record(now, WasWithdrawn, w.By(), w)
	r.end(now, Withdrawn, w.By())
	return seq
}

// Comment is something said about the requirement. The customer's words wait
// for an answer, and resume what is on hold; a colleague's are internal.
type Comment struct {
	Header
	Message string `json:"message"`
}

// Name of the act.
func (Comment) Name() Name { return ActComment }

// Valid checks the fields.
func (c Comment) Valid() error { return validText("message", c.Message, MaxText, true) }

func (Comment) allowed(*Requirement) error { return nil }

func (c Comment) apply(r *Requirement, now time.Time) int {
	customer := r.isCustomer(c.By())
	seq := r.record(now, Commented, c.By(), struct {
		Comment
		FromCustomer bool `json:"from_customer,omitempty"`
	}{c, customer})
	if customer {
		r.heardFrom(now, c.By())
	}
	return seq
}
