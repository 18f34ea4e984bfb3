package requirement_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/internal/trial"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// explain returns the explanation of one clock of a record.
func explain(t *testing.T, record requirement.Account, name sla.Name, cycle int, at time.Time) requirement.ClockExplanation {
	t.Helper()
	e, err := requirement.Explain(record, requirement.Which{Clock: name, Cycle: cycle}, at)
	require.NoError(t, err)
	require.Len(t, e.Clocks, 1)
	addsUp(t, e.Clocks[0], at)
	return e.Clocks[0]
}

// addsUp holds what is true of every explanation.
func addsUp(t require.TestingT, x requirement.ClockExplanation, at time.Time) {
	from, total := x.StartedAt, 0.0
	end := at
	if x.StoppedAt != nil {
		end = *x.StoppedAt
	}
	for _, v := range x.Intervals {
		require.True(t, from.Equal(v.From), "a gap before %s", v.From)
		total += v.CountedSeconds
		require.InDelta(t, total, v.TotalSeconds, 1e-6)
		from = v.To
	}
	require.True(t, from.Equal(end), "it ends at %s, not at %s", from, end)
	require.InDelta(t, x.ElapsedSeconds, total, 1e-6)
	for _, v := range x.Ahead {
		require.True(t, from.Equal(v.From), "a gap before %s", v.From)
		from = v.To
	}
	if n := len(x.Ahead); n > 0 {
		require.True(t, x.Ahead[n-1].To.Equal(*x.Deadline))
		require.InDelta(t, x.TargetSeconds, x.Ahead[n-1].TotalSeconds, 1e-6, "the deadline is where the target is used up")
	}
	for _, list := range [][]requirement.Use{x.Departments, x.Holders} {
		used := 0.0
		for _, u := range list {
			used += u.CountedSeconds
		}
		require.InDelta(t, total, used, 1e-6, "somebody used all of it")
	}
}

// explains holds of every life that its clocks are explained as they stand, and
// as they stood when one of the states was taken.
func explains(t *rapid.T, facts []requirement.Event, taken []requirement.State, now time.Time, rules []policy.Process) {
	last := taken[len(taken)-1]
	record := requirement.Account{State: last, Events: facts, Rules: rules}
	for _, s := range taken {
		for _, c := range s.Clocks {
			i := slices.IndexFunc(record.Clocks, func(known sla.Clock) bool { return known.Name == c.Name && known.Cycle == c.Cycle })
			if i < 0 {
				record.Clocks = append(record.Clocks, c)
			} else {
				record.Clocks[i] = c
			}
		}
	}
	agrees := func(s requirement.State, at time.Time) {
		e, err := requirement.Explain(record, requirement.Which{All: true}, at)
		require.NoError(t, err)
		require.Equal(t, s.Stage, e.Stage)
		require.Equal(t, []string{s.Owner, s.Department}, []string{e.Owner, e.Department})
		live := requirement.Restore(s, rules[slices.IndexFunc(rules, func(p policy.Process) bool { return p.Digest == s.Policy })])
		told := map[string]requirement.ClockExplanation{}
		for _, x := range e.Clocks {
			addsUp(t, x, at)
			told[fmt.Sprint(x.Name, x.Cycle)] = x
		}
		for _, c := range live.View(at).Clocks {
			x, ok := told[fmt.Sprint(c.Name, c.Cycle)]
			require.True(t, ok, "%s %d is told", c.Name, c.Cycle)
			stood := func(v requirement.ClockView) string {
				return fmt.Sprint(v.Name, v.Cycle, v.State, v.Target, v.Calendar, v.TargetSeconds, v.ElapsedSeconds, v.StartedAt, v.StoppedAt, v.Deadline, v.BreachedAt, v.DetectedAt)
			}
			require.Equal(t, stood(c), stood(x.ClockView), "as of %s", at)
		}
	}
	agrees(last, now)
	i := rapid.IntRange(0, len(taken)-1).Draw(t, "as of")
	for i+1 < len(taken) && taken[i+1].UpdatedAt.Equal(taken[i].UpdatedAt) {
		i++ // what is said of an instant is what led out of it
	}
	agrees(taken[i], taken[i].UpdatedAt)
}

func hours(seconds float64) float64 { return seconds / 3600 }

// TestExplainNationalDay is the life that the README tells, counted by hand.
func TestExplainNationalDay(t *testing.T) {
	t.Parallel()
	x := explain(t, trial.NationalDay("REQ-TEST0001", "zh-CN"), sla.Resolution, 1, trial.AfterNationalDay)
	require.Equal(t, requirement.ByWorkingTime, x.Basis)
	require.Equal(t, "Asia/Shanghai", x.Timezone)
	require.Equal(t, trial.China(10, 12, 10, 0), *x.Deadline)
	require.Equal(t, trial.China(10, 9, 16, 0), *x.DeadlineWithoutPauses)
	require.Equal(t, 11.0, hours(x.PausedSeconds))
	require.Equal(t, 41.5, hours(x.ElapsedSeconds))
	require.Equal(t, -1.5, hours(x.RemainingSeconds))

	var pauses, marks []string
	for _, v := range x.Intervals {
		if v.Kind == sla.IntervalPaused {
			pauses = append(pauses, fmt.Sprintf("%s %s %s %s %gh", v.Hold, v.By, v.Reason, v.Owner, hours(v.WorkingSeconds)))
		}
	}
	require.Equal(t, []string{"customer wu.lei 等客户提供日志 wu.lei 7h", "supplier xu.jie 等供应商补丁 xu.jie 4h"}, pauses)
	for _, m := range x.Marks {
		marks = append(marks, m.Mark+" "+m.At.In(time.FixedZone("", 8*3600)).Format("01-02 15:04"))
	}
	require.Equal(t, []string{"50% 10-08 10:00", "75% 10-09 12:00", "90% 10-10 15:00", "100% 10-12 10:00", "repeat 1 10-12 11:00"}, marks)

	require.Len(t, x.Terms, 2)
	require.Equal(t, "10wd", x.Terms[0].Target)
	require.Equal(t, requirement.Submitted, x.Terms[0].Cause)
	retarget := x.Terms[1]
	require.Equal(t, "40h", retarget.Target)
	require.Equal(t, requirement.Reprioritised, retarget.Cause)
	require.Equal(t, []string{"li.na", "客户月底对账", "medium", "low"}, []string{retarget.By, retarget.Reason, retarget.Priority, retarget.PriorityBefore})

	require.Equal(t, trial.China(10, 12, 10, 0), x.Breach.At)
	require.Equal(t, []string{"xu.jie", "operations"}, []string{x.Breach.Owner, x.Breach.Department})
	require.InDelta(t, 0.2, x.Breach.LateSeconds, 0.01)

	require.Len(t, x.HandOvers, 2)
	require.Equal(t, "数据库问题", x.HandOvers[1].Reason)
	var used []string
	for _, u := range x.Departments {
		used = append(used, fmt.Sprintf("%s %g %g %g", u.Department, hours(u.CountedSeconds), hours(u.OverdueSeconds), hours(u.PausedSeconds)))
	}
	require.Equal(t, []string{" 0.5 0 0", "technology 30.5 0 7", "operations 10.5 1.5 4"}, used)
}

// TestExplainAsItWas tells what was known at an earlier instant.
func TestExplainAsItWas(t *testing.T) {
	t.Parallel()
	record := trial.NationalDay("REQ-TEST0001", "zh-CN")
	for name, tc := range map[string]struct {
		at       time.Time
		state    sla.State
		target   string
		elapsed  float64
		deadline time.Time
		marks    int
		owner    string
	}{
		"before the priority changed":   {trial.China(9, 29, 11, 0), sla.Running, "10wd", 5, trial.China(10, 16, 15, 0), 0, "wu.lei"},
		"while it is on hold":           {trial.China(9, 29, 9, 30), sla.Paused, "10wd", 4, time.Time{}, 0, "wu.lei"},
		"after the priority changed":    {trial.China(10, 8, 10, 30), sla.Running, "40h", 20.5, trial.China(10, 10, 15, 0), 1, "wu.lei"},
		"a moment before it is noticed": {trial.China(10, 12, 10, 0), sla.Running, "40h", 40, trial.China(10, 12, 10, 0), 3, "xu.jie"},
		"in the future":                 {trial.China(10, 12, 14, 0), sla.Breached, "40h", 43, trial.China(10, 12, 10, 0), 5, "xu.jie"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := explain(t, record, sla.Resolution, 1, tc.at)
			require.Equal(t, tc.state, x.State)
			require.Equal(t, tc.target, x.Target)
			require.Equal(t, tc.elapsed, hours(x.ElapsedSeconds))
			require.Len(t, x.Marks, tc.marks)
			require.Equal(t, tc.owner, x.Intervals[len(x.Intervals)-1].Owner)
			if tc.deadline.IsZero() {
				require.Nil(t, x.Deadline)
			} else {
				require.Equal(t, tc.deadline, *x.Deadline)
			}
		})
	}
	early, err := requirement.Explain(record, requirement.Which{}, trial.China(9, 24, 15, 0))
	require.NoError(t, err)
	require.Empty(t, early.Clocks, "there was none yet")
}

// record is what a ledger has of a story.
func (s *story) record(more ...policy.Process) requirement.Account {
	events := s.journal()
	return requirement.Account{State: s.State, Events: events, Clocks: s.Clocks, Rules: append(more, s.Process())}
}

// TestExplainWhich: nobody asks about clocks that ended in time, unless they do.
func TestExplainWhich(t *testing.T) {
	t.Parallel()
	record := trial.NationalDay("REQ-TEST0001", "zh-CN")
	for name, tc := range map[string]struct {
		which          requirement.Which
		clocks, beside int
	}{
		"what presses":     {requirement.Which{}, 1, 1},
		"everything":       {requirement.Which{All: true}, 2, 0},
		"one by its name":  {requirement.Which{Clock: sla.Response}, 1, 1},
		"no such clock":    {requirement.Which{Clock: sla.Appeal}, 0, 2},
		"no such cycle":    {requirement.Which{Clock: sla.Response, Cycle: 2}, 0, 2},
		"one by its cycle": {requirement.Which{Cycle: 1}, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := requirement.Explain(record, tc.which, trial.AfterNationalDay)
			require.NoError(t, err)
			require.Len(t, e.Clocks, tc.clocks)
			require.Len(t, e.Others, tc.beside)
		})
	}
}

func TestExplainHoldsThatDoNotPause(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*policy.ClockRule)
		why    requirement.HoldCounts
		paused float64
	}{
		"the limit is used up":         {func(r *policy.ClockRule) { r.MaxPause = trial.Hours(1) }, requirement.HoldLimitUsedUp, 1},
		"this kind does not pause it":  {func(r *policy.ClockRule) { r.PausesOnHold = policy.Holds{"supplier"} }, requirement.HoldNotPausing, 0},
		"no kind of hold pauses it at": {func(r *policy.ClockRule) { r.PausesOnHold = nil }, requirement.HoldNotPausing, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tell(t, only(rule(sla.Resolution, trial.Hours(8), tc.change)))
			s.does(after(time.Hour), requirement.PutOnHold{Header: by("li.na"), Reason: "log"})
			s.Tick(after(2 * time.Hour))
			s.does(after(4*time.Hour), requirement.Resume{Header: by("customer")})
			x := explain(t, s.record(), sla.Resolution, 1, after(5*time.Hour))
			require.Equal(t, tc.paused, hours(x.PausedSeconds))
			counting := x.Intervals[len(x.Intervals)-2]
			require.Equal(t, sla.IntervalCounted, counting.Kind)
			require.Equal(t, tc.why, counting.HoldCounts)
			require.Equal(t, []string{"customer", "log", "li.na"}, []string{counting.Hold, counting.Reason, counting.By})
			require.Equal(t, after(4*time.Hour), counting.To)
			require.Empty(t, x.Intervals[len(x.Intervals)-1].Hold)
		})
	}
}

// TestExplainAHoldWithALimit: its deadline is known, and so is the way there.
func TestExplainAHoldWithALimit(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.Resolution, trial.Hours(8), func(r *policy.ClockRule) { r.MaxPause = trial.Hours(1) })))
	s.does(after(time.Hour), requirement.PutOnHold{Header: by("li.na"), Reason: "log"})
	x := explain(t, s.record(), sla.Resolution, 1, after(90*time.Minute))
	require.Equal(t, sla.Paused, x.State)
	require.Equal(t, after(9*time.Hour), *x.Deadline)
	require.Equal(t, 1.0, hours(x.PausedSeconds), "by which the deadline is put off")
	require.Len(t, x.Ahead, 2)
	require.Equal(t, []any{sla.IntervalPaused, after(2 * time.Hour)}, []any{x.Ahead[0].Kind, x.Ahead[0].To})
	require.Equal(t, []any{sla.IntervalCounted, requirement.HoldLimitUsedUp}, []any{x.Ahead[1].Kind, x.Ahead[1].HoldCounts})
}

// TestExplainPausedByTheStage: an approval is waited for, nobody is blamed.
func TestExplainPausedByTheStage(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.Resolution, trial.Hours(8), func(r *policy.ClockRule) { r.RunsIn = []string{"received", "analysing"} }),
		rule(sla.Approval, trial.Hours(8))))
	s.does(after(time.Hour), requirement.Triage{Header: by("wang.fang"), NeedApproval: true})
	s.OpenRound(after(time.Hour), []requirement.FilledSeat{{Seat: "role:product", Person: "zhao.lei"}})
	x := explain(t, s.record(), sla.Resolution, 1, after(3*time.Hour))
	paused := x.Intervals[1]
	require.Equal(t, []any{sla.IntervalPaused, requirement.Reviewing, "", "wang.fang"}, []any{paused.Kind, paused.Stage, paused.Hold, paused.By})
	require.Nil(t, x.Deadline)
}

// TestExplainOldRules: a clock that ended is counted by the rules that held then,
// one that runs by the present ones.
func TestExplainOldRules(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.Response, trial.Hours(4)), rule(sla.Resolution, trial.Hours(8)))).assigned(after(time.Minute))
	s.does(after(time.Hour), requirement.Respond{Header: by("li.na"), Method: "phone", Message: "on it"})
	old := s.Process()
	office, err := sla.Shipped(sla.ChineseOffice)
	require.NoError(t, err)
	fresh := old
	fresh.Digest = "fresh"
	fresh.Calendars = []sla.Timetable{office}
	fresh.Clocks = []policy.ClockRule{rule(sla.Resolution, trial.Hours(6), func(r *policy.ClockRule) { r.Calendar = sla.ChineseOffice })}
	s.Adopt(after(90*time.Minute), fresh, "sun.li")
	record := s.record(old)
	require.ElementsMatch(t, []string{old.Digest, fresh.Digest}, requirement.RulesOf(record.State, record.Events))

	response := explain(t, record, sla.Response, 1, after(2*time.Hour))
	require.Equal(t, old.Digest, response.Policy)
	require.Equal(t, sla.AlwaysOpen, response.Calendar)
	resolution := explain(t, record, sla.Resolution, 1, after(2*time.Hour))
	require.Equal(t, "fresh", resolution.Policy)
	require.Equal(t, "Asia/Shanghai", resolution.Timezone)
	require.Equal(t, []string{"fresh", old.Digest}, []string{resolution.Terms[1].Policy, resolution.Terms[1].PolicyBefore})
	require.Equal(t, requirement.Adopted, resolution.Terms[1].Cause)
	before := explain(t, record, sla.Resolution, 1, after(80*time.Minute))
	require.Equal(t, []string{"8h", sla.AlwaysOpen, old.Digest}, []string{before.Target, before.Calendar, before.Policy})

	record.Rules = nil
	_, err = requirement.Explain(record, requirement.Which{All: true}, after(2*time.Hour))
	require.ErrorContains(t, err, "not on record")
}

// TestExplainWhoHeldItThen: a shorter target puts the deadline into the time of
// somebody who has given it away since.
func TestExplainWhoHeldItThen(t *testing.T) {
	t.Parallel()
	s := tell(t).assigned(after(time.Minute))
	s.does(after(9*time.Hour), requirement.Assign{Header: by("wang.fang"), To: "zhang.wei", Department: "technology"})
	s.does(after(10*time.Hour), requirement.Reprioritise{Header: by("wang.fang"), Priority: "high", Reason: "urgent"})
	x := explain(t, s.record(), sla.Resolution, 1, after(10*time.Hour))
	require.Equal(t, after(8*time.Hour), x.Breach.At)
	require.Equal(t, 2*3600.0, x.Breach.LateSeconds)
	require.Equal(t, []string{"li.na", "service", "zhang.wei", "technology"},
		[]string{x.Breach.Owner, x.Breach.Department, x.Breach.DetectedOwner, x.Breach.DetectedDepartment})
}

// TestExplainRoundedRecord: a ledger keeps events to the microsecond, and a clock
// its instants as they were.
func TestExplainRoundedRecord(t *testing.T) {
	t.Parallel()
	odd := 123*time.Nanosecond + 7*time.Microsecond
	s := tell(t, only(rule(sla.Resolution, trial.Hours(8)))).assigned(after(time.Minute))
	s.does(after(time.Hour+odd), requirement.PutOnHold{Header: by("li.na"), Reason: "log"})
	s.does(after(time.Hour+odd), requirement.Assign{Header: by("wang.fang"), To: "zhang.wei", Department: "technology"})
	record := s.record()
	for i := range record.Events {
		record.Events[i].At = record.Events[i].At.Truncate(time.Microsecond)
	}
	x := explain(t, record, sla.Resolution, 1, after(2*time.Hour))
	require.Len(t, x.Intervals, 3, "nobody to li.na to zhang.wei, and no splinter")
	require.Equal(t, []string{"li.na", "zhang.wei"}, []string{x.Intervals[1].Owner, x.Intervals[2].Owner})
	require.Equal(t, "customer", x.Intervals[2].Hold)
}

// TestExplainWithoutHolidays: why there is no deadline.
func TestExplainWithoutHolidays(t *testing.T) {
	t.Parallel()
	office, err := sla.Shipped(sla.ChineseOffice)
	require.NoError(t, err)
	s := tell(t, only(rule(sla.Resolution, trial.Hours(2000), func(r *policy.ClockRule) { r.Calendar = sla.ChineseOffice })),
		func(p *policy.Policy, _ *requirement.Submission) {
			p.Process.Calendars = []sla.Timetable{office.Observe(sla.ShippedHolidays(sla.ChineseHolidays)...)}
		})
	s.Tick(after(time.Hour))
	x := explain(t, s.record(), sla.Resolution, 1, after(time.Hour))
	require.Nil(t, x.Deadline)
	require.Nil(t, x.DeadlineWithoutPauses)
	require.Equal(t, &sla.Lack{Calendar: sla.ChineseOffice, Year: 2027}, x.Lacks)
}
