package policy

import (
	"fmt"
	"slices"
	"time"

	"closeloop/sla"
)

// CalendarNames returns the names of all calendars, the shipped ones first.
func (p *Policy) CalendarNames() []string {
	names := slices.Clone(sla.ShippedNames)
	for _, t := range p.Calendars {
		if t.Name != "" && !slices.Contains(names, t.Name) {
			names = append(names, t.Name)
		}
	}
	return names
}

// HolidaySets returns the names of all sets of holidays, the shipped ones first.
func (p *Policy) HolidaySets() []string {
	sets := sla.ShippedSets()
	for _, y := range p.Holidays {
		if y.Set != "" && !slices.Contains(sets, y.Set) {
			sets = append(sets, y.Set)
		}
	}
	return sets
}

// HolidayYears returns the years of a set of holidays that are known, in order.
func (p *Policy) HolidayYears(set string) []sla.HolidayYear {
	years := sla.ShippedHolidays(set)
	for _, y := range p.Holidays {
		if y.Set != set {
			continue
		}
		if i := slices.IndexFunc(years, func(known sla.HolidayYear) bool { return known.Year == y.Year }); i >= 0 {
			years[i] = y
		} else {
			years = append(years, y)
		}
	}
	slices.SortFunc(years, func(a, b sla.HolidayYear) int { return a.Year - b.Year })
	return years
}

// Timetable returns the calendar of that name with all the holidays that it
// observes. The error names the calendars there are.
func (p *Policy) Timetable(name string) (sla.Timetable, error) {
	i := slices.IndexFunc(p.Calendars, func(t sla.Timetable) bool { return t.Name == name })
	if i >= 0 {
		return p.observing(p.Calendars[i])
	}
	t, err := sla.Shipped(name)
	if err != nil {
		return t, fmt.Errorf("unknown calendar %q%s", name, instead(name, p.CalendarNames()))
	}
	return p.observing(t)
}

func (p *Policy) observing(t sla.Timetable) (sla.Timetable, error) {
	if t.HolidaysOf == "" {
		return t, nil
	}
	years := p.HolidayYears(t.HolidaysOf)
	if len(years) == 0 {
		return t, fmt.Errorf("unknown set of holidays %q%s", t.HolidaysOf, instead(t.HolidaysOf, p.HolidaySets()))
	}
	return t.Observe(years...), nil
}

// FindCalendar returns the calendar of that name. The error names the calendars there
// are, or says what is wrong with it.
func (p *Policy) FindCalendar(name string) (*sla.Calendar, error) {
	t, err := p.Timetable(name)
	if err != nil {
		return nil, err
	}
	cal, err := t.Calendar()
	if err != nil {
		return nil, fmt.Errorf("calendar %s: %w", name, err)
	}
	return cal, nil
}

// keepCalendars writes the calendars that the rules use into them, with every
// holiday that is known now: a requirement lives by what it was promised, and
// not by what a later release or file knows.
func (p *Policy) keepCalendars() {
	p.Process.Calendars = nil
	for _, name := range p.Process.calendarNames() {
		if t, err := p.Timetable(name); err == nil && name != sla.AlwaysOpen {
			p.Process.Calendars = append(p.Process.Calendars, t)
		}
	}
}

// calendarNames returns the calendars that the rules use, in their order.
func (p Process) calendarNames() []string {
	var names []string
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, c := range p.Clocks {
		add(c.Calendar)
	}
	for _, c := range p.Chains {
		for _, l := range c.Levels {
			add(l.Calendar)
		}
	}
	return names
}

// Calendar returns the calendar of that name as the rules keep it. It is made
// anew each time; keep it where it is asked often. A policy with an unknown
// calendar is not loaded, so an error means that the rules were tampered with.
func (p Process) Calendar(name string) (*sla.Calendar, error) {
	if name == sla.AlwaysOpen {
		return sla.Always, nil
	}
	for _, t := range p.Calendars {
		if t.Name == name {
			return t.Calendar()
		}
	}
	return nil, fmt.Errorf("the rules have no calendar %q", name)
}

// Expiring returns a warning for each calendar that the rules use and that does
// not know some day between now and so many days later, where the file first
// names it: a deadline that falls there cannot be computed.
func (p *Policy) Expiring(now time.Time, days int) []Problem {
	var soon []Problem
	for _, t := range p.Process.Calendars {
		cal, err := t.Calendar()
		if err != nil || len(t.Years) == 0 {
			continue
		}
		today := sla.DateOf(now, cal.Location())
		for date := today; date <= today+sla.Date(days); date++ {
			if year := date.Year(); !slices.Contains(t.Years, year) {
				where := p.uses[t.Name]
				where.Message = fmt.Sprintf("the calendar %s knows no holidays of %d, %s, so no deadline in it can be computed; %s",
					t.Name, year, begins(date-today), remedy(t, year, where.File))
				soon = append(soon, where)
				break
			}
		}
	}
	return soon
}

func begins(days sla.Date) string {
	switch days {
	case 0:
		return "which has begun"
	case 1:
		return "which begins tomorrow"
	default:
		return fmt.Sprintf("which begins in %d days", days)
	}
}

// remedy says how a calendar gets to know a year.
func remedy(t sla.Timetable, year int, file string) string {
	if t.HolidaysOf == "" {
		return fmt.Sprintf("add %d to its years, and its holidays", year)
	}
	return fmt.Sprintf("import them: closeloop calendar import FILE --set %s --year %d --into %s", t.HolidaysOf, year, file)
}
