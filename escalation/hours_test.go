package escalation_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/escalation"
	"closeloop/sla"
)

// office is open from nine to five in Shanghai, on every day of 2026.
func office() sla.Timetable {
	day := []sla.Window{{From: 9 * 60, To: 17 * 60}}
	return sla.Timetable{
		Name: "office", Timezone: "Asia/Shanghai", Years: []int{2026},
		Hours: sla.Week{Mon: day, Tue: day, Wed: day, Thu: day, Fri: day, Sat: day, Sun: day},
	}
}

func shanghai(t require.TestingT, text string) time.Time {
	loc, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	at, err := time.ParseInLocation("2006-01-02 15:04", text, loc)
	require.NoError(t, err)
	return at.UTC()
}

// inOffice makes a call one in the office's hours alone.
func inOffice(c escalation.Call) escalation.Call {
	c.Calendar = "office"
	return c
}

func ladderAt(at time.Time, calls ...escalation.Call) *escalation.Ladder {
	return escalation.Start(escalation.Ladder{
		ID: "resolution-1", Calls: calls, Calendars: []sla.Timetable{office()}, Rounds: 1,
		AcknowledgedFor: minutes(30), Alarm: []string{"boss"},
	}, at)
}

// again is the ladder after a restart: as its JSON tells it.
func again(t require.TestingT, l *escalation.Ladder) *escalation.Ladder {
	text, err := json.Marshal(l)
	require.NoError(t, err)
	read := new(escalation.Ladder)
	require.NoError(t, json.Unmarshal(text, read))
	return read
}

func next(t require.TestingT, l *escalation.Ladder) time.Time {
	at, ok := l.Next()
	require.True(t, ok)
	return at
}

func TestScenario37ClosedLevelIsCalledWhenItOpens(t *testing.T) {
	t.Parallel()
	six := shanghai(t, "2026-03-02 06:00")
	l := ladderAt(six, inOffice(call(30, 1, "a")), call(30, 1, "b"))
	_, called := l.Tick(six)
	require.False(t, called, "six in the morning is not nine to five")
	l = again(t, l)
	_, called = l.Tick(shanghai(t, "2026-03-02 07:00"))
	require.False(t, called)
	require.Equal(t, shanghai(t, "2026-03-02 09:00"), next(t, l))
	page, called := l.Tick(next(t, l))
	require.True(t, called)
	require.Equal(t, escalation.Page{Level: 1, Round: 1, People: []string{"a"}}, page)
	require.Equal(t, shanghai(t, "2026-03-02 09:30"), next(t, l))
	page, called = l.Tick(next(t, l))
	require.True(t, called)
	require.Equal(t, []string{"b"}, page.People)
	require.Equal(t, shanghai(t, "2026-03-02 10:00"), next(t, l))
}

func TestClosedLevels(t *testing.T) {
	t.Parallel()
	t.Run("the opening is missed until after hours", func(t *testing.T) {
		t.Parallel()
		l := ladderAt(shanghai(t, "2026-03-02 06:00"), inOffice(call(30, 1, "a")))
		l.Tick(next(t, l))
		_, called := l.Tick(shanghai(t, "2026-03-02 18:00"))
		require.False(t, called, "down all day: nobody is called in the evening")
		require.Equal(t, shanghai(t, "2026-03-03 09:00"), next(t, l))
	})
	t.Run("the time to acknowledge passes while it is open", func(t *testing.T) {
		t.Parallel()
		l := ladderAt(shanghai(t, "2026-03-02 16:50"), inOffice(call(30, 1, "a")), call(30, 1, "b"))
		_, called := l.Tick(next(t, l))
		require.True(t, called)
		require.Equal(t, shanghai(t, "2026-03-03 09:20"), next(t, l))
	})
	t.Run("it is called twice", func(t *testing.T) {
		t.Parallel()
		l := ladderAt(shanghai(t, "2026-03-02 16:45"), inOffice(call(30, 2, "a")))
		l.Tick(next(t, l))
		require.Equal(t, shanghai(t, "2026-03-03 09:15"), next(t, l))
		page, called := l.Tick(next(t, l))
		require.True(t, called)
		require.Equal(t, 1, page.Level)
		page, called = l.Tick(next(t, l))
		require.True(t, called)
		require.True(t, page.Alarm)
	})
	t.Run("at closing time it is closed", func(t *testing.T) {
		t.Parallel()
		l := ladderAt(shanghai(t, "2026-03-02 17:00"), inOffice(call(30, 1, "a")))
		l.Tick(next(t, l))
		require.Equal(t, shanghai(t, "2026-03-03 09:00"), next(t, l))
	})
	t.Run("an empty level is passed over at once, open or not", func(t *testing.T) {
		t.Parallel()
		six := shanghai(t, "2026-03-02 06:00")
		l := ladderAt(six, inOffice(call(30, 1)), call(15, 1, "b"))
		page, called := l.Tick(six)
		require.True(t, called)
		require.Equal(t, []string{"b"}, page.People)
	})
	t.Run("whoever waits to be called may acknowledge", func(t *testing.T) {
		t.Parallel()
		l := ladderAt(shanghai(t, "2026-03-02 06:00"), inOffice(call(30, 1, "a")))
		l.Tick(next(t, l))
		require.NoError(t, l.Check("a", false))
		l.Acknowledge(shanghai(t, "2026-03-02 07:00"), "a")
		require.Equal(t, shanghai(t, "2026-03-02 07:30"), next(t, l))
		_, called := l.Tick(next(t, l))
		require.False(t, called, "nothing came of it, and the level is closed")
		require.Equal(t, escalation.Acknowledged, l.State, "until it may be called")
		page, called := l.Tick(shanghai(t, "2026-03-02 09:00"))
		require.True(t, called)
		require.Equal(t, []string{"a"}, page.People)
		require.Equal(t, escalation.Climbing, l.State)
	})
	t.Run("it stands down while it waits", func(t *testing.T) {
		t.Parallel()
		l := ladderAt(shanghai(t, "2026-03-02 06:00"), inOffice(call(30, 1, "a")))
		l.Tick(next(t, l))
		l.StandDown()
		_, due := l.Next()
		require.False(t, due)
	})
}

// TestUnknownYearIsCalledAtOnce: nobody has told the calendar of 2027 yet.
func TestUnknownYearIsCalledAtOnce(t *testing.T) {
	t.Parallel()
	t.Run("now", func(t *testing.T) {
		t.Parallel()
		at := shanghai(t, "2027-01-04 03:00")
		l := ladderAt(at, inOffice(call(30, 1, "a")))
		page, called := l.Tick(at)
		require.True(t, called, "at once rather than never")
		require.Equal(t, &sla.Lack{Calendar: "office", Year: 2027}, page.Lacks, "and it says so")
		require.Equal(t, at.Add(30*time.Minute), next(t, l), "around the clock")
	})
	t.Run("before the level opens again", func(t *testing.T) {
		t.Parallel()
		at := shanghai(t, "2026-12-31 17:30")
		page, called := ladderAt(at, inOffice(call(30, 1, "a"))).Tick(at)
		require.True(t, called)
		require.Equal(t, 2027, page.Lacks.Year)
	})
	t.Run("before the time to acknowledge is over", func(t *testing.T) {
		t.Parallel()
		at := shanghai(t, "2026-12-31 16:50")
		l := ladderAt(at, inOffice(call(30, 1, "a")))
		page, called := l.Tick(at)
		require.True(t, called)
		require.Equal(t, 2027, page.Lacks.Year)
		require.Equal(t, at.Add(30*time.Minute), next(t, l))
	})
}

// TestClosedLevelsAreCalledInTheirHoursOnly: whatever the chain and the instant
// of the breach, and the ladder ends all the same.
func TestClosedLevelsAreCalledInTheirHoursOnly(t *testing.T) {
	t.Parallel()
	cal, err := office().Calendar()
	require.NoError(t, err)
	begin := shanghai(t, "2026-03-02 00:00")
	rapid.Check(t, func(t *rapid.T) {
		var calls []escalation.Call
		for range rapid.IntRange(1, 4).Draw(t, "levels") {
			c := call(rapid.IntRange(1, 300).Draw(t, "within"), rapid.IntRange(1, 2).Draw(t, "times"), "a")
			if rapid.Bool().Draw(t, "in the office") {
				c = inOffice(c)
			}
			calls = append(calls, c)
		}
		l := ladderAt(begin.Add(time.Duration(rapid.IntRange(0, 48*60).Draw(t, "minute"))*time.Minute), calls...)
		alarms := 0
		for steps := 0; ; steps++ {
			require.Less(t, steps, 40)
			at, ok := l.Next()
			if !ok {
				break
			}
			at = at.Add(time.Duration(rapid.IntRange(0, 900).Draw(t, "late")) * time.Minute)
			l = again(t, l)
			page, called := l.Tick(at)
			switch {
			case page.Alarm:
				alarms++
			case called && calls[page.Level-1].Calendar != "":
				open, err := cal.Working(at)
				require.NoError(t, err)
				require.True(t, open, "%s", at)
			}
		}
		require.Equal(t, 1, alarms)
	})
}
