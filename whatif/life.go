package whatif

import (
	"time"

	"closeloop/requirement"
	"closeloop/sla"
)

// Life is what is on record of one requirement.
type Life struct {
	ID string
	// Events are those that a fold needs; see [requirement.FoldedKinds].
	Events []requirement.Event
	// Clocks as they really ran.
	Clocks []Ran
}

// Ran is a clock as it really ran.
type Ran struct {
	Clock      sla.Name
	Cycle      int
	State      sla.State
	Deadline   *time.Time
	StoppedAt  *time.Time
	BreachedAt *time.Time
}

// Verdict is what became of a promise.
type Verdict string

// The verdicts. A promise that a policy does not make has none.
const (
	None     Verdict = ""
	Met      Verdict = "met"
	Breached Verdict = "breached"
	Running  Verdict = "running" // open and not late, also while it is paused
	Stopped  Verdict = "stopped" // no longer asked for
	// Undated: the calendar does not know the deadline.
	Undated Verdict = "undated"
)

// Outcome is what became of a promise, by when it was due.
type Outcome struct {
	Verdict Verdict `json:"verdict"`
	// Deadline is nil when it is not known, as while a pause holds the clock.
	Deadline *time.Time `json:"deadline"`
	// LateSeconds is the time by the clock on the wall from the deadline to the end,
	// or until now; only for a breach.
	LateSeconds float64 `json:"late_seconds,omitempty"`
}

// judge says what became of a clock as it really ran. One whose deadline has
// passed is late, also when nobody has noticed yet.
func (c Ran) judge(at time.Time) Outcome {
	breached := c.BreachedAt
	if c.State == sla.Running && c.Deadline != nil && !c.Deadline.Add(sla.Tick).After(at) {
		breached = c.Deadline
	}
	known := c.Deadline != nil || c.State == sla.Paused
	return outcome(c.State, known, c.Deadline, breached, c.StoppedAt, at)
}

// judged says what became of a clock that was folded up to the instant at.
func judged(k requirement.Reckoning, c *sla.Clock, at time.Time) Outcome {
	var deadline *time.Time
	if d, known := k.Deadline(c); known {
		deadline = &d
	}
	return outcome(c.State(), k.Dated(c), deadline, c.BreachedAt, c.StoppedAt, at)
}

func outcome(state sla.State, dated bool, deadline, breached, stopped *time.Time, at time.Time) Outcome {
	o := Outcome{Verdict: Running, Deadline: deadline}
	switch {
	case breached != nil:
		if stopped != nil {
			at = *stopped
		}
		o.Verdict, o.LateSeconds = Breached, at.Sub(*breached).Seconds()
	case state == sla.Stopped:
		o.Verdict = Stopped
	case !dated:
		o.Verdict = Undated
	case stopped != nil:
		o.Verdict = Met
	}
	return o
}
