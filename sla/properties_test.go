package sla_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/sla"
)

func drawPauses(t *rapid.T, last int) []minutesOfDay {
	list := make([]minutesOfDay, rapid.IntRange(0, 4).Draw(t, "pauses"))
	for i := range list {
		from := rapid.IntRange(0, last-1).Draw(t, "paused")
		list[i] = minutesOfDay{from, rapid.IntRange(from, min(last, from+3000)).Draw(t, "resumed")}
	}
	return list
}

// question is a line for the calculator.
func (d diary) question(t require.TestingT, a almanac, start, target, at int, pauses []minutesOfDay) string {
	list := []map[string]time.Time{}
	for _, p := range pauses {
		list = append(list, map[string]time.Time{"from": d.at(p.from), "to": d.at(p.to)})
	}
	line, err := json.Marshal(map[string]any{
		"calendar": json.RawMessage(a.json(t)), "start": d.at(start), "target_seconds": target * 60, "at": d.at(at), "pauses": list,
	})
	require.NoError(t, err)
	return string(line)
}

// Pauses may lie anywhere, overlap, and come in any order.
func TestCalcAgreesWithTheOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, d := drawAlmanac(t)
		last := len(d.working)
		pauses := drawPauses(t, last)
		start := rapid.IntRange(0, last-1).Draw(t, "start")
		at := rapid.IntRange(0, last-1).Draw(t, "at")
		work := rapid.IntRange(1, 2000).Draw(t, "work")

		answers, _ := run(t,
			d.question(t, a, start, work, at, pauses),
			d.question(t, a, start, -work, at, pauses),
			d.question(t, a, start, work, at, rapid.Permutation(pauses).Draw(t, "order")))
		forward, backward := answers[0], answers[1]
		require.Equal(t, forward, answers[2], "the order of the pauses changes nothing")

		elapsed := d.count(start, max(start, at), pauses...)
		require.EqualValues(t, elapsed*60, forward["elapsed_seconds"])
		require.EqualValues(t, (work-elapsed)*60, forward["remaining_seconds"])
		require.Equal(t, d.working[at], forward["working"])
		if next, ok := d.after(at, 0); ok {
			require.Equal(t, d.at(next).Format(time.RFC3339), forward["next_working"])
		}
		if end, ok := d.after(start, work, pauses...); ok {
			require.Equal(t, d.at(end).Format(time.RFC3339), forward["deadline"])
			require.Equal(t, at > end, forward["breached"])
		}
		if end, ok := d.before(start, work, pauses...); ok {
			require.Equal(t, d.at(end).Format(time.RFC3339), backward["deadline"])
			require.Equal(t, at > end, backward["breached"])
			left := d.count(at, max(at, end), pauses...) - d.count(end, max(end, at), pauses...)
			require.EqualValues(t, left*60, backward["remaining_seconds"])
		}
	})
}

func drawInstant(t *rapid.T, d diary, name string) time.Time {
	seconds := rapid.Int64Range(0, int64(len(d.working))*60).Draw(t, name)
	return d.begin.Add(time.Duration(seconds)*time.Second + time.Duration(rapid.Int64Range(0, 999_999_999).Draw(t, name+" fraction")))
}

func TestCalendarProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, d := drawAlmanac(t)
		cal := a.calendar(t)
		instants := []time.Time{drawInstant(t, d, "a"), drawInstant(t, d, "b"), drawInstant(t, d, "c")}
		slices.SortFunc(instants, time.Time.Compare)
		first, second, third := instants[0], instants[1], instants[2]
		between := func(x, y time.Time) time.Duration {
			work, err := cal.Between(x, y)
			require.NoError(t, err)
			return work
		}
		add := func(x time.Time, work time.Duration) time.Time {
			y, err := cal.Add(x, work)
			require.NoError(t, err)
			return y
		}
		work := time.Duration(rapid.Int64Range(3, int64(60*time.Hour)).Draw(t, "work"))

		require.Equal(t, between(first, third), between(first, second)+between(second, third), "splitting changes nothing")
		require.Equal(t, between(first, third), -between(third, first))
		end := add(first, work)
		require.Equal(t, work, between(first, end), "adding, then measuring")
		require.Less(t, between(first, end.Add(-time.Nanosecond)), work, "and it is the first such instant")
		require.Equal(t, end, add(add(first, work/3+1), work-work/3-1), "adding in two steps")
		require.False(t, add(second, work).Before(end), "a later start is due later")
		require.False(t, add(first, work+time.Second).Before(end), "more work is due later")

		begin := add(first, -work)
		require.Equal(t, work, between(begin, first), "going back, then measuring")
		require.Zero(t, between(add(begin, work), first), "there and back again, but for time that does not count")

		next, err := cal.Next(first)
		require.NoError(t, err)
		require.Zero(t, between(first, next))
		working, err := cal.Working(next)
		require.NoError(t, err)
		require.True(t, working)

		var sum time.Duration
		stretches, err := cal.Stretches(first, third)
		require.NoError(t, err)
		from := first
		for _, s := range stretches {
			require.Equal(t, from.UTC(), s.From.UTC(), "without gaps")
			if from = s.To; s.Open {
				sum += s.To.Sub(s.From)
			}
		}
		if first.Before(third) {
			require.Equal(t, third.UTC(), from.UTC())
		}
		require.Equal(t, between(first, third), sum, "explained is what was counted")
	})
}

func TestClockAgreesWithTheOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, d := drawAlmanac(t)
		cal := a.calendar(t)
		last := len(d.working)
		pauses := drawPauses(t, last)
		slices.SortFunc(pauses, func(x, y minutesOfDay) int { return x.from - y.from })
		start := rapid.IntRange(0, last/2).Draw(t, "start")
		target := rapid.IntRange(1, 1500).Draw(t, "target")
		limit := rapid.IntRange(0, 600).Draw(t, "limit")

		terms := sla.Terms{
			Target: sla.Exactly(time.Duration(target) * time.Minute), MaxPause: sla.Exactly(time.Duration(limit) * time.Minute),
			Marks:  []sla.Mark{{Percent: 50}, {Percent: 75}, {Percent: 110}, {Offset: sla.Exactly(-7 * time.Minute)}},
			Repeat: sla.Repeat{Every: sla.Exactly(time.Hour), Times: 2},
		}
		c := sla.Start(sla.Resolution, 1, terms, d.at(start))
		at := start
		var held []minutesOfDay // as far as the limit lets them count
		left := limit
		for _, p := range pauses {
			if p.from < at {
				continue
			}
			at = p.to
			c.Pause(d.at(p.from), "li.na", "asks", true)
			c.Resume(d.at(p.to))
			if limit > 0 && d.count(p.from, p.to) > left {
				if left > 0 {
					p.to, _ = d.after(p.from, left)
				} else {
					p.to = p.from
				}
			}
			left -= d.count(p.from, p.to)
			held = append(held, p)
		}

		deadline, known := c.Deadline(cal)
		require.True(t, known)
		if end, ok := d.after(start, target, held...); ok {
			require.Equal(t, d.at(end), deadline, "target %d, limit %d, held %v", target, limit, held)
			require.Equal(t, terms.Target.Time, c.Elapsed(cal, deadline), "elapsed and remaining are the target")
		}
		now := rapid.IntRange(start, last).Draw(t, "now")
		require.Equal(t, time.Duration(d.count(start, now, held...))*time.Minute, c.Elapsed(cal, d.at(now)))

		closed := c
		closed.Pauses = slices.Clone(c.Pauses)
		for i := range last {
			if i > at && !d.working[i] {
				closed.Pause(d.at(i), "li.na", "asks at night", true)
				closed.Resume(d.at(i + 1))
				break
			}
		}
		same, known := closed.Deadline(cal)
		require.True(t, known)
		require.Equal(t, deadline, same, "a pause outside hours changes nothing")

		stood := marked(t, &c, cal)
		require.Equal(t, deadline, stood["100%"])
		require.Equal(t, deadline, *c.BreachedAt)
		for _, pair := range [][2]string{{"50%", "75%"}, {"75%", "100%"}, {"100%", "110%"}, {"100%", "repeat 1"}, {"repeat 1", "repeat 2"}} {
			require.False(t, stood[pair[1]].Before(stood[pair[0]]), "%s comes before %s", pair[0], pair[1])
		}
	})
}
