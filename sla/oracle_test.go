package sla_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/sla"
)

// An almanac is a timetable as the oracle sees it: minutes of dates, and nothing
// of the code under test.
type almanac struct {
	zone       string
	week       [7][]minutesOfDay // Sunday first
	exceptions map[string][]minutesOfDay
	breaks     map[string][]minutesOfDay
	makeup     map[string]bool
	makeupHour []minutesOfDay
	holidays   map[string]bool
	recurring  map[string]bool // by month and day
}

// minutesOfDay run from one minute after midnight up to another, maybe of the
// next day.
type minutesOfDay struct{ from, to int }

func (m minutesOfDay) MarshalJSON() ([]byte, error) {
	end := m.to
	if end > 1440 {
		end -= 1440
	}
	return fmt.Appendf(nil, `["%02d:%02d","%02d:%02d"]`, m.from/60, m.from%60, end/60, end%60), nil
}

func keys(set map[string]bool) []string {
	list := []string{}
	for key := range set {
		list = append(list, key)
	}
	return list
}

// json is the almanac as a user writes it.
func (a almanac) json(t require.TestingT) []byte {
	week := map[string][]minutesOfDay{}
	for i, windows := range a.week {
		week[[]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}[i]] = windows
	}
	object := map[string]any{
		"timezone": a.zone, "hours": week, "exceptions": a.exceptions, "breaks": a.breaks,
		"holidays": keys(a.holidays), "recurring_holidays": keys(a.recurring), "remark": "unknown fields are ignored",
	}
	if len(a.makeup) > 0 {
		object["working_days"], object["makeup_hours"] = keys(a.makeup), a.makeupHour
	}
	text, err := json.Marshal(object)
	require.NoError(t, err)
	return text
}

func (a almanac) calendar(t require.TestingT) *sla.Calendar {
	var table sla.Timetable
	require.NoError(t, json.Unmarshal(a.json(t), &table))
	cal, err := table.Calendar()
	require.NoError(t, err)
	return cal
}

func (a almanac) off(day time.Time) bool {
	return a.holidays[day.Format(time.DateOnly)] || a.recurring[day.Format("01-02")]
}

func (a almanac) hours(day time.Time) []minutesOfDay {
	date := day.Format(time.DateOnly)
	if windows, ok := a.exceptions[date]; ok {
		return windows
	}
	if a.makeup[date] {
		return a.makeupHour
	}
	return a.week[day.Weekday()]
}

// open tells whether work is done at a minute that clocks show; wall is that
// time, written as if it were UTC.
func (a almanac) open(wall time.Time) bool {
	minute := wall.Hour()*60 + wall.Minute()
	today := wall.Add(-time.Duration(minute) * time.Minute)
	yesterday := today.AddDate(0, 0, -1)
	if a.off(today) {
		return false
	}
	covered := func(windows []minutesOfDay, m int) bool {
		for _, w := range windows {
			if w.from <= m && m < w.to {
				return true
			}
		}
		return false
	}
	if covered(a.breaks[today.Format(time.DateOnly)], minute) || covered(a.breaks[yesterday.Format(time.DateOnly)], minute+1440) {
		return false
	}
	return covered(a.hours(today), minute) || !a.off(yesterday) && covered(a.hours(yesterday), minute+1440)
}

// A diary is an almanac lived through, minute by minute.
type diary struct {
	begin   time.Time
	working []bool
}

// live walks through the minutes. When clocks are put back, what they have shown
// before has happened before: a bound is reached the first time.
func (a almanac) live(t require.TestingT, begin time.Time, days int) diary {
	loc, err := sla.FindZone(a.zone)
	require.NoError(t, err)
	d := diary{begin: begin}
	latest := time.Time{}
	const warmUp = 2 * 1440
	for i := -warmUp; i < days*1440; i++ {
		shown := begin.Add(time.Duration(i) * time.Minute).In(loc)
		y, m, day := shown.Date()
		wall := time.Date(y, m, day, shown.Hour(), shown.Minute(), 0, 0, time.UTC)
		if wall.After(latest) {
			latest = wall
		}
		if i >= 0 {
			d.working = append(d.working, a.open(latest))
		}
	}
	return d
}

func (d diary) at(i int) time.Time { return d.begin.Add(time.Duration(i) * time.Minute) }

// count returns the working minutes from one to another that no pause covers.
func (d diary) count(from, to int, pauses ...minutesOfDay) int {
	n := 0
	for i := from; i < to; i++ {
		if d.working[i] && !paused(i, pauses) {
			n++
		}
	}
	return n
}

func paused(i int, pauses []minutesOfDay) bool {
	for _, p := range pauses {
		if p.from <= i && i < p.to {
			return true
		}
	}
	return false
}

// after returns the minute at which so many have been worked; false when that is
// beyond the diary.
func (d diary) after(from, work int, pauses ...minutesOfDay) (int, bool) {
	for i := from; i < len(d.working); i++ {
		if !d.working[i] || paused(i, pauses) {
			continue
		}
		if work == 0 {
			return i, true
		}
		if work--; work == 0 {
			return i + 1, true
		}
	}
	return 0, false
}

// before returns the minute since which so many have been worked.
func (d diary) before(to, work int, pauses ...minutesOfDay) (int, bool) {
	for i := to - 1; i >= 0; i-- {
		if d.working[i] && !paused(i, pauses) {
			if work--; work == 0 {
				return i, true
			}
		}
	}
	return 0, false
}

// places are where and when clocks were changed.
var places = []struct {
	zone string
	date string
}{
	{"America/New_York", "2024-03-10"},
	{"America/New_York", "2024-11-03"},
	{"Europe/London", "2024-03-31"},
	{"Europe/London", "2024-10-27"},
	{"Australia/Lord_Howe", "2024-04-07"},
	{"Australia/Lord_Howe", "2024-10-06"},
	{"America/Sao_Paulo", "2018-02-18"},
	{"America/Sao_Paulo", "2018-11-04"},
	{"Asia/Beirut", "2022-03-27"},
	{"Asia/Beirut", "2022-10-30"},
	{"Africa/Casablanca", "2024-03-10"},
	{"Africa/Casablanca", "2024-04-14"},
	{"Pacific/Apia", "2011-12-30"},
	{"Pacific/Apia", "2011-09-24"},
	// Clocks went from one minute after midnight back to the day before.
	{"America/St_Johns", "2010-11-07"},
	{"America/St_Johns", "2011-03-13"},
	{"Europe/Paris", "2040-03-25"},
	{"Asia/Shanghai", "1991-09-15"},
	{"UTC", "2026-02-28"},
}

func drawWindows(t *rapid.T, most int) []minutesOfDay {
	n := rapid.IntRange(0, most).Draw(t, "windows")
	list := make([]minutesOfDay, n)
	for i := range list {
		from := rapid.IntRange(0, 95).Draw(t, "from") * 15
		length := rapid.IntRange(1, 96).Draw(t, "length") * 15
		list[i] = minutesOfDay{from, min(from+length, from+1440)}
	}
	return list
}

func drawAlmanac(t *rapid.T) (almanac, diary) {
	place := rapid.SampledFrom(places).Draw(t, "place")
	centre, err := time.Parse(time.DateOnly, place.date)
	require.NoError(t, err)
	a := almanac{
		zone: place.zone, exceptions: map[string][]minutesOfDay{}, breaks: map[string][]minutesOfDay{},
		makeup: map[string]bool{}, holidays: map[string]bool{}, recurring: map[string]bool{},
	}
	for i := range a.week {
		a.week[i] = drawWindows(t, 3)
	}
	a.week[1] = append(a.week[1], minutesOfDay{9 * 60, 18 * 60})
	a.makeupHour = []minutesOfDay{{600, 900}}
	for _, n := range rapid.SliceOfN(rapid.IntRange(-6, 8), 0, 6).Draw(t, "special") {
		day := centre.AddDate(0, 0, n)
		date := day.Format(time.DateOnly)
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			if !a.makeup[date] {
				a.holidays[date] = true
			}
		case 1:
			a.exceptions[date] = drawWindows(t, 2)
		case 2:
			a.breaks[date] = drawWindows(t, 2)
		case 3:
			if !a.holidays[date] {
				a.makeup[date] = true
			}
		default:
			a.recurring[day.Format("01-02")] = true
		}
	}
	return a, a.live(t, centre.AddDate(0, 0, -5), 11)
}

func TestCalendarAgreesWithTheOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, d := drawAlmanac(t)
		cal := a.calendar(t)
		last := len(d.working)
		x := rapid.IntRange(0, last-1).Draw(t, "x")
		y := rapid.IntRange(x, last).Draw(t, "y")
		work := rapid.IntRange(0, 3000).Draw(t, "work")

		between, err := cal.Between(d.at(x), d.at(y))
		require.NoError(t, err)
		require.Equal(t, d.count(x, y), int(between/time.Minute), "between %s and %s", d.at(x), d.at(y))
		working, err := cal.Working(d.at(x))
		require.NoError(t, err)
		require.Equal(t, d.working[x], working, "%s", d.at(x))
		if want, ok := d.after(x, work); ok {
			got, err := cal.Add(d.at(x), time.Duration(work)*time.Minute)
			require.NoError(t, err)
			require.Equal(t, d.at(want), got, "%s + %d", d.at(x), work)
		}
		if want, ok := d.before(x, work+1); ok {
			got, err := cal.Add(d.at(x), -time.Duration(work+1)*time.Minute)
			require.NoError(t, err)
			require.Equal(t, d.at(want), got, "%s - %d", d.at(x), work+1)
		}
	})
}
