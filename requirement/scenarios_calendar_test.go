package requirement_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/internal/trial"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

func window(from, to string) []sla.Window {
	w, err := sla.NewWindow(from, to)
	if err != nil {
		panic(err)
	}
	return []sla.Window{w}
}

// longFridays is open on Monday from 10:30, on other days from 08:30.
func longFridays() sla.Timetable {
	long := window("08:30", "19:00")
	return sla.Timetable{
		Name: "desk", Timezone: "UTC",
		Hours: sla.Week{Mon: window("10:30", "19:00"), Tue: long, Wed: long, Thu: long, Fri: long},
	}
}

// sameEveryDay is open from Monday to Friday.
func sameEveryDay(from, to string, holidays ...sla.Day) sla.Timetable {
	w := window(from, to)
	return sla.Timetable{Name: "desk", Timezone: "UTC", Hours: sla.Week{Mon: w, Tue: w, Wed: w, Thu: w, Fri: w}, Holidays: holidays}
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateTime, text)
	require.NoError(t, err)
	return at
}

// received is a requirement that came in then, with a clock that pauses on hold
// and a first response that does not.
func received(t *testing.T, table sla.Timetable, at string, resolution, response sla.Duration, marks ...string) *story {
	t.Helper()
	p := trial.Policy()
	p.Calendars = []sla.Timetable{table}
	onDesk := func(r *policy.ClockRule) { r.Calendar = table.Name }
	p.Clocks = []policy.ClockRule{
		rule(sla.Resolution, resolution, onDesk, func(r *policy.ClockRule) {
			for _, text := range marks {
				mark, err := sla.ParseMark(text)
				require.NoError(t, err)
				r.Marks = append(r.Marks, mark)
			}
		}),
		rule(sla.Response, response, onDesk, func(r *policy.ClockRule) { r.PausesOnHold = nil }),
		rule(sla.PlanStep, trial.Hours(8), onDesk),
	}
	p.Process.Calendars = p.Calendars
	s := requirement.Submission{Title: "导出报表", Customer: "Acme", SubmittedBy: "wang.fang"}
	r, err := requirement.New("REQ-TEST0001", s, p.Process, instant(t, at))
	require.NoError(t, err)
	return &story{Requirement: r, t: t, policy: p}
}

// held puts the requirement on hold from one instant to another.
func (s *story) held(from, to string) {
	s.t.Helper()
	s.does(instant(s.t, from), requirement.PutOnHold{Header: by("li.na"), Reason: "waits for the log"})
	s.does(instant(s.t, to), requirement.Resume{Header: by("li.na")})
}

// run lets everything happen that falls due, and returns when the marks of the
// resolution stood.
func (s *story) run() map[string]time.Time {
	s.t.Helper()
	for next, ok := s.Next(); ok; next, ok = s.Next() {
		s.Tick(next.At)
	}
	found := map[string]time.Time{}
	for _, f := range s.clock(sla.Resolution, 1).Marks {
		found[f.Mark] = f.At
	}
	return found
}

func (s *story) pausedFor() time.Duration {
	var sum time.Duration
	for _, p := range s.clock(sla.Resolution, 1).Pauses {
		cal, err := s.policy.Process.Calendars[0].Calendar()
		require.NoError(s.t, err)
		work, err := cal.Between(p.From, *p.To)
		require.NoError(s.t, err)
		sum += work
	}
	return sum
}

func TestScenario13ThreePausesInAMorning(t *testing.T) {
	t.Parallel()
	half := sla.Exactly(30 * time.Minute)
	s := received(t, longFridays(), "2034-06-09 08:46:12", half, half, "-5m")
	s.held("2034-06-09 08:47:42", "2034-06-09 10:05:54")
	s.held("2034-06-09 10:09:13", "2034-06-09 10:34:38")
	s.held("2034-06-09 10:43:41", "2034-06-09 11:29:17")
	require.Equal(t, 8953*time.Second, s.pausedFor())
	require.Equal(t, instant(t, "2034-06-09 09:16:12"), deadline(t, s.clock(sla.Response, 1)), "not touched by holds")
	require.Equal(t, map[string]time.Time{
		"-5m": instant(t, "2034-06-09 11:40:25"), "100%": instant(t, "2034-06-09 11:45:25"),
	}, s.run())
}

func TestScenario14LevelAfterTheBreachOverAWeekend(t *testing.T) {
	t.Parallel()
	s := received(t, longFridays(), "2034-06-09 08:46:12", trial.Hours(4), sla.Exactly(30*time.Minute), "+10h")
	s.held("2034-06-09 09:15:27", "2034-06-09 11:23:49")
	require.Equal(t, instant(t, "2034-06-09 09:16:12"), deadline(t, s.clock(sla.Response, 1)))
	require.Equal(t, map[string]time.Time{
		"100%": instant(t, "2034-06-09 14:54:34"), "+10h": instant(t, "2034-06-12 16:24:34"),
	}, s.run())
}

func TestScenario15PausesOverNights(t *testing.T) {
	t.Parallel()
	s := received(t, longFridays(), "2034-06-05 10:00:00", trial.Hours(4), trial.Hours(4))
	s.held("2034-06-05 11:00:00", "2034-06-07 09:30:00")
	s.held("2034-06-07 10:00:00", "2034-06-08 09:00:00")
	require.Equal(t, 104_400*time.Second, s.pausedFor())
	require.Equal(t, instant(t, "2034-06-05 14:30:00"), deadline(t, s.clock(sla.Response, 1)))
	require.Equal(t, instant(t, "2034-06-08 12:00:00"), deadline(t, s.clock(sla.Resolution, 1)))
}

func TestScenario16WorkingDaysAndPausesOverAWeekend(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{"5wd": "2034-06-21 09:00:00", "5wd close": "2034-06-21 18:00:00"} {
		days, err := sla.ParseDuration(target)
		require.NoError(t, err)
		s := received(t, longFridays(), "2034-06-07 10:00:00", days, sla.Duration{WorkingDays: 5})
		s.held("2034-06-07 11:00:00", "2034-06-13 11:00:00")
		s.held("2034-06-14 07:00:00", "2034-06-14 18:00:00")
		require.Equal(t, 178_200*time.Second, s.pausedFor())
		require.Equal(t, instant(t, "2034-06-14 10:00:00"), deadline(t, s.clock(sla.Response, 1)))
		require.Equal(t, instant(t, want), deadline(t, s.clock(sla.Resolution, 1)), target)
	}
}

func TestScenario18HoldOverAHoliday(t *testing.T) {
	t.Parallel()
	day, err := sla.ParseDay("2024-01-12 a holiday")
	require.NoError(t, err)
	s := received(t, sameEveryDay("10:00", "18:00", day), "2024-01-11 17:30:00", trial.Hours(4), trial.Hours(4))
	s.assigned(instant(t, "2024-01-11 17:40:00"))
	s.held("2024-01-11 17:50:00", "2024-01-15 12:30:00")
	require.Equal(t, 160*time.Minute, s.pausedFor())
	require.Equal(t, instant(t, "2024-01-15 16:10:00"), deadline(t, s.clock(sla.Resolution, 1)))
	s.does(instant(t, "2024-01-15 13:00:00"), requirement.Resolve{Header: by("li.na"), Solution: "done"})
	c := s.clock(sla.Resolution, 1)
	require.Equal(t, sla.Met, c.State)
	require.Equal(t, (50 * time.Minute).Seconds(), c.ElapsedSeconds)
}

func TestScenario07StepDueOutsideHours(t *testing.T) {
	t.Parallel()
	s := received(t, sameEveryDay("08:00", "16:00"), "2024-01-08 09:00:00", trial.Hours(40), trial.Hours(4))
	s.assigned(instant(t, "2024-01-08 09:30:00"))
	s.does(instant(t, "2024-01-08 10:00:00"), requirement.Plan{
		Header: by("li.na"), Steps: []requirement.PlanStep{{What: "look", Due: instant(t, "2024-01-10 20:30:00")}},
	})
	require.Equal(t, instant(t, "2024-01-11 08:00:00"), deadline(t, s.clock(sla.PlanStep, 1)))
}
