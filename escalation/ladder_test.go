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

var t0 = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func minutes(n int) sla.Duration { return sla.Exactly(time.Duration(n) * time.Minute) }

func ladder(rounds int, calls ...escalation.Call) *escalation.Ladder {
	return escalation.Start(escalation.Ladder{
		ID: "resolution-1", Calls: calls, Rounds: rounds, AcknowledgedFor: minutes(30), Alarm: []string{"boss"},
	}, t0)
}

func call(within, times int, people ...string) escalation.Call {
	return escalation.Call{People: people, Within: minutes(within), Times: times}
}

// climb lets the ladder go on by itself until it is over.
func climb(t require.TestingT, l *escalation.Ladder) []escalation.Page {
	var pages []escalation.Page
	for {
		at, ok := l.Next()
		if !ok {
			return pages
		}
		_, early := l.Tick(at.Add(-1))
		require.False(t, early, "nothing happens a moment before")
		page, due := l.Tick(at)
		require.True(t, due)
		pages = append(pages, page)
	}
}

func TestClimbing(t *testing.T) {
	t.Parallel()
	type page = escalation.Page
	for _, c := range []struct {
		name string
		l    *escalation.Ladder
		want []page
		took time.Duration
	}{
		{
			"two levels, one round", ladder(1, call(15, 1, "a"), call(30, 1, "b", "c")),
			[]page{{Level: 1, Round: 1, People: []string{"a"}}, {Level: 2, Round: 1, People: []string{"b", "c"}}, {Level: 2, Round: 1, People: []string{"boss"}, Alarm: true}},
			45 * time.Minute,
		},
		{
			"a level is called twice", ladder(1, call(15, 2, "a")),
			[]page{{Level: 1, Round: 1, People: []string{"a"}}, {Level: 1, Round: 1, People: []string{"a"}}, {Level: 1, Round: 1, People: []string{"boss"}, Alarm: true}},
			30 * time.Minute,
		},
		{
			"an empty level is passed over at once", ladder(1, call(15, 1, "a"), call(60, 3), call(15, 1, "c")),
			[]page{{Level: 1, Round: 1, People: []string{"a"}}, {Level: 3, Round: 1, People: []string{"c"}}, {Level: 3, Round: 1, People: []string{"boss"}, Alarm: true}},
			30 * time.Minute,
		},
		{
			"the ladder is climbed again", ladder(2, call(15, 1, "a")),
			[]page{{Level: 1, Round: 1, People: []string{"a"}}, {Level: 1, Round: 2, People: []string{"a"}}, {Level: 1, Round: 2, People: []string{"boss"}, Alarm: true}},
			30 * time.Minute,
		},
		{"nobody anywhere", ladder(3, call(15, 1)), []page{{Level: 1, Round: 3, People: []string{"boss"}, Alarm: true}}, 0},
		{"no levels", ladder(2), []page{{Level: 0, Round: 1, People: []string{"boss"}, Alarm: true}}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var last time.Time
			l := *c.l
			for {
				at, ok := l.Next()
				if !ok {
					break
				}
				last = at
				l.Tick(at)
			}
			require.Equal(t, c.want, climb(t, c.l))
			require.Equal(t, c.took, last.Sub(t0))
			require.Equal(t, escalation.Alarmed, c.l.State)
			require.Error(t, c.l.Check("stranger", false))
			require.NoError(t, c.l.Check("boss", false), "who was alarmed may still see to it")
			c.l.Acknowledge(last, "boss")
			_, again := c.l.Next()
			require.False(t, again, "for good")
			require.False(t, c.l.Over(), "until the cause is gone")
		})
	}
}

func TestAcknowledgementHoldsAsLongAsThereIsProgress(t *testing.T) {
	t.Parallel()
	l := ladder(1, call(15, 1, "a"), call(15, 1, "b"))
	l.Tick(t0)
	require.Error(t, l.Check("stranger", false))
	require.NoError(t, l.Check("stranger", true))
	require.NoError(t, l.Check("b", false), "everybody on the ladder may")
	l.Acknowledge(t0.Add(3*time.Minute), "b")
	require.Error(t, l.Check("a", false), "once")
	l.Progress(t0.Add(20 * time.Minute))
	at, ok := l.Next()
	require.True(t, ok)
	require.Equal(t, t0.Add(50*time.Minute), at)
	page, due := l.Tick(at)
	require.True(t, due)
	require.Equal(t, []string{"a", "b"}, page.People, "the level and who acknowledged")
	require.Equal(t, escalation.Climbing, l.State)
	l.StandDown()
	_, ok = l.Next()
	require.False(t, ok)
	require.Error(t, l.Check("a", true))
}

func TestAcknowledgementForGood(t *testing.T) {
	t.Parallel()
	l := ladder(1, call(15, 1, "a"))
	l.AcknowledgedFor = sla.Duration{}
	l.Tick(t0)
	l.Acknowledge(t0, "a")
	_, ok := l.Next()
	require.False(t, ok)
}

// TestAnyLadderEnds: whatever the chain and whoever acknowledges, the ladder
// calls each level a bounded number of times and raises at most one alarm.
func TestAnyLadderEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var calls []escalation.Call
		most := 0
		rounds := rapid.IntRange(0, 4).Draw(t, "rounds")
		for range rapid.IntRange(0, 4).Draw(t, "levels") {
			people := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3).Draw(t, "people")
			c := call(rapid.IntRange(1, 60).Draw(t, "within"), rapid.IntRange(0, 3).Draw(t, "times"), people...)
			if len(people) > 0 {
				most += max(1, c.Times) * max(1, rounds)
			}
			calls = append(calls, c)
		}
		l := ladder(rounds, calls...)
		acks, pages, alarms := rapid.IntRange(0, 3).Draw(t, "acks"), 0, 0
		for {
			at, ok := l.Next()
			if !ok {
				break
			}
			text, err := json.Marshal(l)
			require.NoError(t, err)
			l = new(escalation.Ladder)
			require.NoError(t, json.Unmarshal(text, l), "it survives being carried over")
			page, due := l.Tick(at)
			require.True(t, due)
			if page.Alarm {
				alarms++
			} else {
				pages++
				require.NotEmpty(t, page.People)
			}
			if acks > 0 && !l.Over() && l.Check("a", true) == nil {
				acks--
				most++ // the acknowledgement runs out and they are called again
				l.Acknowledge(at, "a")
			}
		}
		require.Equal(t, 1, alarms)
		require.LessOrEqual(t, pages, most)
	})
}
