package sla

import (
	"fmt"
	"slices"
	"sync/atomic"
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
// there is no working time left to go to: a calendar reaches from [FirstYear] to
// [LastYear].
type Calendar struct {
	table  Timetable
	loc    *time.Location
	always bool
	// week are the windows of the days of a week, Sunday first.
	week    [7][]Window
	special map[Date]special
	yearly  map[yearDay]string
	// blocks remember the working time of dates, which never changes.
	blocks [chapters]atomic.Pointer[chapter]
}

type yearDay struct {
	month time.Month
	day   int
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
	name := "calendar " + e.Calendar
	if e.Calendar == "" {
		name = "the calendar"
	}
	return fmt.Sprintf("%s does not know the holidays of %d: add them with closeloop calendar import", name, e.Year)
}

// The years that calendars reach over. Beyond them there is no working time, so
// that no date and no target, however absurd, keeps anybody waiting.
const (
	FirstYear = 1900
	LastYear  = 2200
)

// ErrNoMoreHours says that a calendar has no open hour left to go to.
var ErrNoMoreHours = fmt.Errorf("the calendar has no more open hours: it ends with its last exception, or with the years %d to %d", FirstYear, LastYear)

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
	c := &Calendar{table: t, loc: loc, special: make(map[Date]special, len(t.Holidays)+len(t.WorkingDays))}
	for i, windows := range t.Hours.Days() {
		c.week[(i+1)%7] = merged(windows)
	}
	change := func(date Date, with func(*special)) {
		s := c.special[date]
		with(&s)
		c.special[date] = s
	}
	makeup := merged(t.makeup())
	for _, d := range t.WorkingDays {
		change(d.Date, func(s *special) { s.makeup, s.name, s.windows = true, d.Name, makeup })
	}
	for _, e := range t.Exceptions {
		change(e.Date, func(s *special) { s.dated, s.windows = true, merged(e.Windows) })
	}
	for _, b := range t.Breaks {
		change(b.Date, func(s *special) { s.breaks = merged(b.Windows) })
	}
	for _, d := range t.Holidays {
		change(d.Date, func(s *special) { s.holiday, s.name = true, d.Name })
	}
	if len(t.RecurringHolidays) > 0 {
		c.yearly = make(map[yearDay]string, len(t.RecurringHolidays))
		for _, d := range t.RecurringHolidays {
			c.yearly[yearDay{d.Month, d.Day}] = d.Name
		}
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
	if s.holiday || len(c.yearly) == 0 {
		return s
	}
	_, month, day := date.utc().Date()
	if name, ok := c.yearly[yearDay{month, day}]; ok {
		s.holiday, s.name = true, name
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
		return c.week[date.Weekday()]
	}
}

// minutes returns the working time of a date, in order: what begins on it, and
// what runs into it over midnight unless it is a holiday. Breaks are those that
// clocks show on the date.
func (c *Calendar) minutes(date Date) []Window {
	s, previous := c.on(date), c.on(date-1)
	all := within(c.own(date), 0)
	// The day before may belong to a year that is not known; it then has only its
	// ordinary hours to run on from.
	if !s.holiday {
		all = append(all, within(c.own(date-1), minutesPerDay)...)
	}
	return without(merged(all), append(within(s.breaks, 0), within(previous.breaks, minutesPerDay)...))
}

// begun returns what is left of the windows that belong to a date; they may run
// into the next.
func (c *Calendar) begun(date Date) []Window {
	next := c.on(date + 1)
	cuts := append(within(c.on(date-1).breaks, minutesPerDay), c.on(date).breaks...)
	for _, b := range next.breaks {
		cuts = append(cuts, Window{b.From + minutesPerDay, b.To + minutesPerDay})
	}
	if next.holiday {
		cuts = append(cuts, Window{minutesPerDay, 2 * minutesPerDay})
	}
	return without(c.own(date), cuts)
}
