package sla

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Timetable says when work is done: what a calendar is made from. It is plain
// data, kept with the requirements that live by it, so that holidays published
// later never move a deadline behind anybody's back. Rows L1 and L2.
//
// Its JSON form is that of `closeloop sla calc` and of the policy file.
type Timetable struct {
	Name string `json:"name,omitempty"`
	// Timezone is an IANA name; UTC when empty.
	Timezone string `json:"timezone,omitempty"`
	// HolidaysOf names a set of holidays that the calendar observes, such as `cn`.
	// [Timetable.Observe] adds them; by itself the name does nothing.
	HolidaysOf string `json:"holidays_of,omitempty"`
	// Hours are the windows of an ordinary week.
	Hours Week `json:"hours"`
	// Exceptions are dates with windows of their own instead.
	Exceptions []DatedWindows `json:"-"`
	// Breaks are windows of dates that are taken out of whatever holds there.
	Breaks []DatedWindows `json:"-"`
	// Holidays are dates on which no work is done, whatever else is said of them.
	Holidays          []Day     `json:"holidays,omitempty"`
	RecurringHolidays []YearDay `json:"recurring_holidays,omitempty"`
	// WorkingDays are make-up working days 调休: dates that have the windows of
	// MakeupHours although their day of the week may have none.
	WorkingDays []Day `json:"working_days,omitempty"`
	// MakeupHours are the windows of make-up working days; when empty, those of the
	// first day from Monday on that has any.
	MakeupHours []Window `json:"makeup_hours,omitempty"`
	// Years are those whose holidays are known. Dates of other years have no
	// answer: the calendar does not take them for plain weeks. Empty when there are
	// no holidays to be known beforehand.
	Years []int `json:"years,omitempty"`
}

// Week are the windows of the days of a week.
type Week struct {
	Mon []Window `json:"mon,omitempty"`
	Tue []Window `json:"tue,omitempty"`
	Wed []Window `json:"wed,omitempty"`
	Thu []Window `json:"thu,omitempty"`
	Fri []Window `json:"fri,omitempty"`
	Sat []Window `json:"sat,omitempty"`
	Sun []Window `json:"sun,omitempty"`
}

// Days returns the windows by day of the week, Monday first.
func (w Week) Days() [7][]Window { return [7][]Window{w.Mon, w.Tue, w.Wed, w.Thu, w.Fri, w.Sat, w.Sun} }

// On returns the windows of a day of the week.
func (w Week) On(day time.Weekday) []Window { return w.Days()[(int(day)+6)%7] }

// DatedWindows are windows of one date; none means closed.
type DatedWindows struct {
	Date    Date
	Windows []Window
}

// timetable has the fields of a Timetable but not its methods.
type timetable Timetable

// timetableJSON adds what is an object by date in JSON and a list in Go.
type timetableJSON struct {
	*timetable
	Exceptions datedWindows `json:"exceptions,omitempty"`
	Breaks     datedWindows `json:"breaks,omitempty"`
}

type datedWindows []DatedWindows

// MarshalJSON returns an object by date, in the order of the dates.
func (l datedWindows) MarshalJSON() ([]byte, error) {
	byDate := make(map[string][]Window, len(l))
	for _, d := range l {
		if byDate[d.Date.String()] = d.Windows; d.Windows == nil {
			byDate[d.Date.String()] = []Window{}
		}
	}
	return json.Marshal(byDate)
}

// UnmarshalJSON reads an object by date.
func (l *datedWindows) UnmarshalJSON(data []byte) error {
	var byDate map[string][]Window
	if err := json.Unmarshal(data, &byDate); err != nil {
		return err
	}
	*l = nil
	for text, windows := range byDate {
		date, err := ParseDate(text)
		if err != nil {
			return err
		}
		*l = append(*l, DatedWindows{Date: date, Windows: windows})
	}
	slices.SortFunc(*l, func(a, b DatedWindows) int { return int(a.Date - b.Date) })
	return nil
}

// MarshalJSON returns the form that the policy file has.
func (t Timetable) MarshalJSON() ([]byte, error) {
	plain := timetable(t)
	return json.Marshal(timetableJSON{&plain, t.Exceptions, t.Breaks})
}

// UnmarshalJSON reads the form that the policy file has; unknown fields are
// ignored.
func (t *Timetable) UnmarshalJSON(data []byte) error {
	var plain timetable
	form := timetableJSON{timetable: &plain}
	if err := json.Unmarshal(data, &form); err != nil {
		return err
	}
	*t = Timetable(plain)
	t.Exceptions, t.Breaks = form.Exceptions, form.Breaks
	return nil
}

// A HolidayYear is what one year of a set of holidays says, as the authorities
// publish it.
type HolidayYear struct {
	// Set is the name of the holidays, such as `cn`.
	Set  string `json:"set"`
	Year int    `json:"year"`
	// Source is where it was published.
	Source string `json:"source,omitempty"`
	// Off are the days off, Work the make-up working days 调休.
	Off  []Day `json:"off"`
	Work []Day `json:"work,omitempty"`
}

// Observe returns the timetable with the holidays and make-up days of those
// years, which are known from then on.
func (t Timetable) Observe(years ...HolidayYear) Timetable {
	t.Holidays, t.WorkingDays, t.Years = slices.Clone(t.Holidays), slices.Clone(t.WorkingDays), slices.Clone(t.Years)
	for _, y := range years {
		t.Holidays = append(t.Holidays, y.Off...)
		t.WorkingDays = append(t.WorkingDays, y.Work...)
		if !slices.Contains(t.Years, y.Year) {
			t.Years = append(t.Years, y.Year)
		}
	}
	slices.Sort(t.Years)
	return t
}

// makeup returns the windows of a make-up working day.
func (t Timetable) makeup() []Window {
	if len(t.MakeupHours) > 0 {
		return t.MakeupHours
	}
	for _, windows := range t.Hours.Days() {
		if len(windows) > 0 {
			return windows
		}
	}
	return nil
}

// check returns what makes the timetable no calendar.
func (t Timetable) check() error {
	open := len(t.WorkingDays) > 0 && len(t.MakeupHours) > 0
	for _, windows := range t.Hours.Days() {
		open = open || len(windows) > 0
	}
	for _, e := range t.Exceptions {
		open = open || len(e.Windows) > 0
	}
	if !open {
		return errors.New("it has no open hour: name the hours of at least one day")
	}
	off := make(map[Date]bool, len(t.Holidays))
	for _, d := range t.Holidays {
		off[d.Date] = true
	}
	for _, d := range t.WorkingDays {
		if off[d.Date] {
			return fmt.Errorf("%s is both a holiday and a make-up working day: keep one of them", d.Date)
		}
	}
	return nil
}
