package sla

import (
	"fmt"
	"strings"
	"time"
)

// A Date is a day of the Gregorian calendar, as the number of days since 1
// January 1970. It has no time zone: a calendar says where its days begin.
type Date int

const dateLayout = "2006-01-02"

// DateOf returns the date that clocks in the location show at t.
func DateOf(t time.Time, loc *time.Location) Date {
	y, m, d := t.In(loc).Date()
	return dateOf(y, m, d)
}

func dateOf(y int, m time.Month, d int) Date {
	// Midnight UTC is a whole number of days, also before 1970.
	return Date(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay)
}

const secondsPerDay = 24 * 60 * 60

// ParseDate reads `2026-10-01`.
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(dateLayout, text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a date: write it like 2026-10-01", text)
	}
	return Date(t.Unix() / secondsPerDay), nil
}

func (d Date) utc() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// String returns `2026-10-01`.
func (d Date) String() string { return d.utc().Format(dateLayout) }

// Year returns the year.
func (d Date) Year() int { return d.utc().Year() }

// Month returns the month.
func (d Date) Month() time.Month { return d.utc().Month() }

// Day returns the day of the month.
func (d Date) Day() int { return d.utc().Day() }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday {
	// 1 January 1970 was a Thursday.
	return time.Weekday(((int(d)+int(time.Thursday))%7 + 7) % 7)
}

// MarshalText returns [Date.String].
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [ParseDate] reads.
func (d *Date) UnmarshalText(text []byte) error {
	parsed, err := ParseDate(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// A Day is a date with what it is called: `2026-10-01 国庆节`. The name may be
// missing.
type Day struct {
	Date Date
	Name string
}

// ParseDay reads a date and, after a space, its name.
func ParseDay(text string) (Day, error) {
	date, name, _ := strings.Cut(strings.TrimSpace(text), " ")
	d, err := ParseDate(date)
	if err != nil {
		return Day{}, err
	}
	return Day{Date: d, Name: strings.TrimSpace(name)}, nil
}

// String returns the text that [ParseDay] reads.
func (d Day) String() string { return strings.TrimSpace(d.Date.String() + " " + d.Name) }

// MarshalText returns [Day.String].
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [ParseDay] reads.
func (d *Day) UnmarshalText(text []byte) error {
	parsed, err := ParseDay(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// A YearDay is a day of every year with what it is called: `12-25 Christmas`.
type YearDay struct {
	Month time.Month
	Day   int
	Name  string
}

// ParseYearDay reads a month and day and, after a space, the name.
func ParseYearDay(text string) (YearDay, error) {
	day, name, _ := strings.Cut(strings.TrimSpace(text), " ")
	// A leap year, so that 29 February is a day.
	t, err := time.Parse(dateLayout, "2000-"+day)
	if err != nil {
		return YearDay{}, fmt.Errorf("%q is not a day of every year: write it like 12-25", day)
	}
	return YearDay{Month: t.Month(), Day: t.Day(), Name: strings.TrimSpace(name)}, nil
}

// String returns the text that [ParseYearDay] reads.
func (d YearDay) String() string {
	return strings.TrimSpace(fmt.Sprintf("%02d-%02d %s", d.Month, d.Day, d.Name))
}

// MarshalText returns [YearDay.String].
func (d YearDay) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [ParseYearDay] reads.
func (d *YearDay) UnmarshalText(text []byte) error {
	parsed, err := ParseYearDay(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
