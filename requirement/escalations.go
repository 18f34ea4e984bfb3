package requirement

import (
	"fmt"
	"slices"
	"time"

	"closeloop/policy"
	"closeloop/sla"
)

// EscalationState is where an escalation stands.
type EscalationState string

// The states of an escalation.
const (
	EscalationDue     EscalationState = "due" // the people are being looked up
	EscalationClimbs  EscalationState = "climbing"
	EscalationAcked   EscalationState = "acknowledged"
	EscalationAlarmed EscalationState = "alarmed" // nobody answered
	EscalationOver    EscalationState = "ended"   // its cause is gone
)

// Escalation is what the requirement knows of a chain that a breach started
// (L5). The chain itself runs as a workflow of its own.
type Escalation struct {
	// ID is unique within the requirement: clock and cycle, and a number from the
	// second chain of that clock on.
	ID    string          `json:"id"`
	Clock sla.Name        `json:"clock"`
	Cycle int             `json:"cycle"`
	Chain string          `json:"chain"`
	State EscalationState `json:"state"`
	// Level is the rung that was called last, from 1; Round how often the ladder
	// was begun.
	Level          int        `json:"level"`
	Round          int        `json:"round,omitempty"`
	Called         []string   `json:"called,omitempty"`
	AcknowledgedBy string     `json:"acknowledged_by,omitempty"`
	StartedAt      time.Time  `json:"started_at"`
	EndedAt        *time.Time `json:"ended_at,omitempty"`
	// Told is set when the chain's workflow knows that it has ended.
	Told bool `json:"told,omitempty"`
}

// Open reports whether the chain's cause is still there.
func (e Escalation) Open() bool { return e.State != EscalationOver }

// escalate begins the chain of a clock whose deadline has just passed.
func (r *Requirement) escalate(now time.Time, c *sla.Clock) {
	chain := r.chainFor(c)
	if chain == "" {
		return
	}
	id := fmt.Sprintf("%s-%d", c.Name, c.Cycle)
	if before := r.escalationsOf(c); before > 0 {
		id = fmt.Sprintf("%s-%d", id, before+1)
	}
	r.Escalations = append(r.Escalations, Escalation{
		ID: id, Clock: c.Name, Cycle: c.Cycle, Chain: chain, State: EscalationDue, StartedAt: now,
	})
}

// chainFor returns the chain that a breach of the clock starts; empty for none.
func (r *Requirement) chainFor(c *sla.Clock) string {
	rule, _ := r.process.Clock(c.Name)
	if _, ok := r.process.Chain(rule.Chain); !ok {
		return ""
	}
	return rule.Chain
}

// escalationsOf returns how many chains the clock has started in its cycle.
func (r *Requirement) escalationsOf(c *sla.Clock) int {
	n := 0
	for _, e := range r.Escalations {
		if e.Clock == c.Name && e.Cycle == c.Cycle {
			n++
		}
	}
	return n
}

// standDown ends the escalations whose cause is gone: the clock no longer runs,
// its deadline was put off, or its rule has this chain no longer. Where the rule
// has another chain for a clock that is still overdue, that one begins: nobody
// else would be called.
func (r *Requirement) standDown(now time.Time) {
	for i := range r.Escalations {
		e := &r.Escalations[i]
		c := r.clock(e.Clock, e.Cycle)
		overdue := c != nil && c.Open() && c.Overdue()
		if e.State == EscalationOver || overdue && r.chainFor(c) == e.Chain {
			continue
		}
		// A chain that never started has nothing to be told.
		e.Told = e.State == EscalationDue
		e.State, e.EndedAt = EscalationOver, &now
		r.append(Event{At: now, Kind: EscalationEnded, Actor: SystemActor, Clock: e.Clock}, e, nil)
		if overdue {
			r.escalate(now, c)
		}
	}
}

// EscalationsDue returns the chains to be started.
func (r *Requirement) EscalationsDue() []Escalation {
	return r.escalationsThat(func(e Escalation) bool { return e.State == EscalationDue })
}

// EscalationsToEnd returns the chains to be told that their cause is gone.
func (r *Requirement) EscalationsToEnd() []Escalation {
	return r.escalationsThat(func(e Escalation) bool { return e.State == EscalationOver && !e.Told })
}

func (r *Requirement) escalationsThat(is func(Escalation) bool) []Escalation {
	var found []Escalation
	for _, e := range r.Escalations {
		if is(e) {
			found = append(found, e)
		}
	}
	return found
}

// EscalationStarted records that the chain runs. What the chain has reported of
// itself already stands.
func (r *Requirement) EscalationStarted(now time.Time, id string) {
	e := r.escalation(id)
	if e == nil {
		return
	}
	if e.State == EscalationOver {
		// The cause went away while the chain was being started.
		e.Told = false
		return
	}
	if e.State == EscalationDue {
		e.State = EscalationClimbs
	}
	r.append(Event{At: now, Kind: EscalationStarted, Actor: SystemActor, Clock: e.Clock}, e, nil)
}

// EscalationLost has a chain started anew whose workflow is gone, though its
// cause is not. It begins at its foot: nobody knows any longer how far it had
// climbed, or who is at work. seq is the latest fact that whoever noticed the
// loss knew of; when something happened since, or the chain has ended, nothing
// is done.
func (r *Requirement) EscalationLost(id string, seq int) {
	e := r.escalation(id)
	if e == nil || r.Seq != seq || e.State == EscalationOver || e.State == EscalationDue {
		return
	}
	e.State, e.Level, e.Round, e.Called, e.AcknowledgedBy = EscalationDue, 0, 0, nil, ""
}

// EscalationTold records that the chain knows that it has ended.
func (r *Requirement) EscalationTold(id string) {
	if e := r.escalation(id); e != nil {
		e.Told = true
	}
}

// Report is what a chain tells its requirement.
type Report struct {
	// ID of the escalation.
	ID string `json:"id"`
	// Kind is escalation_raised, escalation_acknowledged, escalation_alarm, or
	// refused for an acknowledgement that was not allowed.
	Kind  Kind `json:"kind"`
	Level int  `json:"level"`
	Round int  `json:"round"`
	// People who are called, or to be alarmed.
	People []string `json:"people,omitempty"`
	By     string   `json:"by,omitempty"`
	// Via is how whoever acknowledged was known; see [Header].
	Via string `json:"via,omitempty"`
	// Comment of who acknowledged.
	Comment string `json:"comment,omitempty"`
	// Lacks is why a level was called without regard to its calendar.
	Lacks *sla.Lack `json:"lacks,omitempty"`
}

// EscalationReported records what a chain did. Reports of a chain that has
// ended meanwhile are dropped: the requirement's word stands.
func (r *Requirement) EscalationReported(now time.Time, rep Report) {
	r.Tick(now)
	e := r.escalation(rep.ID)
	if e == nil || e.State == EscalationOver {
		return
	}
	if rep.Kind == ActRefused {
		r.Refuse(now, "acknowledge", rep.By, rep.Via, rep.Comment)
		return
	}
	defer r.actsAs(rep.By, rep.Via)()
	e.Level, e.Round = rep.Level, rep.Round
	if len(rep.People) > 0 {
		e.Called = rep.People
	}
	actor := SystemActor
	switch rep.Kind {
	case EscalationAcknowledged:
		e.State, e.AcknowledgedBy, actor = EscalationAcked, rep.By, rep.By
	case EscalationAlarm:
		e.State = EscalationAlarmed
	default:
		e.State, e.AcknowledgedBy = EscalationClimbs, ""
	}
	r.append(Event{At: now, Kind: rep.Kind, Actor: actor, Clock: e.Clock}, escalationFact{*e, rep.Comment, rep.Lacks}, rep.People)
}

// ChainOf returns the chain of an escalation as its rules have it.
func (r *Requirement) ChainOf(e Escalation) policy.Chain {
	c, _ := r.process.Chain(e.Chain)
	return c
}

func (r *Requirement) escalation(id string) *Escalation {
	i := slices.IndexFunc(r.Escalations, func(e Escalation) bool { return e.ID == id })
	if i < 0 {
		return nil
	}
	return &r.Escalations[i]
}

// escalationFact is what an event says about an escalation.
type escalationFact struct {
	Escalation
	// Comment of who acknowledged.
	Comment string `json:"comment,omitempty"`
	// Lacks is why the level was called without regard to its calendar.
	Lacks *sla.Lack `json:"lacks,omitempty"`
}
