package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/stretchr/testify/require"

	"closeloop/ledger"
	"closeloop/locale"
	"closeloop/policy"
	"closeloop/requirement"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a screen with the file of that name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test -update writes it")
	require.Equal(t, string(want), got)
}

// busy is a requirement in the middle of its life, made by the domain itself.
func busy(t *testing.T) requirement.View {
	t.Helper()
	rules := policy.Default()
	company := requirement.Company{Directory: rules.Directory}
	start := noon.Add(-3 * time.Hour)
	s := requirement.Submission{
		Title: "导出报表太慢", Customer: "云栖科技", Contact: "li@example.com", Ref: "jira:OPS-17", SubmittedBy: "li.na",
		Description: "月末导出要十分钟，\n财务等不及。",
	}
	s.Priority, s.Urgency, s.Type, s.Tier = "high", "important", "price", "P1"
	r, err := requirement.New(someID, s, rules.Process, start)
	require.NoError(t, err)
	do := func(at time.Time, act requirement.Act) {
		t.Helper()
		require.NoError(t, r.Check(company, act))
		_, err := r.Do(at, act)
		require.NoError(t, err)
	}
	by := func(id string) requirement.Header { return requirement.Header{Actor: id} }
	do(start.Add(10*time.Minute), requirement.Triage{Header: by("li.na")})
	r.OpenRound(start.Add(10*time.Minute), []requirement.FilledSeat{
		{Seat: "role:customer_service", Person: "chen.jing"}, {Seat: "role:product", Person: "zhang.wei"}, {Seat: "role:management", Person: "gao.yuan"},
	})
	do(start.Add(20*time.Minute), requirement.Approve{Header: by("zhang.wei"), Comment: "同意排期"})
	do(start.Add(30*time.Minute), requirement.PutOnHold{Header: by("li.na"), Reason: "等客户提供样本"})
	r.Tick(start.Add(2*time.Hour + time.Minute))
	r.EscalationStarted(start.Add(2*time.Hour+time.Minute), "response-1")
	r.EscalationReported(start.Add(2*time.Hour+2*time.Minute), requirement.Report{
		ID: "response-1", Kind: requirement.EscalationRaised, Level: 1, Round: 1, People: []string{"li.na"},
	})
	return r.View(noon)
}

func TestShow(t *testing.T) {
	t.Parallel()
	view := busy(t)
	for _, lang := range locale.Languages {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			got := calling{args: []string{"show", someID, "--lang", lang}, desk: &fakeDesk{view: view}}.run(t)
			require.Zero(t, got.status, got.err)
			require.NotContains(t, got.out, "\x1b", "no styles outside a terminal")
			require.NotContains(t, got.out, "cli.")
			golden(t, "show."+lang, got.out)
		})
	}
}

func TestShowForPrograms(t *testing.T) {
	t.Parallel()
	view := busy(t)
	got := calling{args: []string{"show", someID, "-o", "json"}, desk: &fakeDesk{view: view}}.run(t)
	var back requirement.View
	decoder := json.NewDecoder(strings.NewReader(got.out))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&back))
	require.Equal(t, view.Can, back.Can)
	require.Contains(t, got.out, `"created_at": "2026-11-23T09:00:00Z"`)
	yaml := calling{args: []string{"show", someID, "-o", "yaml"}, desk: &fakeDesk{view: view}}.run(t)
	require.Contains(t, yaml.out, "\nfirst_time_resolved: null\n")
	require.Contains(t, yaml.out, "\ntitle: 导出报表太慢\n")
}

func someRows() []ledger.Row {
	at := func(d time.Duration) *time.Time { x := noon.Add(d); return &x }
	return []ledger.Row{
		{
			ID: "REQ-00000001", Title: "导出报表太慢，月末财务每次都要等上十几分钟才能拿到结果文件", Customer: "云栖科技", Stage: requirement.Executing,
			Status: requirement.InProgress, Priority: "high", Owner: "wu.lei", Breached: true, NextDeadline: at(-20 * time.Minute), CreatedAt: noon,
		},
		{
			ID: "REQ-00000002", Title: "Single sign-on", Customer: "Acme", Stage: requirement.Reviewing,
			Status: requirement.Pending, Priority: "medium", OnHold: true, NextDeadline: at(90 * time.Minute), WaitingFor: []string{"customer"}, CreatedAt: noon,
		},
		{
			ID: "REQ-00000003", Title: "=HYPERLINK(1)\x1b[31m\n次行", Customer: "远山集团", Stage: requirement.Archived,
			Status: requirement.Done, Priority: "low", CreatedAt: noon,
		},
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	for _, lang := range locale.Languages {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			got := calling{args: []string{"list", "--lang", lang}, books: &fakeArchive{rows: someRows(), next: "abc"}}.run(t)
			require.Zero(t, got.status, got.err)
			require.NotContains(t, got.out, "\x1b", "nor what a customer wrote")
			require.Contains(t, got.err, "--cursor abc")
			golden(t, "list."+lang, got.out)
		})
	}
}

func TestColumnsStandUnderEachOther(t *testing.T) {
	t.Parallel()
	got := calling{args: []string{"list", "--lang", "zh-CN"}, books: &fakeArchive{rows: someRows()}}.run(t)
	lines := strings.Split(strings.TrimRight(got.out, "\n"), "\n")
	column := -1
	for _, word := range []string{"客户", "云栖科技", "Acme", "远山集团"} {
		for _, line := range lines {
			if before, _, ok := strings.Cut(line, word); ok && strings.Count(line, "暂停等待") == 0 || ok && word == "Acme" {
				if column < 0 {
					column = lipgloss.Width(before)
				}
				require.Equal(t, column, lipgloss.Width(before), line)
			}
		}
	}
}

func TestListForPrograms(t *testing.T) {
	t.Parallel()
	run := func(format string, books *fakeArchive) string {
		got := calling{args: []string{"list", "-o", format}, books: books}.run(t)
		require.Zero(t, got.status, got.err)
		return got.out
	}
	var list []map[string]any
	require.NoError(t, json.Unmarshal([]byte(run("json", &fakeArchive{rows: someRows()})), &list))
	require.Len(t, list, 3)
	require.Equal(t, true, list[0]["breached"])
	require.Equal(t, "2026-11-23T11:40:00Z", list[0]["next_deadline"])
	require.Equal(t, "[]\n", run("json", &fakeArchive{}), "an empty list is a list")
	require.Empty(t, run("ndjson", &fakeArchive{}))
	require.Len(t, strings.Split(strings.TrimSpace(run("ndjson", &fakeArchive{rows: someRows()})), "\n"), 3)
	csv := run("csv", &fakeArchive{rows: someRows()})
	require.Equal(t, strings.Join(listColumns, ","), strings.SplitN(csv, "\n", 2)[0])
	require.Contains(t, csv, "\"'=HYPERLINK(1)", "no formula for a spreadsheet")
	encoded, err := json.Marshal(ledger.Row{})
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(encoded, &fields))
	require.Len(t, listColumns, len(fields), "CSV has every field")
	for _, c := range listColumns {
		require.Contains(t, fields, c)
	}
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	yes := true
	books := &fakeArchive{}
	got := calling{args: []string{
		"list", "--stage", "executing,confirming", "--stage", "assigned", "--status", "pending", "--priority", "high", "--department", "product",
		"--owner", "wu.lei", "--customer", "云栖, 上海", "--breached", "--on-hold", "--open", "--due-within", "2h", "--search", "报表", "--limit", "5", "--cursor", "abc",
	}, books: books}.run(t)
	require.Zero(t, got.status, got.err)
	require.Equal(t, ledger.Filter{
		Stages:   []requirement.Stage{requirement.Executing, requirement.Confirming, requirement.Assigned},
		Statuses: []requirement.Status{requirement.Pending}, Priorities: []string{"high"}, Departments: []string{"product"},
		Owners: []string{"wu.lei"}, Customers: []string{"云栖, 上海"}, Breached: true, OnHold: &yes, Open: true,
		DueBy: noon.Add(2 * time.Hour), Text: "报表", Limit: 5, Cursor: "abc",
	}, books.asked)
	require.Equal(t, "No requirement matches.\n", got.out)
}

func someEvents() []requirement.Event {
	return []requirement.Event{
		{Seq: 1, At: noon.Add(-time.Hour), Kind: requirement.Submitted, Actor: "li.na", Via: "cli", Data: json.RawMessage(`{"title":"导出报表太慢","customer":"云栖科技","priority":"high"}`)},
		{Seq: 2, At: noon.Add(-time.Hour), Kind: requirement.ClockStarted, Actor: "system", Data: json.RawMessage(`{"clock":"response","target":"2h","deadline":"2026-11-23T13:00:00Z","state":"running"}`)},
		{Seq: 3, At: noon.Add(-time.Minute), Kind: requirement.WasResumed, Actor: "customer"},
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	for _, lang := range locale.Languages {
		got := calling{args: []string{"history", someID, "--lang", lang}, books: &fakeArchive{events: someEvents()}}.run(t)
		require.Zero(t, got.status, got.err)
		golden(t, "history."+lang, got.out)
	}
	got := calling{args: []string{"history", someID, "-o", "json"}, books: &fakeArchive{events: someEvents()}}.run(t)
	var list []map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.out), &list))
	require.Len(t, list, 3)
	for i, e := range list {
		for _, field := range []string{"seq", "at", "kind", "actor", "data"} {
			require.Contains(t, e, field)
		}
		require.Equal(t, float64(i+1), e["seq"])
	}
	require.Equal(t, map[string]any{}, list[2]["data"])
	missing := calling{args: []string{"history", someID}, books: &fakeArchive{err: ledger.ErrNotFound}}.run(t)
	require.Equal(t, exitNotFound, missing.status)
}

func TestWatch(t *testing.T) {
	t.Parallel()
	late := requirement.Event{Seq: 4, At: noon, Kind: requirement.Commented, Actor: "li.na", Data: json.RawMessage(`{"message":"在看"}`)}
	books := func() *fakeArchive {
		return &fakeArchive{events: someEvents(), arriving: []requirement.Event{late}, written: []string{"REQ-00000009", someID, someID}}
	}
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"one, from now on":    {[]string{someID}, "12:00:00 REQ-7K2M9QXA comment · Li Na (li.na) · 在看\n"},
		"one, after an event": {[]string{someID, "--after", "2", "-o", "ndjson"}, `{"id":"REQ-7K2M9QXA","seq":3,"at":"2026-11-23T11:59:00Z","kind":"resumed","actor":"customer","data":{}}` + "\n" + `{"id":"REQ-7K2M9QXA","seq":4,"at":"2026-11-23T12:00:00Z","kind":"commented","actor":"li.na","data":{"message":"在看"}}` + "\n"},
		"all, only what is new": {nil, "12:00:00 REQ-00000009 comment · Li Na (li.na) · 在看\n" +
			"12:00:00 REQ-7K2M9QXA comment · Li Na (li.na) · 在看\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := calling{args: append([]string{"watch"}, tc.args...), books: books()}.run(t)
			require.Zero(t, got.status, got.err)
			require.Equal(t, tc.want, got.out)
		})
	}
	got := calling{args: []string{"watch", someID}, books: &fakeArchive{err: ledger.ErrNotFound}}.run(t)
	require.Equal(t, exitNotFound, got.status)
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	books := &fakeArchive{rows: someRows()}
	got := calling{args: []string{"__complete", "resolve", ""}, books: books}.run(t)
	require.Contains(t, got.out, "REQ-00000002\tSingle sign-on\n")
	require.Equal(t, []requirement.Stage{requirement.Assigned, requirement.Executing}, books.asked.Stages)
	got = calling{args: []string{"__complete", "assign", someID, "--to", ""}, books: books}.run(t)
	require.Contains(t, got.out, "wu.lei\tWu Lei\n")
	got = calling{args: []string{"__complete", "reprioritise", someID, "--priority", ""}}.run(t)
	require.Contains(t, got.out, "high\nmedium\nlow\n")
	for _, shell := range shells {
		script := calling{args: []string{"completion", shell}}.run(t)
		require.Zero(t, script.status)
		require.Contains(t, script.out, "closeloop")
	}
}

func TestNarrowTerminals(t *testing.T) {
	t.Parallel()
	for width, want := range map[int]string{
		200: "导出报表太慢，月末财务每次都要等",
		60:  "导出报表太慢，月末财务…",
	} {
		var out bytes.Buffer
		s := newApp(nil, nil, &out, nil, nil).screen(&out)
		s.width = width
		s.table([]string{"id", "title", "priority"}, [][]string{
			{"REQ-00000001", "导出报表太慢，月末财务每次都要等", "medium"},
			{"REQ-00000002", "短", strings.Repeat("x", 20)},
		}, 1)
		for line := range strings.Lines(out.String()) {
			require.LessOrEqual(t, lipgloss.Width(line), width)
		}
		require.Contains(t, out.String(), want)
		require.Contains(t, out.String(), "medium", "short columns are left alone")
	}
}
