package requirement

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"closeloop/policy"
	"closeloop/sla"
)

// past is what was known of a requirement at an instant, as far as clocks go.
type past struct {
	at time.Time
	// began is the digest of the rules with which it began.
	began string
	// events are those up to the instant, later those after it.
	events  []Event
	later   []Event
	rules   []policy.Process
	holders []HandOver
	holds   []heldTime
}

// heldTime is a time on hold; to is nil while it lasts.
type heldTime struct {
	from             time.Time
	to               *time.Time
	by, reason, kind string
	fromIntake       bool
}

// said are the particulars of events that an explanation takes. A field that
// several kinds have means the same in all of them.
type said struct {
	Reason     string          `json:"reason"`
	To         string          `json:"to"`
	Department string          `json:"department"`
	For        string          `json:"for"`
	OnHold     string          `json:"on_hold"`
	Priority   string          `json:"priority"`
	Policy     string          `json:"policy"`
	Before     json.RawMessage `json:"before"`
}

// before is a value before a change, where it is a text.
func (s said) before() string {
	var text string
	if json.Unmarshal(s.Before, &text) != nil {
		return ""
	}
	return text
}

func saidBy(e Event) said {
	var s said
	if json.Unmarshal(e.Data, &s) != nil {
		return said{}
	}
	return s
}

func recall(record Account, at time.Time) *past {
	p := &past{at: at, began: began(record), rules: record.Rules, holders: []HandOver{{}}}
	for i, e := range record.Events {
		if e.At.After(at) {
			p.later = record.Events[i:]
			break
		}
		p.events = append(p.events, e)
		p.handOver(e)
		p.hold(e)
	}
	return p
}

// handOver notes who holds the requirement after the event.
func (p *past) handOver(e Event) {
	last := p.holders[len(p.holders)-1]
	next := HandOver{At: e.At, Kind: e.Kind, By: e.Actor, Owner: last.Owner, Department: last.Department}
	data := saidBy(e)
	switch e.Kind {
	case WasAssigned:
		next.Owner = data.To
	case HandedBack:
		next.Owner = ""
	case Triaged:
	default:
		return
	}
	if data.Department != "" {
		next.Department = data.Department
	}
	if next.Reason = data.Reason; next.Owner != last.Owner || next.Department != last.Department {
		p.holders = append(p.holders, next)
	}
}

// hold notes whether the requirement is on hold after the event.
func (p *past) hold(e Event) {
	data := saidBy(e)
	held := len(p.holds) > 0 && p.holds[len(p.holds)-1].to == nil
	switch e.Kind {
	case WasHeld:
		kind := (&Hold{For: data.For}).Kind()
		p.holds = append(p.holds, heldTime{from: e.At, by: e.Actor, reason: data.Reason, kind: kind})
	case Submitted:
		if data.OnHold != "" {
			p.holds = append(p.holds, heldTime{from: e.At, by: e.Actor, reason: data.OnHold, kind: policy.HoldCustomer, fromIntake: true})
		}
	case WasResumed, Resolved, WasArchived, WasWithdrawn, MergeTaken, Cancelled, Terminated:
		if held {
			at := e.At
			p.holds[len(p.holds)-1].to = &at
		}
	}
}

// holder is who held the requirement at an instant.
func (p *past) holder(at time.Time) HandOver { return p.holderFrom(at, nil) }

func (p *past) holderFrom(at time.Time, instants instants) HandOver {
	who := p.holders[0]
	for _, h := range p.holders[1:] {
		if instants.of(h.At).After(at) {
			break
		}
		who = h
	}
	return who
}

// holdFrom is the hold that an instant belongs to.
func (p *past) holdFrom(at time.Time, instants instants) (heldTime, bool) {
	for _, h := range p.holds {
		if !instants.of(h.from).After(at) && (h.to == nil || instants.of(*h.to).After(at)) {
			return h, true
		}
	}
	return heldTime{}, false
}

// instants are those of a clock, which the record of events may have less
// precisely: a ledger keeps microseconds.
type instants []time.Time

func exact(c *sla.Clock) instants {
	list := instants{c.StartedAt}
	for _, p := range c.Pauses {
		if list = append(list, p.From); p.To != nil {
			list = append(list, *p.To)
		}
	}
	if c.StoppedAt != nil {
		list = append(list, *c.StoppedAt)
	}
	return list
}

// of returns the clock's own instant for one of the record.
func (list instants) of(at time.Time) time.Time {
	for _, own := range list {
		if own.Truncate(time.Microsecond).Equal(at.Truncate(time.Microsecond)) {
			return own
		}
	}
	return at
}

// recalled is a clock as it was known at an instant, with what counts it.
type recalled struct {
	sla.Clock
	calendar *sla.Calendar
	rule     policy.ClockRule
	// policy is the digest of the rules, facts what the record says of the clock.
	policy string
	facts  []clockFacts
}

// pressing reports whether somebody will ask about the clock: it runs, or it was
// late.
func (c *recalled) pressing() bool { return c.Open() || c.State() == sla.Breached }

// clockFacts is what an event says of a clock, and what brought it about.
type clockFacts struct {
	clockFact
	Seq   int
	At    time.Time
	Kind  Kind
	cause Event
}

// clock returns the clock as it was known then.
func (p *past) clock(c sla.Clock) (*recalled, error) {
	r := &recalled{Clock: c}
	for i, e := range p.events {
		var fact clockFact
		if !e.Kind.aboutClock() || json.Unmarshal(e.Data, &fact) != nil || fact.Clock != c.Name || fact.Cycle != c.Cycle {
			continue
		}
		r.facts = append(r.facts, clockFacts{clockFact: fact, Seq: e.Seq, At: e.At, Kind: e.Kind, cause: p.cause(i)})
	}
	p.forget(r)
	r.turnBack()
	if err := p.count(r); err != nil {
		return nil, err
	}
	if r.rule.Name == r.Name {
		r.Marks, r.Repeat, r.MaxPause = r.rule.Marks, r.rule.Repeat, r.rule.MaxPause
	}
	r.Look(r.calendar)
	return r, nil
}

// count finds what the clock is counted by.
func (p *past) count(c *recalled) error {
	var missing error
	for _, digest := range p.inForce(c) {
		rules, ok := p.rulesOf(digest)
		if !ok {
			missing = fmt.Errorf("the rules %s are not on record", digest)
			continue
		}
		cal, err := rules.Calendar(c.Clock.Calendar)
		if err == nil {
			c.calendar, c.policy = cal, digest
			c.rule, _ = rules.Clock(c.Name)
			return nil
		}
		missing = err
	}
	return missing
}

func (p *past) rulesOf(digest string) (policy.Process, bool) {
	i := slices.IndexFunc(p.rules, func(r policy.Process) bool { return r.Digest == digest })
	if i < 0 {
		return policy.Process{}, false
	}
	return p.rules[i], true
}

// aboutClock reports whether the event is about one clock.
func (k Kind) aboutClock() bool {
	switch k {
	case ClockStarted, ClockPaused, ClockResumed, ClockRetargeted, ClockStopped, ClockMarked,
		ClockBreached, ClockRepeated, ClockLapsed, ClockUndated:
		return true
	default:
		return false
	}
}

// cause is the event of the same instant from which the i-th event follows:
// clocks follow what happens, they never change by themselves. It is the event
// itself when there is none.
func (p *past) cause(i int) Event {
	for j := i - 1; j >= 0 && p.events[j].At.Equal(p.events[i].At); j-- {
		if k := p.events[j].Kind; !k.aboutClock() && k != EscalationStarted && k != EscalationEnded {
			return p.events[j]
		}
	}
	return p.events[i]
}

// forget takes out of a clock what happened later than the instant.
func (p *past) forget(c *recalled) {
	later := func(t *time.Time) bool { return t != nil && t.After(p.at) }
	var pauses []sla.Pause
	for _, pause := range c.Pauses {
		if pause.From.After(p.at) {
			break
		}
		if later(pause.To) || p.unnoticed(c, pause) {
			pause.To = nil
		}
		pauses = append(pauses, pause)
	}
	c.Pauses = pauses
	if later(c.StoppedAt) {
		c.StoppedAt, c.Final, c.Void = nil, nil, false
	}
	if later(c.DetectedAt) {
		c.BreachedAt, c.DetectedAt = nil, nil
	}
	if n := len(c.facts); c.Open() && n > 0 && c.facts[n-1].Kind == ClockStopped {
		// Taken up again later: the time between became a pause, which nobody knew of.
		stopped := exact(&c.Clock).of(c.facts[n-1].At)
		c.Pauses = slices.DeleteFunc(c.Pauses, func(p sla.Pause) bool { return !p.From.Before(stopped) })
		c.StoppedAt, c.Void = &stopped, true
	}
	c.Fired = slices.DeleteFunc(slices.Clone(c.Fired), func(f sla.Fired) bool { return f.DetectedAt.After(p.at) })
}

// unnoticed reports whether the end of a pause was only noticed later: when the
// clock had been on hold for as long as it may, perhaps by rules that came later.
func (p *past) unnoticed(c *recalled, pause sla.Pause) bool {
	return slices.ContainsFunc(p.later, func(e Event) bool {
		var fact clockFact
		return e.Kind == ClockResumed && json.Unmarshal(e.Data, &fact) == nil && fact.Clock == c.Name && fact.Cycle == c.Cycle &&
			fact.Mark == sla.PauseLimit && pause.To != nil && fact.DueAt != nil && fact.DueAt.Equal(*pause.To)
	})
}

// inForce returns the rules by which the clock is counted, and those before them
// if there were any: the present ones, or those that held when it ended. A clock
// that new rules ended was counted by the former.
func (p *past) inForce(c *recalled) []string {
	until := len(p.events)
	if n := len(c.facts); !c.Open() && n > 0 {
		stopped := c.facts[n-1].Seq
		until = slices.IndexFunc(p.events, func(e Event) bool { return e.Seq == stopped })
	}
	digests := []string{p.began}
	for _, e := range p.events[:until] {
		if e.Kind == Adopted {
			digests = []string{saidBy(e).Policy, saidBy(e).before()}
		}
	}
	if until < len(p.events) && p.endedByRules(until) {
		slices.Reverse(digests)
	}
	return digests
}

// endedByRules reports whether new rules ended the clock that the i-th event says
// has stopped. What they end ends before anything else that follows from them.
func (p *past) endedByRules(i int) bool {
	for i--; i >= 0 && p.events[i].Kind == ClockStopped; i-- {
	}
	return i >= 0 && p.events[i].Kind == Adopted
}

// began returns the rules with which the requirement began.
func began(record Account) string {
	for _, e := range record.Events {
		if e.Kind == Adopted {
			return saidBy(e).before()
		}
	}
	return record.State.Policy
}

// turnBack gives the clock the target that was in force at the instant.
func (c *recalled) turnBack() {
	if n := len(c.facts); n > 0 {
		last := c.facts[n-1]
		c.Clock.Target, c.Clock.Calendar = last.Target, last.Calendar
	}
}

// termsOf are the targets that were in force, the first one first.
func (p *past) termsOf(c *recalled) []TermsView {
	list := []TermsView{}
	for _, f := range c.facts {
		if f.Kind != ClockStarted && f.Kind != ClockRetargeted {
			continue
		}
		data := saidBy(f.cause)
		v := TermsView{
			At: f.At, Cause: f.cause.Kind, By: f.cause.Actor, Reason: data.Reason,
			Target: f.Target.String(), Calendar: f.Calendar, Deadline: f.Deadline,
		}
		switch f.cause.Kind {
		case Reprioritised:
			v.Priority, v.PriorityBefore = data.Priority, data.before()
		case Adopted:
			v.Policy, v.PolicyBefore = data.Policy, data.before()
		}
		list = append(list, v)
	}
	return list
}
