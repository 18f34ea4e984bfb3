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

// deskHours gives the calendar of the rules other hours under the same name.
func deskHours(table sla.Timetable) func(*policy.Process) {
	return func(p *policy.Process) { p.Calendars = []sla.Timetable{table} }
}

func holiday(t *testing.T, text string) sla.Day {
	t.Helper()
	day, err := sla.ParseDay(text)
	require.NoError(t, err)
	return day
}

// TestCalendarOfTheSameName: a policy that was mended has the calendar under the
// name that it had, and everything follows as after any other change of terms.
func TestCalendarOfTheSameName(t *testing.T) {
	t.Parallel()
	withChain := func(s *story) *story {
		// The rules of the trial have the chain; these clocks do not name it yet.
		rules := s.other("with a chain", func(p *policy.Process) { clockRule(p, sla.Resolution).Chain = "breach" })
		s.Adopt(s.CreatedAt, rules, "sun.li")
		return s
	}
	t.Run("a holiday puts the deadline off", func(t *testing.T) {
		t.Parallel()
		// Monday the 8th, 09:00, eight hours a day: due on Tuesday at 10:00.
		s := withChain(received(t, sameEveryDay("08:00", "16:00"), "2024-01-08 09:00:00", trial.Hours(9), trial.Hours(40), "50%", "90%"))
		s.Tick(instant(t, "2024-01-09 11:00:00"))
		require.Equal(t, []string{"resolution-1"}, escalationIDs(s.EscalationsDue()))
		s.EscalationStarted(instant(t, "2024-01-09 11:00:00"), "resolution-1")
		retargeted := s.count(requirement.ClockRetargeted)

		rules := s.other("with the holiday", deskHours(sameEveryDay("08:00", "16:00", holiday(t, "2024-01-08 a holiday"))))
		now := instant(t, "2024-01-09 12:00:00")
		foreseen := requirement.Foresee(s.State, s.Process(), rules, now)
		require.Equal(t, []string{"resolution-1"}, foreseen.Ends)
		s.Adopt(now, rules, "sun.li")
		require.Equal(t, []string{"resolution-1"}, escalationIDs(s.EscalationsToEnd()), "there is time again")
		require.Equal(t, retargeted+2, s.count(requirement.ClockRetargeted), "both clocks have other deadlines")
		require.Equal(t, instant(t, "2024-01-10 09:00:00"), deadline(t, s.clock(sla.Resolution, 1)))
		s.Tick(instant(t, "2024-01-10 09:00:01"))
		require.Equal(t, []string{"resolution-1-2"}, escalationIDs(s.EscalationsDue()), "when that passes, it escalates again")
		c := s.clock(sla.Resolution, 1)
		require.Equal(t, instant(t, "2024-01-09 10:00:00"), *c.BreachedAt)
		require.Equal(t, 1, s.count(requirement.ClockBreached))
	})
	t.Run("longer hours have used the target up", func(t *testing.T) {
		t.Parallel()
		s := received(t, sameEveryDay("08:00", "10:00"), "2024-01-08 08:00:00", trial.Hours(4), trial.Hours(40), "50%", "75%", "90%", "+1h")
		now := instant(t, "2024-01-08 15:00:00")
		s.Tick(now)
		told := s.count(requirement.ClockMarked)
		s.Adopt(now, s.other("long days", deskHours(sameEveryDay("08:00", "18:00"))), "sun.li")
		c := s.clock(sla.Resolution, 1)
		require.Equal(t, instant(t, "2024-01-08 12:00:00"), *c.BreachedAt)
		require.Equal(t, 1, s.count(requirement.ClockBreached))
		require.Equal(t, told, s.count(requirement.ClockMarked), "nothing is told late")
	})
	t.Run("nothing changes when the hours are the same", func(t *testing.T) {
		t.Parallel()
		s := received(t, sameEveryDay("08:00", "10:00"), "2024-01-08 08:00:00", trial.Hours(4), trial.Hours(40))
		now := instant(t, "2024-01-08 15:00:00")
		s.Adopt(now, s.other("the same"), "sun.li")
		require.Zero(t, s.count(requirement.ClockRetargeted))
	})
	t.Run("a year that was not known", func(t *testing.T) {
		t.Parallel()
		table := sameEveryDay("08:00", "16:00")
		table.Years = []int{2024}
		s := withChain(received(t, table, "2024-12-31 09:00:00", trial.Hours(9), trial.Hours(40), "50%", "90%", "+1h"))
		require.Nil(t, s.clock(sla.Resolution, 1).Deadline)
		require.Equal(t, 2, s.count(requirement.ClockUndated))
		now := instant(t, "2025-01-03 12:00:00")
		s.Tick(now)
		require.Zero(t, s.count(requirement.ClockMarked)+s.count(requirement.ClockBreached))
		table.Years = []int{2024, 2025}
		s.Adopt(now, s.other("with 2025", deskHours(table)), "sun.li")
		c := s.clock(sla.Resolution, 1)
		require.Equal(t, instant(t, "2025-01-01 10:00:00"), *c.BreachedAt)
		require.Equal(t, 1, s.count(requirement.ClockBreached))
		require.Zero(t, s.count(requirement.ClockMarked), "no late warnings")
		require.Equal(t, []string{"resolution-1"}, escalationIDs(s.EscalationsDue()))
	})
}

// TestClockOfAFormerCalendar: a clock that ends because the rules no longer have
// it ends by the hours that it ran by.
func TestClockOfAFormerCalendar(t *testing.T) {
	t.Parallel()
	for name, calendars := range map[string][]sla.Timetable{
		"gone":                 nil,
		"other hours":          {sameEveryDay("10:00", "12:00")},
		"it knows less":        {func() sla.Timetable { c := sameEveryDay("08:00", "16:00"); c.Years = []int{1999}; return c }()},
		"the same hours again": {sameEveryDay("08:00", "16:00")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := received(t, sameEveryDay("08:00", "16:00"), "2024-01-08 09:00:00", trial.Hours(9), trial.Hours(2))
			now := instant(t, "2024-01-09 12:00:00")
			s.Adopt(now, s.other("fewer", func(p *policy.Process) {
				p.Clocks, p.Calendars = []policy.ClockRule{rule(sla.Update, trial.Hours(9))}, calendars
			}), "sun.li")
			c := s.clock(sla.Resolution, 1)
			require.Equal(t, sla.Breached, c.State)
			require.Equal(t, *c.BreachedAt, deadline(t, c))
			require.Equal(t, trial.Hours(11).Time.Seconds(), c.ElapsedSeconds)
			again := reborn(t, s.Requirement)
			require.Equal(t, s.View(now).Clocks, again.View(now).Clocks)
			later := s.other("other again", deskHours(sameEveryDay("11:00", "12:00")))
			again.Adopt(now, later, "sun.li")
			require.Equal(t, s.View(now).Clocks, again.View(now).Clocks, "its figures never change")
		})
	}
}

// TestClockThatRulesDropHasNoVerdict: nobody answered, and nobody is waited for
// any longer: that is no promise kept.
func TestClockThatRulesDropHasNoVerdict(t *testing.T) {
	t.Parallel()
	s := tell(t)
	assigned(s)
	s.does(after(time.Minute), requirement.Respond{Header: by("li.na"), Method: "phone", Message: "hello"})
	s.does(after(2*time.Minute), requirement.Comment{Header: by("customer"), Message: "and now?"})
	require.Equal(t, sla.Running, s.clock(sla.NextResponse, 1).State)
	require.Equal(t, sla.Running, s.clock(sla.Ownership, 1).State)
	all := s.Process()
	s.Adopt(after(10*time.Minute), s.other("few", func(p *policy.Process) { p.Clocks = []policy.ClockRule{*clockRule(p, sla.Resolution)} }), "sun.li")
	for _, name := range []sla.Name{sla.NextResponse, sla.Ownership, sla.Update} {
		require.Equal(t, sla.Stopped, s.clock(name, 1).State, name)
	}
	all.Digest = "all again"
	s.Adopt(after(20*time.Minute), all, "sun.li")
	for _, name := range []sla.Name{sla.NextResponse, sla.Ownership, sla.Update} {
		require.Equal(t, sla.Running, s.clock(name, 1).State, name)
	}
	s.does(after(30*time.Minute), requirement.Respond{Header: by("li.na"), Method: "phone", Message: "now"})
	require.Equal(t, sla.Met, s.clock(sla.NextResponse, 1).State)
	s.does(after(40*time.Minute), requirement.Assign{Header: by("wang.fang"), To: "zhang.wei", Department: "technology"})
	require.Equal(t, sla.Met, s.clock(sla.Ownership, 1).State)
	s.does(after(50*time.Minute), requirement.Resolve{Header: by("zhang.wei"), Solution: "done"})
	require.Equal(t, sla.Met, s.clock(sla.Ownership, 2).State)
}

// TestClockThatAppearsOnHold begins paused, and its marks are all to come.
func TestClockThatAppearsOnHold(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.Response, trial.Hours(100))))
	s.does(after(0), requirement.PutOnHold{Header: by("li.na"), Reason: "asks"})
	s.Adopt(after(8*time.Hour), s.other("more", func(p *policy.Process) {
		p.Clocks = append(p.Clocks, rule(sla.Resolution, trial.Hours(10), func(r *policy.ClockRule) { r.Marks = []sla.Mark{{Percent: 50}} }))
	}), "sun.li")
	s.does(after(9*time.Hour), requirement.Resume{Header: by("li.na")})
	next, due := s.Next()
	require.True(t, due)
	require.Equal(t, requirement.Wake{At: after(14 * time.Hour), Clock: sla.Resolution, Cycle: 1, Mark: "50%"}, next)
}

// TestClockTakenUpAgainPaused is told of, though the clock does not run: the last
// word of it would otherwise be that it ended.
func TestClockTakenUpAgainPaused(t *testing.T) {
	t.Parallel()
	inReview := func(r *policy.ClockRule) { r.RunsIn = []string{"reviewing"} }
	s := tell(t, only(rule(sla.Resolution, trial.Hours(4), inReview), rule(sla.Response, trial.Hours(2))))
	right := s.Process()
	s.Adopt(after(time.Hour), s.other("wrong", func(p *policy.Process) { p.Clocks = p.Clocks[1:] }), "sun.li")
	require.Equal(t, sla.Stopped, s.clock(sla.Resolution, 1).State)
	s.Adopt(after(90*time.Minute), right, "sun.li")
	require.Equal(t, sla.Paused, s.clock(sla.Resolution, 1).State)
	var last requirement.Kind
	for _, e := range s.journal() {
		if e.Clock == sla.Resolution {
			last = e.Kind
		}
	}
	require.Equal(t, requirement.ClockPaused, last)
}
