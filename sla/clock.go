package sla

import (
	"errors"
	"fmt"
	"math"
	"slices"
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
	// OnHold tells a pause because somebody is waited for from one because of the
	// stage. Only the former are subject to [Terms.MaxPause].
	OnHold bool `json:"on_hold,omitempty"`
}

// PauseLimit is what [Clock.Advance] tells when the clock has been on hold for
// as long as it may, and goes on.
const PauseLimit = "max_pause"

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

// Figures are what a calendar makes of the facts of a clock.
type Figures struct {
	// Deadline is nil when it was not known: a pause held the clock before it.
	Deadline *time.Time `json:"deadline,omitempty"`
	// Target and Elapsed are working time, in nanoseconds in JSON.
	Target  time.Duration `json:"target"`
	Elapsed time.Duration `json:"elapsed"`
}

// Same reports whether the terms say the same.
func (t Terms) Same(other Terms) bool {
	due := t.Due == other.Due || t.Due != nil && other.Due != nil && t.Due.Equal(*other.Due)
	return due && t.Target == other.Target && t.Calendar == other.Calendar && t.MaxPause == other.MaxPause &&
		t.Repeat == other.Repeat && t.Lapses == other.Lapses && slices.Equal(t.Marks, other.Marks)
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

// Pause stops the counting at the instant at; onHold says that somebody is
// waited for. It does nothing on a clock that does not tick.
func (c *Clock) Pause(at time.Time, by, reason string, onHold bool) {
	if c.Ticking() {
		c.Pauses = append(c.Pauses, Pause{From: at, By: by, Reason: reason, OnHold: onHold})
	}
}

// OnHold reports whether the clock is paused because somebody is waited for.
func (c *Clock) OnHold() bool { return c.paused() && c.Pauses[len(c.Pauses)-1].OnHold }

// Resume goes on counting. It does nothing on a clock that is not paused.
func (c *Clock) Resume(at time.Time) {
	if c.Open() && c.paused() {
		c.Pauses[len(c.Pauses)-1].To = &at
	}
}

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

// holds returns the pauses as they count: those on hold end when the clock has
// been on hold for as long as it may.
func (c *Clock) holds(cal *Calendar) []Pause {
	if c.MaxPause.IsZero() || len(c.Pauses) == 0 {
		return c.Pauses
	}
	left := c.leave(cal)
	holds := make([]Pause, 0, len(c.Pauses))
	for _, p := range c.Pauses {
		if !p.OnHold {
			holds = append(holds, p)
			continue
		}
		if left <= 0 {
			continue
		}
		if end, err := cal.Add(p.From, left); err == nil && (p.To == nil || end.Before(*p.To)) {
			p.To, left = &end, 0
		} else if p.To != nil {
			left -= cal.Counted(p.From, *p.To)
		}
		holds = append(holds, p)
	}
	return holds
}

// leave is the working time that the clock may be on hold in total. As long as
// the calendar does not know how much that is there is no limit: nobody is to be
// late because holidays are missing.
func (c *Clock) leave(cal *Calendar) time.Duration {
	leave, err := cal.Work(c.StartedAt, c.MaxPause)
	if err != nil {
		return math.MaxInt64
	}
	return leave
}

// MayHold reports whether the clock may be put on hold at the instant at: with a
// limit, whether something of it is left.
func (c *Clock) MayHold(cal *Calendar, at time.Time) bool {
	if c.MaxPause.IsZero() {
		return true
	}
	left := c.leave(cal)
	for _, p := range c.Pauses {
		if p.OnHold && p.To != nil {
			left -= cal.Counted(p.From, *p.To)
		} else if p.OnHold {
			left -= cal.Counted(p.From, at)
		}
	}
	return left > 0
}

// limit returns when the hold that lasts has used up what the clock may be on
// hold; false when it never does.
func (c *Clock) limit(cal *Calendar) (time.Time, bool) {
	if !c.OnHold() || c.MaxPause.IsZero() {
		return time.Time{}, false
	}
	last := c.Pauses[len(c.Pauses)-1]
	holds := c.holds(cal)
	if n := len(holds); n > 0 && holds[n-1].OnHold && holds[n-1].From.Equal(last.From) && holds[n-1].To != nil {
		return *holds[n-1].To, true
	}
	if !c.MayHold(cal, last.From) {
		return last.From, true
	}
	return time.Time{}, false
}

// due returns when the target would be used up without any pause.
func (c *Clock) due(cal *Calendar) (time.Time, error) {
	if c.Due == nil {
		return cal.After(c.StartedAt, c.Target)
	}
	if c.Due.Before(c.StartedAt) {
		return cal.Next(c.StartedAt)
	}
	return cal.Next(*c.Due)
}

// shifted returns the instant at, put off by the working time of the pauses
// before it. held is set while a pause before it lasts: then nobody can know.
func shifted(cal *Calendar, holds []Pause, at time.Time) (end time.Time, held bool, err error) {
	for _, p := range holds {
		if !p.From.Before(at) {
			break
		}
		if p.To == nil {
			return time.Time{}, true, nil
		}
		work, err := cal.Between(p.From, *p.To)
		if err == nil && work > 0 {
			at, err = cal.Add(at, work)
		}
		if err != nil {
			return time.Time{}, false, err
		}
	}
	return at, false, nil
}

// deadline returns the instant at which the target is used up; held is set while
// a pause before it lasts.
func (c *Clock) deadline(cal *Calendar) (at time.Time, held bool, err error) {
	due, err := c.due(cal)
	if err != nil {
		return time.Time{}, false, err
	}
	return shifted(cal, c.holds(cal), due)
}

// Deadline returns the instant at which the target is used up. It is false
// while a pause holds the clock before its deadline: then nobody can know. It is
// also false when the calendar does not know; see [Clock.Look].
func (c *Clock) Deadline(cal *Calendar) (time.Time, bool) {
	if c.Final != nil {
		if c.Final.Deadline == nil {
			return time.Time{}, false
		}
		return *c.Final.Deadline, true
	}
	at, held, err := c.deadline(cal)
	return at, !held && err == nil
}

// A Lack is why a calendar has no answer.
type Lack struct {
	Calendar string `json:"calendar"`
	// Year whose holidays are not known; zero when there are no more open hours.
	Year int `json:"year,omitempty"`
}

// LackOf returns what the calendar lacks that failed with the error.
func LackOf(cal *Calendar, err error) *Lack {
	lack := &Lack{Calendar: cal.Name()}
	var unknown *UnknownYearError
	if errors.As(err, &unknown) {
		lack.Year = unknown.Year
	}
	return lack
}

// Look notes in [Clock.Lacks] what the calendar lacks to know the deadline of a
// clock that ticks, and reports whether that is news.
func (c *Clock) Look(cal *Calendar) bool {
	before := c.Lacks
	c.Lacks = nil
	if c.Ticking() {
		if _, _, err := c.deadline(cal); err != nil {
			c.Lacks = LackOf(cal, err)
		}
	}
	return c.Lacks != nil && (before == nil || *before != *c.Lacks)
}

// Elapsed returns the working time counted up to now, or up to the stop. Time
// of which the calendar does not know whether work is done does not count.
func (c *Clock) Elapsed(cal *Calendar, now time.Time) time.Duration {
	if c.StoppedAt != nil && !now.Before(*c.StoppedAt) {
		if now = *c.StoppedAt; c.Final != nil {
			return c.Final.Elapsed
		}
	}
	var sum time.Duration
	from := c.StartedAt
	for _, p := range c.holds(cal) {
		if !p.From.Before(now) {
			break
		}
		sum += cal.Counted(from, p.From)
		if p.To == nil || p.To.After(now) {
			return sum
		}
		from = *p.To
	}
	if from.Before(now) {
		sum += cal.Counted(from, now)
	}
	return sum
}

// TargetWork returns the working time of the target: what a target in working
// days amounts to from the start of this clock. It is zero when the calendar
// does not know.
func (c *Clock) TargetWork(cal *Calendar) time.Duration {
	switch {
	case c.Final != nil:
		return c.Final.Target
	case c.Due == nil && c.Target.WorkingDays == 0:
		return c.Target.Time
	}
	at, err := c.due(cal)
	if err != nil {
		return 0
	}
	return max(0, cal.Counted(c.StartedAt, at))
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
// clock that is paused has only those that it reached before, and the end of the
// pause where there is a limit.
func (c *Clock) points(cal *Calendar) []point {
	end, err := c.due(cal)
	holds := c.holds(cal)
	var all []point
	add := func(p point, base time.Time, baseErr error) {
		if baseErr != nil || base.Before(c.StartedAt) || c.hasFired(p.label) {
			return
		}
		at, held, err := shifted(cal, holds, base)
		if p.at = at; err == nil && !held && !(c.paused() && p.wake().After(c.Pauses[len(c.Pauses)-1].From)) {
			all = append(all, p)
		}
	}
	if limit, ok := c.limit(cal); ok {
		all = append(all, point{label: PauseLimit, at: limit})
	}
	target := c.TargetWork(cal)
	for _, m := range c.Marks {
		if m == Deadline {
			continue
		}
		if share, ok := m.share(target); ok && err == nil {
			base, baseErr := cal.Add(c.StartedAt, share)
			add(point{label: m.String(), warning: share < target}, base, baseErr)
		} else if !ok {
			base, baseErr := beyond(cal, end, err, m.Offset, 1)
			add(point{label: m.String(), warning: m.Offset.Negative()}, base, baseErr)
		}
	}
	add(point{label: Deadline.String(), late: true}, end, err)
	for n := 1; n <= c.Repeat.Times; n++ {
		base, baseErr := beyond(cal, end, err, c.Repeat.Every, n)
		add(point{label: repeatLabel(n)}, base, baseErr)
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].wake().Before(all[j].wake()) })
	return all
}

// beyond returns the instant n times the distance from the deadline.
func beyond(cal *Calendar, end time.Time, err error, distance Duration, n int) (time.Time, error) {
	if err != nil {
		return end, err
	}
	if distance.WorkingDays != 0 {
		return cal.AddDays(end, distance.WorkingDays*n)
	}
	return cal.Add(end, distance.Time*time.Duration(n))
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
func (c *Clock) Next(cal *Calendar) (at time.Time, mark string, ok bool) {
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
func (c *Clock) Advance(cal *Calendar, now time.Time) []Fired {
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
		if p.label == PauseLimit {
			// The hold lasts, but what comes after it counts. That moves everything
			// else, so nothing else is told before it has been looked at anew.
			c.Resume(p.at)
			return append(told, Fired{Mark: PauseLimit, At: p.at, DetectedAt: now})
		}
		f := Fired{Mark: p.label, At: p.at, DetectedAt: now, Superseded: superseded(p, due[i+1:])}
		c.Fired = append(c.Fired, f)
		if p.late && !c.Lapses && c.BreachedAt == nil {
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
