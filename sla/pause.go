package sla

import (
	"math"
	"time"
)

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
