package holidays

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"closeloop/sla"
)

// rule is a recurrence by years, the only one that holidays have: every n years
// on days of months.
type rule struct {
	interval, count int
	until           *sla.Date
	months          []time.Month
	monthDays       []int
	weekdays        []nthWeekday
}

// nthWeekday is a day of the week; n counts in its month from the start, or from
// the end when it is negative, and is zero for every one.
type nthWeekday struct {
	day time.Weekday
	n   int
}

var weekdayText = regexp.MustCompile(`^([+-]?[1-5])?(SU|MO|TU|WE|TH|FR|SA)$`)

var weekdays = []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

// parseRule reads the RRULE of an event.
func parseRule(text string) (*rule, error) {
	r := &rule{interval: 1}
	yearly := false
	for _, part := range strings.Split(text, ";") {
		name, value, _ := strings.Cut(part, "=")
		var err error
		switch strings.ToUpper(name) {
		case "FREQ":
			yearly = strings.EqualFold(value, "YEARLY")
		case "INTERVAL":
			r.interval, err = number(value, 1, 1000)
		case "COUNT":
			r.count, err = number(value, 1, 100_000)
		case "UNTIL":
			var last sla.Date
			last, err = day(value[:min(len(value), len(dateForm))])
			r.until = &last
		case "BYMONTH":
			for _, v := range strings.Split(value, ",") {
				var m int
				if m, err = number(v, 1, 12); err != nil {
					break
				}
				r.months = append(r.months, time.Month(m))
			}
		case "BYMONTHDAY":
			for _, v := range strings.Split(value, ",") {
				var d int
				if d, err = number(v, -31, 31); err != nil || d == 0 {
					err = fmt.Errorf("%q is no day of a month", v)
					break
				}
				r.monthDays = append(r.monthDays, d)
			}
		case "BYDAY":
			for _, v := range strings.Split(value, ",") {
				m := weekdayText.FindStringSubmatch(strings.ToUpper(v))
				if m == nil {
					err = fmt.Errorf("%q is no day of the week in a month", v)
					break
				}
				n, _ := strconv.Atoi(m[1])
				r.weekdays = append(r.weekdays, nthWeekday{time.Weekday(slices.Index(weekdays, m[2])), n})
			}
		case "WKST", "":
		default:
			err = fmt.Errorf("%s is not known here", name)
		}
		if err != nil {
			return nil, fmt.Errorf("its rule %q: %w", text, err)
		}
	}
	switch {
	case !yearly:
		return nil, fmt.Errorf("its rule %q: only FREQ=YEARLY is known here", text)
	case len(r.months) == 0 && len(r.monthDays)+len(r.weekdays) > 0:
		return nil, fmt.Errorf("its rule %q: BYMONTH is missing", text)
	}
	return r, nil
}

func number(text string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%q is not a number from %d to %d", text, least, most)
	}
	return n, nil
}

// in returns the dates of a year, for an event that begins on the date.
func (r *rule) in(begin sla.Date, year int) []sla.Date {
	if year < begin.Year() || (year-begin.Year())%r.interval != 0 {
		return nil
	}
	dates := r.year(begin, year)
	if r.count > 0 {
		before := 0
		for y := begin.Year(); y < year; y += r.interval {
			before += len(r.year(begin, y))
		}
		dates = dates[:max(0, min(len(dates), r.count-before))]
	}
	return slices.DeleteFunc(dates, func(d sla.Date) bool { return r.until != nil && d > *r.until })
}

// year returns the dates of a year, however often there were some before.
func (r *rule) year(begin sla.Date, year int) []sla.Date {
	months, monthDays := r.months, r.monthDays
	if len(months) == 0 {
		months = []time.Month{begin.Month()}
	}
	if len(monthDays) == 0 && len(r.weekdays) == 0 {
		monthDays = []int{begin.Day()}
	}
	var dates []sla.Date
	for month := time.January; month <= time.December; month++ {
		if !slices.Contains(months, month) {
			continue
		}
		last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
		for d := 1; d <= last; d++ {
			at := time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
			date := sla.DateOf(at, time.UTC)
			byMonthDay := len(monthDays) == 0 || slices.Contains(monthDays, d) || slices.Contains(monthDays, d-last-1)
			byWeekday := len(r.weekdays) == 0 || slices.ContainsFunc(r.weekdays, func(w nthWeekday) bool {
				return w.day == at.Weekday() && (w.n == 0 || w.n == (d+6)/7 || w.n == -((last-d)/7+1))
			})
			if byMonthDay && byWeekday && date >= begin {
				dates = append(dates, date)
			}
		}
	}
	return dates
}
