package sla_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/sla"
)

// peerSuite is a file of cases out of another project's own tests.
type peerSuite struct {
	Peer   string         `json:"peer"`
	Counts map[string]int `json:"counts"`
	Cases  []peerCase     `json:"cases"`
}

type peerCase struct {
	ID       string                     `json:"id"`
	Name     string                     `json:"name"`
	Kind     string                     `json:"kind"`
	Timezone string                     `json:"timezone"`
	Calendar map[string]json.RawMessage `json:"calendar"`

	Start         string  `json:"start"`
	End           string  `json:"end"`
	At            string  `json:"at"`
	TargetSeconds float64 `json:"target_seconds"`
	Date          string  `json:"date"`
	N             int     `json:"n"`

	Expected         any         `json:"expected"`
	ExpectedDeadline string      `json:"expected_deadline"`
	ExpectedElapsed  float64     `json:"expected_elapsed_seconds"`
	ExpectedWindows  [][2]string `json:"expected_windows"`
	ExpectedToEnd    float64     `json:"expected_elapsed_minutes_to_end"`
	ExpectedDate     string      `json:"expected_date"`

	Convention     string `json:"boundary_convention_of_peer"`
	AlsoAcceptable string `json:"also_acceptable"`
}

// ours returns the deadline that we owe to a case, and why when that is not what
// the peer says.
func (c peerCase) ours() (deadline, reason string) {
	if c.Convention == "start_of_next_period" {
		return c.AlsoAcceptable, "a deadline that falls on closing time stays there"
	}
	return c.ExpectedDeadline, ""
}

// The suites of other projects hold, asked as an outsider would: JSON lines into
// `sla calc`. What it does not ask for (windows and days) is asked of the calendar.
func TestPeerSuites(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../shared/data/sla-cases/*.json")
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("the suites of other projects are not here: ../shared/data/sla-cases is absent")
	}
	for _, file := range files {
		if filepath.Base(file) == "conventions.json" {
			continue
		}
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		var suite peerSuite
		require.NoError(t, json.Unmarshal(content, &suite))
		t.Run(suite.Peer, func(t *testing.T) {
			counts := map[string]int{}
			passed := 0
			var byConvention []string
			for _, c := range suite.Cases {
				counts[c.Kind]++
				ok := t.Run(c.ID+" "+c.Name, func(t *testing.T) {
					if c.holds(t); c.Kind != "deadline" {
						return
					}
					if _, reason := c.ours(); reason != "" {
						byConvention = append(byConvention, fmt.Sprintf("%s: %s", c.ID, reason))
					}
				})
				if ok {
					passed++
				}
			}
			require.Equal(t, suite.Counts, counts, "every case of the file was run")
			t.Logf("%s: %d of %d", suite.Peer, passed, len(suite.Cases))
			for _, line := range byConvention {
				t.Logf("  by our convention: %s", line)
			}
		})
	}
}

// holds checks one case.
func (c peerCase) holds(t *testing.T) {
	t.Helper()
	if c.Calendar["timezone"] == nil {
		zone, err := json.Marshal(c.Timezone)
		require.NoError(t, err)
		c.Calendar["timezone"] = zone
	}
	switch c.Kind {
	case "deadline":
		want, _ := c.ours()
		require.Equal(t, want, c.ask(t, map[string]any{"start": c.Start, "target_seconds": c.TargetSeconds})["deadline"])
	case "before":
		require.Equal(t, c.Expected, c.ask(t, map[string]any{"start": c.Start, "target_seconds": -c.TargetSeconds})["deadline"])
	case "elapsed":
		require.Equal(t, c.ExpectedElapsed, c.ask(t, map[string]any{"start": c.Start, "at": c.End})["elapsed_seconds"])
	case "in_working_time":
		require.Equal(t, c.Expected, c.ask(t, map[string]any{"start": c.At, "at": c.At})["working"])
	case "next_working_instant":
		require.Equal(t, c.Expected, c.ask(t, map[string]any{"start": c.At, "at": c.At})["next_working"])
		require.Equal(t, c.Expected, c.ask(t, map[string]any{"start": c.At, "target": "0s"})["deadline"], "no work at all ends there, too")
	case "windows":
		require.Equal(t, c.ExpectedToEnd*60, c.ask(t, map[string]any{"start": c.Start, "at": c.End})["elapsed_seconds"])
		require.Equal(t, c.ExpectedWindows, c.windows(t))
	case "add_workdays":
		date, err := sla.ParseDate(c.Date)
		require.NoError(t, err)
		start := instantOn(t, date, c.zone(t))
		at, err := c.calendar(t).AddDays(start, c.N)
		require.NoError(t, err)
		require.Equal(t, c.ExpectedDate, sla.DateOf(at, c.zone(t)).String())
	case "count_workdays_inclusive":
		require.Equal(t, c.Expected, float64(c.workdays(t)))
	default:
		t.Fatalf("no such kind of case: %s", c.Kind)
	}
}

// ask sends the question through the JSON contract.
func (c peerCase) ask(t *testing.T, question map[string]any) map[string]any {
	t.Helper()
	question["id"], question["calendar"] = c.ID, c.Calendar
	line, err := json.Marshal(question)
	require.NoError(t, err)
	answers, _ := run(t, string(line))
	require.Len(t, answers, 1)
	require.NotContains(t, answers[0], "error")
	require.Equal(t, c.ID, answers[0]["id"])
	return answers[0]
}

// run asks lines and returns the answers.
func run(t require.TestingT, lines ...string) ([]map[string]any, sla.Tally) {
	var out bytes.Buffer
	var calculator sla.Calculator
	tally, err := calculator.Run(strings.NewReader(strings.Join(lines, "\n")), &out)
	require.NoError(t, err)
	var answers []map[string]any
	for line := range strings.Lines(out.String()) {
		answer := map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(line), &answer), line)
		answers = append(answers, answer)
	}
	return answers, tally
}

func (c peerCase) zone(t *testing.T) *time.Location {
	t.Helper()
	zone, err := sla.FindZone(c.Timezone)
	require.NoError(t, err)
	return zone
}

func instantOn(t *testing.T, date sla.Date, zone *time.Location) time.Time {
	t.Helper()
	at, err := time.ParseInLocation(time.DateTime, date.String()+" 10:00:00", zone)
	require.NoError(t, err)
	return at
}

func (c peerCase) calendar(t *testing.T) *sla.Calendar {
	t.Helper()
	text, err := json.Marshal(c.Calendar)
	require.NoError(t, err)
	return calendarOf(t, string(text))
}

func calendarOf(t require.TestingT, text string) *sla.Calendar {
	var table sla.Timetable
	require.NoError(t, json.Unmarshal([]byte(text), &table))
	cal, err := table.Calendar()
	require.NoError(t, err)
	return cal
}

func (c peerCase) windows(t *testing.T) [][2]string {
	t.Helper()
	from, err := time.Parse(time.RFC3339, c.Start)
	require.NoError(t, err)
	to, err := time.Parse(time.RFC3339, c.End)
	require.NoError(t, err)
	stretches, err := c.calendar(t).Stretches(from, to)
	require.NoError(t, err)
	var list [][2]string
	for _, s := range stretches {
		if s.Open {
			list = append(list, [2]string{s.From.UTC().Format(time.RFC3339), s.To.UTC().Format(time.RFC3339)})
		}
	}
	return list
}

func (c peerCase) workdays(t *testing.T) int {
	t.Helper()
	first, err := sla.ParseDate(c.Start)
	require.NoError(t, err)
	last, err := sla.ParseDate(c.End)
	require.NoError(t, err)
	cal, n := c.calendar(t), 0
	for date := first; date <= last; date++ {
		works, err := cal.Works(date)
		require.NoError(t, err)
		if works {
			n++
		}
	}
	return n
}
