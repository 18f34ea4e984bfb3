package sla

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// AlwaysOpen is the name of the calendar on which every instant is working
// time.
const AlwaysOpen = "24x7"

// A Calendar tells working time from other time. All clock arithmetic goes
// through its methods, so a clock never sees an opening hour. It is made from a
// [Timetable] and never changes; several goroutines may use one.
//
// Windows are half-open: the closing instant is no working time any longer, but
// a deadline that falls on it stays there. On days on which clocks change, the
// time that really passes counts.
//
// Methods fail with an [*UnknownYearError] when the answer depends on a year
// whose holidays the calendar does not know, and with [ErrNoMoreHours] when
// there is no working time left to go to.
type Calendar struct {
	table   Timetable
	loc     *time.Location
	always  bool
	special map[Date]special
	// spans remembers the windows of dates, which never change.
	spans sync.Map
}

// special is what a date has other than its day of the week.
type special struct {
	holiday, makeup, dated bool
	name                   string
	windows, breaks        []Window
}

// An UnknownYearError says that the holidays of a year are not known.
type UnknownYearError struct {
	Calendar string
	Year     int
}

// Error says what is missing and how to supply it.
func (e *UnknownYearError) Error() string {
	return fmt.Sprintf("calendar %s does not know the holidays of %d: add them with closeloop calendar import", e.Calendar, e.Year)
}

// ErrNoMoreHours says that a calendar has no open hour beyond its last
// exception.
var ErrNoMoreHours = errors.New("the calendar has no more open hours")

// emptyDays is how many days without an open hour are gone through before a
// search is given up: more than any holiday.
const emptyDays = 3 * 366

// Always is the calendar on which every instant is working time.
var Always = &Calendar{
	table: Timetable{Name: AlwaysOpen, Timezone: "UTC"}, loc: time.UTC, always: true,
}

// Calendar makes a calendar of the timetable. The error says what is wrong with
// it.
func (t Timetable) Calendar() (*Calendar, error) {
	if t.Name == AlwaysOpen {
		return Always, nil
	}
	loc, err := FindZone(t.Timezone)
	if err != nil {
		return nil, err
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	c := &Calendar{table: t, loc: loc, special: map[Date]special{}}
	change := func(date Date, with func(*special)) {
		s := c.special[date]
		with(&s)
		c.special[date] = s
	}
	for _, d := range t.WorkingDays {
		change(d.Date, func(s *special) { s.makeup, s.name, s.windows = true, d.Name, t.makeup() })
	}
	for _, e := range t.Exceptions {
		change(e.Date, func(s *special) { s.dated, s.windows = true, e.Windows })
	}
	for _, b := range t.Breaks {
		change(b.Date, func(s *special) { s.breaks = b.Windows })
	}
	for _, d := range t.Holidays {
		change(d.Date, func(s *special) { s.holiday, s.name = true, d.Name })
	}
	return c, nil
}

// Name is what the policy calls the calendar.
func (c *Calendar) Name() string { return c.table.Name }

// Timetable returns what the calendar was made from.
func (c *Calendar) Timetable() Timetable { return c.table }

// Location is the time zone of the calendar's clocks.
func (c *Calendar) Location() *time.Location { return c.loc }

// known returns an error when the holidays of the date's year are not known.
func (c *Calendar) known(date Date) error {
	if len(c.table.Years) == 0 {
		return nil
	}
	if year := date.Year(); !slices.Contains(c.table.Years, year) {
		return &UnknownYearError{Calendar: c.table.Name, Year: year}
	}
	return nil
}

// on returns what is special about a date.
func (c *Calendar) on(date Date) special {
	s := c.special[date]
	if s.holiday || len(c.table.RecurringHolidays) == 0 {
		return s
	}
	_, month, day := date.utc().Date()
	for _, r := range c.table.RecurringHolidays {
		if r.Month == month && r.Day == day {
			s.holiday, s.name = true, r.Name
		}
	}
	return s
}

// own returns the windows that belong to a date; they may run into the next.
func (c *Calendar) own(date Date) []Window {
	s := c.on(date)
	switch {
	case s.holiday:
		return nil
	case s.dated || s.makeup:
		return s.windows
	default:
		return c.table.Hours.On(date.Weekday())
	}
}

// A Span is a stretch of time, from From up to but without To.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// windows returns the working time of a date, in order: what begins on it, and
// what runs into it over midnight unless it is a holiday. Breaks are those that
// clocks show on the date.
func (c *Calendar) windows(date Date) ([]Span, error) {
	if err := c.known(date); err != nil {
		return nil, err
	}
	if spans, ok := c.spans.Load(date); ok {
		return spans.([]Span), nil
	}
	s, previous := c.on(date), date-1
	minutes := within(c.own(date), 0)
	// The day before may belong to a year that is not known; it then has only its
	// ordinary hours to run on from.
	if !s.holiday {
		minutes = append(minutes, within(c.own(previous), minutesPerDay)...)
	}
	minutes = without(merged(minutes), append(within(s.breaks, 0), within(c.on(previous).breaks, minutesPerDay)...))
	spans := make([]Span, 0, len(minutes))
	for _, w := range minutes {
		span := Span{instant(c.loc, date, w.From), instant(c.loc, date, w.To)}
		if span.From.Before(span.To) {
			spans = append(spans, span)
		}
	}
	c.spans.Store(date, spans)
	return spans, nil
}

// Works reports whether a date is a working day: one on which work begins.
func (c *Calendar) Works(date Date) (bool, error) {
	if c.always {
		return true, nil
	}
	if err := c.known(date); err != nil {
		return false, err
	}
	return len(without(merged(c.own(date)), c.on(date).breaks)) > 0, nil
}

// Working reports whether t is working time.
func (c *Calendar) Working(t time.Time) (bool, error) {
	if c.always {
		return true, nil
	}
	spans, err := c.windows(DateOf(t, c.loc))
	if err != nil {
		return false, err
	}
	for _, s := range spans {
		if !t.Before(s.From) && t.Before(s.To) {
			return true, nil
		}
	}
	return false, nil
}

// Next returns the first working instant that is not before t.
func (c *Calendar) Next(t time.Time) (time.Time, error) {
	if c.always {
		return t, nil
	}
	found := time.Time{}
	err := c.forward(t, func(s Span) bool {
		found = s.From
		return false
	})
	return found, err
}

// Add returns the first instant at which the working time `work` has passed
// since t; a negative one counts backwards. Closing time is as good as any
// other; no work at all ends at the next working instant.
func (c *Calendar) Add(t time.Time, work time.Duration) (time.Time, error) {
	if c.always {
		return t.Add(work), nil
	}
	if work == 0 {
		return c.Next(t)
	}
	found := time.Time{}
	if work < 0 {
		work = -work
		err := c.backward(t, func(s Span) bool {
			length := s.To.Sub(s.From)
			if work <= length {
				found = s.To.Add(-work)
				return false
			}
			work -= length
			return true
		})
		return found, err
	}
	err := c.forward(t, func(s Span) bool {
		length := s.To.Sub(s.From)
		if work <= length {
			found = s.From.Add(work)
			return false
		}
		work -= length
		return true
	})
	return found, err
}

// AddDays returns the time of day of t on the n-th working day after t's date,
// or before it when n is negative. That instant need not be working time.
func (c *Calendar) AddDays(t time.Time, n int) (time.Time, error) {
	if c.always {
		return t.Add(time.Duration(n) * 24 * time.Hour), nil
	}
	date, err := c.workday(DateOf(t, c.loc), n)
	if err != nil || n == 0 {
		return t, err
	}
	local := t.In(c.loc)
	hour, minute, second := local.Clock()
	rest := time.Duration(second)*time.Second + time.Duration(local.Nanosecond())
	return instant(c.loc, date, hour*60+minute).Add(rest), nil
}

// workday returns the n-th working day after the date, or before it when n is
// negative.
func (c *Calendar) workday(date Date, n int) (Date, error) {
	step := Date(1)
	if n < 0 {
		step, n = -1, -n
	}
	for idle := 0; n > 0; {
		date += step
		works, err := c.Works(date)
		switch {
		case err != nil:
			return 0, err
		case works:
			n, idle = n-1, 0
		default:
			if idle++; idle > emptyDays {
				return 0, ErrNoMoreHours
			}
		}
	}
	return date, nil
}

// closing returns the end of the working day that begins on the date.
func (c *Calendar) closing(date Date) (time.Time, error) {
	if c.always {
		return (date + 1).utc(), nil
	}
	if err := c.known(date); err != nil {
		return time.Time{}, err
	}
	windows := without(merged(c.own(date)), c.on(date).breaks)
	if len(windows) == 0 {
		return time.Time{}, ErrNoMoreHours
	}
	return instant(c.loc, date, windows[len(windows)-1].To), nil
}

// After returns when the duration ends that begins at t: [Calendar.Add] for an
// exact one, [Calendar.AddDays] for working days, and for days to their close
// the end of the last of them.
func (c *Calendar) After(t time.Time, d Duration) (time.Time, error) {
	switch {
	case d.WorkingDays == 0:
		return c.Add(t, d.Time)
	case !d.Close:
		return c.AddDays(t, d.WorkingDays)
	}
	date, err := DateOf(t, c.loc), error(nil)
	if c.always {
		date += Date(d.WorkingDays)
	} else if date, err = c.workday(date, d.WorkingDays); err != nil {
		return time.Time{}, err
	}
	return c.closing(date)
}

// Between returns the working time from a to b, negative when b is before a.
func (c *Calendar) Between(a, b time.Time) (time.Duration, error) {
	if b.Before(a) {
		work, err := c.Between(b, a)
		return -work, err
	}
	if c.always {
		return b.Sub(a), nil
	}
	last := DateOf(b, c.loc)
	for date := DateOf(a, c.loc); date <= last; date++ {
		if err := c.known(date); err != nil {
			return 0, err
		}
	}
	return c.Counted(a, b), nil
}

// Counted returns the working time from a to b as far as the calendar knows:
// days of a year whose holidays are not known count nothing. Use it where a
// figure is wanted in any case, and [Calendar.Between] where it must be right.
func (c *Calendar) Counted(a, b time.Time) time.Duration {
	if c.always || !a.Before(b) {
		return max(0, b.Sub(a))
	}
	var sum time.Duration
	last := DateOf(b, c.loc)
	for date := DateOf(a, c.loc); date <= last; date++ {
		spans, err := c.windows(date)
		if err != nil {
			continue
		}
		for _, s := range spans {
			if s, ok := s.part(a, b); ok {
				sum += s.To.Sub(s.From)
			}
		}
	}
	return sum
}

// part returns what of the span is between two instants; false when nothing is.
func (s Span) part(from, to time.Time) (Span, bool) {
	if s.From.Before(from) {
		s.From = from
	}
	if to.Before(s.To) {
		s.To = to
	}
	return s, s.From.Before(s.To)
}

// Work returns the working time that d means when it starts at t.
func (c *Calendar) Work(t time.Time, d Duration) (time.Duration, error) {
	if d.WorkingDays == 0 {
		return d.Time, nil
	}
	end, err := c.After(t, d)
	if err != nil {
		return 0, err
	}
	return c.Between(t, end)
}

// forward calls each with the working time from t on, window by window, until it
// returns false.
func (c *Calendar) forward(t time.Time, each func(Span) bool) error {
	idle := 0
	for date := DateOf(t, c.loc); ; date++ {
		spans, err := c.windows(date)
		if err != nil {
			return err
		}
		if idle++; len(spans) > 0 {
			idle = 0
		} else if idle > emptyDays {
			return ErrNoMoreHours
		}
		for _, s := range spans {
			if t.After(s.From) {
				s.From = t
			}
			if s.From.Before(s.To) && !each(s) {
				return nil
			}
		}
	}
}

// backward calls each with the working time before t, the latest window first,
// until it returns false.
func (c *Calendar) backward(t time.Time, each func(Span) bool) error {
	idle := 0
	for date := DateOf(t, c.loc); ; date-- {
		spans, err := c.windows(date)
		if err != nil {
			return err
		}
		if idle++; len(spans) > 0 {
			idle = 0
		} else if idle > emptyDays {
			return ErrNoMoreHours
		}
		for i := len(spans) - 1; i >= 0; i-- {
			s := spans[i]
			if t.Before(s.To) {
				s.To = t
			}
			if s.From.Before(s.To) && !each(s) {
				return nil
			}
		}
	}
}
