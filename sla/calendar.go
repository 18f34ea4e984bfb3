package sla

import (
	"fmt"
	"time"
)

// AlwaysOpen is the name of the calendar on which every instant is working
// time.
const AlwaysOpen = "24x7"

// A Calendar tells working time from other time. All clock arithmetic goes
// through its three methods, so a clock never sees an opening hour.
//
// Today every calendar is open around the clock; [FindCalendar] refuses any
// other name rather than treat it as that.
type Calendar struct {
	// Name is what the policy calls the calendar.
	Name string `json:"name"`
}

// FindCalendar returns the calendar of that name. The error names the ones
// there are.
func FindCalendar(name string) (Calendar, error) {
	if name != AlwaysOpen {
		return Calendar{}, fmt.Errorf("no calendar %q: there is %s", name, AlwaysOpen)
	}
	return Calendar{Name: name}, nil
}

// Add returns the first instant at which the working time `work` has passed
// since t.
func (Calendar) Add(t time.Time, work time.Duration) time.Time { return t.Add(work) }

// AddDays returns the same clock time n working days after t.
func (Calendar) AddDays(t time.Time, n int) time.Time {
	return t.Add(time.Duration(n) * 24 * time.Hour)
}

// Between returns the working time from a to b, negative when b is before a.
func (Calendar) Between(a, b time.Time) time.Duration { return b.Sub(a) }

// Work returns the working time that d means when it starts at t.
func (c Calendar) Work(t time.Time, d Duration) time.Duration {
	if d.WorkingDays != 0 {
		return c.Between(t, c.AddDays(t, d.WorkingDays))
	}
	return d.Time
}
