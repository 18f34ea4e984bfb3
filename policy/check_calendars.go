package policy

import (
	"fmt"
	"slices"
	"strings"

	"closeloop/sla"
)

// checkHolidays looks at the years of sets of holidays.
func (c *checker) checkHolidays() {
	c.once("the year", each(c.p.Holidays, func(y sla.HolidayYear) string {
		if y.Set == "" || y.Year == 0 {
			return ""
		}
		return fmt.Sprintf("%s %d", y.Set, y.Year)
	}), "put both into one", func(i int) []string { return at("holidays", i, "year") })
	for i, y := range c.p.Holidays {
		place := func(field string) func(int) []string {
			return func(j int) []string { return at("holidays", i, field, j) }
		}
		for _, list := range []struct {
			field string
			days  []sla.Day
		}{{"off", y.Off}, {"work", y.Work}} {
			where := place(list.field)
			c.oneDayOnce(list.days, where)
			for j, d := range list.days {
				if d != (sla.Day{}) && !c.excused(at("holidays", i, "year")) && y.Year != 0 && d.Date.Year() != y.Year {
					c.wrong(where(j), "%s is not in %d; write it under its own year", d.Date, y.Year)
				}
			}
		}
		c.noWorkOnHolidays(y.Off, place("off"), y.Work, place("work"))
		c.warnOfSkippedYears(i)
	}
}

// warnOfSkippedYears tells of years between this one and the one known before
// it: a mistyped year looks like that.
func (c *checker) warnOfSkippedYears(i int) {
	y := c.p.Holidays[i]
	before := 0
	for _, known := range c.p.HolidayYears(y.Set) {
		if known.Year < y.Year {
			before = known.Year
		}
	}
	if before > 0 && before < y.Year-1 {
		c.warn(at("holidays", i, "year"), "the holidays of %s are known for %d and %d and not between; no deadline can be computed there", y.Set, before, y.Year)
	}
}

// checkCalendars looks at each calendar.
func (c *checker) checkCalendars() {
	c.unique("the calendar", each(c.p.Calendars, func(t sla.Timetable) string { return t.Name }), func(i int) []string { return at("calendars", i, "name") })
	for i, t := range c.p.Calendars {
		c.checkZone(i)
		known := t.HolidaysOf == "" || len(c.p.HolidayYears(t.HolidaysOf)) > 0
		if !known && !c.unsure("holidays") {
			c.wrong(at("calendars", i, "holidays_of"), "unknown set of holidays %q%s", t.HolidaysOf, instead(t.HolidaysOf, c.p.HolidaySets()))
		}
		c.checkDays(i)
		c.checkWindows(i)
		c.checkYears(i)
	}
}

// familiarZones are names that people use and that the IANA does not have.
var familiarZones = map[string]string{
	"asia/beijing": "Asia/Shanghai", "beijing": "Asia/Shanghai", "china": "Asia/Shanghai", "utc+8": "Asia/Shanghai",
	"gmt+8": "Asia/Shanghai", "cst": "Asia/Shanghai",
}

func (c *checker) checkZone(i int) {
	name := c.p.Calendars[i].Timezone
	if _, err := sla.FindZone(name); err != nil {
		meant, ok := familiarZones[strings.ToLower(name)]
		if !ok {
			meant = closest(name, sla.ZoneNames())
		}
		text := err.Error()
		if meant != "" {
			text += fmt.Sprintf(" (did you mean %q?)", meant)
		}
		c.wrong(at("calendars", i, "timezone"), "%s", text)
	}
}

// oneDayOnce complains of dates that are twice in a list.
func (c *checker) oneDayOnce(days []sla.Day, location func(i int) []string) {
	dates := each(days, func(d sla.Day) string {
		if d == (sla.Day{}) {
			return ""
		}
		return d.Date.String()
	})
	c.noDoubles("the date", dates, location)
}

// noWorkOnHolidays complains of dates that are in both lists.
func (c *checker) noWorkOnHolidays(off []sla.Day, offAt func(int) []string, work []sla.Day, workAt func(int) []string) {
	for j, w := range work {
		i := slices.IndexFunc(off, func(o sla.Day) bool { return o.Date == w.Date && w != (sla.Day{}) })
		if i >= 0 {
			c.wrong(workAt(j), "%s is a holiday, in line %d, and cannot be a make-up working day as well; keep one of them", w.Date, c.line(offAt(i)))
		}
	}
}

// checkDays looks at the holidays and make-up days of a calendar.
func (c *checker) checkDays(i int) {
	t := c.p.Calendars[i]
	place := func(field string) func(int) []string {
		return func(j int) []string { return at("calendars", i, field, j) }
	}
	c.oneDayOnce(t.Holidays, place("holidays"))
	c.oneDayOnce(t.WorkingDays, place("working_days"))
	c.noDoubles("the day", each(t.RecurringHolidays, func(d sla.YearDay) string {
		if d == (sla.YearDay{}) {
			return ""
		}
		return fmt.Sprintf("%02d-%02d", d.Month, d.Day)
	}), place("recurring_holidays"))
	c.noWorkOnHolidays(t.Holidays, place("holidays"), t.WorkingDays, place("working_days"))
	for _, y := range c.p.HolidayYears(t.HolidaysOf) {
		for _, clash := range []struct {
			own    []sla.Day
			at     func(int) []string
			theirs []sla.Day
			what   string
		}{
			{t.WorkingDays, place("working_days"), y.Off, "a holiday"},
			{t.Holidays, place("holidays"), y.Work, "a make-up working day"},
		} {
			for j, d := range clash.own {
				if k := slices.IndexFunc(clash.theirs, func(o sla.Day) bool { return o.Date == d.Date }); k >= 0 {
					c.wrong(clash.at(j), "%s is %s of %s; a day cannot be both", clash.theirs[k], clash.what, t.HolidaysOf)
				}
			}
		}
	}
}

// checkWindows looks for a calendar without open hours, and for windows that
// overlap or never hold.
func (c *checker) checkWindows(i int) {
	t := c.p.Calendars[i]
	overlapping := func(windows []sla.Window, location []string) {
		for j, w := range windows {
			for k, other := range windows[:j] {
				if w.From < other.To && other.From < w.To {
					c.warn(append(location, fmt.Sprint(j)), "%s overlaps with %s in line %d; both count as one", w, other, c.line(append(slices.Clone(location), fmt.Sprint(k))))
					break
				}
			}
		}
	}
	observed := t.Observe(c.p.HolidayYears(t.HolidaysOf)...)
	open := len(t.MakeupHours) > 0 && len(observed.WorkingDays) > 0
	for d, windows := range t.Hours.Days() {
		open = open || len(windows) > 0
		overlapping(windows, at("calendars", i, "hours", weekdays[d]))
	}
	overlapping(t.MakeupHours, at("calendars", i, "makeup_hours"))
	for _, e := range t.Exceptions {
		open = open || len(e.Windows) > 0
		overlapping(e.Windows, at("calendars", i, "exceptions", e.Date))
		if slices.ContainsFunc(t.Holidays, func(h sla.Day) bool { return h.Date == e.Date }) {
			c.warn(at("calendars", i, "exceptions", e.Date), "%s is a holiday, and a holiday beats hours of its own", e.Date)
		}
	}
	if !open && !c.within(at("calendars", i)) {
		c.wrong(at("calendars", i, "hours"), "the calendar %s has no open hour; name the hours of at least one day", t.Name)
	}
}

// weekdays are the fields of a week, Monday first.
var weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// within reports whether something inside the place is known to be wrong.
func (c *checker) within(location []string) bool {
	around := pointer(location) + "/"
	for place := range c.faulty {
		if strings.HasPrefix(place, around) {
			return true
		}
	}
	return false
}

// checkYears looks for gaps in the years that a calendar knows.
func (c *checker) checkYears(i int) {
	t := c.p.Calendars[i]
	c.noDoubles("the year", each(t.Years, func(y int) string { return fmt.Sprint(y) }), func(j int) []string { return at("calendars", i, "years", j) })
	if len(t.Years) == 0 {
		return
	}
	years := t.Observe(c.p.HolidayYears(t.HolidaysOf)...).Years
	for j := 1; j < len(years); j++ {
		if years[j] > years[j-1]+1 {
			c.warn(at("calendars", i, "years"), "the calendar %s knows %d and %d and not between; no deadline can be computed there", t.Name, years[j-1], years[j])
		}
	}
}
