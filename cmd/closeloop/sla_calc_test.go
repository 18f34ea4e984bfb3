package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/policy"
)

const fridayAtSix = `{"id":"a","calendar":"cn-office","start":"2026-03-06T18:00:00+08:00","target":"2h"}` + "\n"

func TestCalcReadsFilesAndStandardInput(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "questions.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(fridayAtSix), 0o600))
	for name, c := range map[string]calling{
		"a file":              {args: []string{"sla", "calc", path}},
		"standard input":      {args: []string{"sla", "calc"}, in: fridayAtSix},
		"a dash":              {args: []string{"sla", "calc", "-"}, in: fridayAtSix},
		"JSON, by name":       {args: []string{"sla", "calc", "-o", "json"}, in: fridayAtSix},
		"JSON lines, by name": {args: []string{"sla", "calc", "-o", "ndjson"}, in: fridayAtSix},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, called{out: `{"id":"a","deadline":"2026-03-09T03:00:00Z"}` + "\n"}, c.run(t))
		})
	}
}

func TestCalcWithLinesThatAreWrong(t *testing.T) {
	t.Parallel()
	in := fridayAtSix + "{}\n" + fridayAtSix
	got := calling{args: []string{"sla", "calc"}, in: in}.run(t)
	require.Equal(t, exitFailure, got.status)
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	require.Len(t, lines, 3, "the others are answered")
	require.JSONEq(t, `{"id":"","error":"nothing is asked: give a start with a target, or at"}`, lines[1])
	require.Equal(t, "Error: 1 of 3 lines have no answer\n  → their error says what is wrong with each; the other answers hold\n", got.err)
	require.Equal(t, "lines", calling{args: []string{"sla", "calc", "-o", "json"}, in: in}.run(t).told(t).Code)
}

func TestWrongCallsOfCalc(t *testing.T) {
	t.Parallel()
	got := calling{args: []string{"sla", "calc", "none.jsonl", "-o", "json"}}.run(t)
	require.Equal(t, exitNotFound, got.status)
	require.Equal(t, "not_found", got.told(t).Code)
	got = calling{args: []string{"sla", "calc", "-o", "yaml"}, in: fridayAtSix}.run(t)
	require.Equal(t, exitUsage, got.status)
	require.Contains(t, got.err, `--output: “yaml” is not one of ndjson, json`)
	require.Empty(t, got.out)
}

// The calendars of the policy can be named, and those that ship as ever.
func TestCalcKnowsTheCalendarsOfThePolicy(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	text := string(policy.DefaultYAML())
	require.NotContains(t, text, "\ncalendars:")
	text += "\ncalendars:\n  - name: shop\n    timezone: Europe/Paris\n    hours:\n      sat: [[\"10:00\", \"12:00\"]]\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	question := strings.ReplaceAll(fridayAtSix, "cn-office", "shop")
	got := calling{args: []string{"sla", "calc"}, in: question + fridayAtSix, env: []string{"CLOSELOOP_POLICY=" + path}}.run(t)
	require.Equal(t, called{out: `{"id":"a","deadline":"2026-03-07T11:00:00Z"}` + "\n" + `{"id":"a","deadline":"2026-03-09T03:00:00Z"}` + "\n"}, got)

	got = calling{args: []string{"sla", "calc"}, in: question}.run(t)
	require.Equal(t, exitFailure, got.status)
	var answer map[string]string
	require.NoError(t, json.Unmarshal([]byte(got.out), &answer))
	require.Contains(t, answer["error"], `unknown calendar "shop"`)
}

// What the READMEs show is what is answered.
func TestCalcAsTheReadmesShowIt(t *testing.T) {
	t.Parallel()
	shown := regexp.MustCompile(`\$ (?:echo '(.+)' \| closeloop sla calc|closeloop sla calc <<'END'\n(.+)\nEND)\n(.+\n)`)
	for _, file := range []string{"../../README.md", "../../README.zh-CN.md"} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		found := shown.FindAllStringSubmatch(string(text), -1)
		require.Len(t, found, 2, file)
		for _, example := range found {
			got := calling{args: []string{"sla", "calc"}, in: example[1] + example[2]}.run(t)
			require.Equal(t, called{out: example[3]}, got, file)
		}
	}
}
