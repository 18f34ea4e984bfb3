package requirement

import (
	"time"

	"closeloop/policy"
	"closeloop/sla"
)

// View is a requirement as people and scripts see it: `show -o json`. Its field
// names are a contract.
type View struct {
	ID                string           `json:"id"`
	Title             string           `json:"title"`
	Description       string           `json:"description"`
	Customer          string           `json:"customer"`
	Contact           string           `json:"contact"`
	Tier              string           `json:"tier"`
	Channel           string           `json:"channel"`
	Type              string           `json:"type"`
	Priority          string           `json:"priority"`
	Urgency           string           `json:"urgency"`
	Ref               string           `json:"ref,omitempty"`
	Background        string           `json:"background,omitempty"`
	Scenario          string           `json:"scenario,omitempty"`
	Outcome           string           `json:"outcome,omitempty"`
	Pain              string           `json:"pain,omitempty"`
	Attachments       []string         `json:"attachments,omitempty"`
	Language          string           `json:"language"`
	Stage             Stage            `json:"stage"`
	Status            Status           `json:"status"`
	OnHold            bool             `json:"on_hold"`
	Hold              *Hold            `json:"hold,omitempty"`
	Department        string           `json:"department"`
	Owner             string           `json:"owner"`
	Tracker           string           `json:"tracker"`
	SubmittedBy       string           `json:"submitted_by"`
	Version           int              `json:"version"`
	Cycle             int              `json:"cycle"`
	Reopened          int              `json:"reopened"`
	FirstTimeResolved *bool            `json:"first_time_resolved"`
	Rating            *int             `json:"rating"`
	Resolution        *Resolution      `json:"resolution,omitempty"`
	Closing           *Closing         `json:"closing,omitempty"`
	Plan              []Step           `json:"plan,omitempty"`
	CreatedAt         time.Time        `json:"created_at"`
	UpdatedAt         time.Time        `json:"updated_at"`
	ClosedAt          *time.Time       `json:"closed_at"`
	NextDeadline      *time.Time       `json:"next_deadline"`
	Breached          bool             `json:"breached"`
	Can               []Name           `json:"can"`
	WaitingFor        Waiting          `json:"waiting_for"`
	Clocks            []ClockView      `json:"clocks"`
	Approval          *Approval        `json:"approval"`
	Escalations       []EscalationView `json:"escalations"`
	Duplicates        []string         `json:"duplicates"`
	MergedInto        *string          `json:"merged_into"`
	Seq               int              `json:"seq"`
}

// ClockView is a clock as people and scripts see it; durations are seconds.
type ClockView struct {
	Name           sla.Name    `json:"name"`
	Cycle          int         `json:"cycle"`
	State          sla.State   `json:"state"`
	TargetSeconds  float64     `json:"target_seconds"`
	Target         string      `json:"target"`
	Calendar       string      `json:"calendar"`
	StartedAt      time.Time   `json:"started_at"`
	Deadline       *time.Time  `json:"deadline"`
	StoppedAt      *time.Time  `json:"stopped_at"`
	BreachedAt     *time.Time  `json:"breached_at"`
	DetectedAt     *time.Time  `json:"detected_at"`
	ElapsedSeconds float64     `json:"elapsed_seconds"`
	Pauses         []sla.Pause `json:"pauses"`
	Marks          []sla.Fired `json:"marks"`
	// Lacks is why a clock that runs has no deadline.
	Lacks *sla.Lack `json:"lacks,omitempty"`
}

// EscalationView is an escalation as people and scripts see it.
type EscalationView struct {
	ID             string          `json:"id"`
	Clock          sla.Name        `json:"clock"`
	Cycle          int             `json:"cycle"`
	Level          int             `json:"level"`
	State          EscalationState `json:"state"`
	AcknowledgedBy *string         `json:"acknowledged_by"`
	Called         []string        `json:"called,omitempty"`
	StartedAt      time.Time       `json:"started_at"`
	EndedAt        *time.Time      `json:"ended_at"`
}

// View returns the requirement as it stands at now.
func (r *Requirement) View(now time.Time) View {
	v := View{
		ID: r.ID, Title: r.Title, Description: r.Description, Customer: r.Customer, Contact: r.Contact,
		Tier: r.Tier, Channel: r.Channel, Type: r.Type, Priority: r.Priority, Urgency: r.Urgency, Ref: r.Ref,
		Background: r.Background, Scenario: r.Scenario, Outcome: r.Outcome, Pain: r.Pain,
		Attachments: r.Attachments, Language: r.Language,
		Stage: r.Stage, Status: r.Stage.Status(), OnHold: r.Hold != nil, Hold: r.Hold,
		Department: r.Department, Owner: r.Owner, Tracker: r.Tracker, SubmittedBy: r.SubmittedBy,
		Version: r.Version, Cycle: r.Cycle, Reopened: r.Reopened, FirstTimeResolved: r.FirstTimeResolved,
		Resolution: r.Resolution, Closing: r.Closing, Plan: r.Plan,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, ClosedAt: r.ClosedAt,
		Breached: r.Breached(), Can: r.Can(), WaitingFor: r.Waiting(), Approval: r.Approval,
		Clocks: []ClockView{}, Escalations: []EscalationView{}, Duplicates: []string{}, Seq: r.Seq,
	}
	if r.Closing != nil && r.Closing.Rating != 0 {
		v.Rating = &r.Closing.Rating
	}
	if r.MergedInto != "" {
		v.MergedInto = &r.MergedInto
	}
	if at, ok := r.NextDeadline(); ok {
		v.NextDeadline = &at
	}
	for _, a := range r.Absorbed {
		v.Duplicates = append(v.Duplicates, a.ID)
	}
	for i := range r.Clocks {
		v.Clocks = append(v.Clocks, r.clockView(&r.Clocks[i], now))
	}
	for _, e := range r.Escalations {
		v.Escalations = append(v.Escalations, escalationView(e))
	}
	return v
}

func (r *Requirement) clockView(c *sla.Clock, now time.Time) ClockView {
	return viewOf(c, r.CalendarOf(c), now)
}

func viewOf(c *sla.Clock, cal *sla.Calendar, now time.Time) ClockView {
	v := ClockView{
		Name: c.Name, Cycle: c.Cycle, State: c.State(), Target: c.Target.String(), Calendar: c.Calendar,
		TargetSeconds: c.TargetWork(cal).Seconds(),
		StartedAt:     c.StartedAt, StoppedAt: c.StoppedAt, BreachedAt: c.BreachedAt, DetectedAt: c.DetectedAt,
		ElapsedSeconds: c.Elapsed(cal, now).Seconds(), Pauses: c.Pauses, Marks: c.Fired, Lacks: c.Lacks,
	}
	if v.Pauses == nil {
		v.Pauses = []sla.Pause{}
	}
	if v.Marks == nil {
		v.Marks = []sla.Fired{}
	}
	if at, ok := c.Deadline(cal); ok {
		v.Deadline = &at
	}
	return v
}

func escalationView(e Escalation) EscalationView {
	v := EscalationView{
		ID: e.ID, Clock: e.Clock, Cycle: e.Cycle, Level: e.Level, State: e.State, Called: e.Called,
		StartedAt: e.StartedAt, EndedAt: e.EndedAt,
	}
	if e.AcknowledgedBy != "" {
		v.AcknowledgedBy = &e.AcknowledgedBy
	}
	return v
}

// Waiting is what a requirement waits for.
type Waiting struct {
	// Who must act: people's ids, roles, or customer.
	Who []string `json:"who"`
	// Acts are the ones that move it on, the usual one first.
	Acts []Name `json:"acts"`
}

// Waiting returns who must act now, and by which acts. Nobody, when it is over.
func (r *Requirement) Waiting() Waiting {
	or := func(id string, role Role) []string {
		if id != "" {
			return []string{id}
		}
		return []string{string(role)}
	}
	switch {
	case r.Over():
		return Waiting{Who: []string{}, Acts: []Name{}}
	case r.Hold != nil && r.Hold.Kind() != policy.HoldCustomer:
		// Somebody has to see to it that the other one brings it.
		return Waiting{Who: or(r.Owner, Operator), Acts: []Name{ActResume}}
	case r.Hold != nil:
		return Waiting{Who: []string{CustomerActor}, Acts: []Name{ActResume}}
	}
	switch r.Stage {
	case Received:
		return Waiting{Who: []string{string(Operator)}, Acts: []Name{ActTriage}}
	case Analysing:
		return Waiting{Who: or(r.Tracker, Operator), Acts: []Name{ActAssign}}
	case Reviewing:
		return Waiting{Who: r.Approval.waiting(), Acts: []Name{ActApprove, ActDecline}}
	case Assigned:
		return Waiting{Who: or(r.Owner, Operator), Acts: []Name{ActAccept, ActHandBack}}
	case Executing:
		if r.Response == nil {
			return Waiting{Who: or(r.Owner, Operator), Acts: []Name{ActRespond, ActResolve}}
		}
		return Waiting{Who: or(r.Owner, Operator), Acts: []Name{ActResolve, ActProgress}}
	case Confirming:
		return Waiting{Who: []string{CustomerActor}, Acts: []Name{ActConfirm, ActDispute}}
	case Rejected:
		return Waiting{Who: []string{CustomerActor}, Acts: []Name{ActAppeal}}
	default:
		return Waiting{Who: []string{}, Acts: []Name{}}
	}
}
