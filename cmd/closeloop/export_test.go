package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"closeloop/ledger"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sheets"
)

// someExport is a ledger with a requirement and its first facts.
func someExport(t *testing.T) *fakeArchive {
	t.Helper()
	r, err := requirement.New(someID, requirement.Submission{
		Title: "导出报表太慢", Customer: "云栖科技", SubmittedBy: "li.na", Description: "=1+1",
	}, policy.Default().Process, noon)
	require.NoError(t, err)
	happened := r.Take()
	return &fakeArchive{exported: []ledger.Exported{{State: happened.State, Events: happened.Events}}}
}

func TestExportOfEveryTemplate(t *testing.T) {
	t.Parallel()
	for _, template := range sheets.Templates {
		for _, lang := range []string{"zh-CN", "en"} {
			t.Run(string(template)+" "+lang, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "table.xlsx")
				books := someExport(t)
				got := calling{args: []string{"export", string(template), "--to", path, "--status", "pending", "--lang", lang, "-o", "json"}, books: books}.run(t)
				require.Zero(t, got.status, got.err)
				require.Equal(t, []requirement.Status{requirement.Pending}, books.asked.Statuses)
				var answer exported
				require.NoError(t, json.Unmarshal([]byte(got.out), &answer))
				rows := 1
				if template == sheets.Tracking {
					rows = len(books.exported[0].Events)
				}
				require.Equal(t, exported{Template: template, File: path, Format: "xlsx", Requirements: 1, Rows: rows}, answer)
				f, err := excelize.OpenFile(path)
				require.NoError(t, err)
				defer f.Close()
				table, err := f.GetRows(f.GetSheetName(0))
				require.NoError(t, err)
				require.Len(t, table, rows+1)
				require.Equal(t, someID, table[1][0])
				left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*"))
				require.NoError(t, err)
				require.Empty(t, left, "nothing is left beside the table")
			})
		}
	}
}

func TestExportForPeople(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tracking.csv")
	got := calling{args: []string{"export", "tracking", "--to", path, "--lang", "zh-CN"}, books: someExport(t), zone: time.FixedZone("", 8*3600)}.run(t)
	require.Zero(t, got.status, got.err)
	require.Equal(t, "《客户需求跟踪表》：1 条需求，3 行 → "+path+"\n", got.out)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(text), "\ufeff"))).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{
		someID, "导出报表太慢", "云栖科技", "1", "2026-11-23 20:00:00", "收到需求", "李娜 (li.na)", "",
		"导出报表太慢 · 云栖科技 · 中 · 一般 · 其他", "已接收", "", "中", "待处理", "", "", "", "",
	}, rows[1])
}

// The table goes to standard output and nothing else with it.
func TestExportToStandardOutput(t *testing.T) {
	t.Parallel()
	got := calling{args: []string{"export", "record", "--to", "-", "--csv", "--lang", "en"}, books: someExport(t)}.run(t)
	require.Zero(t, got.status, got.err)
	require.True(t, strings.HasPrefix(got.out, "\ufeffRequirement id,Received at,Title*,Customer*,"), got.out)
	require.Contains(t, got.out, someID+",2026-11-23 12:00:00,导出报表太慢,云栖科技,,P3,,customer service,other,'=1+1,")
	require.Equal(t, 2, strings.Count(got.out, "\n"))

	got = calling{args: []string{"export", "record", "--to", "-"}, books: someExport(t)}.run(t)
	require.Zero(t, got.status, got.err)
	require.True(t, strings.HasPrefix(got.out, "PK\x03\x04"))
}

// A blank record needs nothing running, and what people fill in comes in.
func TestBlankRecord(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "blank.xlsx")
	got := calling{args: []string{"export", "record", "--blank", "--to", path, "--lang", "zh-CN"}}.run(t)
	require.Zero(t, got.status, got.err)
	require.Equal(t, "《客户需求原始记录表》，供填写 → "+path+"\n", got.out)
	f, err := excelize.OpenFile(path)
	require.NoError(t, err)
	defer f.Close()
	sheet := f.GetSheetName(0)
	for at, text := range map[string]string{"A2": "登录失败", "B2": "远山集团", "M2": "高"} {
		require.NoError(t, f.SetCellStr(sheet, at, text))
	}
	require.NoError(t, f.Save())
	d := &fakeDesk{}
	got = calling{args: []string{"import", path, "--lang", "zh-CN", "-q"}, desk: d}.run(t)
	require.Zero(t, got.status, got.err)
	require.Equal(t, "1 行：新建 1，已存在 0，拒绝 0\n", got.out)
	require.Equal(t, "high", d.submitted[0].Priority)
}

// What somebody may have filled in is not written over, and what fails leaves no
// half of a table.
func TestExportKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "record.xlsx")
	require.NoError(t, os.WriteFile(path, []byte("filled in"), 0o600))
	got := calling{args: []string{"export", "record", "--to", path, "-o", "json"}, books: someExport(t)}.run(t)
	require.Equal(t, exitRefused, got.status)
	require.Equal(t, "file_exists", got.told(t).Code)

	books := someExport(t)
	books.err = errors.New("the connection broke")
	got = calling{args: []string{"export", "record", "--to", path, "--force"}, books: books}.run(t)
	require.Equal(t, exitFailure, got.status)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "filled in", string(text))
	there, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, there, 1)

	got = calling{args: []string{"export", "record", "--to", path, "--force"}, books: someExport(t)}.run(t)
	require.Zero(t, got.status, got.err)
	text, err = os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(text), "PK"))
}

func TestWrongExports(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args    []string
		status  int
		message string
	}{
		"no template":           {nil, 2, "TEMPLATE is missing"},
		"no such template":      {[]string{"records"}, 2, "records is no table; there is record, analysis, priority, tracking, feedback"},
		"another ending":        {[]string{"record", "--to", "table.pdf"}, 2, "table.pdf ends neither in .xlsx nor in .csv"},
		"a blank history":       {[]string{"tracking", "--blank"}, 2, "only record can be handed out blank"},
		"a stage of no kind":    {[]string{"record", "--stage", "done"}, 2, `--stage: “done”`},
		"a folder that is none": {[]string{"record", "--to", "/no/such/folder/x.xlsx"}, 1, "no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := calling{args: append([]string{"export"}, tc.args...), books: someExport(t)}.run(t)
			require.Equal(t, tc.status, got.status, got.err)
			require.Contains(t, got.err, tc.message)
			require.Empty(t, got.out)
		})
	}
}
