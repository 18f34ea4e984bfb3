package main

import (
	"time"

	"closeloop/requirement"
	"closeloop/sla"
)

// nextClock returns the clock whose deadline comes first.
func nextClock(v requirement.View) (requirement.ClockView, bool) {
	if v.NextDeadline == nil {
		return requirement.ClockView{}, false
	}
	for _, c := range v.Clocks {
		if c.StoppedAt == nil && c.Deadline != nil && c.Deadline.Equal(*v.NextDeadline) {
			return c, true
		}
	}
	return requirement.ClockView{}, false
}

// soon is the share of a target below which what is left is a warning.
const soon = 0.25

// left says what is left of a clock that has not been stopped, or by how much
// it is overdue.
func (a *app) left(s *screen, c requirement.ClockView) string {
	if c.Deadline == nil {
		return ""
	}
	rest := c.Deadline.Sub(a.now())
	text := a.text.Left(rest)
	switch {
	case rest < 0 || c.State == sla.Breached:
		return s.bad.Render(text)
	case rest.Seconds() < soon*c.TargetSeconds:
		return s.warn.Render(text)
	default:
		return s.good.Render(text)
	}
}

// remaining is left for a deadline of which nothing else is known.
func (a *app) remaining(s *screen, deadline *time.Time, breached bool) string {
	if deadline == nil {
		return ""
	}
	rest := deadline.Sub(a.now())
	text := a.text.Left(rest)
	switch {
	case rest < 0 || breached:
		return s.bad.Render(text)
	case rest < time.Hour:
		return s.warn.Render(text)
	default:
		return text
	}
}

// at words an instant.
func (a *app) at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return a.text.Time(t, a.zone)
}

func (a *app) atOrNone(t *time.Time) string {
	if t == nil {
		return ""
	}
	return a.at(*t)
}
