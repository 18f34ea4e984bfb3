package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// officeRules are the default rules with every clock on Chinese working time.
func officeRules(t *testing.T) policy.Process {
	t.Helper()
	p := policy.Default()
	cn, err := p.Timetable(sla.ChineseOffice)
	require.NoError(t, err)
	for i := range p.Clocks {
		p.Clocks[i].Calendar = sla.ChineseOffice
	}
	p.Process.Calendars = []sla.Timetable{cn}
	return p.Process
}

// taken is a requirement that lives by the rules since the instant.
func taken(t *testing.T, rules policy.Process, at time.Time) *requirement.Requirement {
	t.Helper()
	r, err := requirement.New(someID, requirement.Submission{Title: "导出报表太慢", Customer: "云栖科技"}, rules, at)
	require.NoError(t, err)
	return r
}

func TestWorkingDaysOfAPlanAreThoseOfTheRequirement(t *testing.T) {
	t.Parallel()
	// Friday 25 September 2026 is a holiday, and so is the weekend; noon in Shanghai
	// is 04:00 UTC.
	now := time.Date(2026, 9, 24, 4, 0, 0, 0, time.UTC)
	office := &fakeArchive{held: taken(t, officeRules(t), now)}
	for _, c := range []struct {
		name, due string
		books     *fakeArchive
		env       []string
		want      string
		said      string
	}{
		{"by the requirement's own calendar", "2wd", office, nil, "2026-09-29T04:00:00Z", ""},
		{"to the close of a day", "2wd close", office, nil, "2026-09-29T10:00:00Z", ""},
		{"exact lengths are real time", "48h", office, nil, "2026-09-26T04:00:00Z", ""},
		{"an instant is what it is", "2026-09-26T08:00:00+08:00", office, nil, "2026-09-26T00:00:00Z", ""},
		{"around the clock", "2wd", &fakeArchive{}, nil, "2026-09-26T04:00:00Z", ""},
		{"without the ledger, by the policy at hand", "2wd", &fakeArchive{err: errors.New("down")}, nil, "2026-09-26T04:00:00Z", "working days are counted by the policy here, because the requirement's own rules cannot be read: down"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := &fakeDesk{}
			got := calling{args: []string{"plan", someID, "--step", "x;;" + c.due}, desk: d, books: c.books, now: now}.run(t)
			require.Zero(t, got.status, got.err)
			require.Equal(t, c.want, d.acts[0].(requirement.Plan).Steps[0].Due.Format(time.RFC3339))
			require.Contains(t, got.err, c.said)
		})
	}
	got := calling{args: []string{"plan", someID, "--step", "x;;100wd"}, desk: &fakeDesk{}, books: office, now: now}.run(t)
	require.Equal(t, exitFailure, got.status)
	require.Contains(t, got.err, "the calendar cn-office does not know the holidays of 2027")
}

func TestShowSaysWhyThereIsNoDeadline(t *testing.T) {
	t.Parallel()
	rules := officeRules(t)
	for i := range rules.Clocks {
		rules.Clocks[i].Target, rules.Clocks[i].Targets = sla.Duration{WorkingDays: 3}, nil
	}
	view := taken(t, rules, time.Date(2026, 12, 31, 3, 0, 0, 0, time.UTC)).View(noon)
	got := calling{args: []string{"show", someID}, desk: &fakeDesk{view: view}, env: []string{"CLOSELOOP_POLICY=" + withShop(t)}}.run(t)
	require.Contains(t, got.out, "first response has no deadline: the calendar cn-office does not know the holidays of 2027")
	require.Regexp(t, `\n    closeloop calendar import FILE --year 2027 --into \S+policy.yaml\n    closeloop policy apply \S+policy.yaml --id `+someID+"\n", got.out)
	got = calling{args: []string{"show", someID, "--lang", "zh-CN"}, desk: &fakeDesk{view: view}}.run(t)
	require.Contains(t, got.out, "首次响应没有截止时间：日历 cn-office 缺少 2027 年的节假日安排")
	got = calling{args: []string{"show", someID, "-o", "json"}, desk: &fakeDesk{view: view}}.run(t)
	var back requirement.View
	require.NoError(t, json.Unmarshal([]byte(got.out), &back))
	require.Equal(t, &sla.Lack{Calendar: "cn-office", Year: 2027}, back.Clocks[0].Lacks)
}

func TestLintWarnsOfTheNextYear(t *testing.T) {
	t.Parallel()
	path := withShop(t)
	const warning = "the calendar cn-office knows no holidays of 2027, which begins in 39 days, so no deadline in it can be computed; import them: closeloop calendar import FILE --set cn --year 2027 --into "
	got := calling{args: []string{"policy", "lint", path}}.run(t)
	require.Zero(t, got.status, got.err)
	require.Contains(t, got.out, "doubtful: "+path)
	require.Contains(t, got.out, warning+path)
	got = calling{args: []string{"policy", "lint", path}, now: noon.AddDate(0, -2, 0)}.run(t)
	require.NotContains(t, got.out, "doubtful")

	// The worker says the same in its log when it begins.
	var logged bytes.Buffer
	a := newApp(nil, nil, nil, nil, []string{"CLOSELOOP_POLICY=" + path})
	a.now = func() time.Time { return noon }
	_, err := a.policyInForce(slog.New(slog.NewTextHandler(&logged, nil)))
	require.NoError(t, err)
	require.Contains(t, logged.String(), warning)
}
