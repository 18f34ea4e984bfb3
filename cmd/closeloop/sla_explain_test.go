package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/internal/trial"
	"closeloop/ledger"
	"closeloop/locale"
	"closeloop/requirement"
	"closeloop/sla"
)

// explaining calls sla explain for the life over the National Day.
func explaining(lang string, args ...string) calling {
	return calling{
		args:  append([]string{"sla", "explain", someID, "--lang", lang}, args...),
		books: &fakeArchive{account: trial.NationalDay(someID, lang)}, now: trial.AfterNationalDay, zone: time.FixedZone("", 8*60*60),
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	for _, lang := range locale.Languages {
		for name, args := range map[string][]string{"": nil, ".unfolded": {"--unfolded", "--all"}} {
			t.Run(lang+name, func(t *testing.T) {
				t.Parallel()
				got := explaining(lang, args...).run(t)
				require.Zero(t, got.status, got.err)
				require.NotContains(t, got.out, "\x1b", "no styles outside a terminal")
				require.NotContains(t, got.out, "cli.")
				golden(t, "sla.explain"+name+"."+lang, got.out)
			})
		}
	}
}

// TestExplainForPrograms: the fields are a contract.
func TestExplainForPrograms(t *testing.T) {
	t.Parallel()
	got := explaining(locale.English, "-o", "json", "--clock", "resolution", "--cycle", "1").run(t)
	require.Zero(t, got.status, got.err)
	var back requirement.Explanation
	decoder := json.NewDecoder(strings.NewReader(got.out))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&back))
	require.Len(t, back.Clocks, 1)
	require.Equal(t, "xu.jie", back.Clocks[0].Breach.Owner)

	var answer map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.out), &answer))
	require.ElementsMatch(t, []string{"id", "title", "stage", "at", "department", "owner", "clocks", "others"}, keysOf(answer))
	clock := answer["clocks"].([]any)[0].(map[string]any)
	require.ElementsMatch(t, []string{
		"name", "cycle", "state", "target_seconds", "target", "calendar", "started_at", "deadline", "stopped_at", "breached_at",
		"detected_at", "elapsed_seconds", "pauses", "marks",
		"policy", "timezone", "basis", "deadline_without_pauses", "paused_seconds", "remaining_seconds", "max_pause_seconds",
		"terms", "handovers", "breach", "intervals", "ahead", "departments", "holders",
	}, keysOf(clock))
	require.Equal(t, "2026-10-12T02:00:00Z", clock["deadline"])
	require.Equal(t, 149400.0, clock["elapsed_seconds"])
	first := clock["intervals"].([]any)[0].(map[string]any)
	require.Subset(t, keysOf(first), []string{
		"from", "to", "kind", "owner", "department", "working_seconds", "counted_seconds", "total_seconds", "share", "overdue",
	})

	yaml := explaining(locale.English, "-o", "yaml").run(t)
	require.Zero(t, yaml.status, yaml.err)
	require.Contains(t, yaml.out, "basis: working_time")
}

func keysOf(object map[string]any) []string {
	var keys []string
	for k := range object {
		keys = append(keys, k)
	}
	return keys
}

func TestExplainAtAnInstant(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]string{
		"with an offset": "2026-09-29T01:30:00Z",
		"in the zone":    "2026-09-29 09:30",
		"with seconds":   "2026-09-29T09:30:00",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := explaining(locale.English, "--at", at).run(t)
			require.Zero(t, got.status, got.err)
			require.Contains(t, got.out, "as of Tue 29 Sep 2026, 09:30 (UTC+8)")
			require.Contains(t, got.out, "resolution  paused")
			require.Contains(t, got.out, "deadline    none while the clock is paused")
			require.NotContains(t, got.out, "Xu Jie", "nobody knew it then")
		})
	}
}

func TestExplainFailures(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args   []string
		err    error
		status int
		says   string
	}{
		"no such requirement":  {nil, ledger.ErrNotFound, exitNotFound, ""},
		"no such clock":        {[]string{"--clock", "appeal"}, nil, exitNotFound, `has no clock “appeal period”`},
		"no such cycle":        {[]string{"--clock", "response", "--cycle", "3"}, nil, exitNotFound, "in cycle 3"},
		"before it began":      {[]string{"--at", "2026-09-01"}, nil, exitNotFound, "has no clock at Tue 1 Sep 2026"},
		"not the name of one":  {[]string{"--clock", "alarm"}, nil, exitUsage, "--clock: “alarm” is not one of response, resolution"},
		"not an instant":       {[]string{"--at", "soon"}, nil, exitUsage, "--at: soon is no instant"},
		"not a cycle":          {[]string{"--cycle", "-1"}, nil, exitUsage, "--cycle"},
		"the ledger is away":   {nil, ledger.ErrUnreachable, exitUnreachable, ""},
		"the ledger is behind": {nil, ledger.ErrSchema, exitFailure, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := explaining(locale.English, tc.args...)
			call.books.err = tc.err
			got := call.run(t)
			require.Equal(t, tc.status, got.status, got.err)
			require.Contains(t, got.err, tc.says)
			require.Empty(t, got.out)
		})
	}
}

// TestExplainHostileTexts: what customers and colleagues write cannot change the
// terminal.
func TestExplainHostileTexts(t *testing.T) {
	t.Parallel()
	call := explaining(locale.English)
	call.books.account.State.Title = "a\x1b[31mb"
	for i := range call.books.account.Clocks {
		for j := range call.books.account.Clocks[i].Pauses {
			call.books.account.Clocks[i].Pauses[j].Reason = "x\x1b]0;y\a"
		}
	}
	got := call.run(t)
	require.Zero(t, got.status, got.err)
	require.NotContains(t, got.out, "\x1b")
	require.NotContains(t, got.out, "\a")
}

// TestExplainWithoutDeadline says why there is none.
func TestExplainWithoutDeadline(t *testing.T) {
	t.Parallel()
	for _, lang := range locale.Languages {
		call := explaining(lang)
		clock := &call.books.account.Clocks[1]
		require.Equal(t, sla.Resolution, clock.Name)
		clock.Target, clock.BreachedAt, clock.DetectedAt, clock.Fired = sla.Exactly(4000*time.Hour), nil, nil, nil
		last := &call.books.account.Events[len(call.books.account.Events)-1]
		require.NotEqual(t, sla.Resolution, last.Clock)
		for i, e := range call.books.account.Events {
			call.books.account.Events[i].Data = json.RawMessage(strings.ReplaceAll(string(e.Data), `"target":"40h"`, `"target":"4000h"`))
		}
		got := call.run(t)
		require.Zero(t, got.status, got.err)
		require.Contains(t, got.out, "2027")
		require.Contains(t, got.out, "closeloop calendar import")
	}
}
