package holidays_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/holidays"
	"closeloop/sla"
)

// feed is an iCalendar feed of events, each given by its lines.
func feed(events ...string) string {
	lines := []string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "X-WR-CALNAME:Holidays"}
	for i, e := range events {
		lines = append(lines, "BEGIN:VEVENT", fmt.Sprintf("UID:%d", i), "DTSTAMP:20260101T000000Z")
		lines = append(lines, strings.Split(e, "\n")...)
		lines = append(lines, "END:VEVENT")
	}
	return strings.Join(append(lines, "END:VCALENDAR", ""), "\r\n")
}

// told is what was read, in one line.
func told(f holidays.Found) string {
	var parts []string
	for _, d := range f.Year.Off {
		parts = append(parts, d.String())
	}
	for _, d := range f.Year.Work {
		parts = append(parts, "work "+d.String())
	}
	for _, d := range f.Outside {
		parts = append(parts, "outside "+d.String())
	}
	if f.Timed > 0 {
		parts = append(parts, fmt.Sprintf("%d timed", f.Timed))
	}
	return strings.Join(parts, ", ")
}

func TestRead(t *testing.T) {
	t.Parallel()
	const cn = `{"year": 2027, "papers": ["https://example.com/notice"], "days": [
		{"name": "元旦", "date": "2027-01-01", "isOffDay": true}, {"name": "春节", "date": "2027-02-20", "isOffDay": false}]}`
	for _, c := range []struct {
		name, text string
		year       int
		want, err  string
	}{
		{"holiday-cn", cn, 0, "2027-01-01 元旦, work 2027-02-20 春节", ""},
		{"holiday-cn of the asked year", "\ufeff " + cn, 2027, "2027-01-01 元旦, work 2027-02-20 春节", ""},
		{"holiday-cn of another year", cn, 2026, "", "it is the year 2027 and not 2026"},
		{"a day of another year", strings.Replace(cn, "2027-02-20", "2028-02-20", 1), 0, "2027-01-01 元旦, outside 2028-02-20 春节", ""},
		{"no date", strings.Replace(cn, "2027-02-20", "20.2.2027", 1), 0, "", `days[1]: "20.2.2027" is not a date: write it like 2026-10-01`},
		{"not said whether off", strings.Replace(cn, `, "isOffDay": false`, "", 1), 0, "", "days[1]: 2027-02-20 does not say whether it is off: isOffDay is missing"},
		{"off and at work", strings.Replace(cn, "2027-02-20", "2027-01-01", 1), 0, "", "2027-01-01 is a day off and a working day in it"},
		{"JSON of something else", `{"a": 1}`, 0, "", `it is not JSON in the form of holiday-cn: it has no "days"`},
		{"half of a file", cn[:40], 0, "", "it is not JSON in the form of holiday-cn: unexpected end of JSON input"},
		{"no year", `{"days": [{"date": "2027-01-01", "isOffDay": true}]}`, 0, "", "it does not say its year: name it with --year"},
		{"no year but asked", `{"days": [{"date": "2027-01-01", "isOffDay": true}]}`, 2027, "2027-01-01", ""},
		{"nothing", " \n", 0, "", "it is empty"},
		{"a web page", "<html>", 0, "", "it is neither JSON in the form of holiday-cn nor an iCalendar feed"},
		{"not UTF-8", "{\xff", 0, "", "it is not UTF-8"},
		{"larger than any", strings.Repeat(" ", holidays.MaxBytes+1), 0, "", "it is larger than 4 MiB, which no calendar of holidays is"},

		{"one day", feed("DTSTART;VALUE=DATE:20270101\nSUMMARY:New Year's Day"), 0, "2027-01-01 New Year's Day", ""},
		{"several days", feed("DTSTART;VALUE=DATE:20271001\nDTEND;VALUE=DATE:20271004\nSUMMARY:国庆节"), 0, "2027-10-01 国庆节, 2027-10-02 国庆节, 2027-10-03 国庆节", ""},
		{"a duration", feed("DTSTART;VALUE=DATE:20271001\nDURATION:P2D\nSUMMARY:国庆节（休）"), 0, "2027-10-01 国庆节, 2027-10-02 国庆节", ""},
		{"no end", feed("DTSTART;VALUE=DATE:20271001\nDTEND;VALUE=DATE:20271001\nSUMMARY:x"), 0, "2027-10-01 x", ""},
		{
			"make-up days", feed("DTSTART;VALUE=DATE:20271001\nSUMMARY:国庆节", "DTSTART;VALUE=DATE:20271009\nSUMMARY:国庆节 补班", "DTSTART;VALUE=DATE:20270926\nSUMMARY:国庆节（班）", "DTSTART;VALUE=DATE:20270207\nSUMMARY:春节调休上班", "DTSTART;VALUE=DATE:20270220\nSUMMARY:Spring Festival (work day)"), 0,
			"2027-10-01 国庆节, work 2027-02-07 春节, work 2027-02-20 Spring Festival, work 2027-09-26 国庆节, work 2027-10-09 国庆节", "",
		},
		{"workers are no work", feed("DTSTART;VALUE=DATE:20270501\nSUMMARY:International Workers' Day"), 0, "2027-05-01 International Workers' Day", ""},
		{"special days of Apple", feed("DTSTART;VALUE=DATE:20271001\nSUMMARY:国庆节\nX-APPLE-SPECIAL-DAY:WORK-HOLIDAY", "DTSTART;VALUE=DATE:20271009\nSUMMARY:国庆节\nX-APPLE-SPECIAL-DAY:ALTERNATE-WORKDAY", "DTSTART;VALUE=DATE:20270214\nSUMMARY:情人节"), 0, "2027-10-01 国庆节, work 2027-10-09 国庆节", ""},
		{"every year", feed("DTSTART;VALUE=DATE:20001225\nRRULE:FREQ=YEARLY\nSUMMARY:Christmas"), 2027, "2027-12-25 Christmas", ""},
		{"every year, not asked", feed("DTSTART;VALUE=DATE:20001225\nRRULE:FREQ=YEARLY\nSUMMARY:Christmas"), 0, "", "it has days of every year: say with --year for which"},
		{"the fourth Thursday", feed("DTSTART;VALUE=DATE:20001123\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH\nSUMMARY:Thanksgiving"), 2027, "2027-11-25 Thanksgiving", ""},
		{"the last Monday", feed("DTSTART;VALUE=DATE:20000529\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO\nSUMMARY:Memorial Day"), 2027, "2027-05-31 Memorial Day", ""},
		{"over the turn of the year", feed("DTSTART;VALUE=DATE:20001231\nDTEND;VALUE=DATE:20010103\nRRULE:FREQ=YEARLY\nSUMMARY:Turn"), 2027, "2027-01-01 Turn, 2027-01-02 Turn, 2027-12-31 Turn", ""},
		{"a leap day", feed("DTSTART;VALUE=DATE:20200229\nRRULE:FREQ=YEARLY\nSUMMARY:Leap"), 2028, "2028-02-29 Leap", ""},
		{"no leap day", feed("DTSTART;VALUE=DATE:20200229\nRRULE:FREQ=YEARLY\nSUMMARY:Leap"), 2027, "", "it has no day off in 2027"},
		{"counted", feed("DTSTART;VALUE=DATE:20250101\nRRULE:FREQ=YEARLY;COUNT=3\nSUMMARY:Three"), 2027, "2027-01-01 Three", ""},
		{"counted out", feed("DTSTART;VALUE=DATE:20250101\nRRULE:FREQ=YEARLY;COUNT=2\nSUMMARY:Two"), 2027, "", "it has no day off in 2027"},
		{"until", feed("DTSTART;VALUE=DATE:20250101\nRRULE:FREQ=YEARLY;UNTIL=20261231\nSUMMARY:x"), 2027, "", "it has no day off in 2027"},
		{"every second year", feed("DTSTART;VALUE=DATE:20250101\nRRULE:FREQ=YEARLY;INTERVAL=2\nSUMMARY:x"), 2027, "2027-01-01 x", ""},
		{"but not then", feed("DTSTART;VALUE=DATE:20250101\nRRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20270101\nSUMMARY:x"), 2027, "", "it has no day off in 2027"},
		{"every month", feed("DTSTART;VALUE=DATE:20250101\nRRULE:FREQ=MONTHLY\nSUMMARY:Pay day"), 2027, "", `event 1 (Pay day): its rule "FREQ=MONTHLY": only FREQ=YEARLY is known here`},
		{"a rule beyond us", feed("DTSTART;VALUE=DATE:20250101\nRRULE:FREQ=YEARLY;BYEASTER=1\nSUMMARY:x"), 2027, "", `event 1 (x): its rule "FREQ=YEARLY;BYEASTER=1": BYEASTER is not known here`},
		{"appointments", feed("DTSTART:20270101T090000Z\nSUMMARY:Meeting", "DTSTART;VALUE=DATE:20270101\nSUMMARY:x"), 0, "2027-01-01 x, 1 timed", ""},
		{"cancelled", feed("DTSTART;VALUE=DATE:20270102\nSUMMARY:y\nSTATUS:CANCELLED", "DTSTART;VALUE=DATE:20270101\nSUMMARY:x"), 0, "2027-01-01 x", ""},
		{"two years", feed("DTSTART;VALUE=DATE:20270101\nSUMMARY:x", "DTSTART;VALUE=DATE:20260101\nSUMMARY:x"), 0, "", "it has the years 2026, 2027: say with --year which"},
		{"two years, one asked", feed("DTSTART;VALUE=DATE:20270101\nSUMMARY:x", "DTSTART;VALUE=DATE:20260101\nSUMMARY:x"), 2027, "2027-01-01 x, outside 2026-01-01 x", ""},
		{"two names of one day", feed("DTSTART;VALUE=DATE:20271001\nSUMMARY:国庆节", "DTSTART;VALUE=DATE:20271001\nSUMMARY:中秋节", "DTSTART;VALUE=DATE:20271001\nSUMMARY:国庆节"), 0, "2027-10-01 国庆节、中秋节", ""},
		{"a year that is not there", feed("DTSTART;VALUE=DATE:20270101\nSUMMARY:x"), 2028, "", "it has no day off in 2028; there is 2027"},
		{"an endless event", feed("DTSTART;VALUE=DATE:20270101\nDTEND;VALUE=DATE:20290101\nSUMMARY:x"), 2027, "", "event 1 (x): it lasts 731 days, which no holiday does"},
		{"an end before its beginning", feed("DTSTART;VALUE=DATE:20270102\nDTEND;VALUE=DATE:20270101\nSUMMARY:x"), 2027, "", "event 1 (x): it ends on 2027-01-01, before it begins on 2027-01-02"},
		{"hostile words", feed("DTSTART;VALUE=DATE:20270101\nSUMMARY:a\u202eb\u0007 " + strings.Repeat("x", 100)), 0, "2027-01-01 a b " + strings.Repeat("x", 56), ""},
		{"escapes", feed("DTSTART;VALUE=DATE:20270101\nSUMMARY:Peter\\, Paul\\; Mary"), 0, "2027-01-01 Peter, Paul; Mary", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, err := holidays.Read([]byte(c.text), c.year)
			if c.err != "" {
				require.EqualError(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, told(f))
		})
	}
}

func TestSource(t *testing.T) {
	t.Parallel()
	f, err := holidays.Read([]byte(feed("DTSTART;VALUE=DATE:20270101\nSUMMARY:x")), 0)
	require.NoError(t, err)
	require.Equal(t, "Holidays", f.Year.Source)
	require.Equal(t, 2027, f.Year.Year)
}

// What ships is what the importer makes of the published files.
func TestShippedYearsAreThePublishedOnes(t *testing.T) {
	t.Parallel()
	for _, y := range sla.ShippedHolidays(sla.ChineseHolidays) {
		path := filepath.Join("..", "..", "shared", "data", "holiday-cn", fmt.Sprintf("%d.json", y.Year))
		data, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			t.Skipf("%s is not here", path)
		}
		require.NoError(t, err)
		f, err := holidays.Read(data, y.Year)
		require.NoError(t, err)
		require.Empty(t, f.Outside)
		f.Year.Set, f.Year.Source = y.Set, y.Source
		require.Equal(t, y, f.Year)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"year": 2027, "papers": [], "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}`), 2027)
	f.Add([]byte(feed("DTSTART;VALUE=DATE:20001123\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=40\nEXDATE:20101125\nSUMMARY:Thanksgiving")), 2027)
	f.Add([]byte(feed("DTSTART;VALUE=DATE:20271001\nDURATION:P1W\nSUMMARY:国庆节（班）", "DTSTART:20270101T000000Z")), 0)
	f.Fuzz(func(t *testing.T, data []byte, year int) {
		found, err := holidays.Read(data, year)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		y := found.Year
		require.NotEmpty(t, y.Off)
		seen := map[sla.Date]bool{}
		for _, d := range append(append([]sla.Day{}, y.Off...), y.Work...) {
			require.Equal(t, y.Year, d.Date.Year())
			require.False(t, seen[d.Date], "%s is there once", d.Date)
			seen[d.Date] = true
		}
		// What was read is written and read again as it is.
		written, err := json.Marshal(y)
		require.NoError(t, err)
		var again sla.HolidayYear
		require.NoError(t, json.Unmarshal(written, &again))
		require.Equal(t, y, again)
	})
}
