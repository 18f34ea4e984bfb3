package main

import (
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/requirement"
	"closeloop/sla"
)

// wayOf is the explanation of a clock, as far as it is drawn: pauses are an hour
// long and begin at those hours after its start.
func wayOf(t require.TestingT, calendar string, start time.Time, target, lived time.Duration, pauses ...int) requirement.ClockExplanation {
	cal, err := sla.FindCalendar(calendar)
	require.NoError(t, err)
	c := sla.Start(sla.Resolution, 1, sla.Terms{Target: sla.Exactly(target), Calendar: calendar}, start)
	for _, hours := range pauses {
		at := start.Add(time.Duration(hours) * time.Hour)
		c.Pause(at, "a", "b", true)
		c.Resume(at.Add(time.Hour))
	}
	x := requirement.ClockExplanation{}
	x.StartedAt = start
	now := start.Add(lived)
	until := now
	if deadline, known := c.Deadline(cal); known && deadline.After(now) {
		until = deadline
	}
	for _, i := range sla.CutAt(cal, c.Intervals(cal, until), now) {
		v := requirement.IntervalView{
			From: i.From, To: i.To, Kind: i.Kind, WorkingSeconds: i.Work.Seconds(), CountedSeconds: i.Counted().Seconds(), Overdue: i.Overdue,
		}
		if i.From.Before(now) {
			x.Intervals = append(x.Intervals, v)
		} else {
			x.Ahead = append(x.Ahead, v)
		}
	}
	return x
}

func plain(_ sign, text string) string { return text }

func TestTimeline(t *testing.T) {
	t.Parallel()
	at := func(month time.Month, day, hour int) time.Time {
		return time.Date(2026, month, day, hour, 0, 0, 0, time.FixedZone("", 8*60*60))
	}
	for name, tc := range map[string]struct {
		way   requirement.ClockExplanation
		width int
		bar   string
		scale time.Duration
	}{
		"two hours": {wayOf(t, sla.AlwaysOpen, at(9, 1, 9), 2*time.Hour, time.Hour), 24, "████████████············", 5 * time.Minute},
		"two hours over a break, to scale": {
			wayOf(t, sla.ChineseOffice, at(9, 1, 11), 2*time.Hour, 3*time.Hour), 25, "████████████░████████████", 5 * time.Minute,
		},
		"overdue":            {wayOf(t, sla.AlwaysOpen, at(9, 1, 9), 2*time.Hour, 3*time.Hour), 12, "████████!!!!", 15 * time.Minute},
		"a pause":            {wayOf(t, sla.AlwaysOpen, at(9, 1, 9), 4*time.Hour, 4*time.Hour, 1), 10, "██▒▒████··", 30 * time.Minute},
		"a pause that lasts": {wayOf(t, sla.AlwaysOpen, at(9, 1, 9), 4*time.Hour, time.Hour, 1), 10, "██▒▒······", 30 * time.Minute},
		"a night":            {wayOf(t, sla.ChineseOffice, at(9, 1, 14), 8*time.Hour, 23*time.Hour), 20, "████████░██████░··", 30 * time.Minute},
		"two holidays":       {wayOf(t, sla.ChineseOffice, at(9, 24, 9), 24*time.Hour, 6*24*time.Hour), 20, "████HHH████░████░", 2 * time.Hour},
		"a week":             {wayOf(t, sla.ChineseOffice, at(9, 7, 9), 40*time.Hour, 5*24*time.Hour), 30, "████░████░████░████░████░", 2 * time.Hour},
		"most of a year":     {wayOf(t, sla.ChineseOffice, at(1, 5, 9), 1600*time.Hour, 100*24*time.Hour), 60, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			line := newTimeline(tc.way, tc.width, 1)
			bar := line.bar("H", plain)
			require.LessOrEqual(t, lipgloss.Width(bar), tc.width)
			require.Greater(t, lipgloss.Width(bar), tc.width/3, "the width is used: %s", bar)
			if tc.bar != "" {
				require.Equal(t, tc.bar, bar)
			}
			if tc.scale != 0 {
				require.Equal(t, tc.scale, line.scale)
			}
		})
	}
}

// TestTimelineFits: whatever the way, it fits, later instants never stand before
// earlier ones, and what happened is seen.
func TestTimelineFits(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 5, 1, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		var pauses []int
		last := 0
		for range rapid.IntRange(0, 60).Draw(t, "pauses") {
			last += rapid.IntRange(2, 20).Draw(t, "runs")
			pauses = append(pauses, last)
		}
		target := time.Duration(rapid.IntRange(1, 1500).Draw(t, "target")) * time.Hour
		lived := time.Duration(rapid.IntRange(1, 5000).Draw(t, "lived")) * time.Hour
		way := wayOf(t, rapid.SampledFrom(sla.ShippedNames).Draw(t, "calendar"), start, target, max(lived, time.Duration(last+1)*time.Hour), pauses...)
		width := rapid.IntRange(30, 200).Draw(t, "width")
		double := rapid.IntRange(1, 2).Draw(t, "holiday")
		line := newTimeline(way, width, double)
		bar := line.bar(strings.Repeat("H", double), plain)
		require.LessOrEqual(t, lipgloss.Width(bar), width)
		require.Equal(t, line.width, lipgloss.Width(bar))
		before := 0
		end := line.parts[len(line.parts)-1].To
		for at := start; at.Before(end); at = at.Add(end.Sub(start) / 97) {
			column := line.column(at)
			require.GreaterOrEqual(t, column, before)
			require.LessOrEqual(t, column, line.width)
			before = column
		}
		if len(pauses) > 0 && len(pauses) < 8 && width > 60 {
			require.Contains(t, bar, string(signPaused))
		}
	})
}

func TestPointersDoNotOverlap(t *testing.T) {
	t.Parallel()
	line := timeline{width: 20}
	lines := line.pointed([]label{{2, "50%"}, {4, "75%"}, {19, "截止"}, {0, "a"}, {20, "now"}}, 22)
	for _, l := range lines {
		require.LessOrEqual(t, lipgloss.Width(l), 22, l)
	}
	require.Equal(t, []string{"^a  ^75%       截止^", "  ^50%          now^"}, lines)
}
