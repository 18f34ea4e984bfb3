package sla

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
)

// ChineseOffice is the name of the shipped calendar of an office in mainland
// China: Monday to Friday from 09:00 to 12:00 and 13:00 to 18:00, the public
// holidays and the make-up working days 调休 of the State Council's notices.
const ChineseOffice = "cn-office"

// ChineseHolidays is the name of the shipped set of Chinese public holidays.
const ChineseHolidays = "cn"

// Each year of each set is a file of its own: the next one is added without a
// change to the others.
//
//go:embed holidays/*.json
var holidayFiles embed.FS

var shippedHolidays = sync.OnceValue(func() []HolidayYear {
	files, err := holidayFiles.ReadDir("holidays")
	if err != nil {
		panic("closeloop: " + err.Error())
	}
	years := make([]HolidayYear, len(files))
	for i, f := range files {
		content, err := holidayFiles.ReadFile(path.Join("holidays", f.Name()))
		if err == nil {
			err = json.Unmarshal(content, &years[i])
		}
		if err != nil {
			// They are part of the program and tested with it.
			panic(fmt.Sprintf("closeloop: holidays %s: %v", f.Name(), err))
		}
	}
	return years
})

// ShippedHolidays returns the years of a shipped set of holidays, in order; none
// when there is no such set.
func ShippedHolidays(set string) []HolidayYear {
	var years []HolidayYear
	for _, y := range shippedHolidays() {
		if y.Set == set {
			years = append(years, y)
		}
	}
	return years
}

// ShippedSets returns the names of the shipped sets of holidays.
func ShippedSets() []string {
	var sets []string
	for _, y := range shippedHolidays() {
		if !slices.Contains(sets, y.Set) {
			sets = append(sets, y.Set)
		}
	}
	return sets
}

// ShippedNames are the names of the calendars that come with the program.
var ShippedNames = []string{AlwaysOpen, ChineseOffice}

var officeHours = []Window{{From: 9 * 60, To: 12 * 60}, {From: 13 * 60, To: 18 * 60}}

// Shipped returns the timetable of a calendar that comes with the program. It
// observes no holidays yet: see [Timetable.Observe] and [ShippedHolidays]. The
// error names the calendars there are.
func Shipped(name string) (Timetable, error) {
	switch name {
	case AlwaysOpen:
		return Always.Timetable(), nil
	case ChineseOffice:
		return Timetable{
			Name: ChineseOffice, Timezone: "Asia/Shanghai", HolidaysOf: ChineseHolidays,
			Hours: Week{Mon: officeHours, Tue: officeHours, Wed: officeHours, Thu: officeHours, Fri: officeHours},
		}, nil
	}
	return Timetable{}, fmt.Errorf("no calendar %q: there is %s", name, strings.Join(ShippedNames, " and "))
}

// FindCalendar returns a calendar that comes with the program, with the holidays
// that do. The error names the ones there are.
func FindCalendar(name string) (*Calendar, error) {
	t, err := Shipped(name)
	if err != nil {
		return nil, err
	}
	return t.Observe(ShippedHolidays(t.HolidaysOf)...).Calendar()
}
