package requirement

import (
	"time"

	"closeloop/policy"
	"closeloop/sla"
)

// ActAdopt is the name under which a requirement is put under other rules. It is
// no act of the [Table]: it is done to many requirements at once, when the policy
// has changed.
const ActAdopt Name = "adopt-policy"

// adopters may put requirements under other rules.
var adopters = []Role{Operator, Manager, System}

// CheckAdoption reports whether the person may put the requirement under the
// rules; nil means yes. It changes nothing. Rules that the requirement lives by
// already are fine. What it checks is replayed: tighten it only with a new
// version.
func (r *Requirement) CheckAdoption(people People, by string, p policy.Process) error {
	if err := p.Sound(); err != nil {
		return invalid("process", "not_rules", err.Error(), "value", err.Error())
	}
	if r.Over() {
		return r.Ended(ActAdopt)
	}
	return r.allows(people, by, ActAdopt, adopters)
}

// Ended is the refusal of what comes too late: the requirement has ended.
func (r *Requirement) Ended(act Name) error {
	return refuse(CodeOver, r.ID+" has ended: "+string(act)+" is no longer possible", r.hint(),
		"id", r.ID, "stage", string(r.Stage), "act", string(act))
}

// Adopt puts the requirement under other rules: clocks are retargeted from
// their start with their pauses kept, clocks without a rule end, breaches of
// the past stay, escalations without a cause end (row L4). Nothing happens when
// it lives by the rules already, or has ended.
func (r *Requirement) Adopt(now time.Time, p policy.Process, actor string) {
	r.AdoptBy(now, p, Header{Actor: actor})
}

// AdoptBy is [Requirement.Adopt] with how the actor was known.
func (r *Requirement) AdoptBy(now time.Time, p policy.Process, h Header) {
	if r.Tick(now); r.Policy == p.Digest || r.Over() {
		return
	}
	before := r.Policy
	r.liveBy(p)
	r.Policy, r.adopted = p.Digest, &p
	end := r.actsAs(h.By(), h.KnownBy())
	r.record(now, Adopted, h.By(), struct {
		Policy string `json:"policy"`
		Before string `json:"before"`
	}{p.Digest, before})
	r.retime(now, h.By())
	end()
	r.Tick(now)
}

// Adoption is what other rules would change for a requirement. Its field names
// are a contract: `policy apply -o json`.
type Adoption struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Customer string `json:"customer"`
	// Policy is the digest of the rules it lives by so far.
	Policy string `json:"policy"`
	Stage  Stage  `json:"stage"`
	// Becomes is the stage it goes to at once, because a time limit is then used
	// up; empty when it stays.
	Becomes Stage `json:"becomes,omitempty"`
	// Clocks are those that change.
	Clocks []ClockChange `json:"clocks"`
	// Ends and Starts are escalations: those whose cause goes away, and those that
	// begin at once.
	Ends   []string `json:"escalations_end"`
	Starts []string `json:"escalations_start"`
}

// Changes reports whether the adoption changes more than the name of the rules.
func (a Adoption) Changes() bool {
	return a.Becomes != "" || len(a.Clocks)+len(a.Ends)+len(a.Starts) > 0
}

// ChangeKind is what happens to a clock.
type ChangeKind string

// The kinds of changes.
const (
	ClockAppears   ChangeKind = "appears"    // the rules so far had no such clock
	ClockVanishes  ChangeKind = "vanishes"   // the new rules have no such clock
	ClockRetargets ChangeKind = "retargeted" // another deadline, target or calendar
	ClockRepaces   ChangeKind = "paced"      // it is paused, or goes on, by the same terms
)

// ClockChange is what other rules would change for a clock.
type ClockChange struct {
	Clock  sla.Name   `json:"clock"`
	Cycle  int        `json:"cycle"`
	Change ChangeKind `json:"change"`
	// Before is nil for a clock that appears, After for one that vanishes.
	Before *ClockTerms `json:"before"`
	After  *ClockTerms `json:"after"`
	// Breaches is set when the clock breaches at once.
	Breaches bool `json:"breaches"`
	// Relieved is set when a clock that is overdue gets time again. The breach
	// stays on record.
	Relieved bool `json:"relieved"`
}

// ClockTerms are what a clock promises and how it stands.
type ClockTerms struct {
	State    sla.State `json:"state"`
	Target   string    `json:"target"`
	Calendar string    `json:"calendar"`
	// Deadline is nil while a pause holds the clock before it.
	Deadline *time.Time `json:"deadline"`
	// Lacks is why a clock that runs has no deadline.
	Lacks *sla.Lack `json:"lacks,omitempty"`
}

// Foresee returns what the rules `after` would change for a requirement that
// lives by the rules `before`, if it adopted them now. The state stays as it is.
func Foresee(s State, before, after policy.Process, now time.Time) Adoption {
	old, changed := Restore(s.snapshot(), before), Restore(s.snapshot(), before)
	old.Tick(now)
	changed.Adopt(now, after, SystemActor)
	a := Adoption{
		ID: s.ID, Title: s.Title, Customer: s.Customer, Policy: s.Policy, Stage: old.Stage,
		Clocks: []ClockChange{}, Ends: []string{}, Starts: []string{},
	}
	if changed.Stage != old.Stage {
		a.Becomes = changed.Stage
	}
	for i := range changed.Clocks {
		is := &changed.Clocks[i]
		if c, differs := compareClocks(old, old.clock(is.Name, is.Cycle), changed, is); differs {
			a.Clocks = append(a.Clocks, c)
		}
	}
	for _, e := range changed.Escalations {
		was := old.escalation(e.ID)
		switch {
		case was == nil && e.Open():
			a.Starts = append(a.Starts, e.ID)
		case was != nil && was.Open() && !e.Open():
			a.Ends = append(a.Ends, e.ID)
		}
	}
	return a
}

// compareClocks returns what becomes of a clock; false when nothing does.
func compareClocks(old *Requirement, was *sla.Clock, changed *Requirement, is *sla.Clock) (ClockChange, bool) {
	c := ClockChange{Clock: is.Name, Cycle: is.Cycle, Before: old.termsOf(was), After: changed.termsOf(is)}
	ran := was != nil && was.Open()
	if !ran && was != nil && !is.Open() {
		return c, false
	}
	_, ruled := changed.process.Clock(is.Name)
	switch {
	case !ran:
		c.Change, c.Before = ClockAppears, nil
	case !is.Open() && !ruled:
		c.Change, c.After = ClockVanishes, nil
	case c.Before.Target != c.After.Target, c.Before.Calendar != c.After.Calendar:
		c.Change = ClockRetargets
	case (c.Before.State == sla.Paused) != (c.After.State == sla.Paused):
		c.Change = ClockRepaces
	case !sameInstant(c.Before.Deadline, c.After.Deadline):
		// The calendar of that name has other hours or holidays.
		c.Change = ClockRetargets
	default:
		return c, false
	}
	c.Breaches = is.BreachedAt != nil && (was == nil || was.BreachedAt == nil)
	c.Relieved = ran && is.Open() && was.BreachedAt != nil && was.Overdue() && !is.Overdue()
	return c, true
}

// termsOf returns what a clock promises; nil when there is none.
func (r *Requirement) termsOf(c *sla.Clock) *ClockTerms {
	if c == nil {
		return nil
	}
	t := &ClockTerms{State: c.State(), Target: c.Target.String(), Calendar: c.Calendar, Lacks: c.Lacks}
	if at, known := c.Deadline(r.CalendarOf(c)); known {
		t.Deadline = &at
	}
	return t
}

func sameInstant(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }
