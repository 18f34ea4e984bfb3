package sla

import (
	"slices"
	"time"
)

// Name is what a clock measures. The names are a contract with scripts.
type Name string

// The clocks of a requirement.
const (
	Response     Name = "response"      // first response, E1
	Resolution   Name = "resolution"    // receipt to resolution, E6
	Update       Name = "update"        // next promised customer update, E4
	Approval     Name = "approval"      // a round of approval, R2
	Acceptance   Name = "acceptance"    // an assignment waits to be accepted, T1
	Confirmation Name = "confirmation"  // the customer's answer to a resolution, C2
	Ownership    Name = "ownership"     // a department holds the requirement, L1
	NextResponse Name = "next_response" // a customer's message waits for an answer
	PlanStep     Name = "plan"          // a step of the handling plan, E3
	Appeal       Name = "appeal"        // a rejection may still be appealed, R3
)

// Names lists all clocks in the order in which people are shown them.
var Names = []Name{
	Response, Resolution, Update, NextResponse, Approval, Acceptance,
	Ownership, PlanStep, Confirmation, Appeal,
}

// State is where a clock stands.
type State string

// The states of a clock.
const (
	Running  State = "running"
	Paused   State = "paused"
	Met      State = "met"      // stopped in time
	Breached State = "breached" // the deadline passed; stays so for this cycle
	Stopped  State = "stopped"  // ended without a verdict: no longer asked for
)

// Tick is the resolution of a deadline: what is done at the deadline is in
// time, so a clock is late from one tick after it.
const Tick = time.Millisecond

// A Clock is one promise with a deadline. Its fields are facts; everything else
// is computed from them. The zero value is not a clock: use [Start].
type Clock struct {
	Name Name `json:"name"`
	// Cycle counts the clocks of one name in a requirement, from 1. Facts of an
	// earlier cycle never change.
	Cycle int `json:"cycle"`
	Terms
	StartedAt time.Time  `json:"started_at"`
	Pauses    []Pause    `json:"pauses,omitempty"`
	StoppedAt *time.Time `json:"stopped_at,omitempty"`
	// Void is set when the clock was stopped without a verdict.
	Void bool `json:"void,omitempty"`
	// BreachedAt is the deadline that passed, DetectedAt when that was noticed.
	BreachedAt *time.Time `json:"breached_at,omitempty"`
	DetectedAt *time.Time `json:"detected_at,omitempty"`
	Fired      []Fired    `json:"fired,omitempty"`
	// Lacks is what the calendar lacks to know the deadline of a clock that ticks;
	// see [Clock.Look].
	Lacks *Lack `json:"lacks,omitempty"`
	// Final are the figures of a clock that was stopped, by the calendar that held
	// then: they never change again.
	Final *Figures `json:"final,omitempty"`
}

// Start returns a clock that runs from the instant at.
func Start(name Name, cycle int, terms Terms, at time.Time) Clock {
	return Clock{Name: name, Cycle: cycle, Terms: terms, StartedAt: at}
}

// Open reports whether the clock has not been stopped.
func (c *Clock) Open() bool { return c.StoppedAt == nil }

// State returns where the clock stands.
func (c *Clock) State() State {
	switch {
	case c.BreachedAt != nil:
		return Breached
	case c.Void:
		return Stopped
	case c.StoppedAt != nil:
		return Met
	case c.paused():
		return Paused
	default:
		return Running
	}
}

// Overdue reports whether the deadline has passed by the present terms. A clock
// that breached under others and was given a later deadline is not overdue
// before that, although the breach stays.
func (c *Clock) Overdue() bool { return c.hasFired(Deadline.String()) }

func (c *Clock) paused() bool {
	return len(c.Pauses) > 0 && c.Pauses[len(c.Pauses)-1].To == nil
}

// Ticking reports whether time counts now: open and not paused. A breached
// clock goes on ticking until it is stopped.
func (c *Clock) Ticking() bool { return c.Open() && !c.paused() }

// Retarget replaces the terms, counted from the original start with the pauses
// kept (row L4). Marks that the new terms put into the future may fire anew;
// those already in the past never do, but for the deadline: a target that is
// already used up is one breach and no late warnings. A breach stays a breach,
// also when the new deadline is still to come; passing that is told, but is no
// second breach. Call [Clock.Advance] first, so that the old terms are judged as
// they stood.
func (c *Clock) Retarget(cal *Calendar, terms Terms, now time.Time) {
	c.Terms = terms
	breach := slices.IndexFunc(c.Fired, Fired.Breach)
	var kept []Fired
	at, known := c.Deadline(cal)
	// A calendar that does not know the new deadline is no reason to think that
	// there is time.
	_, err := c.due(cal)
	if breach >= 0 && c.BreachedAt != nil && (err != nil || known && !at.Add(Tick).After(now)) {
		kept = append(kept, c.Fired[breach])
	}
	c.Fired = kept
	for _, p := range c.points(cal) {
		if !p.late && p.label != PauseLimit && !p.wake().After(now) {
			c.Fired = append(c.Fired, Fired{Mark: p.label, At: p.at, DetectedAt: now, Superseded: true})
		}
	}
}

// Stop ends the clock at the instant at and closes a pause that is still open.
// void says that there is no verdict: nobody waits for it any longer. Call
// [Clock.Advance] first, so that a deadline passed unnoticed is on record.
func (c *Clock) Stop(cal *Calendar, at time.Time, void bool) {
	if !c.Open() {
		return
	}
	c.Resume(at)
	c.StoppedAt = &at
	c.Void = void && c.BreachedAt == nil
	final := Figures{Target: c.TargetWork(cal), Elapsed: c.Elapsed(cal, at)}
	if deadline, known := c.Deadline(cal); known {
		final.Deadline = &deadline
	}
	c.Final = &final
}

// Reopen takes up a clock that was stopped without a verdict, because it is
// waited for again. It is paused since it was stopped: the time between does not
// count. It is false, and does nothing, for any other clock: verdicts are facts.
func (c *Clock) Reopen(by, reason string) bool {
	if !c.Void {
		return false
	}
	c.Pauses = append(c.Pauses, Pause{From: *c.StoppedAt, By: by, Reason: reason})
	c.StoppedAt, c.Void, c.Final = nil, false, nil
	return true
}
