package sla

import "time"

// DayKind is what a date is in a calendar.
type DayKind string

// The kinds of days.
const (
	Workday   DayKind = "workday"   // an ordinary day of the week with hours
	RestDay   DayKind = "rest"      // an ordinary day of the week without
	Holiday   DayKind = "holiday"   // no work, whatever else is said of the date
	MakeupDay DayKind = "makeup"    // a make-up working day 调休
	Exception DayKind = "exception" // a date with hours of its own
)

// CalendarDay is a date as a calendar sees it.
type CalendarDay struct {
	Date Date    `json:"date"`
	Kind DayKind `json:"kind"`
	// Name of the holiday or make-up day; empty when it has none.
	Name string `json:"name,omitempty"`
	// Windows is the working time on the date, with what runs into it from the day
	// before.
	Windows []Span `json:"windows"`
}

// A Span is a stretch of time, from From up to but without To.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
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

// Day returns what the calendar says of a date.
func (c *Calendar) Day(date Date) (CalendarDay, error) {
	if c.always {
		return CalendarDay{Date: date, Kind: Workday, Windows: []Span{{date.utc(), (date + 1).utc()}}}, nil
	}
	b, n := c.place(date)
	if b == nil {
		return CalendarDay{}, ErrNoMoreHours
	}
	if b.unknown&(1<<n) != 0 {
		return CalendarDay{}, c.known(date)
	}
	windows := make([]Span, 0, 4)
	for _, s := range b.spans[b.first[n]:b.first[n+1]] {
		windows = append(windows, Span{moment(s.from), moment(s.to)})
	}
	s := c.on(date)
	day := CalendarDay{Date: date, Kind: Workday, Name: s.name, Windows: windows}
	switch {
	case s.holiday:
		day.Kind = Holiday
	case s.dated:
		day.Kind = Exception
	case s.makeup:
		day.Kind = MakeupDay
	case len(c.own(date)) == 0:
		day.Kind = RestDay
	}
	return day, nil
}

// A Stretch is a piece of time that is of one kind in a calendar.
type Stretch struct {
	Span
	// Open is set for working time.
	Open bool
	// Day is the kind of the date, and Name what it is called.
	Day  DayKind
	Name string
}

// Stretches cuts the time between two instants where working time begins and
// ends, and at the borders of holidays. Neighbours always differ.
func (c *Calendar) Stretches(from, to time.Time) ([]Stretch, error) {
	if !from.Before(to) {
		return nil, nil
	}
	if c.always {
		return []Stretch{{Span: Span{from, to}, Open: true, Day: Workday}}, nil
	}
	var list []Stretch
	add := func(s Stretch) {
		part, ok := s.part(from, to)
		if !ok {
			return
		}
		s.Span = part
		if n := len(list); n > 0 && s.continues(list[n-1]) {
			list[n-1].To = s.To
			return
		}
		list = append(list, s)
	}
	for date, last := c.date(from), c.date(to); date <= last; date++ {
		day, err := c.Day(date)
		if err != nil {
			return list, err
		}
		at := instant(c.loc, date, 0)
		for _, w := range day.Windows {
			add(Stretch{Span: Span{at, w.From}, Day: day.Kind, Name: day.Name})
			add(Stretch{Span: w, Open: true, Day: day.Kind, Name: day.Name})
			at = w.To
		}
		add(Stretch{Span: Span{at, instant(c.loc, date+1, 0)}, Day: day.Kind, Name: day.Name})
	}
	return list, nil
}

// continues reports whether s is more of the stretch before it.
func (s Stretch) continues(before Stretch) bool {
	if !before.To.Equal(s.From) || s.Open != before.Open {
		return false
	}
	if s.Open {
		return s.Name == before.Name
	}
	// Nights and weekends are of one kind; a holiday is called by its name.
	return (s.Day == Holiday) == (before.Day == Holiday) && (s.Day != Holiday || s.Name == before.Name)
}
