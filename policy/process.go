package policy

import (
	"slices"
	"time"

	"closeloop/sla"
)

// Attributes are what rules look at. Values are those of the requirement; an
// empty one matches only rules that do not ask for it.
type Attributes struct {
	Priority string `json:"priority"`
	Urgency  string `json:"urgency"`
	Tier     string `json:"tier"`
	Type     string `json:"type"`
	Channel  string `json:"channel"`
}

// When is a condition on attributes: for every list that is not empty, the
// attribute must be in it. An empty When matches everything.
type When struct {
	Priority []string `json:"priority,omitempty" yaml:"priority,omitempty"`
	Urgency  []string `json:"urgency,omitempty" yaml:"urgency,omitempty"`
	Tier     []string `json:"tier,omitempty" yaml:"tier,omitempty"`
	Type     []string `json:"type,omitempty" yaml:"type,omitempty"`
	Channel  []string `json:"channel,omitempty" yaml:"channel,omitempty"`
}

// Matches reports whether the attributes satisfy the condition.
func (w When) Matches(a Attributes) bool {
	in := func(list []string, value string) bool {
		return len(list) == 0 || slices.Contains(list, value)
	}
	return in(w.Priority, a.Priority) && in(w.Urgency, a.Urgency) && in(w.Tier, a.Tier) &&
		in(w.Type, a.Type) && in(w.Channel, a.Channel)
}

// Process is the rules that one requirement lives by.
type Process struct {
	// Digest identifies the rules: a short hash of their canonical form.
	Digest   string   `json:"digest" yaml:"-"`
	Defaults Defaults `json:"defaults" yaml:"defaults"`
	// Types and Channels are the values that a requirement may have (A1, I2).
	Types    []string `json:"types" yaml:"types"`
	Channels []string `json:"channels" yaml:"channels"`
	// Holds are the kinds of holds besides the customer's (E5).
	Holds []string `json:"holds,omitempty" yaml:"holds,omitempty"`
	// Calendars are those that the rules use, with their holidays; 24x7 is none of
	// them. The policy file has more: see [Calendars].
	Calendars []sla.Timetable `json:"calendars,omitempty" yaml:"-"`
	// Clocks: one rule a clock name. A clock without a rule does not exist.
	Clocks    []ClockRule    `json:"clocks" yaml:"clocks"`
	Approvals []ApprovalRule `json:"approvals" yaml:"approvals"`
	Routing   []RoutingRule  `json:"routing" yaml:"routing"`
	Chains    []Chain        `json:"chains" yaml:"chains"`
	// Notices say who is told of which event.
	Notices []NoticeRule `json:"notices" yaml:"notices"`
	// UnknownPeople says what somebody whom the directory does not know may do.
	UnknownPeople UnknownPeople `json:"unknown_people" yaml:"unknown_people"`
}

// UnknownPeople is the standing of a person whom the directory does not know.
type UnknownPeople string

// The standings.
const (
	// RefuseUnknown: they may do nothing, and nothing can be given to them.
	RefuseUnknown UnknownPeople = "refuse"
	// UnknownAreAgents: they are agents, for trying out and for scripts.
	UnknownAreAgents UnknownPeople = "agent"
)

// Defaults fill what an intake leaves out.
type Defaults struct {
	Type     string `json:"type" yaml:"type"`
	Channel  string `json:"channel" yaml:"channel"`
	Priority string `json:"priority" yaml:"priority"`
	Urgency  string `json:"urgency" yaml:"urgency"`
	Tier     string `json:"tier" yaml:"tier"`
	// Language in which a customer is written to.
	Language string `json:"language" yaml:"language"`
}

// ClockRule is what the policy says of one clock.
type ClockRule struct {
	Name     sla.Name `json:"name" yaml:"name"`
	Calendar string   `json:"calendar" yaml:"calendar"`
	// Target when no entry of Targets matches.
	Target sla.Duration `json:"target" yaml:"target"`
	// Targets: the first that matches holds.
	Targets []TargetRule `json:"targets,omitempty" yaml:"targets,omitempty"`
	// Caps: no target is longer than the shortest cap that matches, whatever
	// Targets say (E1: high priority at most 4 h).
	Caps []TargetRule `json:"caps,omitempty" yaml:"caps,omitempty"`
	// RunsIn are the stages in which time counts; in others the clock pauses.
	RunsIn []string `json:"runs_in" yaml:"runs_in"`
	// PausesOnHold says which holds do not count (E5).
	PausesOnHold Holds `json:"pauses_on_hold" yaml:"pauses_on_hold"`
	// MaxPause is how long the clock may be on hold in total, in its working time;
	// zero for no limit.
	MaxPause sla.Duration `json:"max_pause,omitzero" yaml:"max_pause,omitempty"`
	// Marks besides the deadline at which somebody is told (L3).
	Marks  []sla.Mark `json:"marks,omitempty" yaml:"marks,omitempty"`
	Repeat sla.Repeat `json:"repeat" yaml:"repeat"`
	// OnReopen says what the clock does when a resolution is disputed.
	OnReopen Reopening `json:"on_reopen,omitempty" yaml:"on_reopen,omitempty"`
	// Chain that a breach starts; none when empty.
	Chain string `json:"chain,omitempty" yaml:"chain,omitempty"`
}

// Reopening is what a clock does when a requirement is reopened.
type Reopening string

// The ways to go on after a reopening.
const (
	// NewCycle gives the new cycle the whole target.
	NewCycle Reopening = "new_cycle"
	// ResumeRemaining gives the new cycle what the previous one left over; when
	// that is nothing, the whole target.
	ResumeRemaining Reopening = "resume_remaining"
)

// TargetRule is a target with its condition.
type TargetRule struct {
	When   When         `json:"when" yaml:"when"`
	Target sla.Duration `json:"target" yaml:"target"`
}

// Terms returns the terms of the clock for a requirement with these attributes.
func (r ClockRule) Terms(a Attributes) sla.Terms {
	target := r.Target
	for _, t := range r.Targets {
		if t.When.Matches(a) {
			target = t.Target
			break
		}
	}
	for _, c := range r.Caps {
		if c.When.Matches(a) && longer(target, c.Target) {
			target = c.Target
		}
	}
	return sla.Terms{Target: target, Calendar: r.Calendar, MaxPause: r.MaxPause, Marks: r.Marks, Repeat: r.Repeat}
}

// longer compares targets of different units by counting a working day as 24
// hours: a cap given in hours must hold against days on every calendar.
func longer(a, b sla.Duration) bool { return around(a) > around(b) }

func around(d sla.Duration) time.Duration {
	return d.Time + time.Duration(d.WorkingDays)*24*time.Hour
}

// Clock returns the rule of that clock, if there is one.
func (p Process) Clock(name sla.Name) (ClockRule, bool) {
	for _, c := range p.Clocks {
		if c.Name == name {
			return c, true
		}
	}
	return ClockRule{}, false
}

// ApprovalRule says when an approval is needed, from whom and how many (R1, R2).
type ApprovalRule struct {
	Name string `json:"name" yaml:"name"`
	When When   `json:"when" yaml:"when"`
	// OnRequest rules do not apply by themselves: triage asks for them.
	OnRequest bool `json:"on_request,omitempty" yaml:"on_request,omitempty"`
	// Seats are who must be asked: `role:product`, `head`, or a person's id.
	Seats []string `json:"seats" yaml:"seats"`
	// Need is `all`, `any` or a number of approvals.
	Need Need `json:"need" yaml:"need"`
	// InSequence asks one seat after the other instead of all at once.
	InSequence bool `json:"in_sequence,omitempty" yaml:"in_sequence,omitempty"`
	// OnTimeout is the outcome when the approval clock runs out.
	OnTimeout Timeout `json:"on_timeout" yaml:"on_timeout"`
	// Fallback is asked when a seat can be filled by nobody.
	Fallback string `json:"fallback,omitempty" yaml:"fallback,omitempty"`
	// AgainOnAmend asks anew when an approved requirement changes.
	AgainOnAmend bool `json:"again_on_amend,omitempty" yaml:"again_on_amend,omitempty"`
}

// Timeout is what happens to a round of approval that nobody decides in time.
type Timeout string

// The outcomes.
const (
	TimeoutEscalates Timeout = "escalate" // the round goes on, a chain starts
	TimeoutApproves  Timeout = "approve"
	TimeoutRejects   Timeout = "reject"
)

// Approval returns the rule for these attributes. With asked, a rule that is
// only on request is taken when no other matches.
func (p Process) Approval(a Attributes, asked bool) (ApprovalRule, bool) {
	for _, r := range p.Approvals {
		if !r.OnRequest && r.When.Matches(a) {
			return r, true
		}
	}
	if asked {
		for _, r := range p.Approvals {
			if r.OnRequest && r.When.Matches(a) {
				return r, true
			}
		}
	}
	return ApprovalRule{}, false
}

// RoutingRule says which department gets a requirement (T1).
type RoutingRule struct {
	When       When   `json:"when" yaml:"when"`
	Department string `json:"department" yaml:"department"`
	// Pick is how a person of the department is chosen.
	Pick Pick `json:"pick" yaml:"pick"`
}

// Pick is how an owner is chosen within a department.
type Pick string

// The ways to choose.
const (
	PickByHand      Pick = "by_hand"      // somebody assigns
	PickLeastLoaded Pick = "least_loaded" // who owns the fewest open requirements
	PickRoundRobin  Pick = "round_robin"  // who was given one longest ago
)

// Route returns the routing for these attributes.
func (p Process) Route(a Attributes) (RoutingRule, bool) {
	for _, r := range p.Routing {
		if r.When.Matches(a) {
			return r, true
		}
	}
	return RoutingRule{}, false
}

// Chain is who is called, level by level, when a clock breaches (L5).
type Chain struct {
	Name   string  `json:"name" yaml:"name"`
	Levels []Level `json:"levels" yaml:"levels"`
	// Rounds is how often the whole ladder is climbed before the alarm.
	Rounds int `json:"rounds" yaml:"rounds"`
	// AcknowledgedFor is how long an acknowledgement holds without progress;
	// then the ladder goes on. Zero holds for good.
	AcknowledgedFor sla.Duration `json:"acknowledged_for" yaml:"acknowledged_for"`
	// Alarm is who is told that nobody answered.
	Alarm []string `json:"alarm" yaml:"alarm"`
}

// Level is one rung of a chain.
type Level struct {
	// People are seats: `owner`, `tracker`, `head`, `role:manager`, or an id.
	People []string `json:"people" yaml:"people"`
	// AcknowledgeWithin is the time to acknowledge before the next rung.
	AcknowledgeWithin sla.Duration `json:"acknowledge_within" yaml:"acknowledge_within"`
	// Times the level is called before the next rung; at least once.
	Times int `json:"times,omitempty" yaml:"times,omitempty"`
	// Calendar in whose working time alone the level is called and its time to
	// acknowledge passes; around the clock when empty.
	Calendar string `json:"calendar,omitempty" yaml:"calendar,omitempty"`
}

// Chain returns the chain of that name.
func (p Process) Chain(name string) (Chain, bool) {
	for _, c := range p.Chains {
		if c.Name == name {
			return c, true
		}
	}
	return Chain{}, false
}

// NoticeRule says who is told of an event.
type NoticeRule struct {
	// Event is the kind of the event, such as `resolved`.
	Event string `json:"event" yaml:"event"`
	// Clock narrows events about clocks to one clock.
	Clock sla.Name `json:"clock,omitempty" yaml:"clock,omitempty"`
	// To are audiences: customer, duplicates, owner, tracker, voters, called,
	// head, role:R, or a person's id.
	To []string `json:"to" yaml:"to"`
}

// Audience returns who is told of an event of that kind; clock is the clock it
// is about, or empty.
func (p Process) Audience(event string, clock sla.Name) []string {
	var to []string
	for _, n := range p.Notices {
		if n.Event != event || (n.Clock != "" && n.Clock != clock) {
			continue
		}
		for _, a := range n.To {
			if !slices.Contains(to, a) {
				to = append(to, a)
			}
		}
	}
	return to
}
