package requirement_test

import (
	"encoding/json"
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

// desks are rules that differ in what they name alike: the hours, holidays, kinds
// of holds and limits of a calendar called desk.
func desks() []policy.Process {
	night := window("20:00", "04:00")
	tables := []sla.Timetable{
		sameEveryDay("08:00", "16:00"),
		sameEveryDay("10:00", "19:00"),
		{Name: "desk", Timezone: "America/New_York", Hours: sla.Week{Mon: night, Wed: night, Sat: night}},
		{Name: "desk", Timezone: "Asia/Shanghai", Hours: sla.Week{Mon: night, Tue: window("09:00", "24:00")}, Years: []int{2025}},
	}
	limits := []sla.Duration{{}, trial.Hours(2), {WorkingDays: 1}, sla.Exactly(37 * time.Minute)}
	holds := []policy.Holds{{"customer"}, policy.AllHolds, {"supplier"}, nil}
	var list []policy.Process
	for i, table := range tables {
		p := trial.Policy().Process
		p.Digest, p.Holds, p.Calendars = string(rune('a'+i)), []string{"supplier"}, []sla.Timetable{table}
		if i == 0 {
			table.Holidays = append(table.Holidays, mustDay("2026-03-03 a holiday"))
			table.Exceptions = []sla.DatedWindows{{Date: mustDay("2026-03-07").Date, Windows: window("09:00", "12:00")}}
			table.Breaks = []sla.DatedWindows{{Date: mustDay("2026-03-04").Date, Windows: window("11:00", "13:00")}}
			p.Calendars = []sla.Timetable{table}
		}
		for j := range p.Clocks {
			c := &p.Clocks[j]
			if (i+j)%3 > 0 {
				c.Calendar = "desk"
			}
			if c.Name == sla.Resolution || c.Name == sla.Ownership {
				c.MaxPause, c.PausesOnHold = limits[i], holds[i]
				c.OnReopen = policy.ResumeRemaining
				c.Marks = append(slices.Clone(c.Marks), sla.Mark{Offset: sla.Exactly(-time.Hour)}, sla.Mark{Offset: sla.Duration{WorkingDays: 1}})
			}
		}
		if i == 3 {
			p.Clocks = p.Clocks[1:]
		}
		list = append(list, p)
	}
	return list
}

// unknowing reports whether some calendar of the rules knows only some years.
func unknowing(p policy.Process) bool {
	return slices.ContainsFunc(p.Calendars, func(c sla.Timetable) bool { return len(c.Years) > 0 })
}

func mustDay(text string) sla.Day {
	day, err := sla.ParseDay(text)
	if err != nil {
		panic(err)
	}
	return day
}

// TestWrittenDownAndReadAgain: a requirement that is written down and read again
// between any two of its moments lives the same life as one that never is.
func TestWrittenDownAndReadAgain(t *testing.T) {
	t.Parallel()
	company := trial.Policy()
	people := requirement.Company{Directory: company.Directory, Unknown: company.UnknownPeople}
	rules := desks()
	copied := func(t require.TestingT, p policy.Process) policy.Process {
		text, err := json.Marshal(p)
		require.NoError(t, err)
		var again policy.Process
		require.NoError(t, json.Unmarshal(text, &again))
		return again
	}
	rapid.Check(t, func(t *rapid.T) {
		pick := rapid.IntRange(0, len(rules)-1)
		first := rules[pick.Draw(t, "rules")]
		known := !unknowing(first)
		now := t0.Add(time.Duration(rapid.Int64Range(0, int64(100*time.Hour/time.Microsecond)).Draw(t, "begin")) * time.Microsecond)
		sub := requirement.Submission{Title: "t", Customer: "c", SubmittedBy: "wang.fang"}
		if rapid.IntRange(0, 4).Draw(t, "on hold") == 0 {
			sub.OnHold = "asks"
		}
		whole, err := requirement.New("REQ-TEST0001", sub, first, now)
		require.NoError(t, err)
		cut, err := requirement.New("REQ-TEST0001", sub, copied(t, first), now)
		require.NoError(t, err)
		var told, toldAgain []requirement.Event
		var taken []requirement.State
		again := func(step string) {
			transition := whole.Take()
			taken = append(taken, transition.State)
			told, toldAgain = append(told, transition.Events...), append(toldAgain, cut.Take().Events...)
			require.Equal(t, len(told), len(toldAgain), step)
			for i := range told {
				require.Equal(t, told[i].Kind, toldAgain[i].Kind, step)
				require.JSONEq(t, string(orNull(told[i].Data)), string(orNull(toldAgain[i].Data)), step)
			}
			require.Equal(t, image(t, whole), image(t, cut), step)
			var s requirement.State
			require.NoError(t, json.Unmarshal([]byte(image(t, cut)), &s))
			cut = requirement.Restore(s, copied(t, cut.Process()))
			wake, due := whole.Next()
			wakeAgain, dueAgain := cut.Next()
			require.Equal(t, due, dueAgain, step)
			require.True(t, wake.At.Equal(wakeAgain.At), step)
			view, err := json.Marshal(whole.View(now))
			require.NoError(t, err)
			viewAgain, err := json.Marshal(cut.View(now))
			require.NoError(t, err)
			require.JSONEq(t, string(view), string(viewAgain), step)
		}
		both := func(step string, do func(r *requirement.Requirement)) {
			do(whole)
			do(cut)
			again(step)
		}
		again("new")
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			before := now
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(20*time.Hour/time.Microsecond)).Draw(t, "wait")) * time.Microsecond)
			if wake, due := whole.Next(); due && rapid.Bool().Draw(t, "at a mark") {
				// A deadline is noticed a tick after it.
				if at := wake.At.Add(-sla.Tick); rapid.Bool().Draw(t, "exactly at the deadline") && at.After(before) {
					wake.At = at
				}
				now = wake.At
			}
			both("tick", func(r *requirement.Requirement) { r.Tick(now) })
			both("chains", func(r *requirement.Requirement) { tellChains(r, now) })
			if rule, asking := whole.Asking(); asking {
				both("round", func(r *requirement.Requirement) { r.OpenRound(now, seats(rule.Seats, r.Requesters())) })
			}
			if rapid.IntRange(0, 5).Draw(t, "other rules") == 0 && !whole.Over() {
				ended, stood := figures(whole), standings(whole)
				p := rules[pick.Draw(t, "rules")]
				known = known && !unknowing(p)
				foreseen := requirement.Foresee(whole.State, whole.Process(), p, now)
				both("adopt", func(r *requirement.Requirement) { r.Adopt(now, copied(t, p), "sun.li") })
				for key, was := range ended {
					if is, kept := figures(whole)[key]; kept {
						require.Equal(t, was, is, "the figures of what ended never change")
					}
				}
				if foreseen.Becomes != "" {
					require.Equal(t, foreseen.Becomes, whole.Stage)
				}
				require.ElementsMatch(t, changed(stood, standings(whole)), foreseenKeys(foreseen), "what was foreseen came, and nothing else")
			}
			act := anyAct(t)
			require.Equal(t, whole.Check(people, act), cut.Check(people, act))
			if whole.Check(people, act) == nil {
				both(string(act.Name()), func(r *requirement.Requirement) {
					_, err := r.Do(now, act)
					require.NoError(t, err)
				})
			}
			for _, c := range whole.Clocks {
				once(t, told, c)
			}
		}
		explains(t, told, taken, now, rules)
		if known {
			folds(t, whole, told, now, append([]policy.Process{first}, rules...)...)
		}
	})
}

type clockKey struct {
	name  sla.Name
	cycle int
}

// figures are those of the clocks that have ended with a verdict.
func figures(r *requirement.Requirement) map[clockKey]string {
	found := map[clockKey]string{}
	for _, c := range r.Clocks {
		if !c.Open() && !c.Void {
			text, _ := json.Marshal(c)
			found[clockKey{c.Name, c.Cycle}] = string(text)
		}
	}
	return found
}

// standings are how the open clocks stand, as an adoption looks at them.
func standings(r *requirement.Requirement) map[clockKey]string {
	found := map[clockKey]string{}
	for i := range r.Clocks {
		c := &r.Clocks[i]
		if !c.Open() {
			continue
		}
		at, known := c.Deadline(r.CalendarOf(c))
		text, _ := json.Marshal([]any{at, known, c.Target.String(), c.Calendar, c.State() == sla.Paused})
		found[clockKey{c.Name, c.Cycle}] = string(text)
	}
	return found
}

// changed returns the clocks that are in only one of the two, or differ.
func changed(before, after map[clockKey]string) []clockKey {
	keys := []clockKey{}
	for k, text := range before {
		if after[k] != text {
			keys = append(keys, k)
		}
	}
	for k := range after {
		if _, was := before[k]; !was {
			keys = append(keys, k)
		}
	}
	return keys
}

func foreseenKeys(a requirement.Adoption) []clockKey {
	keys := []clockKey{}
	for _, c := range a.Clocks {
		keys = append(keys, clockKey{c.Clock, c.Cycle})
	}
	return keys
}

// once checks that a clock has breached once at most, and at its deadline.
func once(t require.TestingT, told []requirement.Event, c sla.Clock) {
	n := 0
	for _, e := range told {
		var fact struct {
			Cycle      int        `json:"cycle"`
			BreachedAt *time.Time `json:"breached_at"`
			DueAt      *time.Time `json:"due_at"`
		}
		if e.Kind != requirement.ClockBreached || e.Clock != c.Name || json.Unmarshal(e.Data, &fact) != nil || fact.Cycle != c.Cycle {
			continue
		}
		n++
		require.Equal(t, fact.DueAt, fact.BreachedAt)
		require.True(t, c.BreachedAt.Equal(*fact.BreachedAt))
	}
	require.LessOrEqual(t, n, 1)
	require.Equal(t, c.BreachedAt != nil, n == 1)
}

func orNull(data json.RawMessage) json.RawMessage {
	if len(data) == 0 {
		return json.RawMessage("null")
	}
	return data
}
