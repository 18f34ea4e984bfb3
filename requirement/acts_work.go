package requirement

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"closeloop/policy"
)

// Assign gives the requirement to a person.
type Assign struct {
	Header
	To         string `json:"to"`
	Department string `json:"department,omitempty"`
	Reason     string `json:"reason,omitempty"`
}

// Name of the act.
func (Assign) Name() Name { return ActAssign }

// Names the new owner.
func (a Assign) Names() []string { return []string{a.To} }

// Departments names the department, if the assignment does.
func (a Assign) Departments() []string { return named(a.Department) }

// named returns the id as a list, which is empty when there is none.
func named(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id}
}

// Valid checks the fields.
func (a Assign) Valid() error {
	if err := validPerson("to", a.To); err != nil {
		return err
	}
	if err := validText("department", a.Department, MaxName, false); err != nil {
		return err
	}
	return validText("reason", a.Reason, MaxText, false)
}

// validPerson checks an id that must be a person's.
func validPerson(field, id string) error {
	if err := validText(field, id, MaxName, true); err != nil {
		return err
	}
	if id == SystemActor || id == CustomerActor {
		return invalid(field, "not_a_person", fmt.Sprintf("%q is not a person", id), "value", id)
	}
	return nil
}

func (Assign) allowed(*Requirement) error { return nil }

func (a Assign) apply(r *Requirement, now time.Time) int { return r.assign(now, a) }

// Accept takes on an assignment.
type Accept struct{ Header }

// Name of the act.
func (Accept) Name() Name { return ActAccept }

// Valid has nothing to check.
func (Accept) Valid() error { return nil }

func (Accept) allowed(*Requirement) error { return nil }

func (a Accept) apply(r *Requirement, now time.Time) int { return r.takeUp(now, a.By(), false) }

// HandBack gives an assignment back; another owner is looked for.
type HandBack struct {
	Header
	Reason string `json:"reason"`
}

// Name of the act.
func (HandBack) Name() Name { return ActHandBack }

// Valid checks the fields.
func (h HandBack) Valid() error { return validText("reason", h.Reason, MaxText, true) }

func (HandBack) allowed(*Requirement) error { return nil }

func (h HandBack) apply(r *Requirement, now time.Time) int {
	before := r.Owner
	seq := r.record(now, HandedBack, h.By(), struct {
		HandBack
		Owner string `json:"owner"`
	}{h, before})
	r.Owner, r.AcceptedAt = "", nil
	if !slices.Contains(r.GaveBack, before) {
		r.GaveBack = append(slices.Clone(r.GaveBack), before)
	}
	r.findOwner()
	return seq
}

// Methods are the ways to reach a customer (E2).
var Methods = []string{"phone", "email", "visit", "message"}

// Respond is an answer to the customer. The first one stops the response clock;
// each one answers what waits for an answer.
type Respond struct {
	Header
	Method  string `json:"method"`
	Message string `json:"message"`
	// Options are the ways out that a complaint is offered, two or three (E7).
	Options []string `json:"options,omitempty"`
}

// Name of the act.
func (Respond) Name() Name { return ActRespond }

// Valid checks the fields.
func (s Respond) Valid() error {
	if err := validChoice("method", s.Method, Methods); err != nil {
		return err
	}
	if n := len(s.Options); n == 1 || n > 3 {
		return invalid("options", "out_of_range", fmt.Sprintf("offer the customer two or three, not %d", n), "value", itoa(n), "min", "2", "max", "3")
	}
	for _, o := range s.Options {
		if err := validText("options", o, MaxText, true); err != nil {
			return err
		}
	}
	return validText("message", s.Message, MaxText, true)
}

func (Respond) allowed(*Requirement) error { return nil }

func (s Respond) apply(r *Requirement, now time.Time) int {
	first := r.Response == nil
	r.answered(now)
	if first {
		r.Response = &Response{At: now, By: s.By(), Method: s.Method}
	}
	seq := r.record(now, Responded, s.By(), struct {
		Respond
		First bool `json:"first,omitempty"`
	}{s, first})
	r.workBegan(now, s.By())
	return seq
}

// answered notes that the customer heard from us.
func (r *Requirement) answered(now time.Time) {
	if r.Response != nil {
		r.Updates++
	}
	r.UpdatedFor, r.Unanswered = now, nil
}

// heardFrom notes that the customer wrote: it waits for an answer, from the
// first message on, and ends a wait for the customer.
func (r *Requirement) heardFrom(now time.Time, by string) {
	if r.Response != nil && r.Unanswered == nil && r.Stage.Working() {
		r.Unanswered = &now
		r.Contacts++
	}
	if r.Hold != nil && r.Hold.Kind() == policy.HoldCustomer {
		r.Hold = nil
		r.record(now, WasResumed, by, nil)
	}
}

// workBegan takes an assignment as accepted when work on it shows that it is.
func (r *Requirement) workBegan(now time.Time, by string) {
	if r.Stage == Assigned {
		r.takeUp(now, by, true)
	}
}

// PlanStep is a step as it is planned: what, by whom, until when.
type PlanStep struct {
	What  string    `json:"what"`
	Owner string    `json:"owner,omitempty"`
	Due   time.Time `json:"due"`
}

// Plan is the handling plan 处理方案 (E3). It replaces the steps of an earlier
// plan that are not done.
type Plan struct {
	Header
	Steps []PlanStep `json:"steps"`
}

// Name of the act.
func (Plan) Name() Name { return ActPlan }

// Names the owners of the steps.
func (p Plan) Names() []string {
	var ids []string
	for _, s := range p.Steps {
		if s.Owner != "" && !slices.Contains(ids, s.Owner) {
			ids = append(ids, s.Owner)
		}
	}
	return ids
}

// maxSteps bounds a plan.
const maxSteps = 30

// Valid checks the fields.
func (p Plan) Valid() error {
	if len(p.Steps) == 0 || len(p.Steps) > maxSteps {
		return invalid("steps", "out_of_range", fmt.Sprintf("a plan has 1 to %d steps, not %d", maxSteps, len(p.Steps)),
			"value", itoa(len(p.Steps)), "min", "1", "max", itoa(maxSteps))
	}
	for _, s := range p.Steps {
		if err := validText("steps", s.What, MaxTitle, true); err != nil {
			return err
		}
		if s.Due.IsZero() {
			return invalid("steps", "no_due_date", fmt.Sprintf("%q has no due date", s.What), "value", s.What)
		}
	}
	return nil
}

func (p Plan) allowed(r *Requirement) error {
	if n := len(r.Plan) + len(p.Steps); n > 10*maxSteps {
		return invalid("steps", "planned_too_often", r.ID+" has been planned too often", "value", r.ID)
	}
	return nil
}

func (p Plan) apply(r *Requirement, now time.Time) int {
	for i := range r.Plan {
		if r.Plan[i].DoneAt == nil {
			r.Plan[i].Dropped = true
		}
	}
	for _, s := range p.Steps {
		r.Plan = append(r.Plan, Step{What: s.What, Owner: s.Owner, Due: s.Due, Since: now})
	}
	seq := r.record(now, Planned, p.By(), p)
	r.workBegan(now, p.By())
	return seq
}

// Progress tells the customer how far it is; it keeps the promise of regular
// updates (E4). It may report steps of the plan as done.
type Progress struct {
	Header
	Message string `json:"message"`
	// DoneSteps are numbers of steps of the plan, from 1.
	DoneSteps []int `json:"done_steps,omitempty"`
}

// Name of the act.
func (Progress) Name() Name { return ActProgress }

// Valid checks the fields.
func (p Progress) Valid() error { return validText("message", p.Message, MaxText, true) }

func (p Progress) allowed(r *Requirement) error {
	for _, n := range p.DoneSteps {
		if n < 1 || n > len(r.Plan) {
			return invalid("done_steps", "out_of_range", fmt.Sprintf("there is no step %d: the plan has %d", n, len(r.Plan)),
				"value", itoa(n), "min", "1", "max", itoa(len(r.Plan)))
		}
	}
	return nil
}

func (p Progress) apply(r *Requirement, now time.Time) int {
	r.answered(now)
	for _, n := range p.DoneSteps {
		if s := &r.Plan[n-1]; s.DoneAt == nil {
			s.DoneAt = &now
		}
	}
	seq := r.record(now, Progressed, p.By(), p)
	r.workBegan(now, p.By())
	return seq
}

// PutOnHold waits for the customer, or for somebody else that the policy names;
// clocks pause as the policy says (E5).
type PutOnHold struct {
	Header
	Reason string `json:"reason"`
	// For is one of the policy's kinds of holds; the customer when empty.
	For string `json:"for,omitempty"`
}

// Name of the act.
func (PutOnHold) Name() Name { return ActHold }

// Valid checks the fields.
func (h PutOnHold) Valid() error { return validText("reason", h.Reason, MaxText, true) }

func (h PutOnHold) allowed(r *Requirement) error {
	if h.For != "" {
		if err := validChoice("for", h.For, r.process.HoldKinds()); err != nil {
			return err
		}
	}
	if r.Hold != nil {
		return refuse(CodeOnHold, r.ID+" is on hold already: "+r.Hold.Reason, "resume it first", "id", r.ID)
	}
	return nil
}

func (h PutOnHold) apply(r *Requirement, now time.Time) int {
	if h.For == policy.HoldCustomer {
		h.For = "" // which means the same
	}
	r.Hold = &Hold{Since: now, By: h.By(), Reason: h.Reason, For: h.For}
	return r.record(now, WasHeld, h.By(), h)
}

// Resume goes on after the customer's reply.
type Resume struct {
	Header
	// Message is what the customer replied.
	Message string `json:"message,omitempty"`
}

// Name of the act.
func (Resume) Name() Name { return ActResume }

// Valid checks the fields.
func (s Resume) Valid() error { return validText("message", s.Message, MaxText, false) }

func (s Resume) allowed(r *Requirement) error {
	if r.Hold == nil {
		return refuse(CodeNotOnHold, r.ID+" is not on hold", r.hint(), "id", r.ID)
	}
	return nil
}

func (s Resume) apply(r *Requirement, now time.Time) int {
	r.Hold = nil
	seq := r.record(now, WasResumed, s.By(), s)
	if r.isCustomer(s.By()) && s.Message != "" {
		r.heardFrom(now, s.By())
	}
	return seq
}

// Resolve says what solved the requirement, and asks the customer (E6, C1). It
// ends a hold.
type Resolve struct {
	Header
	Solution  string `json:"solution"`
	RootCause string `json:"root_cause,omitempty"`
}

// Name of the act.
func (Resolve) Name() Name { return ActResolve }

// Valid checks the fields.
func (s Resolve) Valid() error {
	if err := validText("root_cause", s.RootCause, MaxText, false); err != nil {
		return err
	}
	return validText("solution", s.Solution, MaxText, true)
}

func (Resolve) allowed(*Requirement) error { return nil }

func (s Resolve) apply(r *Requirement, now time.Time) int {
	r.workBegan(now, s.By())
	if r.Response == nil {
		// An answer that solves it is an answer.
		r.Response = &Response{At: now, By: s.By(), Method: "message"}
	}
	r.answered(now)
	r.Hold = nil
	r.Resolution = &Resolution{At: now, By: s.By(), Solution: s.Solution, RootCause: s.RootCause}
	r.Stage = Confirming
	return r.record(now, Resolved, s.By(), struct {
		Resolve
		Cycle int `json:"cycle"`
	}{s, r.Cycle})
}

func itoa(n int) string { return strconv.Itoa(n) }
