package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/policy"
)

func TestPolicyLint(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	sound := string(policy.DefaultYAML())
	good := write("good.yaml", sound)
	bad := write("bad.yaml", strings.Replace(sound, "priority: medium #", "priority: middling #", 1))

	got := calling{args: []string{"policy", "lint", good}}.run(t)
	require.Zero(t, got.status, got.out+got.err)
	require.Contains(t, got.out, good+" is a valid policy ("+policy.Default().Digest+")")

	got = calling{args: []string{"policy", "lint", bad}}.run(t)
	require.Equal(t, exitFailure, got.status)
	require.Regexp(t, `wrong: .*bad\.yaml:\d+:\d+: \$\.defaults\.priority: `, got.out)
	require.Contains(t, got.err, "1 problem(s)")

	got = calling{args: []string{"policy", "lint", bad, "-o", "json"}}.run(t)
	require.Equal(t, exitFailure, got.status)
	var f findings
	require.NoError(t, json.Unmarshal([]byte(got.out), &f))
	require.False(t, f.Valid)
	require.Len(t, f.Problems, 1)
	require.Equal(t, "$.defaults.priority", f.Problems[0].Path)
	require.Equal(t, "policy", got.told(t).Code)

	got = calling{args: []string{"policy", "lint", filepath.Join(dir, "none.yaml")}}.run(t)
	require.Equal(t, exitNotFound, got.status)
}

func TestPolicyShow(t *testing.T) {
	t.Parallel()
	for lang, words := range map[string][]string{
		"zh-CN": {"内置", "首次响应", "最多 4 小时", "张伟", "产品部"},
		"en":    {"built in", "first response", "at most 4 h", "Zhang Wei", "Product"},
	} {
		got := calling{args: []string{"policy", "show", "--lang", lang}}.run(t)
		require.Zero(t, got.status, got.err)
		for _, w := range words {
			require.Contains(t, got.out, w)
		}
		require.NotContains(t, got.out, "cli.")
	}
	got := calling{args: []string{"policy", "show", "--file", "../../examples/policy-fast.yaml", "-o", "json"}}.run(t)
	require.Zero(t, got.status, got.err)
	var p struct {
		Digest string `json:"digest"`
		People []struct{ ID string }
	}
	require.NoError(t, json.Unmarshal([]byte(got.out), &p))
	require.NotEmpty(t, p.Digest)
	require.NotEmpty(t, p.People)
	broken := calling{args: []string{"policy", "show"}, env: []string{"CLOSELOOP_POLICY=doc.go"}}.run(t)
	require.Equal(t, exitFailure, broken.status)
	require.Contains(t, broken.err, "closeloop policy lint doc.go")
}

func TestPolicyShowOfAFileThatIsNotThere(t *testing.T) {
	t.Parallel()
	got := calling{args: []string{"policy", "show", "--file", "none.yaml", "-o", "json"}}.run(t)
	require.Equal(t, exitNotFound, got.status)
	require.Equal(t, "not_found", got.told(t).Code)
	got = calling{args: []string{"policy", "show"}, env: []string{"CLOSELOOP_POLICY=none.yaml"}}.run(t)
	require.Equal(t, exitFailure, got.status, "it is not what was asked for")
}

// Whoever looks at a policy sees by which calendars and holidays it counts, and
// what a hold does.
func TestPolicyShowsWorkingTimeAndHolds(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	text, err := os.ReadFile("../../examples/policy-working-hours.yaml")
	require.NoError(t, err)
	own := "holidays:\n  - set: cn\n    year: 2027\n    off: [2027-01-01 元旦]\n    work: [2027-01-02, 2027-01-03]\n"
	require.NotContains(t, string(text), "\nholidays:")
	require.NoError(t, os.WriteFile(path, append(text, own...), 0o600))
	for lang, lines := range map[string][]string{
		"en": {
			`holds +customer, supplier`,
			`first response +2 h +service-desk +runs on +front_line`,
			`resolution +1 working day +cn-office +pauses · customer, supplier · at most 5 working days +resolution`,
			`service-desk +Asia/Shanghai +Mon–Fri 08:30–20:00; Sat 09:00–12:00 13:00–17:00 +cn +2024–2027 +policy`,
			`cn +2026 +\d+ +\d+ +built in`,
			`cn +2027 +1 +2 +policy`,
		},
		"zh-CN": {
			`暂停等待类别 +customer, supplier`,
			`首次响应 +2 小时 +service-desk +照常计时 +front_line`,
			`需求解决 +1 个工作日 +cn-office +暂停 · customer, supplier · 最多 5 个工作日 +resolution`,
			`cn +2027 +1 +2 +策略`,
		},
	} {
		got := calling{args: []string{"policy", "show", "--file", path, "--lang", lang}}.run(t)
		require.Zero(t, got.status, got.err)
		for _, line := range lines {
			require.Regexp(t, `(?m)^`+line+`$`, got.out)
		}
		require.NotContains(t, got.out, "cli.")
	}
	got := calling{args: []string{"policy", "show"}}.run(t)
	require.Zero(t, got.status, got.err)
	require.Regexp(t, `(?m)^24x7 +UTC +always`, got.out)
	require.NotContains(t, got.out, "Holidays in use", "every instant counts in what is built in")
}

func TestVersion(t *testing.T) {
	t.Parallel()
	var r release
	require.NoError(t, json.Unmarshal([]byte(calling{args: []string{"version", "-o", "json"}}.run(t).out), &r))
	require.Equal(t, version, r.Version)
	require.True(t, strings.HasPrefix(r.Go, "go1."), r.Go)
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args []string
		env  []string
		want string
	}{
		"nothing said":           {want: "en"},
		"LANG":                   {env: []string{"LANG=zh_CN.UTF-8"}, want: "zh-CN"},
		"LC_ALL before LANG":     {env: []string{"LANG=zh_CN.UTF-8", "LC_ALL=en_US.UTF-8"}, want: "en"},
		"ours before LC_ALL":     {env: []string{"CLOSELOOP_LANG=zh-CN", "LC_ALL=en_US.UTF-8"}, want: "zh-CN"},
		"the flag before all":    {args: []string{"list", "--lang=en"}, env: []string{"CLOSELOOP_LANG=zh-CN"}, want: "en"},
		"the flag, apart":        {args: []string{"--lang", "zh-CN", "list"}, want: "zh-CN"},
		"not after --":           {args: []string{"list", "--", "--lang", "zh-CN"}, want: "en"},
		"C asks for nothing":     {env: []string{"LC_ALL=C", "LANG=zh_CN.UTF-8"}, want: "zh-CN"},
		"a language we have not": {env: []string{"LANG=fr_FR.UTF-8"}, want: "en"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, newApp(tc.args, nil, nil, nil, tc.env).text.Language())
		})
	}
}
