package sla_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/sla"
)

var shanghai = time.FixedZone("", 8*60*60)

// china is an instant of 2026 as clocks in China show it.
func china(month time.Month, day, hour, minute int) time.Time {
	return time.Date(2026, month, day, hour, minute, 0, 0, shanghai)
}

func chineseOffice(t require.TestingT) *sla.Calendar {
	cal, err := sla.FindCalendar(sla.ChineseOffice)
	require.NoError(t, err)
	return cal
}

// lines puts intervals on lines: when, what, working time.
func lines(list []sla.Interval) []string {
	var texts []string
	for _, i := range list {
		text := fmt.Sprintf("%s %s %s %s", i.From.In(shanghai).Format("01-02 15:04"), i.To.In(shanghai).Format("01-02 15:04"), i.Kind, i.Work)
		if i.Name != "" {
			text += " " + i.Name
		}
		if i.Pause != nil {
			text += " " + i.Pause.Reason
		}
		if i.Overdue {
			text += " overdue"
		}
		texts = append(texts, text)
	}
	return texts
}

// TestIntervalsOverTheNationalDay: forty hours that cross two holidays, a make-up
// Saturday and two pauses; every figure is counted by hand.
func TestIntervalsOverTheNationalDay(t *testing.T) {
	t.Parallel()
	cal := chineseOffice(t)
	c := sla.Start(sla.Resolution, 1, sla.Terms{Target: sla.Exactly(40 * time.Hour), Calendar: sla.ChineseOffice}, china(9, 24, 16, 0))
	c.Pause(china(9, 28, 11, 0), "wu.lei", "log", true)
	c.Resume(china(9, 29, 10, 0))
	c.Pause(china(10, 9, 15, 0), "wu.lei", "window", true)
	c.Resume(china(10, 10, 10, 0))
	c.Advance(cal, china(10, 12, 11, 30))
	require.Equal(t, []string{
		"09-24 16:00 09-24 18:00 counted 2h0m0s",
		"09-24 18:00 09-25 00:00 outside_hours 0s",
		"09-25 00:00 09-28 00:00 holiday 0s 中秋节",
		"09-28 00:00 09-28 09:00 outside_hours 0s",
		"09-28 09:00 09-28 11:00 counted 2h0m0s",
		"09-28 11:00 09-29 10:00 paused 7h0m0s log",
		"09-29 10:00 09-29 12:00 counted 2h0m0s",
		"09-29 12:00 09-29 13:00 outside_hours 0s",
		"09-29 13:00 09-29 18:00 counted 5h0m0s",
		"09-29 18:00 09-30 09:00 outside_hours 0s",
		"09-30 09:00 09-30 12:00 counted 3h0m0s",
		"09-30 12:00 09-30 13:00 outside_hours 0s",
		"09-30 13:00 09-30 18:00 counted 5h0m0s",
		"09-30 18:00 10-01 00:00 outside_hours 0s",
		"10-01 00:00 10-08 00:00 holiday 0s 国庆节",
		"10-08 00:00 10-08 09:00 outside_hours 0s",
		"10-08 09:00 10-08 12:00 counted 3h0m0s",
		"10-08 12:00 10-08 13:00 outside_hours 0s",
		"10-08 13:00 10-08 18:00 counted 5h0m0s",
		"10-08 18:00 10-09 09:00 outside_hours 0s",
		"10-09 09:00 10-09 12:00 counted 3h0m0s",
		"10-09 12:00 10-09 13:00 outside_hours 0s",
		"10-09 13:00 10-09 15:00 counted 2h0m0s",
		"10-09 15:00 10-10 10:00 paused 4h0m0s window",
		"10-10 10:00 10-10 12:00 counted 2h0m0s 国庆节",
		"10-10 12:00 10-10 13:00 outside_hours 0s",
		"10-10 13:00 10-10 18:00 counted 5h0m0s 国庆节",
		"10-10 18:00 10-12 09:00 outside_hours 0s",
		"10-12 09:00 10-12 10:00 counted 1h0m0s",
		"10-12 10:00 10-12 11:30 counted 1h30m0s overdue",
	}, lines(c.Intervals(cal, china(10, 12, 11, 30))))
	require.Equal(t, china(10, 12, 10, 0).UTC(), c.BreachedAt.UTC())
	due, known := c.DueWithoutPauses(cal)
	require.True(t, known)
	require.Equal(t, china(10, 9, 16, 0).UTC(), due.UTC())
}

func TestIntervalsWithALimitOfPauses(t *testing.T) {
	t.Parallel()
	cal := chineseOffice(t)
	c := sla.Start(sla.Resolution, 1, sla.Terms{
		Target: sla.Exactly(8 * time.Hour), Calendar: sla.ChineseOffice, MaxPause: sla.Exactly(2 * time.Hour),
	}, china(10, 8, 9, 0))
	c.Pause(china(10, 8, 10, 0), "li.na", "log", true)
	require.Equal(t, []string{
		"10-08 09:00 10-08 10:00 counted 1h0m0s",
		"10-08 10:00 10-08 12:00 paused 2h0m0s log",
		"10-08 12:00 10-08 13:00 outside_hours 0s",
		"10-08 13:00 10-08 15:00 counted 2h0m0s",
	}, lines(c.Intervals(cal, china(10, 8, 15, 0))), "the hold lasts, but no longer counts")
}

// TestIntervalsInAYearThatNobodyKnows: no holidays are known, so nothing counts.
func TestIntervalsInAYearThatNobodyKnows(t *testing.T) {
	t.Parallel()
	cal := chineseOffice(t)
	last := sla.ShippedHolidays(sla.ChineseHolidays)
	year := last[len(last)-1].Year
	start := time.Date(year, 12, 31, 16, 0, 0, 0, shanghai)
	c := sla.Start(sla.Resolution, 1, sla.Terms{Target: sla.Exactly(8 * time.Hour), Calendar: sla.ChineseOffice}, start)
	list := c.Intervals(cal, start.AddDate(0, 0, 3))
	require.Equal(t, sla.IntervalUnknown, list[len(list)-1].Kind)
	require.Equal(t, fmt.Sprint(year+1), list[len(list)-1].Name)
	require.Equal(t, start.AddDate(0, 0, 3), list[len(list)-1].To)
	contiguous(t, list, start, start.AddDate(0, 0, 3))
}

func contiguous(t require.TestingT, list []sla.Interval, from, to time.Time) {
	for _, i := range list {
		require.True(t, from.Equal(i.From), "a gap before %s", i.From)
		require.True(t, i.From.Before(i.To), "nothing between %s and %s", i.From, i.To)
		from = i.To
	}
	require.True(t, from.Equal(to), "it ends at %s, not at %s", from, to)
}

// TestIntervalsAddUp: whatever happens to a clock, its intervals have no gaps,
// add up to what has elapsed, and reach the target exactly at the deadline.
func TestIntervalsAddUp(t *testing.T) {
	t.Parallel()
	office := chineseOffice(t)
	rapid.Check(t, func(t *rapid.T) {
		cal := rapid.SampledFrom([]*sla.Calendar{always, office}).Draw(t, "calendar")
		minutes := func(label string, most int) time.Duration {
			return time.Duration(rapid.IntRange(1, most).Draw(t, label)) * time.Minute
		}
		terms := sla.Terms{Target: sla.Exactly(minutes("target", 6000)), Calendar: cal.Name()}
		if rapid.Bool().Draw(t, "days") {
			terms.Target = sla.Duration{WorkingDays: rapid.IntRange(1, 8).Draw(t, "wd"), Close: rapid.Bool().Draw(t, "close")}
		}
		if rapid.Bool().Draw(t, "limited") {
			terms.MaxPause = sla.Exactly(minutes("limit", 2000))
		}
		start := china(9, 1, 0, 0).Add(minutes("start", 60*24*40))
		c := sla.Start(sla.Resolution, 1, terms, start)
		now := start
		for range rapid.IntRange(0, 5).Draw(t, "pauses") {
			now = now.Add(minutes("runs", 4000))
			c.Advance(cal, now)
			c.Pause(now, "a", "b", rapid.Bool().Draw(t, "on hold"))
			now = now.Add(minutes("waits", 4000))
			c.Advance(cal, now)
			if rapid.IntRange(0, 9).Draw(t, "goes on") > 0 {
				c.Resume(now)
			}
		}
		now = now.Add(minutes("ends", 4000))
		c.Advance(cal, now)
		asked := now.Add(minutes("asked", 10))
		end := asked
		if rapid.Bool().Draw(t, "stops") {
			c.Stop(cal, now, false)
			end = now
		}
		list := c.Intervals(cal, asked)
		contiguous(t, list, start, end)
		var sum, atDeadline time.Duration
		for _, i := range list {
			sum += i.Counted()
			if !i.Overdue {
				atDeadline = sum
			}
			if i.Kind == sla.IntervalPaused {
				require.Equal(t, cal.Counted(i.From, i.To), i.Work)
			}
		}
		require.Equal(t, c.Elapsed(cal, asked), sum)
		if deadline, known := c.Deadline(cal); known && !deadline.After(end) {
			require.Equal(t, c.TargetWork(cal), atDeadline)
		}
	})
}
