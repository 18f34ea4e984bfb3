package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/stretchr/testify/require"

	"closeloop/policy"
	"closeloop/sla"
)

const holidayFile = `{"year": 2027, "papers": ["https://example.com/notice"], "days": [
	{"name": "元旦", "date": "2027-01-01", "isOffDay": true},
	{"name": "元旦", "date": "2027-01-03", "isOffDay": false}]}`

// withShop is the default policy with a calendar of a shop.
func withShop(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	text := strings.Replace(string(policy.DefaultYAML()), "\nclocks:\n", `
calendars:
  - name: shop
    timezone: America/New_York
    hours: {mon: [[09:00, 17:00]], tue: [[09:00, 17:00]], sat: [[22:00, 02:00]]}
    holidays: [2026-11-23 Founders' day]
    exceptions: {2026-11-25: [[10:00, 12:00], [20:00, 24:00]]}
clocks:
`, 1)
	text = strings.Replace(text, "calendar: 24x7", "calendar: cn-office", 1)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o640))
	return path
}

func TestCalendarList(t *testing.T) {
	t.Parallel()
	env := []string{"CLOSELOOP_POLICY=" + withShop(t)}
	got := calling{args: []string{"calendar", "show"}, env: env}.run(t)
	require.Zero(t, got.status, got.err)
	words := strings.Join(strings.Fields(got.out), " ")
	require.Contains(t, words, "24x7 UTC always built in")
	require.Contains(t, words, "cn-office Asia/Shanghai Mon–Fri 09:00–12:00 13:00–18:00 cn 2024–2026 built in")
	require.Contains(t, words, "shop America/New_York Mon–Tue 09:00–17:00; Sat 22:00–02:00 policy")
	got = calling{args: []string{"calendar", "show", "--lang", "zh-CN"}, env: env}.run(t)
	require.Contains(t, got.out, "周一–周五 09:00–12:00 13:00–18:00")
	require.Contains(t, got.out, "全天候")

	var rows []calendarRow
	got = calling{args: []string{"calendar", "show", "-o", "json"}, env: env}.run(t)
	require.NoError(t, json.Unmarshal([]byte(got.out), &rows))
	require.Equal(t, calendarRow{
		Name: "24x7", Timezone: "UTC", Hours: "always", Years: []int{}, Shipped: true,
	}, rows[0])
	require.Equal(t, []int{2024, 2025, 2026}, rows[1].Years)
	require.False(t, rows[2].Shipped)
}

func TestCalendarDays(t *testing.T) {
	t.Parallel()
	// Noon is on 23 November 2026; the month is the one that the calendar's clocks
	// show.
	got := calling{args: []string{"calendar", "show", "cn-office"}}.run(t)
	require.Zero(t, got.status, got.err)
	require.Contains(t, got.out, "\n2026-11-01  Sun      no work\n")
	require.Contains(t, got.out, "\n2026-11-30  Mon      working day  09:00–12:00 13:00–18:00\n")
	require.Contains(t, got.out, "cn-office (Asia/Shanghai): 21 working day(s), 168 h")

	got = calling{args: []string{"calendar", "show", "cn-office", "--from", "2026-02-13", "--to", "2026-02-15", "--lang", "zh-CN"}}.run(t)
	require.Contains(t, got.out, "2026-02-14  周六  调休上班  09:00–12:00 13:00–18:00  春节")
	require.Contains(t, got.out, "2026-02-15  周日  节假日                             春节")
	got = calling{args: []string{"calendar", "show", "cn-office", "--from", "2026-02-13", "--to", "2026-02-15"}}.run(t)
	require.Contains(t, got.out, "Spring Festival")

	env := []string{"CLOSELOOP_POLICY=" + withShop(t)}
	got = calling{args: []string{"calendar", "show", "shop", "--from", "2026-11-21", "--to", "2026-11-25", "-o", "json"}, env: env}.run(t)
	var rows []dayRow
	require.NoError(t, json.Unmarshal([]byte(got.out), &rows), got.err)
	span := func(from, to string) sla.Span {
		f, err := time.Parse(time.RFC3339, from)
		require.NoError(t, err)
		u, err := time.Parse(time.RFC3339, to)
		require.NoError(t, err)
		return sla.Span{From: f, To: u}
	}
	day := func(text string) sla.Date { d, err := sla.ParseDate(text); require.NoError(t, err); return d }
	require.Equal(t, []dayRow{
		{day("2026-11-21"), "sat", sla.Workday, "", "22:00–24:00", []sla.Span{span("2026-11-22T03:00:00Z", "2026-11-22T05:00:00Z")}, 7200},
		{day("2026-11-22"), "sun", sla.RestDay, "", "00:00–02:00", []sla.Span{span("2026-11-22T05:00:00Z", "2026-11-22T07:00:00Z")}, 7200},
		{day("2026-11-23"), "mon", sla.Holiday, "Founders' day", "", []sla.Span{}, 0},
		{day("2026-11-24"), "tue", sla.Workday, "", "09:00–17:00", []sla.Span{span("2026-11-24T14:00:00Z", "2026-11-24T22:00:00Z")}, 28800},
		{day("2026-11-25"), "wed", sla.Exception, "", "10:00–12:00 20:00–24:00", []sla.Span{span("2026-11-25T15:00:00Z", "2026-11-25T17:00:00Z"), span("2026-11-26T01:00:00Z", "2026-11-26T05:00:00Z")}, 21600},
	}, rows)

	got = calling{args: []string{"calendar", "show", "shop", "--to", "2026-11-25", "-o", "csv"}, env: env}.run(t)
	table, err := csv.NewReader(strings.NewReader(got.out)).ReadAll()
	require.NoError(t, err)
	require.Equal(t, dayColumns, table[0])
	require.Equal(t, "2026-11-01", table[1][0])
	require.Equal(t, []string{"2026-11-25", "wed", "exception", "", "10:00–12:00 20:00–24:00", "21600"}, table[25])
	require.Len(t, table, 26)

	got = calling{args: []string{"calendar", "show", "24x7", "-o", "ndjson"}}.run(t)
	require.Len(t, strings.Split(strings.TrimSpace(got.out), "\n"), 30)
	require.Contains(t, got.out, `"hours":"00:00–24:00"`)
}

func TestCalendarShowRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		args    []string
		status  int
		message string
	}{
		{"an unknown calendar", []string{"cn-ofice"}, exitNotFound, `unknown calendar "cn-ofice"; there is 24x7, cn-office (did you mean "cn-office"?)`},
		{"a year that is not known", []string{"cn-office", "--from", "2026-12-31", "--to", "2027-01-02"}, exitFailure, "the calendar cn-office does not know the holidays of 2027"},
		{"a date that is none", []string{"cn-office", "--from", "2026-02-30"}, exitUsage, `--from: "2026-02-30" is not a date: write it like 2026-10-01`},
		{"an end before the beginning", []string{"cn-office", "--from", "2026-02-20", "--to", "2026-02-10"}, exitUsage, "--to: 2026-02-10 < 2026-02-20"},
		{"too long", []string{"24x7", "--from", "2000-01-01", "--to", "2026-02-10"}, exitUsage, "--to: at most 3660 days at once"},
		{"two calendars", []string{"24x7", "cn-office"}, exitUsage, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := calling{args: append([]string{"calendar", "show", "-o", "json"}, c.args...)}.run(t)
			require.Equal(t, c.status, got.status, got.err)
			require.Empty(t, got.out)
			require.Contains(t, got.told(t).Message, c.message)
		})
	}
	got := calling{args: []string{"calendar", "show", "cn-office", "--from", "2027-01-01", "--lang", "zh-CN"}}.run(t)
	require.Equal(t, exitFailure, got.status)
	require.Contains(t, got.err, "日历 cn-office 缺少 2027 年的节假日安排")
	require.Contains(t, got.err, "closeloop calendar import FILE --year 2027 --into policy.yaml")
}

// drawn is what a month looks like on a terminal that has no colours.
func drawn(t *testing.T, lang, from, to string) string {
	t.Helper()
	var out bytes.Buffer
	a := newApp([]string{"--lang", lang}, nil, &out, nil, nil)
	cal, err := sla.FindCalendar(sla.ChineseOffice)
	require.NoError(t, err)
	var rows []dayRow
	first, err := sla.ParseDate(from)
	require.NoError(t, err)
	last, err := sla.ParseDate(to)
	require.NoError(t, err)
	for d := first; d <= last; d++ {
		day, err := cal.Day(d)
		require.NoError(t, err)
		rows = append(rows, dayRow{Date: d, Kind: day.Kind, Name: day.Name})
	}
	a.showMonths(a.screen(&out), rows)
	return out.String()
}

func TestMonthGrid(t *testing.T) {
	t.Parallel()
	require.Equal(t, `October 2026
Mon   Tue   Wed   Thu   Fri   Sat   Sun
                   1H    2H    3H    4H
 5H    6H    7H    8     9    10W   11·
12    13    14    15    16    17·   18·
19    20    21    22    23    24·   25·
26    27    28    29    30    31·
1–7   H holiday · National Day
10    W make-up working day · National Day

`, drawn(t, "en", "2026-10-01", "2026-10-31"))
	require.Equal(t, `2026 年 9 月
周一  周二  周三  周四  周五  周六  周日
            23    24    25休  26休  27休
28    29    30
25–27 休 节假日 · 中秋节

2026 年 10 月
周一  周二  周三  周四  周五  周六  周日
                   1休   2休   3休   4休
 5休
1–5   休 节假日 · 国庆节

`, drawn(t, "zh-CN", "2026-09-23", "2026-10-05"))
	// Chinese signs are as wide as two letters, and the columns stay where they are.
	for line := range strings.Lines(drawn(t, "zh-CN", "2026-02-01", "2026-02-28")) {
		require.LessOrEqual(t, lipgloss.Width(strings.TrimSpace(line)), 7*cellWidth)
	}
}

func TestCalendarImport(t *testing.T) {
	t.Parallel()
	const entry = "holidays:\n  - set: cn\n    year: 2027\n    source: \"https://example.com/notice\"\n    off:\n      - 2027-01-01 元旦\n    work:\n      - 2027-01-03 元旦\n"
	got := calling{args: []string{"calendar", "import", "-"}, in: holidayFile}.run(t)
	require.Zero(t, got.status, got.err)
	require.Equal(t, entry, got.out)
	require.Empty(t, got.err)

	file := filepath.Join(t.TempDir(), "2027.json")
	require.NoError(t, os.WriteFile(file, []byte(holidayFile), 0o600))
	path := withShop(t)
	link := filepath.Join(t.TempDir(), "link.yaml")
	require.NoError(t, os.Symlink(path, link))
	got = calling{args: []string{"calendar", "import", file, "--into", link}}.run(t)
	require.Zero(t, got.status, got.err)
	require.Contains(t, got.out, "link.yaml has the holidays cn 2027 now: 1 day(s) off, 1 make-up working day(s)")
	require.Contains(t, got.out, "closeloop policy apply "+link)
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(written), "\n"+entry)
	require.Contains(t, string(written), "# Clocks 时限.", "comments are kept")
	info, err := os.Lstat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), info.Mode())
	linked, err := os.Lstat(link)
	require.NoError(t, err)
	require.NotZero(t, linked.Mode()&os.ModeSymlink, "the link is still one")
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing else is left there")
	require.Zero(t, calling{args: []string{"policy", "lint", path}}.run(t).status)
	require.Zero(t, calling{args: []string{"calendar", "show", "cn-office", "--from", "2027-01-01"}, env: []string{"CLOSELOOP_POLICY=" + path}}.run(t).status)

	got = calling{args: []string{"calendar", "import", file, "--into", path, "--lang", "zh-CN"}}.run(t)
	require.Contains(t, got.out, "已有 cn 2027 年节假日安排：放假 1 天，调休上班 1 天")
	got = calling{args: []string{"calendar", "import", file, "--into", path, "--set", "acme", "-o", "json"}}.run(t)
	var answer importedHolidays
	require.NoError(t, json.Unmarshal([]byte(got.out), &answer), got.err)
	require.True(t, answer.Changed)
	require.Equal(t, "acme", answer.Set)
	require.Equal(t, path, answer.Into)
	require.NotEmpty(t, answer.Digest)
	require.Len(t, answer.Off, 1)
}

func TestCalendarImportTellsWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	const feed = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20270501\r\nSUMMARY:Labour Day\r\nEND:VEVENT\r\n" +
		"BEGIN:VEVENT\r\nUID:2\r\nDTSTART;VALUE=DATE:20260501\r\nSUMMARY:Labour Day\r\nEND:VEVENT\r\n" +
		"BEGIN:VEVENT\r\nUID:3\r\nDTSTART:20260501T080000Z\r\nSUMMARY:Stand-up\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	got := calling{args: []string{"calendar", "import", "-", "--year", "2027", "--set", "de"}, in: feed}.run(t)
	require.Zero(t, got.status, got.err)
	require.Equal(t, "holidays:\n  - set: de\n    year: 2027\n    off:\n      - 2027-05-01 Labour Day\n", got.out)
	require.Contains(t, got.err, "left out, because not in 2027: 2026-05-01 Labour Day (1 day(s))")
	require.Contains(t, got.err, "left out, because they have a time of day: 1 entries")
}

func TestCalendarImportRefuses(t *testing.T) {
	t.Parallel()
	path := withShop(t)
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	require.NoError(t, os.WriteFile(broken, []byte("types: [a"), 0o600))
	for _, c := range []struct {
		name    string
		args    []string
		in      string
		status  int
		code    string
		message string
	}{
		{"not there", []string{"none.json"}, "", exitNotFound, "not_found", "none.json"},
		{"nothing of the kind", []string{"-"}, "hello", exitFailure, "holidays", "it is neither JSON in the form of holiday-cn nor an iCalendar feed"},
		{"another year", []string{"-", "--year", "2026"}, holidayFile, exitFailure, "holidays", "it is the year 2027 and not 2026"},
		{"a year out of reach", []string{"-", "--year", "27"}, holidayFile, exitUsage, "usage", "--year: 27: 1900"},
		{"no name of a set", []string{"-", "--set", "C N"}, holidayFile, exitUsage, "usage", "is not a name"},
		{"no policy file", []string{"-", "--into", "none.yaml"}, holidayFile, exitNotFound, "not_found", "none.yaml"},
		{"a policy that is none", []string{"-", "--into", broken}, holidayFile, exitFailure, "policy", "not YAML"},
		{"no file", nil, "", exitUsage, "usage", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := calling{args: append([]string{"calendar", "import", "-o", "json"}, c.args...), in: c.in}.run(t)
			require.Equal(t, c.status, got.status, got.err)
			require.Empty(t, got.out)
			f := got.told(t)
			require.Equal(t, c.code, f.Code)
			require.Contains(t, f.Message, c.message)
		})
	}
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
}
