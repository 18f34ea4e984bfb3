package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/requirement"
	"closeloop/starter"
)

func TestWrongCalls(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	for name, tc := range map[string]struct {
		args    []string
		in      string
		env     []string
		status  int
		code    string
		message string
	}{
		"no title":               {args: []string{"submit", "--customer", "云栖"}, status: 2, code: "invalid", message: "--title is missing"},
		"no customer":            {args: []string{"submit", "--title", "x"}, status: 2, code: "invalid", message: "--customer is missing"},
		"a priority of no kind":  {args: []string{"submit", "--title", "x", "--customer", "y", "--priority", "top"}, status: 2, code: "invalid", message: `--priority: "top" is not one of high, medium, low`},
		"a contact that is none": {args: []string{"submit", "--title", "x", "--customer", "y", "--contact", "li"}, status: 2, code: "invalid", message: `--contact: "li" is not a plain e-mail address like li@example.com`},
		"a reference without system": {
			args: []string{"submit", "--title", "x", "--customer", "y", "--ref", "17"}, status: 2, code: "invalid",
			message: `--ref: "17" is not SYSTEM:ID, for example jira:OPS-17`,
		},
		"a type that the policy named does not have": {
			args: []string{"submit", "--title", "x", "--customer", "y", "--type", "ours"}, env: []string{"CLOSELOOP_POLICY=../../examples/policy-fast.yaml"},
			status: 2, code: "invalid", message: `--type: "ours" is not one of functional, experience, performance, service, commercial, price, complaint, fault, wish, other`,
		},
		"unknown field": {
			args: []string{"submit", "-f", "-"}, in: "{\"title\":\"x\",\n \"prio\":\"high\"}", status: 2, code: "usage", message: `-:2:2: unknown field "prio"`,
		},
		"not JSON": {
			args: []string{"submit", "-f", write("broken.json", "{\n\"title\": \"x\",,}")}, status: 2, code: "usage",
			message: filepath.Join(dir, "broken.json") + `:2:15: invalid character ',' looking for beginning of object key string`,
		},
		"wrong type in a file": {
			args: []string{"submit", "-f", "-"}, in: `{"title":7}`, status: 2, code: "usage",
			message: `-:1:11: cannot unmarshal number into Go struct field Submission.title of type string`,
		},
		"two objects": {
			args: []string{"submit", "-f", "-"}, in: `{"title":"x"}{}`, status: 2, code: "usage",
			message: `-:1:15: there is something after the object; a file has one submission`,
		},
		"no such file":                   {args: []string{"submit", "-f", filepath.Join(dir, "none.json")}, status: 3, code: "not_found", message: "open " + filepath.Join(dir, "none.json") + ": no such file or directory"},
		"unknown flag":                   {args: []string{"list", "--color"}, status: 2, code: "usage", message: "there is no flag color"},
		"unknown flag before the format": {args: []string{"list", "--color", "-o", "json"}, status: 2, code: "usage", message: "there is no flag color"},
		"flag without value":             {args: []string{"list", "--stage"}, status: 2, code: "usage", message: "the flag stage needs a value"},
		"a number that is none":          {args: []string{"list", "--limit", "many"}, status: 2, code: "usage", message: "--limit: many is not a whole number"},
		"unknown command":                {args: []string{"shw"}, status: 2, code: "usage", message: "there is no command shw; did you mean show, sla?"},
		"unknown subcommand":             {args: []string{"policy", "lnt"}, status: 2, code: "usage", message: "there is no command lnt; did you mean lint?"},
		"help for no command":            {args: []string{"help", "shw"}, status: 2, code: "usage", message: "there is no command shw"},
		"no id":                          {args: []string{"accept"}, status: 2, code: "usage", message: "ID is missing"},
		"two ids":                        {args: []string{"accept", someID, "REQ-00000002"}, status: 2, code: "usage", message: "REQ-00000002 is one argument too many; put texts with spaces in quotes"},
		"an id that is none":             {args: []string{"accept", "closeloop-audit"}, status: 3, code: "not_found", message: "closeloop-audit is no id of a requirement; ids look like REQ-7K2M9QXA"},
		"no reason":                      {args: []string{"decline", someID}, status: 2, code: "invalid", message: "--reason is missing"},
		"no step":                        {args: []string{"plan", someID}, status: 2, code: "invalid", message: "--step: a plan has 1 to 30 steps, not 0"},
		"half a step":                    {args: []string{"plan", someID, "--step", "fix it"}, status: 2, code: "usage", message: `--step: write a step as "what;owner;due", not fix it; the owner may be empty`},
		"a step due in a day": {
			args: []string{"plan", someID, "--step", "fix;;1d"}, status: 2, code: "usage",
			message: `--step: 1d is neither a length of time from now, like 4h or 2wd, nor an instant like 2026-12-01T18:00:00+08:00 ("1d" is ambiguous: write 1wd for working days, or 24h for 1 times 24 hours)`,
		},
		"one option":            {args: []string{"respond", someID, "--method", "phone", "-m", "x", "--option", "a"}, status: 2, code: "invalid", message: "--option: offer the customer two or three, not 1"},
		"a rating of six":       {args: []string{"confirm", someID, "--rating", "6"}, status: 2, code: "invalid", message: "--rating: it is 1 to 5, not 6"},
		"a stage of no kind":    {args: []string{"list", "--stage", "done"}, status: 2, code: "usage", message: `--stage: “done” is not one of received, analysing, reviewing, assigned, executing, confirming, archived, rejected, withdrawn, merged`},
		"a page of a million":   {args: []string{"list", "--limit", "1000000"}, status: 2, code: "usage", message: "--limit: 1000000: 1 … 1000"},
		"a language of no kind": {args: []string{"version", "--lang", "fr"}, status: 2, code: "usage", message: `--lang: “fr” is not one of zh-CN, en`},
		"csv of what is no list": {
			args: []string{"show", someID, "-o", "csv"}, status: 2, code: "", message: "Error: --output: “csv” is not one of table, json, yaml\n  → see closeloop show --help\n",
		},
		"no database": {args: []string{"list"}, status: 2, code: "usage", message: "no database is named"},
		"no shell":    {args: []string{"completion", "tcsh"}, status: 2, code: "usage", message: "there is no completion for tcsh; there is bash, zsh, fish, powershell"},
		"Temporal is not there": {
			args: []string{"accept", someID}, status: 5, code: "unreachable",
		},
		"the database is not there": {
			args: []string{"list"}, env: []string{"CLOSELOOP_DATABASE_URL=postgres://x@127.0.0.1:9/x?connect_timeout=2"}, status: 5, code: "ledger_unreachable",
		},
		"watching a database that is not there": {
			args: []string{"watch"}, env: []string{"CLOSELOOP_DATABASE_URL=postgres://x@127.0.0.1:9/x?connect_timeout=2"}, status: 5, code: "ledger_unreachable",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := tc.args
			if tc.code != "" {
				args = append([]string{"-o", "json"}, args...)
			}
			got := calling{args: args, in: tc.in, env: tc.env}.run(t)
			require.Equal(t, tc.status, got.status, got.err)
			require.Empty(t, got.out, "nothing is printed but the error")
			if tc.code == "" {
				require.Equal(t, tc.message, got.err)
				return
			}
			f := got.told(t)
			require.Equal(t, tc.code, f.Code)
			if tc.message != "" {
				require.Equal(t, tc.message, f.Message)
			}
			require.NotEmpty(t, f.Hint+f.Message)
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	stage := &requirement.Error{
		Code: requirement.CodeStage, Message: someID + " is reviewing: resolve is possible in assigned, executing", Hint: "possible now: approve, decline",
		Params: map[string]string{"id": someID, "stage": "reviewing", "act": "resolve", "stages": "assigned, executing"},
	}
	for name, tc := range map[string]struct {
		err    error
		args   []string
		status int
		stderr string
	}{
		"the process says no, in English": {
			err: stage, status: 4,
			stderr: "Error: REQ-7K2M9QXA is reviewing: resolve is possible in assigned, executing\n  → possible now: approve, decline\n",
		},
		"the process says no, in Chinese": {
			err: stage, args: []string{"--lang", "zh-CN"}, status: 4,
			stderr: "错误：REQ-7K2M9QXA 当前处于 评审中 阶段，“resolve”只能在以下阶段进行：已分配, 执行中\n  → 用 closeloop show REQ-7K2M9QXA 查看现在可以进行的操作\n",
		},
		"the process says no, to a program": {
			err: stage, args: []string{"-o", "json"}, status: 4,
			stderr: `{"error":{"code":"wrong_stage","message":"REQ-7K2M9QXA is reviewing: resolve is possible in assigned, executing","hint":"possible now: approve, decline"}}` + "\n",
		},
		"a field that only the worker can check": {
			err: &requirement.Error{Code: requirement.CodeInvalid, Message: "done_steps: there is no step 9", Params: map[string]string{"field": "done_steps"}}, status: 2,
			stderr: "Error: done_steps: there is no step 9\n  → correct that field and try again\n",
		},
		"it has ended": {
			err: starter.ErrOver, status: 4,
			stderr: "Error: it has ended; nothing more can be done to it\n  → closeloop show tells how it ended; submit a new requirement if there is more to do\n",
		},
		"there is none": {
			err: starter.ErrNotFound, status: 3, stderr: "Error: not found\n  → closeloop list shows the requirements there are\n",
		},
		"nobody works": {
			err: starter.ErrNoWorker, status: 5,
			stderr: "Error: no worker answered in time\n  → start one with closeloop worker, and check TEMPORAL_NAMESPACE and CLOSELOOP_TASK_QUEUE; with --act-id or --ref it is safe to try again\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"resolve", someID, "--solution", "x"}, tc.args...)
			got := calling{args: args, desk: &fakeDesk{err: tc.err}}.run(t)
			require.Equal(t, tc.status, got.status)
			require.Empty(t, got.out)
			require.Equal(t, tc.stderr, got.err)
		})
	}
}
