package sla_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/sla"
)

func date(t *testing.T, text string) sla.Date {
	t.Helper()
	d, err := sla.ParseDate(text)
	require.NoError(t, err)
	return d
}

func TestDates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		day  time.Weekday
		nth  int
	}{
		{"1970-01-01", time.Thursday, 0},
		{"1969-12-31", time.Wednesday, -1},
		{"1970-01-05", time.Monday, 4},
		{"2000-02-29", time.Tuesday, 11016},
		{"2026-10-01", time.Thursday, 20727},
		{"1900-01-01", time.Monday, -25567},
	} {
		d := date(t, c.text)
		require.Equal(t, sla.Date(c.nth), d, c.text)
		require.Equal(t, c.day, d.Weekday(), c.text)
		require.Equal(t, c.text, d.String())
		at := time.Date(d.Year(), d.Month(), d.Day(), 23, 59, 59, 0, time.UTC)
		require.Equal(t, d, sla.DateOf(at, time.UTC))
		require.Equal(t, d+1, sla.DateOf(at, time.FixedZone("", 3600)), "a day is one of its zone's")
	}
	for _, none := range []string{"", "2026-2-3", "2026-02-30", "2023-02-29", "01.10.2026", "2026-10-01T00:00:00Z", " 2026-10-01", "20261001"} {
		_, err := sla.ParseDate(none)
		require.EqualError(t, err, fmt.Sprintf("%q is not a date: write it like 2026-10-01", none))
	}
}

func TestDays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-10-01": "2026-10-01", " 2026-10-01 国庆节 ": "2026-10-01 国庆节", "2026-10-01  National  Day": "2026-10-01 National  Day",
	} {
		d, err := sla.ParseDay(text)
		require.NoError(t, err)
		require.Equal(t, want, d.String())
		again, err := sla.ParseDay(d.String())
		require.NoError(t, err)
		require.Equal(t, d, again)
	}
	_, err := sla.ParseDay("国庆节 2026-10-01")
	require.EqualError(t, err, `"国庆节" is not a date: write it like 2026-10-01`)

	leap, err := sla.ParseYearDay("02-29 Leap day")
	require.NoError(t, err)
	require.Equal(t, sla.YearDay{Month: time.February, Day: 29, Name: "Leap day"}, leap)
	require.Equal(t, "02-29 Leap day", leap.String())
	for _, none := range []string{"", "2-29", "13-01", "02-30", "2026-12-25", "Christmas"} {
		_, err := sla.ParseYearDay(none)
		require.EqualError(t, err, fmt.Sprintf("%q is not a day of every year: write it like 12-25", none))
	}
}

func TestWindows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		want     sla.Window
		text     string
	}{
		{"09:00", "18:00", sla.Window{From: 540, To: 1080}, "09:00–18:00"},
		{"9:05", " 18:30", sla.Window{From: 545, To: 1110}, "09:05–18:30"},
		{"00:00", "24:00", sla.Window{From: 0, To: 1440}, "00:00–24:00"},
		{"18:00", "23:59", sla.Window{From: 1080, To: 1440}, "18:00–24:00"},
		{"22:00", "06:00", sla.Window{From: 1320, To: 1800}, "22:00–06:00"},
		{"22:00", "00:00", sla.Window{From: 1320, To: 1440}, "22:00–24:00"},
		{"09:00", "09:00", sla.Window{From: 540, To: 1980}, "09:00–09:00"},
		{"23:59", "24:00", sla.Window{From: 1439, To: 1440}, "23:59–24:00"},
	} {
		w, err := sla.NewWindow(c.from, c.to)
		require.NoError(t, err)
		require.Equal(t, c.want, w, "%s to %s", c.from, c.to)
		require.Equal(t, c.text, w.String())
	}
	for _, c := range []struct{ from, to, want string }{
		{"24:00", "06:00", `"24:00" is the end of a day, and nothing begins there: write 00:00`},
		{"09:60", "18:00", `"09:60" is not a time of day: it is 00:00 to 24:00`},
		{"09:00", "24:01", `"24:01" is not a time of day: it is 00:00 to 24:00`},
		{"9", "18:00", `"9" is not a time of day: write it like 09:00 or 18:30`},
		{"09:00", "6pm", `"6pm" is not a time of day: write it like 09:00 or 18:30`},
		{"09:00", "-1:00", `"-1:00" is not a time of day: write it like 09:00 or 18:30`},
		{"09:00:00", "18:00", `"09:00:00" is not a time of day: write it like 09:00 or 18:30`},
	} {
		_, err := sla.NewWindow(c.from, c.to)
		require.EqualError(t, err, c.want)
	}
}

func TestTimetablesThatAreNone(t *testing.T) {
	t.Parallel()
	const monday = `"hours":{"mon":[["09:00","17:00"]]}`
	for _, c := range []struct{ name, text, want string }{
		{"no hours", `{}`, "it has no open hour: name the hours of at least one day"},
		{"closed exceptions alone", `{"exceptions":{"2026-01-01":[]}}`, "it has no open hour: name the hours of at least one day"},
		{"make-up hours without a make-up day", `{"makeup_hours":[["09:00","17:00"]]}`, "it has no open hour: name the hours of at least one day"},
		{"a zone that is none", `{"timezone":"Asia/Beijing",` + monday + `}`, `no time zone "Asia/Beijing": write an IANA name like Asia/Shanghai or Europe/London`},
		{"a holiday at work", `{"holidays":["2026-01-05"],"working_days":["2026-01-05"],` + monday + `}`, "2026-01-05 is both a holiday and a make-up working day: keep one of them"},
		{"one time", `{"hours":{"mon":[["09:00"]]}}`, `["09:00"] is not a window: write two times of day like ["09:00","18:00"]`},
		{"an exception without a date", `{"exceptions":{"Monday":[]},` + monday + `}`, `"Monday" is not a date: write it like 2026-10-01`},
		{"a holiday without a date", `{"holidays":["Monday"],` + monday + `}`, `"Monday" is not a date: write it like 2026-10-01`},
		{"a number for a year-day", `{"recurring_holidays":["25-12"],` + monday + `}`, `"25-12" is not a day of every year: write it like 12-25`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var table sla.Timetable
			err := json.Unmarshal([]byte(c.text), &table)
			if err == nil {
				_, err = table.Calendar()
			}
			require.EqualError(t, err, c.want)
		})
	}
}

func TestKindsOfDays(t *testing.T) {
	t.Parallel()
	var table sla.Timetable
	require.NoError(t, json.Unmarshal([]byte(`{
		"name": "shop", "timezone": "Europe/London", "years": [2026],
		"hours": {"mon": [["13:00","17:00"],["09:00","12:00"]], "fri": [["22:00","06:00"]], "sun": [["22:00","23:59"]]},
		"exceptions": {"2026-03-03": [["10:00","11:00"]], "2026-03-09": [], "2026-03-16": [["09:00","10:00"]]},
		"breaks": {"2026-03-02": [["10:00","11:00"]], "2026-03-07": [["01:00","02:00"]]},
		"holidays": ["2026-03-14 Fair", "2026-03-16 Fair"], "recurring_holidays": ["03-23 Founders"],
		"working_days": ["2026-03-11 Fair", "2026-03-17"]}`), &table))
	cal, err := table.Calendar()
	require.NoError(t, err)
	for _, c := range []struct{ date, want string }{
		{"2026-03-02", "workday 09:00–10:00 11:00–12:00 13:00–17:00"},
		{"2026-03-03", "exception 10:00–11:00"},
		{"2026-03-04", "rest"},
		{"2026-03-06", "workday 22:00–00:00"},
		{"2026-03-07", "rest 00:00–01:00 02:00–06:00"},
		{"2026-03-08", "workday 22:00–00:00"},
		{"2026-03-09", "exception"},
		{"2026-03-11", "makeup Fair 09:00–12:00 13:00–17:00"},
		{"2026-03-13", "workday 22:00–00:00"},
		{"2026-03-14", "holiday Fair"},
		{"2026-03-16", "holiday Fair"},
		{"2026-03-17", "makeup 09:00–12:00 13:00–17:00"},
		{"2026-03-23", "holiday Founders"},
		{"2026-03-29", "workday 22:00–00:00"},
	} {
		day, err := cal.Day(date(t, c.date))
		require.NoError(t, err)
		got := string(day.Kind)
		if day.Name != "" {
			got += " " + day.Name
		}
		for _, w := range day.Windows {
			got += " " + w.From.In(cal.Location()).Format("15:04") + "–" + w.To.In(cal.Location()).Format("15:04")
		}
		require.Equal(t, c.want, got, c.date)
		works, err := cal.Works(date(t, c.date))
		require.NoError(t, err)
		begins := day.Kind != sla.Holiday && day.Kind != sla.RestDay && len(day.Windows) > 0
		require.Equal(t, begins, works, "%s: a day that only gets the end of a night is no working day", c.date)
	}
	for _, unknown := range []string{"2025-12-31", "2027-01-01"} {
		_, err := cal.Day(date(t, unknown))
		require.EqualError(t, err, fmt.Sprintf("calendar shop does not know the holidays of %s: add them with closeloop calendar import", unknown[:4]))
		_, err = cal.Works(date(t, unknown))
		var missing *sla.UnknownYearError
		require.ErrorAs(t, err, &missing)
		require.Equal(t, date(t, unknown).Year(), missing.Year)
	}
}

func TestMakeupHours(t *testing.T) {
	t.Parallel()
	night, err := sla.NewWindow("20:00", "22:00")
	require.NoError(t, err)
	short, err := sla.NewWindow("10:00", "11:00")
	require.NoError(t, err)
	saturday := sla.Day{Date: date(t, "2026-03-07")}
	for name, c := range map[string]struct {
		table sla.Timetable
		want  time.Duration
	}{
		"those of the first day that has any": {sla.Timetable{Hours: sla.Week{Wed: []sla.Window{night}, Fri: []sla.Window{short}}, WorkingDays: []sla.Day{saturday}}, 2 * time.Hour},
		"their own":                           {sla.Timetable{Hours: sla.Week{Wed: []sla.Window{night}}, MakeupHours: []sla.Window{short}, WorkingDays: []sla.Day{saturday}}, time.Hour},
		"nothing else":                        {sla.Timetable{MakeupHours: []sla.Window{short}, WorkingDays: []sla.Day{saturday}}, time.Hour},
	} {
		cal, err := c.table.Calendar()
		require.NoError(t, err)
		work, err := cal.Between(time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC))
		require.NoError(t, err)
		require.Equal(t, c.want, work, name)
	}
}

func TestObserveLeavesTheTimetableAsItIs(t *testing.T) {
	t.Parallel()
	own := sla.Timetable{Years: []int{2027}, Holidays: make([]sla.Day, 1, 10), WorkingDays: make([]sla.Day, 1, 10)}
	first := own.Observe(sla.HolidayYear{Year: 2026, Off: []sla.Day{{Name: "a"}}, Work: []sla.Day{{Name: "b"}}}, sla.HolidayYear{Year: 2027})
	second := own.Observe(sla.HolidayYear{Year: 2028, Off: []sla.Day{{Name: "c"}}, Work: []sla.Day{{Name: "d"}}})
	require.Equal(t, []int{2026, 2027}, first.Years)
	require.Equal(t, []int{2027, 2028}, second.Years)
	require.Equal(t, "a", first.Holidays[1].Name)
	require.Equal(t, "b", first.WorkingDays[1].Name)
	require.Equal(t, []int{2027}, own.Years)
	require.Len(t, own.Holidays, 1)
}

func TestShippedCalendars(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"24x7", "cn-office"}, sla.ShippedNames)
	require.Equal(t, []string{"cn"}, sla.ShippedSets())
	require.Empty(t, sla.ShippedHolidays("de"))
	_, err := sla.FindCalendar("office")
	require.EqualError(t, err, `no calendar "office": there is 24x7 and cn-office`)
	always, err := sla.FindCalendar(sla.AlwaysOpen)
	require.NoError(t, err)
	require.Same(t, sla.Always, always)

	cn, err := sla.FindCalendar(sla.ChineseOffice)
	require.NoError(t, err)
	require.Equal(t, []int{2024, 2025, 2026}, cn.Timetable().Years)
	// The working days of a year: two fewer since 2025, when there are two holidays
	// more.
	for year, want := range map[int]int{2024: 251, 2025: 248, 2026: 248} {
		n := 0
		for d := date(t, fmt.Sprintf("%d-01-01", year)); d.Year() == year; d++ {
			works, err := cn.Works(d)
			require.NoError(t, err)
			if works {
				n++
			}
		}
		require.Equal(t, want, n, year)
	}
}

// The years that ship are those that were published.
func TestShippedHolidaysArePublished(t *testing.T) {
	t.Parallel()
	for _, y := range sla.ShippedHolidays(sla.ChineseHolidays) {
		path := filepath.Join("..", "..", "shared", "data", "holiday-cn", fmt.Sprintf("%d.json", y.Year))
		data, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			t.Skipf("%s is not here", path)
		}
		require.NoError(t, err)
		var published struct {
			Papers []string
			Days   []struct {
				Name, Date string
				IsOffDay   bool
			}
		}
		require.NoError(t, json.Unmarshal(data, &published))
		want := sla.HolidayYear{Set: "cn", Year: y.Year, Source: y.Source}
		for _, d := range published.Days {
			day := sla.Day{Date: date(t, d.Date), Name: d.Name}
			if d.IsOffDay {
				want.Off = append(want.Off, day)
			} else {
				want.Work = append(want.Work, day)
			}
		}
		require.Equal(t, want, y)
		require.Contains(t, published.Papers, y.Source)
	}
}
