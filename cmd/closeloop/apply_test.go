package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/starter"
)

// otherPolicy writes the default policy with another target for the first
// response, and returns the file and its digest.
func otherPolicy(t *testing.T, target string) (file, digest string) {
	t.Helper()
	text := string(policy.DefaultYAML())
	changed := strings.Replace(text, "target: 2h", "target: "+target, 1)
	require.NotEqual(t, text, changed)
	file = filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(file, []byte(changed), 0o600))
	p, err := policy.Load(file)
	require.NoError(t, err)
	return file, p.Digest
}

// running are requirements that came in an hour ago and live by the default
// policy.
func running(t *testing.T, n int) []*requirement.Requirement {
	t.Helper()
	var list []*requirement.Requirement
	for i := range n {
		r, err := requirement.New(fmt.Sprintf("REQ-0000000%d", i), requirement.Submission{Title: "导出报表太慢", Customer: "云栖科技"},
			policy.Default().Process, noon.Add(-time.Hour))
		require.NoError(t, err)
		list = append(list, r)
	}
	return list
}

func TestPolicyApplyShowsBeforeItAsks(t *testing.T) {
	t.Parallel()
	file, digest := otherPolicy(t, "30m")
	for lang, words := range map[string][]string{
		"en":    {"2 h → 30 min", "breaches at once", "3 open requirement(s) would come under the rules " + digest, "3 breach at once", "escalation begins: response-1"},
		"zh-CN": {"2 小时 → 30 分", "立即超时", "3 个未结束的需求将改按规则 " + digest, "3 个立即超时"},
	} {
		d := &fakeDesk{}
		got := calling{args: []string{"policy", "apply", file, "--dry-run", "--lang", lang}, desk: d, books: &fakeArchive{open: running(t, 3)}}.run(t)
		require.Zero(t, got.status, got.err)
		for _, w := range words {
			require.Contains(t, got.out, w)
		}
		require.NotContains(t, got.out, "cli.")
		require.Empty(t, d.adopted, "a look changes nothing")
	}
}

func TestPolicyApplyAsks(t *testing.T) {
	t.Parallel()
	file, digest := otherPolicy(t, "5h")
	for _, c := range []struct {
		name, lang, says string
		status, adopted  int
	}{
		{"yes", "en", "y\n", exitDone, 2},
		{"in Chinese", "zh-CN", "是\n", exitDone, 2},
		{"no", "en", "n\n", exitFailure, 0},
		{"nothing", "en", "", exitFailure, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := &fakeDesk{}
			got := calling{
				args: []string{"policy", "apply", file, "--lang", c.lang}, in: c.says, terminal: true,
				desk: d, books: &fakeArchive{open: running(t, 2), rules: digest},
			}.run(t)
			require.Equal(t, c.status, got.status, got.err)
			require.Contains(t, got.err, "[y/N]")
			require.Len(t, d.adopted, c.adopted)
		})
	}
	d := &fakeDesk{}
	got := calling{args: []string{"policy", "apply", file, "-o", "json"}, desk: d, books: &fakeArchive{open: running(t, 2)}}.run(t)
	require.Equal(t, exitUsage, got.status, "nobody is there to be asked")
	require.Contains(t, got.told(t).Hint, "--dry-run")
	require.Empty(t, d.adopted)
}

func TestPolicyApply(t *testing.T) {
	t.Parallel()
	file, digest := otherPolicy(t, "5h")
	d, books := &fakeDesk{}, &fakeArchive{open: running(t, 5), rules: digest}
	got := calling{args: []string{"policy", "apply", file, "--yes", "--as", "zhou.tao", "-o", "json"}, desk: d, books: books}.run(t)
	require.Zero(t, got.status, got.err)
	var answer applied
	require.NoError(t, json.Unmarshal([]byte(got.out), &answer))
	require.Equal(t, 5, answer.Open)
	require.Equal(t, 5, answer.Changed)
	require.Equal(t, 5, answer.Retargeted)
	require.Equal(t, 5, answer.Applied)
	require.Len(t, answer.Requirements, 5)
	require.Equal(t, noon.Add(4*time.Hour), *answer.Requirements[0].Clocks[0].After.Deadline)
	require.Len(t, d.adopted, 5)
	require.Contains(t, d.adopted, "REQ-00000004 "+digest+" zhou.tao")

	for _, r := range books.open {
		p, err := policy.Load(file)
		require.NoError(t, err)
		r.Adopt(noon, p.Process, "zhou.tao")
	}
	d = &fakeDesk{}
	got = calling{args: []string{"policy", "apply", file, "--yes", "--lang", "en"}, desk: d, books: books}.run(t)
	require.Zero(t, got.status, got.err)
	require.Contains(t, got.out, "Nothing changes: all 5 open requirement(s) live by the rules "+digest)
	require.Empty(t, d.adopted)
}

func TestPolicyApplyToSome(t *testing.T) {
	t.Parallel()
	file, digest := otherPolicy(t, "5h")
	d := &fakeDesk{}
	got := calling{args: []string{"policy", "apply", file, "--yes", "--id", someID, "--id", "7k2m9qxa"}, desk: d, books: &fakeArchive{rules: digest}}.run(t)
	require.Zero(t, got.status, got.err)
	require.Equal(t, []string{someID + " " + digest + " system"}, d.adopted, "once")
	require.Contains(t, got.out, "1 requirement(s) live by the rules "+digest+" now")
	require.Contains(t, got.out, "CLOSELOOP_POLICY", "new requirements follow the workers' file")

	got = calling{
		args: []string{"policy", "apply", file, "--yes", "--id", someID}, env: []string{"CLOSELOOP_POLICY=" + file},
		desk: &fakeDesk{}, books: &fakeArchive{rules: digest},
	}.run(t)
	require.NotContains(t, got.out, "CLOSELOOP_POLICY", "it is that file already")
	require.Equal(t, exitNotFound, calling{args: []string{"policy", "apply", file, "--yes", "--id", "?"}, books: &fakeArchive{}}.run(t).status)
}

func TestPolicyApplyShowsTheFirst(t *testing.T) {
	t.Parallel()
	file, _ := otherPolicy(t, "5h")
	got := calling{args: []string{"policy", "apply", file, "--dry-run", "--limit", "2"}, books: &fakeArchive{open: running(t, 5)}}.run(t)
	require.Zero(t, got.status, got.err)
	require.Equal(t, 2, strings.Count(got.out, "REQ-"))
	require.Contains(t, got.out, "and 3 more")
	require.Equal(t, exitUsage, calling{args: []string{"policy", "apply", file, "--dry-run", "--limit", "-1"}, books: &fakeArchive{}}.run(t).status)
}

// TestPolicyApplyGoesOnWithoutThose that cannot be reached, and says which.
func TestPolicyApplyGoesOnWithoutThose(t *testing.T) {
	t.Parallel()
	file, digest := otherPolicy(t, "5h")
	d := &fakeDesk{unadopted: map[string]error{
		"REQ-00000001": fmt.Errorf("REQ-00000001: %w", starter.ErrNoWorker),
		"REQ-00000002": &requirement.Error{Code: requirement.CodeOver, Message: "it has ended"},
	}}
	got := calling{args: []string{"policy", "apply", file, "--yes", "-o", "json"}, desk: d, books: &fakeArchive{open: running(t, 4), rules: digest}}.run(t)
	require.Equal(t, exitFailure, got.status)
	require.Equal(t, "not_applied", got.told(t).Code)
	var answer applied
	require.NoError(t, json.Unmarshal([]byte(got.out), &answer))
	require.Equal(t, 2, answer.Applied)
	require.Equal(t, 1, answer.Ended)
	require.Len(t, answer.Failed, 1)
	require.Equal(t, "REQ-00000001", answer.Failed[0].ID)
	require.NotEmpty(t, answer.Failed[0].Reason)
}

func TestPolicyApplyStops(t *testing.T) {
	t.Parallel()
	file, _ := otherPolicy(t, "5h")
	for name, c := range map[string]struct {
		err    error
		status int
		code   string
	}{
		"the person may not":    {&requirement.Error{Code: requirement.CodeRole, Message: "no", Params: map[string]string{"person": "li"}}, exitRefused, "not_your_role"},
		"Temporal is not there": {&starter.Unreachable{Service: "Temporal", Cause: os.ErrDeadlineExceeded}, exitUnreachable, "unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &fakeDesk{unadopted: map[string]error{}}
			for i := range 5 {
				d.unadopted[fmt.Sprintf("REQ-0000000%d", i)] = c.err
			}
			got := calling{args: []string{"policy", "apply", file, "--yes", "-o", "json"}, desk: d, books: &fakeArchive{open: running(t, 5)}}.run(t)
			require.Equal(t, c.status, got.status, got.err)
			told := got.told(t)
			require.Equal(t, c.code, told.Code)
			require.Contains(t, told.Message, "0 of 5")
		})
	}
}

func TestPolicyApplyOfWhatIsNoPolicy(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "bad.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(policy.DefaultYAML()), "priority: medium #", "priority: middling #", 1)), 0o600))
	d := &fakeDesk{}
	got := calling{args: []string{"policy", "apply", file, "--yes"}, desk: d, books: &fakeArchive{open: running(t, 1)}}.run(t)
	require.Equal(t, exitFailure, got.status)
	require.Regexp(t, `bad\.yaml:\d+:\d+: \$\.defaults\.priority: `, got.out)
	require.Empty(t, d.adopted)
	require.Equal(t, exitNotFound, calling{args: []string{"policy", "apply", file + ".none", "--yes"}}.run(t).status)
}

// TestHistoryTellsWhatACalendarLacks: a level was called whatever the hour.
func TestHistoryTellsWhatACalendarLacks(t *testing.T) {
	t.Parallel()
	for lang, words := range map[string]string{"en": "calendar office lacks 2027", "zh-CN": "日历 office 缺少 2027 年"} {
		event := requirement.Event{
			Seq: 1, At: noon, Kind: requirement.EscalationRaised, Actor: requirement.SystemActor,
			Data: json.RawMessage(`{"clock":"response","level":1,"lacks":{"calendar":"office","year":2027}}`),
		}
		got := calling{args: []string{"history", someID, "--lang", lang}, books: &fakeArchive{events: []requirement.Event{event}}}.run(t)
		require.Zero(t, got.status, got.err)
		require.Contains(t, got.out, words)
	}
}
