package sla_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/sla"
)

// The scenarios are named after the rows of a collection of cases that other
// help desks got wrong; each states the behaviour that people expect.

// weekdays is a calendar with the same hours from Monday to Friday.
func weekdays(t require.TestingT, zone, from, to, more string) *sla.Calendar {
	window := fmt.Sprintf(`[[%q,%q]]`, from, to)
	return calendarOf(t, fmt.Sprintf(`{"timezone":%q,"hours":{"mon":%s,"tue":%s,"wed":%s,"thu":%s,"fri":%s}%s}`,
		zone, window, window, window, window, window, more))
}

// longFridays is open on Monday from 10:30, on other days from 08:30.
func longFridays(t require.TestingT) *sla.Calendar {
	return calendarOf(t, `{"timezone":"UTC","hours":{"mon":[["10:30","19:00"]],"tue":[["08:30","19:00"]],
		"wed":[["08:30","19:00"]],"thu":[["08:30","19:00"]],"fri":[["08:30","19:00"]]}}`)
}

func at(t require.TestingT, text string) time.Time {
	instant, err := time.Parse(time.DateTime, text)
	require.NoError(t, err)
	return instant
}

func duration(t require.TestingT, text string) sla.Duration {
	d, err := sla.ParseDuration(text)
	require.NoError(t, err)
	return d
}

// clockFrom is a clock with the target and the marks.
func clockFrom(t require.TestingT, start time.Time, target string, marks ...string) *sla.Clock {
	terms := sla.Terms{Target: duration(t, target)}
	for _, text := range marks {
		mark, err := sla.ParseMark(text)
		require.NoError(t, err)
		terms.Marks = append(terms.Marks, mark)
	}
	c := sla.Start(sla.Resolution, 1, terms, start)
	return &c
}

func due(t require.TestingT, c *sla.Clock, cal *sla.Calendar) time.Time {
	deadline, known := c.Deadline(cal)
	require.True(t, known)
	return deadline
}

// marked runs a clock until nothing more falls due, and returns when each mark
// stood.
func marked(t require.TestingT, c *sla.Clock, cal *sla.Calendar) map[string]time.Time {
	found, last := map[string]time.Time{}, time.Time{}
	for wake, _, ok := c.Next(cal); ok; wake, _, ok = c.Next(cal) {
		require.False(t, wake.Before(last), "in order")
		last = wake
		for _, f := range c.Advance(cal, wake) {
			require.NotContains(t, found, f.Mark, "once")
			found[f.Mark] = f.At
		}
	}
	return found
}

// expect is a clock without pauses and when it is due.
type expect struct{ start, target, due string }

func expectAll(t *testing.T, cal *sla.Calendar, all ...expect) {
	t.Helper()
	for _, e := range all {
		require.Equal(t, at(t, e.due), due(t, clockFrom(t, at(t, e.start), e.target), cal), "%s + %s", e.start, e.target)
	}
}

func TestScenario01CreatedBeforeOpening(t *testing.T) {
	t.Parallel()
	expectAll(t, weekdays(t, "UTC", "10:00", "18:00", ""),
		expect{"2024-01-08 08:00:00", "1h", "2024-01-08 11:00:00"},
		expect{"2024-01-08 08:00:00", "4h", "2024-01-08 14:00:00"})
}

func TestScenario02CreatedAfterClosing(t *testing.T) {
	t.Parallel()
	expectAll(t, weekdays(t, "UTC", "10:00", "18:00", ""),
		expect{"2024-01-08 20:00:00", "30m", "2024-01-09 10:30:00"},
		expect{"2024-01-08 20:00:00", "2h", "2024-01-09 12:00:00"})
}

func TestScenario03DueAtClosingTimeAndNotAtTheNextOpening(t *testing.T) {
	t.Parallel()
	expectAll(t, weekdays(t, "UTC", "10:00", "18:00", ""),
		expect{"2024-01-06 15:00:00", "24h", "2024-01-10 18:00:00"},
		expect{"2024-01-06 15:00:00", "72h", "2024-01-18 18:00:00"})
}

func TestScenario04TwoHolidaysAndAWeekend(t *testing.T) {
	t.Parallel()
	expectAll(t, weekdays(t, "UTC", "10:00", "18:00", `,"holidays":["2024-01-11","2024-01-12"]`),
		expect{"2024-01-11 15:00:00", "30m", "2024-01-15 10:30:00"},
		expect{"2024-01-11 15:00:00", "2h", "2024-01-15 12:00:00"})
}

func TestScenario05LevelBeforeADeadlineOnTheNextDay(t *testing.T) {
	t.Parallel()
	cal := weekdays(t, "UTC", "08:00", "18:00", "")
	c := clockFrom(t, at(t, "2024-01-08 17:00:00"), "4h", "-1h")
	require.Equal(t, map[string]time.Time{
		"-1h": at(t, "2024-01-09 10:00:00"), "100%": at(t, "2024-01-09 11:00:00"),
	}, marked(t, c, cal))
	expectAll(t, cal, expect{"2024-01-12 17:00:00", "4h", "2024-01-15 11:00:00"})
}

func TestScenario06WorkingDaysAndTheirEnd(t *testing.T) {
	t.Parallel()
	cal, start := longFridays(t), at(t, "2034-06-09 08:46:12")
	require.Equal(t, map[string]time.Time{
		"-8h": at(t, "2034-06-15 11:16:12"), "100%": at(t, "2034-06-16 08:46:12"),
	}, marked(t, clockFrom(t, start, "5wd", "-8h"), cal))
	require.Equal(t, map[string]time.Time{
		"-2wd": at(t, "2034-06-14 19:00:00"), "100%": at(t, "2034-06-16 19:00:00"),
	}, marked(t, clockFrom(t, start, "5wd close", "-2wd"), cal))
}

func TestScenario07DateByHandOutsideHours(t *testing.T) {
	t.Parallel()
	promised := at(t, "2024-01-10 20:30:00")
	c := sla.Start(sla.PlanStep, 1, sla.Terms{Due: &promised}, at(t, "2024-01-08 09:00:00"))
	require.Equal(t, at(t, "2024-01-11 08:00:00"), due(t, &c, weekdays(t, "UTC", "08:00", "16:00", "")))
}

func TestScenario08ADayIsNoUnit(t *testing.T) {
	t.Parallel()
	_, err := sla.ParseDuration("1d")
	require.ErrorContains(t, err, "write 1wd for working days, or 24h for 1 times 24 hours")
	expectAll(t, weekdays(t, "UTC", "09:00", "17:00", ""),
		expect{"2024-01-08 09:00:00", "24h", "2024-01-10 17:00:00"},
		expect{"2024-01-08 11:00:00", "1wd", "2024-01-09 11:00:00"},
		expect{"2024-01-08 11:00:00", "1wd close", "2024-01-09 17:00:00"})
	require.Equal(t, "1wd", duration(t, "1 working day").String(), "the unit is always told")
}

func TestScenario09OverTheBeginningOfSummerTime(t *testing.T) {
	t.Parallel()
	cal := weekdays(t, "America/New_York", "09:00", "17:00", "")
	expectAll(t, cal,
		expect{"2024-03-08 21:00:00", "2h", "2024-03-11 14:00:00"},
		expect{"2024-03-08 20:00:00", "3h", "2024-03-11 14:00:00"})
}

func TestScenario10OverTheEndOfSummerTime(t *testing.T) {
	t.Parallel()
	cal := weekdays(t, "America/New_York", "09:00", "17:00", "")
	c := clockFrom(t, at(t, "2024-11-01 20:00:00"), "8h")
	require.Equal(t, 2*time.Hour, c.Elapsed(cal, at(t, "2024-11-04 15:00:00")))
}

func TestScenario11ADayOfRealHours(t *testing.T) {
	t.Parallel()
	expectAll(t, weekdays(t, "Europe/London", "09:00", "17:00", ""),
		expect{"2024-03-29 16:00:00", "2h", "2024-04-01 09:00:00"})
	// Around the clock: 24 hours are 24 hours, and what clocks show moves by one.
	london := allDay(t, "Europe/London")
	for _, start := range []string{"2024-03-30 12:00:00", "2024-10-26 11:00:00"} {
		for _, cal := range []*sla.Calendar{london, sla.Always} {
			require.Equal(t, at(t, start).Add(24*time.Hour), due(t, clockFrom(t, at(t, start), "24h"), cal))
		}
	}
}

// allDay is open around the clock, written as hours.
func allDay(t require.TestingT, zone string) *sla.Calendar {
	const window = `[["00:00","23:59"]]`
	return calendarOf(t, fmt.Sprintf(`{"timezone":%q,"hours":{"mon":%[2]s,"tue":%[2]s,"wed":%[2]s,"thu":%[2]s,"fri":%[2]s,"sat":%[2]s,"sun":%[2]s}}`, zone, window))
}

func TestScenario12NoExtraMinuteAtMidnight(t *testing.T) {
	t.Parallel()
	expectAll(t, allDay(t, "UTC"), expect{"2024-01-08 23:00:00", "2h", "2024-01-09 01:00:00"})
}

func TestScenario17PauseOfOneSecondMore(t *testing.T) {
	t.Parallel()
	cal, start := weekdays(t, "UTC", "10:00", "18:00", ""), at(t, "2024-01-11 15:00:00")
	for pause, want := range map[time.Duration]string{3600 * time.Second: "2024-01-11 18:00:00", 3601 * time.Second: "2024-01-12 10:00:01"} {
		c := clockFrom(t, start, "2h")
		c.Pause(start.Add(time.Minute), "li.na", "asks", true)
		c.Resume(start.Add(time.Minute + pause))
		require.Equal(t, at(t, want), due(t, c, cal), pause)
	}
}

func TestScenario20PauseOutsideHours(t *testing.T) {
	t.Parallel()
	cal := weekdays(t, "UTC", "09:00", "17:00", "")
	c := clockFrom(t, at(t, "2024-01-12 16:00:00"), "2h")
	c.Pause(at(t, "2024-01-12 19:00:00"), "li.na", "asks", true)
	c.Resume(at(t, "2024-01-15 08:00:00"))
	require.Equal(t, at(t, "2024-01-15 10:00:00"), due(t, c, cal))
}

func TestScenario27OtherTermsKeepThePauses(t *testing.T) {
	t.Parallel()
	cal, start := weekdays(t, "UTC", "08:00", "19:00", ""), at(t, "2034-08-16 13:00:00")
	c := clockFrom(t, start, "4h")
	require.Equal(t, at(t, "2034-08-16 17:00:00"), due(t, c, cal))
	c.Pause(start, "li.na", "asks", true)
	c.Resume(start.Add(10 * time.Minute))
	require.Equal(t, at(t, "2034-08-16 17:10:00"), due(t, c, cal))

	other := calendarOf(t, `{"name":"other","timezone":"UTC","hours":{"wed":[["08:00","19:00"]],"thu":[["08:00","12:00"]]}}`)
	c.Retarget(other, clockFrom(t, start, "6h", "-1h").Terms, start.Add(20*time.Minute))
	require.Equal(t, map[string]time.Time{
		"-1h": at(t, "2034-08-16 18:10:00"), "100%": at(t, "2034-08-17 08:10:00"),
	}, marked(t, c, other))
}
