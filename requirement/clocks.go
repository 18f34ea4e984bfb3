package requirement

import (
	"slices"
	"time"

	"closeloop/policy"
	"closeloop/sla"
)

// A promise is a clock that there should be: the requirement owes somebody
// something since some instant. Promises are derived from the state, never
// commanded; [Requirement.retime] makes the clocks follow them.
type promise struct {
	name  sla.Name
	cycle int
	since time.Time
	// due takes the place of the policy's target, for what has a date of its own.
	due *time.Time
}

// promises returns what the requirement owes at present.
func (r *Requirement) promises() []promise {
	var owed []promise
	owe := func(name sla.Name, cycle int, since time.Time) {
		owed = append(owed, promise{name: name, cycle: cycle, since: since})
	}
	if r.Over() {
		return nil
	}
	stage := r.Stage
	if r.Merging() {
		// The survivor may refuse: until it has taken over, what was owed is paused.
		stage = r.MergingFrom
	}
	if stage == Rejected {
		// What is owed besides is paused, for an appeal takes it up again.
		owe(sla.Appeal, 1, r.RejectedAt)
	}
	if stage == Confirming {
		owe(sla.Confirmation, r.Cycle, r.Resolution.At)
		return owed
	}
	if r.Response == nil {
		owe(sla.Response, 1, r.CreatedAt)
	} else {
		owe(sla.Update, r.Updates+1, r.UpdatedFor)
	}
	owe(sla.Resolution, r.Cycle, r.CycleSince)
	if r.Unanswered != nil {
		owe(sla.NextResponse, r.Contacts, *r.Unanswered)
	}
	if stage == Reviewing && r.Approval.State == RoundOpen {
		owe(sla.Approval, r.Approval.Round, r.Approval.OpenedAt)
	}
	if stage == Assigned {
		owe(sla.Acceptance, r.Assignments, r.AssignedAt)
	}
	if r.Department != "" {
		owe(sla.Ownership, r.HandOvers, r.DepartmentSince)
	}
	for i, s := range r.Plan {
		if s.DoneAt == nil && !s.Dropped {
			owed = append(owed, promise{name: sla.PlanStep, cycle: i + 1, since: s.Since, due: &s.Due})
		}
	}
	return owed
}

// kept reports whether the promise of a clock that is no longer owed was kept;
// otherwise it simply fell away, and the clock ends without a verdict.
func (r *Requirement) kept(c *sla.Clock) bool {
	if r.Stage == Withdrawn || r.Stage == Merged || r.Stage == Rejected {
		return c.Name == sla.Approval && r.Approval.decidedByPeople()
	}
	switch c.Name {
	case sla.Response:
		return r.Response != nil
	case sla.Resolution:
		return r.Cycle == c.Cycle && r.Resolution != nil || r.Cycle > c.Cycle
	case sla.Update:
		return r.Updates >= c.Cycle || r.Resolution != nil
	case sla.Approval:
		return r.Approval.Round == c.Cycle && r.Approval.decidedByPeople()
	case sla.Acceptance:
		return r.AcceptedAt != nil && r.Assignments == c.Cycle
	case sla.Confirmation:
		return r.Cycle > c.Cycle || r.Closing != nil && !r.Closing.Automatic
	case sla.PlanStep:
		return r.Plan[c.Cycle-1].DoneAt != nil
	case sla.Ownership:
		return r.HandOvers > c.Cycle || r.Resolution != nil
	case sla.NextResponse:
		return r.Contacts > c.Cycle || r.Unanswered == nil
	default: // an appeal is a chance, not a promise
		return false
	}
}

// terms returns the terms of a promise; false when the policy has no such
// clock. A plan step brings its own date and needs no target in the policy.
func (r *Requirement) terms(p promise) (sla.Terms, policy.ClockRule, bool) {
	rule, ok := r.process.Clock(p.name)
	if !ok {
		return sla.Terms{}, rule, false
	}
	terms := rule.Terms(r.Attributes)
	if p.due != nil {
		// A step that is late when it is planned is late at once.
		terms.Due, terms.Target = p.due, sla.Exactly(max(0, p.due.Sub(p.since)))
	}
	switch p.name {
	case sla.Confirmation, sla.Appeal:
		terms.Lapses = true
	case sla.Approval:
		terms.Lapses = r.Approval.OnTimeout != policy.TimeoutEscalates
	}
	if rule.OnReopen == policy.ResumeRemaining && p.cycle > 1 {
		terms.Target = r.remaining(p, terms)
	}
	return terms, rule, !terms.Target.IsZero() || p.due != nil
}

// remaining returns what the earlier cycles left of the target. Each used up a
// part of what those before it had left; when that was nothing, of the whole.
func (r *Requirement) remaining(p promise, terms sla.Terms) sla.Duration {
	cal := r.calendar(terms.Calendar)
	whole, err := cal.Work(p.since, terms.Target)
	if err != nil {
		return terms.Target
	}
	rest := whole
	for cycle := 1; cycle < p.cycle; cycle++ {
		c := r.clock(p.name, cycle)
		if c == nil || c.Open() {
			continue
		}
		if rest -= c.Elapsed(cal, *c.StoppedAt); rest <= 0 {
			rest = whole
		}
	}
	if rest == whole {
		return terms.Target
	}
	return sla.Exactly(rest)
}

// calendar returns the calendar of that name. Policies with an unknown calendar
// are refused when they are loaded; should one be missing all the same, the
// workflow's task fails and is tried again until a worker knows it.
func (r *Requirement) calendar(name string) *sla.Calendar {
	for _, cal := range r.calendars {
		if cal.Name() == name {
			return cal
		}
	}
	cal, err := r.process.Calendar(name)
	if err != nil {
		panic("closeloop: " + err.Error())
	}
	r.calendars = append(r.calendars, cal)
	return cal
}

// calendarSoFar returns the calendar that a clock has run by until now: while
// other rules are adopted, that of the former ones.
func (r *Requirement) calendarSoFar(c *sla.Clock) *sla.Calendar {
	for _, former := range r.former {
		if former.Name() == c.Calendar {
			return former
		}
	}
	return r.calendar(c.Calendar)
}

// otherHours reports whether the rules that are adopted have other hours for a
// clock under the name that its calendar has had: then its terms are others,
// though they read the same.
func (r *Requirement) otherHours(c *sla.Clock, now time.Time) bool {
	before, after := r.calendarSoFar(c), r.calendar(c.Calendar)
	if before == after {
		return false
	}
	was, known := c.Deadline(before)
	is, knows := c.Deadline(after)
	return known != knows || !was.Equal(is) || c.TargetWork(before) != c.TargetWork(after) ||
		c.Elapsed(before, now) != c.Elapsed(after, now)
}

// CalendarOf returns the calendar of a clock. One that has ended knows its
// figures and has no need of it; its calendar may be gone with older rules.
func (r *Requirement) CalendarOf(c *sla.Clock) *sla.Calendar {
	if c.Final != nil {
		return sla.Always
	}
	return r.calendar(c.Calendar)
}

func (r *Requirement) clock(name sla.Name, cycle int) *sla.Clock {
	for i := range r.Clocks {
		if c := &r.Clocks[i]; c.Name == name && c.Cycle == cycle {
			return c
		}
	}
	return nil
}

// retime makes the clocks follow the promises: it starts, pauses, resumes,
// retargets and stops them. It is the only place that does, and runs after
// every change.
func (r *Requirement) retime(now time.Time, actor string) {
	owed := slices.DeleteFunc(r.promises(), func(p promise) bool { _, _, ok := r.terms(p); return !ok })
	for i := range r.Clocks {
		c := &r.Clocks[i]
		if c.Open() && !slices.ContainsFunc(owed, func(p promise) bool { return p.name == c.Name && p.cycle == c.Cycle }) {
			// One that ends because the rules no longer have it ends by the hours it ran by.
			c.Stop(r.calendarSoFar(c), now, !r.kept(c))
			r.recordClock(now, ClockStopped, actor, c)
		}
	}
	for _, p := range owed {
		terms, rule, _ := r.terms(p)
		c := r.clock(p.name, p.cycle)
		ended, told := c != nil && !c.Open(), r.Seq
		switch {
		case c == nil:
			r.Clocks = append(r.Clocks, sla.Start(p.name, p.cycle, terms, p.since))
			c = &r.Clocks[len(r.Clocks)-1]
			r.pace(c, rule, p.since, now, actor)
			c.Retarget(r.calendar(terms.Calendar), terms, now)
			r.recordClock(now, ClockStarted, actor, c)
		case c.Open(), c.Reopen(actor, string(r.Stage)):
			if !c.Same(terms) || r.otherHours(c, now) {
				c.Retarget(r.calendar(terms.Calendar), terms, now)
				r.recordClock(now, ClockRetargeted, actor, c)
			}
		default:
			continue
		}
		r.pace(c, rule, now, now, actor)
		if ended && r.Seq == told {
			// It is waited for again, though it does not run yet.
			r.recordClock(now, ClockPaused, actor, c)
		}
	}
	r.former = nil
	r.lookAhead(now)
	r.standDown(now)
	r.forgetOldClocks()
	r.markStage()
}

// markStage notes on what has just happened where it led to.
func (r *Requirement) markStage() {
	for i := len(r.journal) - 1; i >= 0 && r.journal[i].Stage == ""; i-- {
		r.journal[i].Stage = r.Stage
	}
}

// lookAhead says so once when a calendar lacks what it takes to know a deadline:
// nobody would otherwise miss the timer that is not set.
func (r *Requirement) lookAhead(now time.Time) {
	for i := range r.Clocks {
		if c := &r.Clocks[i]; c.Open() && c.Look(r.calendar(c.Calendar)) {
			r.recordClock(now, ClockUndated, SystemActor, c)
		}
	}
}

// pace pauses or resumes a clock as its rule says for the present stage. A hold
// pauses it until the clock has been on hold for as long as it may. What happens
// to the clock happens to it at the instant at, and is recorded now.
func (r *Requirement) pace(c *sla.Clock, rule policy.ClockRule, at, now time.Time, actor string) {
	onHold := r.Hold != nil && (r.Hold.FromIntake || rule.PausesOnHold.Include(r.Hold.Kind())) &&
		(c.OnHold() || c.MayHold(r.calendar(c.Calendar), at))
	runs := slices.Contains(rule.RunsIn, string(r.Stage)) && !onHold
	fresh := c.StartedAt.Equal(at) && len(c.Pauses) == 0
	switch {
	case c.Ticking() && !runs:
		reason := string(r.Stage)
		if onHold {
			reason = r.Hold.Reason
		}
		c.Pause(at, actor, reason, onHold)
		if !fresh {
			r.recordClock(now, ClockPaused, actor, c)
		}
	case !c.Ticking() && runs:
		c.Resume(at)
		r.recordClock(now, ClockResumed, actor, c)
	case !c.Ticking() && c.OnHold() != onHold:
		// Paused for another reason than before: only a hold is limited.
		c.Resume(at)
		r.pace(c, rule, at, now, actor)
	}
}

// keptClocks is how many ended clocks of one name a requirement keeps in hand.
// A clock that recurs (customer updates) would otherwise grow the state without
// bound; all of them are in the ledger.
const keptClocks = 12

func (r *Requirement) forgetOldClocks() {
	for _, name := range sla.Names {
		ended := 0
		for i := len(r.Clocks) - 1; i >= 0; i-- {
			if c := &r.Clocks[i]; c.Name == name && !c.Open() {
				if ended++; ended > keptClocks {
					if r.folding {
						r.past = append(r.past, *c)
					}
					r.Clocks = slices.Delete(r.Clocks, i, i+1)
				}
			}
		}
	}
}

// clockFact is what an event says about a clock.
type clockFact struct {
	Clock      sla.Name     `json:"clock"`
	Cycle      int          `json:"cycle"`
	State      sla.State    `json:"state"`
	Target     sla.Duration `json:"target"`
	Calendar   string       `json:"calendar"`
	StartedAt  time.Time    `json:"started_at"`
	Deadline   *time.Time   `json:"deadline,omitempty"`
	BreachedAt *time.Time   `json:"breached_at,omitempty"`
	Mark       string       `json:"mark,omitempty"`
	DueAt      *time.Time   `json:"due_at,omitempty"`
	Reason     string       `json:"reason,omitempty"`
	// Lacks is why there is no deadline.
	Lacks *sla.Lack `json:"lacks,omitempty"`
}

func (r *Requirement) recordClock(now time.Time, kind Kind, actor string, c *sla.Clock) {
	if r.folding {
		return // and nothing is made that nobody reads
	}
	r.append(Event{At: now, Kind: kind, Actor: actor, Clock: c.Name}, r.factOf(c), nil)
}

func (r *Requirement) factOf(c *sla.Clock) clockFact {
	f := clockFact{
		Clock: c.Name, Cycle: c.Cycle, State: c.State(), Target: c.Target, Calendar: c.Calendar,
		StartedAt: c.StartedAt, BreachedAt: c.BreachedAt, Lacks: c.Lacks,
	}
	if at, ok := c.Deadline(r.CalendarOf(c)); ok {
		f.Deadline = &at
	}
	if n := len(c.Pauses); n > 0 && c.Pauses[n-1].To == nil {
		f.Reason = c.Pauses[n-1].Reason
	}
	return f
}

// Wake is the next instant at which something falls due.
type Wake struct {
	At    time.Time
	Clock sla.Name
	Cycle int
	Mark  string
}

// Next returns what falls due next among all clocks. It is false when nothing
// does: then the requirement needs no timer at all.
func (r *Requirement) Next() (Wake, bool) {
	var next Wake
	found := false
	for i := range r.Clocks {
		c := &r.Clocks[i]
		at, mark, ok := c.Next(r.CalendarOf(c))
		if ok && (!found || at.Before(next.At)) {
			next, found = Wake{At: at, Clock: c.Name, Cycle: c.Cycle, Mark: mark}, true
		}
	}
	return next, found
}

// Tick makes everything happen that is due at now, in the order in which it
// fell due. Calling it early or twice does nothing.
func (r *Requirement) Tick(now time.Time) {
	for {
		next, ok := r.due(now)
		if !ok {
			return
		}
		at := now
		if r.folding {
			at = next.At
		}
		c := r.clock(next.Clock, next.Cycle)
		for _, f := range c.Advance(r.calendar(c.Calendar), at) {
			r.reach(at, next, f)
		}
		r.retime(at, SystemActor)
	}
}

// due returns what happens next of all that is due at now. The end of what a
// clock may be on hold comes first: it counts from its own instant on, and what
// else is late happens when it is noticed.
func (r *Requirement) due(now time.Time) (Wake, bool) {
	next, ok := r.Next()
	if !ok || next.At.After(now) {
		return Wake{}, false
	}
	for i := range r.Clocks {
		c := &r.Clocks[i]
		if at, mark, ok := c.Next(r.CalendarOf(c)); ok && mark == sla.PauseLimit && !at.After(now) {
			return Wake{At: at, Clock: c.Name, Cycle: c.Cycle, Mark: mark}, true
		}
	}
	return next, true
}

// reach records a mark that was reached and does what follows from it.
func (r *Requirement) reach(now time.Time, which Wake, f sla.Fired) {
	if r.folding {
		return
	}
	c := r.clock(which.Clock, which.Cycle)
	fact := r.factOf(c)
	fact.Mark, fact.DueAt = f.Mark, &f.At
	kind := ClockMarked
	switch {
	case f.Mark == sla.PauseLimit:
		kind = ClockResumed
	case f.Breach() && c.Lapses:
		kind = ClockLapsed
	case f.Breach() && c.DetectedAt.Equal(f.DetectedAt):
		kind = ClockBreached
	case f.Breach(), f.Repeated():
		// Terms that came after the breach put the deadline off; now that has passed,
		// too.
		kind = ClockRepeated
	}
	r.append(Event{At: now, Kind: kind, Actor: SystemActor, Clock: c.Name}, fact, nil)
	switch {
	case kind == ClockResumed:
		// A stage in which it does not run pauses it from then on, whenever that was
		// noticed.
		rule, _ := r.process.Clock(c.Name)
		r.pace(c, rule, f.At, now, SystemActor)
	case kind == ClockLapsed:
		r.lapse(now, c.Name)
	case f.Breach():
		r.escalate(now, c)
	}
}

// lapse does what was agreed for the case that nobody answers in time.
func (r *Requirement) lapse(now time.Time, name sla.Name) {
	switch name {
	case sla.Confirmation:
		r.close(now, Closing{At: now, By: SystemActor, Automatic: true})
	case sla.Approval:
		r.decide(now, r.Approval.OnTimeout == policy.TimeoutApproves, SystemActor, "nobody decided in time")
	case sla.Appeal:
		r.end(now, Rejected, SystemActor)
	}
}

// NextDeadline returns the earliest deadline among the clocks that tick, be it
// past or to come.
func (r *Requirement) NextDeadline() (time.Time, bool) {
	var earliest time.Time
	found := false
	for i := range r.Clocks {
		c := &r.Clocks[i]
		if !c.Ticking() {
			continue
		}
		if at, ok := c.Deadline(r.CalendarOf(c)); ok && (!found || at.Before(earliest)) {
			earliest, found = at, true
		}
	}
	return earliest, found
}

// Breached reports whether a clock that is still open has breached.
func (r *Requirement) Breached() bool {
	return slices.ContainsFunc(r.Clocks, func(c sla.Clock) bool { return c.Open() && c.State() == sla.Breached })
}
