package sla

import (
	"errors"
	"strconv"
	"time"
)

// IntervalKind says what became of a piece of a clock's time.
type IntervalKind string

// The kinds of intervals.
const (
	IntervalCounted IntervalKind = "counted"
	IntervalOutside IntervalKind = "outside_hours"
	IntervalHoliday IntervalKind = "holiday"
	IntervalPaused  IntervalKind = "paused"
	// IntervalUnknown counts nothing because nobody knows the holidays of its year.
	IntervalUnknown IntervalKind = "unknown"
)

// An Interval is a piece of a clock's time of which one thing can be said: row
// L7.
type Interval struct {
	Span
	Kind IntervalKind
	// Day is the kind of the date on which it begins, and Name what the date is
	// called: the holiday, the make-up day. The name of an unknown interval is its
	// year. Pauses have neither.
	Day  DayKind
	Name string
	// Pause is why a paused interval did not count.
	Pause *Pause
	// Work is the working time in it: what it counted, or what a pause took out.
	Work time.Duration
	// Overdue is set from the deadline on.
	Overdue bool
}

// Counted is the working time that the interval added to the clock.
func (i Interval) Counted() time.Duration {
	if i.Kind == IntervalCounted {
		return i.Work
	}
	return 0
}

// Cut divides the interval at an instant within it.
func (i Interval) Cut(cal *Calendar, at time.Time) (before, after Interval) {
	before, after = i, i
	before.To, after.From = at, at
	if i.Work > 0 {
		before.Work = cal.Counted(before.From, before.To)
		after.Work = i.Work - before.Work
	}
	return before, after
}

// Intervals cuts the clock's time into pieces that follow each other without a
// gap, from its start to its stop, or to now while it has none. A pause is one
// piece, as far as it counts ([Terms.MaxPause]); the rest is cut as the calendar
// is, and everything at the deadline. What they count adds up to
// [Clock.Elapsed], and reaches the target at the deadline. Time of which the
// calendar does not know whether work is done counts nothing.
func (c *Clock) Intervals(cal *Calendar, now time.Time) []Interval {
	end := now
	if c.StoppedAt != nil && c.StoppedAt.Before(now) {
		end = *c.StoppedAt
	}
	var list []Interval
	from := c.StartedAt
	for _, p := range c.holds(cal) {
		if !p.From.Before(end) {
			break
		}
		to := end
		if p.To != nil && p.To.Before(end) {
			to = *p.To
		}
		if !from.Before(to) || !p.From.Before(to) {
			continue
		}
		if from.Before(p.From) {
			list = append(list, cal.intervals(from, p.From)...)
			from = p.From
		}
		list = append(list, Interval{Span: Span{from, to}, Kind: IntervalPaused, Pause: &p, Work: cal.Counted(from, to)})
		from = to
	}
	list = append(list, cal.intervals(from, end)...)
	deadline, known := c.Deadline(cal)
	if !known {
		return list
	}
	list = CutAt(cal, list, deadline)
	for i := range list {
		list[i].Overdue = !list[i].From.Before(deadline)
	}
	return list
}

// CutAt divides those intervals that an instant is within.
func CutAt(cal *Calendar, list []Interval, at time.Time) []Interval {
	for i, piece := range list {
		if piece.From.Before(at) && at.Before(piece.To) {
			before, after := piece.Cut(cal, at)
			rest := append([]Interval{before, after}, list[i+1:]...)
			return append(list[:i:i], rest...)
		}
	}
	return list
}

// intervals cuts the time between two instants as the calendar is; years that it
// does not know are pieces of their own.
func (c *Calendar) intervals(from, to time.Time) []Interval {
	var list []Interval
	for from.Before(to) {
		stretches, err := c.Stretches(from, to)
		for _, s := range stretches {
			list = append(list, intervalOf(s))
			from = s.To
		}
		var unknown *UnknownYearError
		if !errors.As(err, &unknown) {
			break
		}
		end := instant(c.loc, dateOf(unknown.Year+1, time.January, 1), 0)
		if to.Before(end) {
			end = to
		}
		list = append(list, Interval{Span: Span{from, end}, Kind: IntervalUnknown, Name: strconv.Itoa(unknown.Year)})
		from = end
	}
	return list
}

func intervalOf(s Stretch) Interval {
	i := Interval{Span: s.Span, Kind: IntervalOutside, Day: s.Day}
	switch {
	case s.Open:
		i.Kind, i.Name, i.Work = IntervalCounted, s.Name, s.To.Sub(s.From)
	case s.Day == Holiday:
		i.Kind, i.Name = IntervalHoliday, s.Name
	}
	return i
}

// DueWithoutPauses returns when the target would have been used up without any pause, false
// when the calendar does not know.
func (c *Clock) DueWithoutPauses(cal *Calendar) (time.Time, bool) {
	at, err := c.due(cal)
	return at, err == nil
}
