package requirement_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/internal/trial"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// withHolds has holds for suppliers and for evidence.
func withHolds(p *policy.Policy, _ *requirement.Submission) {
	p.Holds = []string{"supplier", "evidence"}
}

// ofTheTarget is a resolution of eight hours that holds of these kinds pause.
func ofTheTarget(kinds policy.Holds, limit sla.Duration) func(*policy.Policy, *requirement.Submission) {
	return only(rule(sla.Resolution, trial.Hours(8), func(r *policy.ClockRule) { r.PausesOnHold, r.MaxPause = kinds, limit }))
}

func TestKindsOfHoldsPauseWhatThePolicySays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		kinds policy.Holds
		on    string
		want  sla.State
	}{
		{"all, for the customer", policy.AllHolds, "", sla.Paused},
		{"all, for the customer by name", policy.AllHolds, "customer", sla.Paused},
		{"all, for a supplier", policy.AllHolds, "supplier", sla.Paused},
		{"the customer's alone, for the customer", policy.Holds{"customer"}, "", sla.Paused},
		{"the customer's alone, for the customer by name", policy.Holds{"customer"}, "customer", sla.Paused},
		{"the customer's alone, for a supplier", policy.Holds{"customer"}, "supplier", sla.Running},
		{"a supplier's alone, for the customer", policy.Holds{"supplier"}, "", sla.Running},
		{"a supplier's alone, for a supplier", policy.Holds{"supplier"}, "supplier", sla.Paused},
		{"two kinds, for the third", policy.Holds{"customer", "supplier"}, "evidence", sla.Running},
		{"none", nil, "supplier", sla.Running},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := tell(t, withHolds, ofTheTarget(c.kinds, sla.Duration{})).assigned(t0)
			s.does(after(time.Hour), requirement.PutOnHold{Header: by("li.na"), Reason: "waits", For: c.on})
			require.Equal(t, c.want, s.clock(sla.Resolution, 1).State)
			s.does(after(3*time.Hour), requirement.Resume{Header: by("li.na")})
			want := after(8 * time.Hour)
			if c.want == sla.Paused {
				want = after(10 * time.Hour)
			}
			require.Equal(t, want, deadline(t, s.clock(sla.Resolution, 1)))
		})
	}
}

func TestHoldForSomebodyElse(t *testing.T) {
	t.Parallel()
	s := tell(t, withHolds, func(p *policy.Policy, _ *requirement.Submission) {
		p.Notices = []policy.NoticeRule{{Event: "held", To: []string{"customer", "tracker", "role:manager"}}}
	}).assigned(t0)
	s.refused(requirement.PutOnHold{Header: by("li.na"), Reason: "waits", For: "suplier"}, requirement.CodeInvalid)

	s.does(after(time.Hour), requirement.PutOnHold{Header: by("li.na"), Reason: "waits for parts", For: "supplier"})
	require.Equal(t, requirement.Waiting{Who: []string{"li.na"}, Acts: []requirement.Name{requirement.ActResume}}, s.Waiting())
	require.Equal(t, "supplier", s.View(after(time.Hour)).Hold.For)
	var held requirement.Event
	for _, e := range s.journal() {
		if e.Kind == requirement.WasHeld {
			held = e
		}
	}
	require.NotContains(t, held.To, "customer", "the customer is not asked for what a supplier has to bring")
	require.Contains(t, held.To, "role:manager")
	require.JSONEq(t, `{"actor":"li.na","reason":"waits for parts","for":"supplier"}`, string(held.Data))

	// What the customer says does not end it; only that the parts have come does.
	s.does(after(2*time.Hour), requirement.Comment{Header: by("customer"), Message: "and?"})
	require.NotNil(t, s.Hold)
	s.refused(requirement.PutOnHold{Header: by("li.na"), Reason: "waits"}, requirement.CodeOnHold)
	s.does(after(3*time.Hour), requirement.Resume{Header: by("li.na")})
	require.Nil(t, s.Hold)

	s.does(after(4*time.Hour), requirement.PutOnHold{Header: by("li.na"), Reason: "asks", For: "customer"})
	require.Equal(t, requirement.Waiting{Who: []string{"customer"}, Acts: []requirement.Name{requirement.ActResume}}, s.Waiting())
	s.does(after(5*time.Hour), requirement.Comment{Header: by("customer"), Message: "here"})
	require.Nil(t, s.Hold)
}

func TestLimitOfHolds(t *testing.T) {
	t.Parallel()
	hour := func(n float64) time.Time { return after(time.Duration(n * float64(time.Hour))) }
	type hold struct {
		from, to float64
		on       string
	}
	for _, c := range []struct {
		name  string
		limit sla.Duration
		kinds policy.Holds
		holds []hold
		// goesOn is when the limit ends the pause, zero when it never does; due is the
		// deadline.
		goesOn, due float64
	}{
		{"shorter than the limit", trial.Hours(2), policy.AllHolds, []hold{{1, 2, ""}}, 0, 9},
		{"as long as the limit", trial.Hours(2), policy.AllHolds, []hold{{1, 3, ""}}, 3, 10},
		{"longer than the limit", trial.Hours(2), policy.AllHolds, []hold{{1, 90, ""}}, 3, 10},
		{"without an end", trial.Hours(2), policy.AllHolds, []hold{{1, 0, ""}}, 3, 10},
		{"several that add up", trial.Hours(2), policy.AllHolds, []hold{{1, 2, ""}, {3, 3.5, "supplier"}, {4, 90, ""}}, 4.5, 10},
		{"another after the limit", trial.Hours(2), policy.AllHolds, []hold{{1, 4, ""}, {5, 90, ""}}, 3, 10},
		{"those that do not pause it use nothing up", trial.Hours(2), policy.Holds{"supplier"}, []hold{{1, 4, ""}, {5, 90, "supplier"}}, 7, 10},
		{"a working day", sla.Duration{WorkingDays: 1}, policy.AllHolds, []hold{{1, 0, ""}}, 25, 32},
		{"no limit", sla.Duration{}, policy.AllHolds, []hold{{1, 90, ""}}, 0, 97},
	} {
		for _, late := range []bool{false, true} {
			name := c.name
			if late {
				name += ", noticed late"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := tell(t, withHolds, ofTheTarget(c.kinds, c.limit)).assigned(t0)
				until := func(at time.Time) {
					for next, ok := s.Next(); !late && ok && !next.At.After(at); next, ok = s.Next() {
						s.Tick(next.At)
					}
					s.Tick(at)
				}
				for _, h := range c.holds {
					until(hour(h.from))
					s.does(hour(h.from), requirement.PutOnHold{Header: by("li.na"), Reason: "waits", For: h.on})
					if h.to > 0 {
						until(hour(h.to))
						s.does(hour(h.to), requirement.Resume{Header: by("li.na")})
					}
				}
				until(hour(200))
				var limits []clockData
				for _, e := range s.journal() {
					if d := dataOf(t, e); e.Kind == requirement.ClockResumed && d.Mark == sla.PauseLimit {
						limits = append(limits, d)
					}
				}
				if c.goesOn == 0 {
					require.Empty(t, limits)
				} else {
					require.Len(t, limits, 1, "told once")
					require.Equal(t, hour(c.goesOn), *limits[0].DueAt)
				}
				clock := s.clock(sla.Resolution, 1)
				require.Equal(t, sla.Breached, clock.State)
				require.Equal(t, hour(c.due), *clock.BreachedAt)
				require.Equal(t, 1, s.count(requirement.ClockBreached))
			})
		}
	}
}

// The breach comes while the requirement is still on hold, and people are called.
func TestBreachOnHold(t *testing.T) {
	t.Parallel()
	s := tell(t, withHolds, only(rule(sla.Resolution, trial.Hours(8), func(r *policy.ClockRule) {
		r.PausesOnHold, r.MaxPause, r.Chain = policy.AllHolds, trial.Hours(2), "front"
	})), func(p *policy.Policy, _ *requirement.Submission) {
		p.Chains = []policy.Chain{{Name: "front", Rounds: 1, Levels: []policy.Level{{People: []string{"owner"}, AcknowledgeWithin: trial.Hours(1)}}, Alarm: []string{"role:manager"}}}
	}).assigned(t0)
	s.does(after(time.Hour), requirement.PutOnHold{Header: by("li.na"), Reason: "waits"})
	next, ok := s.Next()
	require.True(t, ok)
	require.Equal(t, after(3*time.Hour), next.At)
	require.Equal(t, sla.PauseLimit, next.Mark)
	s.Tick(next.At)
	require.Equal(t, sla.Running, s.clock(sla.Resolution, 1).State)
	require.NotNil(t, s.Hold, "the requirement still waits")
	require.Equal(t, after(10*time.Hour), deadline(t, s.clock(sla.Resolution, 1)))
	s.Tick(after(10 * time.Hour))
	require.Zero(t, s.count(requirement.ClockBreached), "what is done at the deadline is in time")
	s.Tick(after(10*time.Hour + sla.Tick))
	require.Equal(t, 1, s.count(requirement.ClockBreached))
	require.Len(t, s.EscalationsDue(), 1)
	require.NotNil(t, s.Hold)
	s.does(after(11*time.Hour), requirement.Resume{Header: by("li.na")})
	require.Equal(t, after(10*time.Hour), *s.clock(sla.Resolution, 1).BreachedAt)
}

// thisYear is an office whose holidays are known for 2026 only.
func thisYear(years ...int) sla.Timetable {
	office := sameEveryDay("09:00", "17:00")
	office.Name, office.Years = "office", years
	if len(years) > 1 {
		office.Holidays = []sla.Day{{Date: dateOf("2027-01-01"), Name: "元旦"}}
	}
	return office
}

func dateOf(text string) sla.Date {
	d, err := sla.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

func TestDeadlineInAYearThatIsNotKnown(t *testing.T) {
	t.Parallel()
	rules := func(years ...int) policy.Process {
		p := trial.Policy()
		p.Process.Calendars = []sla.Timetable{thisYear(years...)}
		p.Digest = "knows " + string(rune('0'+len(years)))
		p.Notices = []policy.NoticeRule{{Event: "clock_undated", To: []string{"role:operator"}}}
		p.Clocks = []policy.ClockRule{rule(sla.Resolution, sla.Duration{WorkingDays: 3}, func(r *policy.ClockRule) { r.Calendar = "office" })}
		return p.Process
	}
	submission := requirement.Submission{Title: "导出报表", Customer: "Acme", SubmittedBy: "wang.fang"}
	r, err := requirement.New("REQ-TEST0001", submission, rules(2026), instant(t, "2026-12-31 10:00:00"))
	require.NoError(t, err)
	s := &story{Requirement: r, t: t, policy: trial.Policy()}

	clock := s.clock(sla.Resolution, 1)
	require.Equal(t, sla.Running, clock.State)
	require.Nil(t, clock.Deadline, "never as if the year were a plain one")
	require.Equal(t, &sla.Lack{Calendar: "office", Year: 2027}, clock.Lacks)
	require.Equal(t, 1, s.count(requirement.ClockUndated))
	for _, e := range s.journal() {
		if e.Kind == requirement.ClockUndated {
			require.Equal(t, []string{"role:operator"}, e.To)
			require.Equal(t, clock.Lacks, dataOf(t, e).Lacks)
		}
	}
	_, ok := s.Next()
	require.False(t, ok, "there is nothing to wake up for")
	s.does(instant(t, "2027-01-04 10:00:00"), requirement.Comment{Header: by("wang.fang"), Message: "still there"})
	require.Equal(t, 1, s.count(requirement.ClockUndated), "told once")

	// The holidays become known, and so does the deadline: Friday is one of them.
	s.Adopt(instant(t, "2027-01-04 11:00:00"), rules(2026, 2027), "wang.fang")
	clock = s.clock(sla.Resolution, 1)
	require.Nil(t, clock.Lacks)
	require.Equal(t, instant(t, "2027-01-06 10:00:00"), deadline(t, clock))
	next, ok := s.Next()
	require.True(t, ok)
	require.Equal(t, instant(t, "2027-01-06 10:00:00").Add(sla.Tick), next.At)
	s.Tick(next.At)
	require.Equal(t, 1, s.count(requirement.ClockBreached))
}

// The year that is missing is told anew when it is another one.
func TestAnotherYearThatIsNotKnown(t *testing.T) {
	t.Parallel()
	p := trial.Policy()
	p.Process.Calendars = []sla.Timetable{thisYear(2026, 2027)}
	p.Clocks = []policy.ClockRule{rule(sla.Resolution, sla.Duration{WorkingDays: 300}, func(r *policy.ClockRule) { r.Calendar = "office" })}
	submission := requirement.Submission{Title: "导出报表", Customer: "Acme", SubmittedBy: "wang.fang"}
	r, err := requirement.New("REQ-TEST0001", submission, p.Process, instant(t, "2027-01-04 10:00:00"))
	require.NoError(t, err)
	s := &story{Requirement: r, t: t, policy: p}
	require.Equal(t, 2028, s.clock(sla.Resolution, 1).Lacks.Year)
	less := p.Process
	less.Digest, less.Calendars = "less", []sla.Timetable{thisYear(2026)}
	s.Adopt(instant(t, "2027-01-04 11:00:00"), less, "wang.fang")
	require.Equal(t, 2027, s.clock(sla.Resolution, 1).Lacks.Year)
	require.Equal(t, 2, s.count(requirement.ClockUndated))
}

// A limit in working days that reach into a year that is not known holds once it
// is known, and not before.
func TestLimitThatIsNotKnownYet(t *testing.T) {
	t.Parallel()
	rules := func(years ...int) policy.Process {
		p := trial.Policy()
		p.Process.Calendars = []sla.Timetable{thisYear(years...)}
		p.Digest = "knows " + string(rune('0'+len(years)))
		p.Clocks = []policy.ClockRule{rule(sla.Resolution, trial.Hours(4), func(r *policy.ClockRule) {
			r.Calendar, r.MaxPause = "office", sla.Duration{WorkingDays: 2}
		})}
		return p.Process
	}
	submission := requirement.Submission{Title: "导出报表", Customer: "Acme", SubmittedBy: "wang.fang"}
	r, err := requirement.New("REQ-TEST0001", submission, rules(2026), instant(t, "2026-12-31 10:00:00"))
	require.NoError(t, err)
	s := &story{Requirement: r, t: t, policy: trial.Policy()}
	s.does(instant(t, "2026-12-31 11:00:00"), requirement.PutOnHold{Header: by("wang.fang"), Reason: "waits"})
	require.Equal(t, sla.Paused, s.clock(sla.Resolution, 1).State)
	_, ok := s.Next()
	require.False(t, ok)

	// Two working days from 11:00 end on Tuesday, for 1 January is a holiday; three
	// hours are left of the target then.
	s.Adopt(instant(t, "2027-01-04 15:00:00"), rules(2026, 2027), "wang.fang")
	require.Equal(t, sla.Paused, s.clock(sla.Resolution, 1).State)
	next, ok := s.Next()
	require.True(t, ok)
	require.Equal(t, instant(t, "2027-01-05 11:00:00"), next.At)
	s.Tick(next.At)
	require.Equal(t, instant(t, "2027-01-05 14:00:00"), deadline(t, s.clock(sla.Resolution, 1)))
}

// clockData is what an event says about a clock.
type clockData struct {
	Mark  string     `json:"mark"`
	DueAt *time.Time `json:"due_at"`
	Lacks *sla.Lack  `json:"lacks"`
}

func dataOf(t *testing.T, e requirement.Event) clockData {
	t.Helper()
	var d clockData
	require.NoError(t, json.Unmarshal(e.Data, &d))
	return d
}
