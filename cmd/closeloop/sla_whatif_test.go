package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/internal/trial"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/whatif"
)

// lived are lives under the default policy, as the ledger has them.
func lived(n int) []whatif.Life {
	lives := make([]whatif.Life, n)
	for i := range lives {
		r := trial.Life(i, policy.Default().Process)
		r.Tick(noon)
		for j := range r.Clocks {
			c := &r.Clocks[j]
			ran := whatif.Ran{Clock: c.Name, Cycle: c.Cycle, State: c.State(), StoppedAt: c.StoppedAt, BreachedAt: c.BreachedAt}
			if at, known := c.Deadline(r.CalendarOf(c)); known {
				ran.Deadline = &at
			}
			lives[i].Clocks = append(lives[i].Clocks, ran)
		}
		lives[i].ID, lives[i].Events = r.ID, r.Take().Events
	}
	return lives
}

// officeFile is the default policy with the calendar of an office.
func officeFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "office.yaml")
	text := strings.ReplaceAll(string(policy.DefaultYAML()), "calendar: 24x7", "calendar: cn-office")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestWhatIfAnswers(t *testing.T) {
	t.Parallel()
	file := officeFile(t)
	for lang, words := range map[string][]string{
		"en":    {"40 requirement(s) folded under the rules", "first response", "technology", "high", "total", "late by", "--limit N lists more", " → "},
		"zh-CN": {"重算 40 个需求", "首次响应", "按时", "超时", "合计", "迟延", "另有"},
	} {
		got := calling{args: []string{"sla", "whatif", "--policy", file, "--limit", "3", "--lang", lang}, books: &fakeArchive{lives: lived(40)}}.run(t)
		require.Zero(t, got.status, got.err)
		for _, w := range words {
			require.Contains(t, got.out, w)
		}
		require.NotContains(t, got.out, "cli.")
	}
	books := &fakeArchive{lives: lived(40)}
	got := calling{args: []string{
		"sla", "whatif", "--policy", file, "--since", "2025-01-01", "--until", "2026-01-01T00:00:00+08:00",
		"--clock", "response,resolution", "-o", "json",
	}, books: books}.run(t)
	require.Zero(t, got.status, got.err)
	var answer whatif.Answer
	require.NoError(t, json.Unmarshal([]byte(got.out), &answer))
	require.Equal(t, 40, answer.Folded)
	require.Len(t, answer.ByClock, 2)
	require.LessOrEqual(t, len(answer.Changed), whatIfShown)
	require.Equal(t, time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), books.since)
	require.Equal(t, time.Date(2025, 12, 31, 16, 0, 0, 0, time.UTC), books.until)

	got = calling{args: []string{"sla", "whatif", "--policy", file, "-o", "csv", "--limit", "2"}, books: books}.run(t)
	require.Zero(t, got.status, got.err)
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	require.Len(t, lines, 3)
	require.Equal(t, strings.Join(whatIfColumns, ","), lines[0])
	require.True(t, strings.HasPrefix(lines[1], "REQ-"))
}

// Without --at the answer is that of now, which has passed when it is checked.
func TestWhatIfOfNow(t *testing.T) {
	t.Parallel()
	got := calling{args: []string{"sla", "whatif", "--policy", officeFile(t)}, books: &fakeArchive{lives: lived(1)}, passing: true}.run(t)
	require.Zero(t, got.status, got.err)
	require.Contains(t, got.out, "1 requirement(s) folded under the rules")
}

func TestWhatIfTellsWhatItCannotFold(t *testing.T) {
	t.Parallel()
	lives := lived(3)
	for i := range lives[1].Events {
		lives[1].Events[i].Stage = ""
	}
	lives[2].Events[0].Stage = requirement.Confirming
	got := calling{args: []string{"sla", "whatif", "--policy", officeFile(t)}, books: &fakeArchive{lives: lives}}.run(t)
	require.Zero(t, got.status, got.err)
	require.Contains(t, got.out, "2 cannot be folded and are left out: 1 with events from before events said where they led to, 1 with events that do not fit together (REQ-00000001, REQ-00000002)")
}

func TestWhatIfRefuses(t *testing.T) {
	t.Parallel()
	file := officeFile(t)
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	require.NoError(t, os.WriteFile(broken, []byte("clocks: 7\n"), 0o600))
	for name, c := range map[string]struct {
		args   []string
		status int
		says   string
	}{
		"no policy":        {nil, exitUsage, "--policy"},
		"no such policy":   {[]string{"--policy", "none.yaml"}, exitNotFound, "none.yaml"},
		"a wrong policy":   {[]string{"--policy", broken}, exitFailure, "broken.yaml"},
		"a wrong date":     {[]string{"--policy", file, "--since", "yesterday"}, exitUsage, "--since: yesterday is no instant"},
		"end before begin": {[]string{"--policy", file, "--since", "2026-02-01", "--until", "2026-01-01"}, exitUsage, "not before"},
		"the past":         {[]string{"--policy", file, "--at", "2026-01-01"}, exitUsage, "in the past"},
		"a wrong clock":    {[]string{"--policy", file, "--clock", "sundial"}, exitUsage, "sundial"},
		"a wrong limit":    {[]string{"--policy", file, "--limit", "-1"}, exitUsage, "limit"},
		"nothing there":    {[]string{"--policy", file}, exitDone, "There are no requirements in that time."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := calling{args: append([]string{"sla", "whatif"}, c.args...), books: &fakeArchive{}}.run(t)
			require.Equal(t, c.status, got.status, got.err)
			require.Contains(t, got.out+got.err, c.says)
		})
	}
}
