package sla

import (
	"fmt"
	"sort"
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

// A Pause is an interval in which a clock did not run.
type Pause struct {
	From time.Time `json:"from"`
	// To is nil while the pause lasts.
	To     *time.Time `json:"to,omitempty"`
	Reason string     `json:"reason,omitempty"`
	By     string     `json:"by,omitempty"`
}

// Fired is a mark that was reached.
type Fired struct {
	// Mark is the text of the mark, or "repeat N".
	Mark string `json:"mark"`
	// At is the instant at which the mark stands.
	At time.Time `json:"at"`
	// DetectedAt is when that was noticed.
	DetectedAt time.Time `json:"detected_at"`
	// Superseded marks were passed together with a later one, for instance while
	// the system was down: nobody is told of them.
	Superseded bool `json:"superseded,omitempty"`
}

// Breach reports whether the mark is the deadline.
func (f Fired) Breach() bool { return f.Mark == Deadline.String() }

// Terms are what a policy says of one clock: the part that a change of
// priority, tier or policy replaces.
type Terms struct {
	Target   Duration `json:"target"`
	Calendar string   `json:"calendar"`
	// Marks besides the deadline.
	Marks  []Mark `json:"marks,omitempty"`
	Repeat Repeat `json:"repeat"`
	// Lapses is set when reaching the end is an agreed outcome and no breach:
	// the customer's silence, an approval that times out into a verdict.
	Lapses bool `json:"lapses,omitempty"`
}

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

func (c *Clock) paused() bool {
	return len(c.Pauses) > 0 && c.Pauses[len(c.Pauses)-1].To == nil
}

// Ticking reports whether time counts now: open and not paused. A breached
// clock goes on ticking until it is stopped.
func (c *Clock) Ticking() bool { return c.Open() && !c.paused() }

// Pause stops the counting at the instant at. It does nothing on a clock that
// does not tick.
func (c *Clock) Pause(at time.Time, by, reason string) {
	if c.Ticking() {
		c.Pauses = append(c.Pauses, Pause{From: at, By: by, Reason: reason})
	}
}

// Resume goes on counting. It does nothing on a clock that is not paused.
func (c *Clock) Resume(at time.Time) {
	if c.Open() && c.paused() {
		c.Pauses[len(c.Pauses)-1].To = &at
	}
}

// Retarget replaces the terms, counted from the original start with the pauses
// kept (row L4). Marks that the new terms put into the future may fire anew;
// those already in the past never do, but for the deadline: a target that is
// already used up is one breach and no late warnings. A breach stays a breach.
// Call [Clock.Advance] first, so that the old terms are judged as they stood.
func (c *Clock) Retarget(cal Calendar, terms Terms, now time.Time) {
	c.Terms = terms
	var kept []Fired
	for _, f := range c.Fired {
		if f.Breach() && c.BreachedAt != nil {
			kept = append(kept, f)
		}
	}
	c.Fired = kept
	for _, p := range c.points(cal) {
		if !p.late && !p.wake().After(now) {
			c.Fired = append(c.Fired, Fired{Mark: p.label, At: p.at, DetectedAt: now, Superseded: true})
		}
	}
}

// Stop ends the clock at the instant at and closes a pause that is still open.
// void says that there is no verdict: nobody waits for it any longer. Call
// [Clock.Advance] first, so that a deadline passed unnoticed is on record.
func (c *Clock) Stop(at time.Time, void bool) {
	if !c.Open() {
		return
	}
	c.Resume(at)
	c.StoppedAt = &at
	c.Void = void && c.BreachedAt == nil
}

// Reopen takes up a clock that was stopped without a verdict, because it is
// waited for again. It is paused since it was stopped: the time between does not
// count. It is false, and does nothing, for any other clock: verdicts are facts.
func (c *Clock) Reopen(by, reason string) bool {
	if !c.Void {
		return false
	}
	c.Pauses = append(c.Pauses, Pause{From: *c.StoppedAt, By: by, Reason: reason})
	c.StoppedAt, c.Void = nil, false
	return true
}

// Deadline returns the instant at which the target is used up. It is false
// while a pause holds the clock before its deadline: then nobody can know.
func (c *Clock) Deadline(cal Calendar) (time.Time, bool) {
	return c.instant(cal, cal.Work(c.StartedAt, c.Target))
}

// Elapsed returns the working time counted up to now, or up to the stop.
func (c *Clock) Elapsed(cal Calendar, now time.Time) time.Duration {
	if c.StoppedAt != nil && c.StoppedAt.Before(now) {
		now = *c.StoppedAt
	}
	var sum time.Duration
	from := c.StartedAt
	for _, p := range c.Pauses {
		if !p.From.Before(now) {
			break
		}
		sum += cal.Between(from, p.From)
		if p.To == nil || p.To.After(now) {
			return sum
		}
		from = *p.To
	}
	if from.Before(now) {
		sum += cal.Between(from, now)
	}
	return sum
}

// instant returns when the working time `work` has been counted.
func (c *Clock) instant(cal Calendar, work time.Duration) (time.Time, bool) {
	from := c.StartedAt
	for _, p := range c.Pauses {
		run := cal.Between(from, p.From)
		if work <= run {
			return cal.Add(from, work), true
		}
		if p.To == nil {
			return time.Time{}, false
		}
		work -= run
		from = *p.To
	}
	return cal.Add(from, work), true
}

// A point is a place on the clock's way: a mark, the deadline, a repetition.
type point struct {
	label   string
	at      time.Time
	warning bool // before the deadline, so pointless once that has passed
	late    bool // the deadline itself: due only after its instant
}

// wake is the first instant at which the point is due.
func (p point) wake() time.Time {
	if p.late {
		return p.at.Add(Tick)
	}
	return p.at
}

// points returns all points whose instant is known and that have not fired, in
// the order of their instants; at the same instant the deadline comes last. A
// clock that is paused has only those that it reached before.
func (c *Clock) points(cal Calendar) []point {
	target := cal.Work(c.StartedAt, c.Target)
	var all []point
	add := func(label string, work time.Duration, late bool) {
		if work < 0 || c.hasFired(label) {
			return
		}
		at, known := c.instant(cal, work)
		p := point{label: label, at: at, late: late, warning: !late && work < target}
		if known && !(c.paused() && p.wake().After(c.Pauses[len(c.Pauses)-1].From)) {
			all = append(all, p)
		}
	}
	for _, m := range c.Marks {
		if m != Deadline {
			add(m.String(), m.work(target), false)
		}
	}
	add(Deadline.String(), target, true)
	every := c.Repeat.Every
	for n := 1; n <= c.Repeat.Times; n++ {
		past := every.Time * time.Duration(n)
		if every.WorkingDays != 0 {
			past = cal.Work(c.StartedAt, Duration{WorkingDays: every.WorkingDays * n})
		}
		add(repeatLabel(n), target+past, false)
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].wake().Before(all[j].wake()) })
	return all
}

const repeatPrefix = "repeat "

func repeatLabel(n int) string { return fmt.Sprintf("%s%d", repeatPrefix, n) }

func (c *Clock) hasFired(label string) bool {
	for _, f := range c.Fired {
		if f.Mark == label {
			return true
		}
	}
	return false
}

// Next returns the instant at which the clock next has something to say, and
// the mark it will be. It is false for a clock that is stopped or has nothing
// more to say: such a clock needs no timer. One that is paused has something to
// say only when other terms put a mark into the time before the pause.
func (c *Clock) Next(cal Calendar) (at time.Time, mark string, ok bool) {
	if !c.Open() {
		return time.Time{}, "", false
	}
	if all := c.points(cal); len(all) > 0 {
		return all[0].wake(), all[0].label, true
	}
	return time.Time{}, "", false
}

// Advance records every mark that is due at now and returns what somebody is
// to be told of, in order. A deadline counts as passed only after its instant,
// so what is done exactly at the deadline is in time. After a downtime a
// warning that the deadline has overtaken is recorded as superseded, and of
// several overdue repetitions only the last is told. Calling it again with the
// same instant returns nothing.
func (c *Clock) Advance(cal Calendar, now time.Time) []Fired {
	if !c.Open() {
		return nil
	}
	var due []point
	for _, p := range c.points(cal) {
		if p.wake().After(now) {
			break
		}
		due = append(due, p)
	}
	var told []Fired
	for i, p := range due {
		f := Fired{Mark: p.label, At: p.at, DetectedAt: now, Superseded: superseded(p, due[i+1:])}
		c.Fired = append(c.Fired, f)
		if p.late && !c.Lapses {
			at, detected := p.at, now
			c.BreachedAt, c.DetectedAt = &at, &detected
		}
		if !f.Superseded {
			told = append(told, f)
		}
	}
	return told
}

func superseded(p point, later []point) bool {
	for _, l := range later {
		if p.warning && l.late {
			return true
		}
		if isRepeat(p.label) && isRepeat(l.label) {
			return true
		}
	}
	return false
}

func isRepeat(label string) bool {
	return len(label) > len(repeatPrefix) && label[:len(repeatPrefix)] == repeatPrefix
}

// Repeated reports whether the mark is a repetition of a breach.
func (f Fired) Repeated() bool { return isRepeat(f.Mark) }
