package requirement

import (
	"slices"
	"time"

	"closeloop/policy"
	"closeloop/sla"
)

// SchemaVersion is the version of [State] as it is stored and carried over from
// run to run. Fields may be added; none is renamed or removed.
const SchemaVersion = 1

// State is everything a requirement knows. It is what a continued workflow
// starts from, what a query answers and what the ledger keeps: JSON, slices and
// no maps.
type State struct {
	Schema int    `json:"schema"`
	ID     string `json:"id"`
	// Origin is the workflow run that took the requirement in. It tells a run that
	// is tried again after a crash from a second intake under the same id.
	Origin string `json:"origin,omitempty"`
	Submission
	// Policy is the digest of the rules it lives by.
	Policy string `json:"policy"`
	Stage  Stage  `json:"stage"`
	Hold   *Hold  `json:"hold,omitempty"`

	Department      string     `json:"department,omitempty"`
	DepartmentSince time.Time  `json:"department_since,omitzero"`
	HandOvers       int        `json:"hand_overs,omitempty"`
	Owner           string     `json:"owner,omitempty"`
	AssignedAt      time.Time  `json:"assigned_at,omitzero"`
	AcceptedAt      *time.Time `json:"accepted_at,omitempty"`
	Assignments     int        `json:"assignments,omitempty"`
	// Tracker follows the requirement to closure (T2).
	Tracker string `json:"tracker,omitempty"`
	// Routing is set while an owner is to be found without anybody's help.
	Routing *Routing `json:"routing,omitempty"`
	// GaveBack are those who gave an assignment back; nobody of them is found again
	// without anybody's help.
	GaveBack []string `json:"gave_back,omitempty"`

	// Version counts the wordings of the requirement from 1 (A7).
	Version int `json:"version"`
	// Cycle counts the attempts to resolve it from 1.
	Cycle      int       `json:"cycle"`
	CycleSince time.Time `json:"cycle_since"`
	Reopened   int       `json:"reopened,omitempty"`
	// FirstTimeResolved is nil until the customer has judged a resolution.
	FirstTimeResolved *bool `json:"first_time_resolved,omitempty"`

	Response *Response `json:"response,omitempty"`
	// Unanswered is since when a message of the customer waits for an answer.
	Unanswered *time.Time `json:"unanswered_since,omitempty"`
	// Contacts counts the times a message of the customer began to wait.
	Contacts int `json:"contacts,omitempty"`
	// Updates counts the promised customer updates that were given (E4).
	Updates    int         `json:"updates,omitempty"`
	UpdatedFor time.Time   `json:"customer_updated_at,omitzero"`
	Resolution *Resolution `json:"resolution,omitempty"`
	Closing    *Closing    `json:"closing,omitempty"`
	Plan       []Step      `json:"plan,omitempty"`

	Approval *Approval `json:"approval,omitempty"`
	// Appealed is set once a rejection was appealed: that happens once (R3).
	Appealed   bool      `json:"appealed,omitempty"`
	RejectedAt time.Time `json:"rejected_at,omitzero"`

	Clocks      []sla.Clock  `json:"clocks,omitempty"`
	Escalations []Escalation `json:"escalations,omitempty"`

	// Absorbed are the requirements merged into this one (A6).
	Absorbed   []Absorbed `json:"absorbed,omitempty"`
	MergedInto string     `json:"merged_into,omitempty"`
	// MergingFrom is the stage to go back to should the survivor refuse.
	MergingFrom Stage `json:"merging_from,omitempty"`

	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	ClosedAt  *time.Time `json:"closed_at,omitempty"`

	// Done are the acts that happened, so that each happens once.
	Done []Verdict `json:"done,omitempty"`
	// Seq is the number of the latest fact.
	Seq int `json:"seq"`
}

// Hold is why and since when a requirement waits for the customer (E5).
type Hold struct {
	Since  time.Time `json:"since"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	// For is whom the hold waits for, as the policy names its kinds of holds; the
	// customer when empty.
	For string `json:"for,omitempty"`
	// FromIntake: it was on hold when it came in, so no clock has run at all, not
	// even one that the policy does not pause on hold.
	FromIntake bool `json:"from_intake,omitempty"`
}

// Kind is whom the hold waits for.
func (h *Hold) Kind() string {
	if h.For == "" {
		return policy.HoldCustomer
	}
	return h.For
}

// Response is the first response to the customer (E1, E2).
type Response struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Method string    `json:"method"`
}

// Resolution is what solved the requirement in the present cycle.
type Resolution struct {
	At        time.Time `json:"at"`
	By        string    `json:"by"`
	Solution  string    `json:"solution"`
	RootCause string    `json:"root_cause,omitempty"`
}

// Closing is how a requirement was closed (C1 to C3).
type Closing struct {
	At time.Time `json:"at"`
	By string    `json:"by"`
	// Automatic is set when the customer said nothing in time.
	Automatic bool   `json:"automatic,omitempty"`
	Rating    int    `json:"rating,omitempty"`
	Comment   string `json:"comment,omitempty"`
}

// Step is a step of the handling plan (E3).
type Step struct {
	What  string    `json:"what"`
	Owner string    `json:"owner,omitempty"`
	Due   time.Time `json:"due"`
	// Since is when the step was planned.
	Since  time.Time  `json:"since"`
	DoneAt *time.Time `json:"done_at,omitempty"`
	// Dropped steps were replaced by a later plan.
	Dropped bool `json:"dropped,omitempty"`
}

// Routing is an owner to be found.
type Routing struct {
	Department string      `json:"department"`
	Pick       policy.Pick `json:"pick"`
	// Except are people who gave it back.
	Except []string `json:"except,omitempty"`
}

// Absorbed is a requirement that was merged into another.
type Absorbed struct {
	ID       string `json:"id"`
	Title    string `json:"title,omitempty"`
	Customer string `json:"customer,omitempty"`
	Contact  string `json:"contact,omitempty"`
	Language string `json:"language,omitempty"`
}

// Requirement is a requirement at work: its state, the rules it lives by, and
// the facts that nobody has been told of yet.
type Requirement struct {
	State
	process policy.Process
	// calendars are those that were asked for; former ones belong to rules that the
	// requirement no longer lives by, until its clocks have followed.
	calendars, former []*sla.Calendar
	journal           []Event
	// acting is who does the act that is being done, and via how they were known.
	acting, via string
	// adopted are rules that nobody has been told of yet.
	adopted *policy.Process
	// folding is set while a [Fold] goes through facts of the past: they stand, so
	// nothing is recorded, and nothing follows from a clock. past are the clocks that
	// were forgotten meanwhile.
	folding bool
	past    []sla.Clock
}

// New takes in a requirement. The submission must be filled and valid; the
// error is an [*Error] with code invalid.
func New(id string, s Submission, p policy.Process, now time.Time) (*Requirement, error) {
	s = s.Fill(p.Defaults)
	if err := s.Valid(p); err != nil {
		return nil, err
	}
	r := Restore(State{
		Schema: SchemaVersion, ID: id, Submission: s, Policy: p.Digest, Stage: Received,
		Version: 1, Cycle: 1, CycleSince: now, CreatedAt: now, UpdatedAt: now,
	}, p)
	if s.OnHold != "" {
		r.Hold = &Hold{Since: now, By: s.SubmittedBy, Reason: s.OnHold, FromIntake: true}
	}
	end := r.actsAs(s.SubmittedBy, s.Via)
	r.record(now, Submitted, s.SubmittedBy, s)
	r.retime(now, s.SubmittedBy)
	end()
	return r, nil
}

// Restore puts a requirement to work again from its state and rules.
func Restore(s State, p policy.Process) *Requirement {
	r := &Requirement{State: s}
	r.liveBy(p)
	return r
}

// liveBy makes the rules those of the requirement.
func (r *Requirement) liveBy(p policy.Process) {
	r.process, r.calendars, r.former = p, nil, r.calendars
}

// Process returns the rules the requirement lives by.
func (r *Requirement) Process() policy.Process { return r.process }

// Over reports whether the process has ended for good.
func (r *Requirement) Over() bool { return r.ClosedAt != nil }

// Merging reports whether it is to be handed over to the survivor of a merge.
func (r *Requirement) Merging() bool { return r.Stage == Merged && r.MergingFrom != "" }

// Cast returns the people the requirement knows of.
func (r *Requirement) Cast() policy.Cast {
	return policy.Cast{
		Department: r.Department, Owner: r.Owner, Tracker: r.Tracker,
		Voters: r.Approval.waiting(),
	}
}

// Transition is a change to be written and told: the facts since the last one
// and the state they led to.
type Transition struct {
	State  State   `json:"state"`
	Events []Event `json:"events"`
	// Process are the rules, when the transition brought other ones.
	Process *policy.Process `json:"process,omitempty"`
	// Instead is set when nothing happened and the state is only told once more;
	// see [Requirement.Restate].
	Instead *Standing `json:"instead,omitempty"`
}

// Pending reports whether there are facts that nobody has been told of.
func (r *Requirement) Pending() bool { return len(r.journal) > 0 }

// Take returns what happened since the last call, and forgets it. The state in
// it is a snapshot: what happens later does not reach it, also while somebody
// else is writing it down.
func (r *Requirement) Take() Transition {
	r.markStage()
	t := Transition{State: r.State.snapshot(), Events: r.journal, Process: r.adopted}
	r.journal, r.adopted = nil, nil
	return t
}

// snapshot copies what is changed in place. Everything else is replaced when it
// changes, never altered, and may be shared.
func (s State) snapshot() State {
	s.Clocks = slices.Clone(s.Clocks)
	for i := range s.Clocks {
		s.Clocks[i].Pauses = slices.Clone(s.Clocks[i].Pauses)
	}
	if s.Approval != nil {
		approval := *s.Approval
		approval.Votes = slices.Clone(approval.Votes)
		s.Approval = &approval
	}
	s.Plan = slices.Clone(s.Plan)
	s.Escalations = slices.Clone(s.Escalations)
	s.Absorbed = slices.Clone(s.Absorbed)
	s.Done = slices.Clone(s.Done)
	return s
}

// end closes the requirement in a final stage.
func (r *Requirement) end(now time.Time, stage Stage, actor string) {
	r.Stage = stage
	r.Hold, r.Routing = nil, nil
	r.ClosedAt = &now
	if r.Approval != nil && !r.Approval.State.Decided() {
		r.Approval.withdraw(now)
	}
	if stage == Archived {
		r.record(now, WasArchived, actor, nil)
	}
}

// Cancel ends the requirement because its workflow was cancelled from outside.
func (r *Requirement) Cancel(now time.Time) { r.endFromOutside(now, Cancelled, nil) }

// Terminate ends the requirement because its workflow is no more: somebody
// terminated it, or it failed. Nobody is at work on it any longer, so whoever
// finds that out does this in the workflow's place.
func (r *Requirement) Terminate(now time.Time, reason string) {
	r.endFromOutside(now, Terminated, struct {
		Reason string `json:"reason"`
	}{reason})
}

func (r *Requirement) endFromOutside(now time.Time, kind Kind, data any) {
	// What fell due before may have ended it already.
	if r.Tick(now); r.Over() {
		return
	}
	r.record(now, kind, SystemActor, data)
	r.end(now, Withdrawn, SystemActor)
	r.retime(now, SystemActor)
}
