package sla

import (
	"errors"
	"time"
)

// Figures are what a calendar makes of the facts of a clock.
type Figures struct {
	// Deadline is nil when it was not known: a pause held the clock before it.
	Deadline *time.Time `json:"deadline,omitempty"`
	// Target and Elapsed are working time, in nanoseconds in JSON.
	Target  time.Duration `json:"target"`
	Elapsed time.Duration `json:"elapsed"`
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
