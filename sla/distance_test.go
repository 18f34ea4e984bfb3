package sla_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/sla"
)

// piecewise measures in steps of less than a day, so that nothing is skipped.
func piecewise(t require.TestingT, cal *sla.Calendar, from, to time.Time) time.Duration {
	var sum time.Duration
	for from.Before(to) {
		next := from.Add(17*time.Hour + 13*time.Minute)
		if next.After(to) {
			next = to
		}
		work, err := cal.Between(from, next)
		require.NoError(t, err)
		sum, from = sum+work, next
	}
	return sum
}

func TestLongDistances(t *testing.T) {
	t.Parallel()
	cal := weekdays(t, "Europe/Paris", "09:00", "17:30", `,"recurring_holidays":["12-25","01-01"],"holidays":["2026-05-14"]`)
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.Int64Range(0, 10*366*24*60).Draw(t, "start")) * time.Minute)
		work := time.Duration(rapid.Int64Range(1, 3000*60).Draw(t, "work")) * time.Minute
		end, err := cal.Add(start, work)
		require.NoError(t, err)
		require.Equal(t, work, piecewise(t, cal, start, end))
		all, err := cal.Between(start, end)
		require.NoError(t, err)
		require.Equal(t, work, all)
		begin, err := cal.Add(start, -work)
		require.NoError(t, err)
		require.Equal(t, work, piecewise(t, cal, begin, start))
	})
}

// Whole windows end at their bounds, in both directions, and on the last day of
// what is remembered together as on any other.
func TestBoundsOfWindows(t *testing.T) {
	t.Parallel()
	cal := weekdays(t, "UTC", "09:00", "17:00", "")
	for day := at(t, "2024-01-01 00:00:00"); day.Year() == 2024; day = day.AddDate(0, 0, 1) {
		if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
			continue
		}
		opening, closing := day.Add(9*time.Hour), day.Add(17*time.Hour)
		for work, want := range map[time.Duration]time.Time{8 * time.Hour: closing, 0: opening, 4 * time.Hour: day.Add(13 * time.Hour)} {
			end, err := cal.Add(opening, work)
			require.NoError(t, err)
			require.Equal(t, want, end)
		}
		begin, err := cal.Add(closing, -8*time.Hour)
		require.NoError(t, err)
		require.Equal(t, opening, begin)
		week, err := cal.Add(day.Add(13*time.Hour), -260*8*time.Hour)
		require.NoError(t, err)
		require.Equal(t, day.AddDate(0, 0, -364).Add(13*time.Hour), week, "52 weeks before %s", day)
	}
}

func TestFarAwayInTime(t *testing.T) {
	t.Parallel()
	cal := weekdays(t, "Asia/Shanghai", "09:00", "17:00", "")
	long := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	far := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	opening := time.Date(1900, 1, 1, 9, 0, 0, 0, cal.Location()).UTC()
	closing := time.Date(2200, 12, 31, 17, 0, 0, 0, cal.Location()).UTC()

	next, err := cal.Next(long)
	require.NoError(t, err)
	require.Equal(t, opening, next)
	last, err := cal.Add(far, -time.Hour)
	require.NoError(t, err)
	require.Equal(t, closing.Add(-time.Hour), last)
	end, err := cal.Add(closing.Add(-time.Hour), time.Hour)
	require.NoError(t, err)
	require.Equal(t, closing, end)
	whole, err := cal.Between(opening, closing)
	require.NoError(t, err)
	require.Equal(t, whole, cal.Counted(long, far))

	for name, fail := range map[string]func() error{
		"beyond the end":   func() error { _, err := cal.Add(closing, 1); return err },
		"from beyond":      func() error { _, err := cal.Add(far, time.Hour); return err },
		"before the start": func() error { _, err := cal.Add(opening, -1); return err },
		"for ever":         func() error { _, err := cal.Add(opening, math.MaxInt64); return err },
		"ever since":       func() error { _, err := cal.Add(closing, math.MinInt64+1); return err },
		"measured beyond":  func() error { _, err := cal.Between(closing, far); return err },
		"days beyond":      func() error { _, err := cal.AddDays(closing, 1); return err },
		"a day beyond":     func() error { _, err := cal.Day(sla.DateOf(far, time.UTC)); return err },
	} {
		require.ErrorIs(t, fail(), sla.ErrNoMoreHours, name)
	}
	working, err := cal.Working(far)
	require.NoError(t, err)
	require.False(t, working)
}

// Exceptions far from each other are found, and after the last one nothing is.
func TestCalendarOfExceptionsAlone(t *testing.T) {
	t.Parallel()
	cal := calendarOf(t, `{"hours":{},"exceptions":{"2001-01-01":[["09:00","10:00"]],"2031-07-01":[["09:00","10:00"]]}}`)
	end, err := cal.Add(at(t, "2001-01-01 09:30:00"), time.Hour)
	require.NoError(t, err)
	require.Equal(t, at(t, "2031-07-01 09:30:00"), end)
	_, err = cal.Add(end, time.Hour)
	require.ErrorIs(t, err, sla.ErrNoMoreHours)
}

func TestUnknownYearsOnEitherSide(t *testing.T) {
	t.Parallel()
	cal, err := sla.FindCalendar(sla.ChineseOffice)
	require.NoError(t, err)
	inside := at(t, "2026-12-31 08:00:00") // 16:00 in Shanghai, two hours before closing
	end, err := cal.Add(inside, 2*time.Hour)
	require.NoError(t, err)
	require.Equal(t, at(t, "2026-12-31 10:00:00"), end)
	begin, err := cal.Add(at(t, "2024-01-02 01:30:00"), -30*time.Minute)
	require.NoError(t, err)
	require.Equal(t, at(t, "2024-01-02 01:00:00"), begin)
	for year, fail := range map[int]func() error{
		2027: func() error { _, err := cal.Add(inside, 2*time.Hour+1); return err },
		2023: func() error { _, err := cal.Add(at(t, "2024-01-02 01:30:00"), -time.Hour); return err },
		2028: func() error { _, err := cal.Working(at(t, "2028-02-01 02:00:00")); return err },
		2029: func() error {
			_, err := cal.Between(at(t, "2029-01-01 00:00:00"), at(t, "2029-02-01 00:00:00"))
			return err
		},
	} {
		var unknown *sla.UnknownYearError
		require.ErrorAs(t, fail(), &unknown)
		require.Equal(t, year, unknown.Year)
	}
	require.Equal(t, 2*time.Hour, cal.Counted(inside, at(t, "2027-03-01 00:00:00")), "as far as it is known")
}

// Hand-computed: real hours pass on days on which clocks change.
func TestDaysOnWhichClocksChange(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		zone, from, to string
		hours          string
		begin, end     string // instants of the window of the day
		work           time.Duration
	}{
		{"America/New_York", "00:00", "24:00", "2024-03-10", "2024-03-10 05:00:00", "2024-03-11 04:00:00", 23 * time.Hour},
		{"America/New_York", "00:00", "24:00", "2024-11-03", "2024-11-03 04:00:00", "2024-11-04 05:00:00", 25 * time.Hour},
		{"America/New_York", "01:00", "02:30", "2024-03-10", "2024-03-10 06:00:00", "2024-03-10 07:00:00", time.Hour},        // 02:30 is skipped: until the skip
		{"America/New_York", "02:15", "02:45", "2024-03-10", "", "", 0},                                                      // all of it is skipped
		{"America/New_York", "01:30", "02:00", "2024-11-03", "2024-11-03 05:30:00", "2024-11-03 07:00:00", 90 * time.Minute}, // from the first 01:30
		{"America/New_York", "01:00", "01:30", "2024-11-03", "2024-11-03 05:00:00", "2024-11-03 05:30:00", 30 * time.Minute}, // not once more
		{"Europe/London", "00:00", "24:00", "2024-03-31", "2024-03-31 00:00:00", "2024-03-31 23:00:00", 23 * time.Hour},
		{"Europe/London", "00:00", "24:00", "2024-10-27", "2024-10-26 23:00:00", "2024-10-28 00:00:00", 25 * time.Hour},
		{"Australia/Lord_Howe", "00:00", "24:00", "2024-10-06", "2024-10-05 13:30:00", "2024-10-06 13:00:00", 23*time.Hour + 30*time.Minute},
		{"Australia/Lord_Howe", "00:00", "24:00", "2024-04-07", "2024-04-06 13:00:00", "2024-04-07 13:30:00", 24*time.Hour + 30*time.Minute},
		{"America/Sao_Paulo", "00:00", "24:00", "2018-11-04", "2018-11-04 03:00:00", "2018-11-05 02:00:00", 23 * time.Hour}, // midnight itself is skipped
		{"America/Sao_Paulo", "22:00", "24:00", "2018-02-17", "2018-02-18 00:00:00", "2018-02-18 03:00:00", 3 * time.Hour},  // the last hour comes twice
		{"Asia/Beirut", "00:00", "24:00", "2022-03-27", "2022-03-26 22:00:00", "2022-03-27 21:00:00", 23 * time.Hour},
		{"Asia/Beirut", "23:00", "24:00", "2022-10-29", "2022-10-29 20:00:00", "2022-10-29 22:00:00", 2 * time.Hour},
		{"Africa/Casablanca", "00:00", "24:00", "2024-03-10", "2024-03-09 23:00:00", "2024-03-11 00:00:00", 25 * time.Hour}, // Ramadan begins
		{"Africa/Casablanca", "00:00", "24:00", "2024-04-14", "2024-04-14 00:00:00", "2024-04-14 23:00:00", 23 * time.Hour}, // and is over
		{"Pacific/Apia", "00:00", "24:00", "2011-12-30", "", "", 0},                                                         // a day that never was
		{"Pacific/Apia", "22:00", "06:00", "2011-12-29", "2011-12-30 08:00:00", "2011-12-30 10:00:00", 2 * time.Hour},       // into the day that never was
		{"America/St_Johns", "00:00", "24:00", "2010-11-07", "2010-11-07 02:30:00", "2010-11-08 03:30:00", 25 * time.Hour},  // back to the day before at 00:01
		{"Asia/Shanghai", "00:00", "24:00", "2024-03-10", "2024-03-09 16:00:00", "2024-03-10 16:00:00", 24 * time.Hour},
	} {
		t.Run(fmt.Sprintf("%s %s %s-%s", tc.zone, tc.hours, tc.from, tc.to), func(t *testing.T) {
			t.Parallel()
			cal := calendarOf(t, fmt.Sprintf(`{"timezone":%q,"hours":{},"exceptions":{%q:[[%q,%q]]}}`, tc.zone, tc.hours, tc.from, tc.to))
			date, err := sla.ParseDate(tc.hours)
			require.NoError(t, err)
			middle := time.Unix(int64(date)*86400, 0)
			work, err := cal.Between(middle.Add(-60*time.Hour), middle.Add(84*time.Hour))
			require.NoError(t, err)
			require.Equal(t, tc.work, work)
			next, err := cal.Next(middle.Add(-60 * time.Hour))
			if tc.work == 0 {
				require.ErrorIs(t, err, sla.ErrNoMoreHours)
				works, err := cal.Works(date)
				require.NoError(t, err)
				require.False(t, works && tc.zone == "Pacific/Apia")
				return
			}
			require.NoError(t, err)
			require.Equal(t, at(t, tc.begin), next)
			end, err := cal.Add(next, tc.work)
			require.NoError(t, err)
			require.Equal(t, at(t, tc.end), end)
		})
	}
}

// The time of day of a working day that clocks skip or show twice.
func TestWorkingDaysOverAClockChange(t *testing.T) {
	t.Parallel()
	cal := allDay(t, "Europe/London")
	for _, tc := range [][2]string{
		{"2024-03-30 01:30:15", "2024-03-31 01:00:00"}, // 01:30:15 is skipped
		{"2024-03-30 12:00:00", "2024-03-31 11:00:00"},
		{"2024-10-26 00:30:00", "2024-10-27 00:30:00"}, // the first 01:30
		{"2024-10-26 11:00:00", "2024-10-27 12:00:00"},
	} {
		got, err := cal.AddDays(at(t, tc[0]), 1)
		require.NoError(t, err)
		require.Equal(t, at(t, tc[1]), got)
	}
}

func TestNightsAndHolidays(t *testing.T) {
	t.Parallel()
	cal := calendarOf(t, `{"hours":{"thu":[["22:00","06:00"]],"fri":[["22:00","06:00"]]},"holidays":["2026-01-03"],"breaks":{"2026-01-02":[["01:00","02:00"]]}}`)
	work, err := cal.Between(at(t, "2026-01-01 00:00:00"), at(t, "2026-01-02 12:00:00"))
	require.NoError(t, err)
	require.Equal(t, 7*time.Hour, work, "a night but for the hour that clocks show on Friday")
	for target, want := range map[string]string{
		"1wd close": "2026-01-03 00:00:00", // the night ends where the holiday begins
		"2wd close": "2026-01-09 06:00:00",
	} {
		end, err := cal.After(at(t, "2026-01-01 12:00:00"), duration(t, target))
		require.NoError(t, err)
		require.Equal(t, at(t, want), end, target)
	}
}

func TestTimetableJSONGoesRound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, _ := drawAlmanac(t)
		var first, second sla.Timetable
		require.NoError(t, json.Unmarshal(a.json(t), &first))
		text, err := json.Marshal(first)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &second))
		again, err := json.Marshal(second)
		require.NoError(t, err)
		require.Equal(t, string(text), string(again))
	})
}
