package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"closeloop/requirement"
)

// someWorkbook is a workbook as people make them: a title above the header, empty
// rows, cells of all kinds, a second sheet without anything.
func someWorkbook(t testing.TB) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	const sheet = "需求"
	require.NoError(t, f.SetSheetName("Sheet1", sheet))
	_, err := f.NewSheet("空表")
	require.NoError(t, err)
	for i, row := range [][]any{
		{"客户需求原始记录表"},
		{},
		{"标题*", "客户（必填）", "优先级", "来源", "外部编号", "描述", "记录人"},
		{"导出报表太慢", "云栖科技", "高", "电话", "crm:1", 1_200_000, 13800138000},
		{nil, "远山集团", "中", "电话", "crm:2"},
		{},
		{"登录失败", "远山集团", "特急", "邮件", "crm:3", time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)},
		{"=1+1", "㐀氏公司", "低", "邮件", nil, 0.1},
	} {
		for j, value := range row {
			at, err := excelize.CoordinatesToCellName(j+1, i+1)
			require.NoError(t, err)
			require.NoError(t, f.SetCellValue(sheet, at, value))
		}
	}
	require.NoError(t, f.MergeCell(sheet, "A1", "G1"))
	var b bytes.Buffer
	require.NoError(t, f.Write(&b))
	return b.Bytes()
}

// A workbook is known by its content, be it a file of another name or a stream,
// and its rejected rows go into CSV or into a workbook, from which they are
// imported once they are corrected.
func TestImportOfAWorkbook(t *testing.T) {
	t.Parallel()
	for _, rejects := range []string{"rejects.csv", "rejects.XLSX"} {
		for _, streamed := range []bool{false, true} {
			t.Run(map[bool]string{false: "file to ", true: "stream to "}[streamed]+rejects, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				path, in := filepath.Join(dir, "requirements.csv"), ""
				if streamed {
					path, in = "-", string(someWorkbook(t))
				} else {
					require.NoError(t, os.WriteFile(path, someWorkbook(t), 0o600))
				}
				out := filepath.Join(dir, rejects)
				d := &fakeDesk{}
				got := calling{args: []string{"import", path, "--rejects", out, "-o", "json"}, in: in, desk: d}.run(t)
				require.Zero(t, got.status, got.err)
				require.JSONEq(t, `{"rows":4,"created":2,"existing":0,"rejected":2,"skipped":0,"rejections":[
					{"row":5,"column":"标题*","reason":"it is missing"},
					{"row":7,"column":"优先级","reason":"\"特急\" is not one of high, medium, low"}]}`, got.out)
				byTitle := map[string]requirement.Submission{}
				for _, s := range d.submitted {
					byTitle[s.Title] = s
				}
				require.Equal(t, "1200000", byTitle["导出报表太慢"].Description)
				require.Equal(t, "13800138000", byTitle["导出报表太慢"].SubmittedBy)
				require.Equal(t, "0.1", byTitle["=1+1"].Description)

				correct(t, out)
				d = &fakeDesk{}
				got = calling{args: []string{"import", out, "-q", "--lang", "zh-CN"}, desk: d}.run(t)
				require.Zero(t, got.status, got.err)
				require.Equal(t, "2 行：新建 2，已存在 0，拒绝 0\n", got.out)
				for _, s := range d.submitted {
					if s.Ref == "crm:3" {
						require.Equal(t, "high", s.Priority)
						require.Equal(t, "2026-11-23", s.Description, "a date is text in the rejected rows as well")
					}
				}
			})
		}
	}
}

// correct does what a person does with rejected rows, in whichever form they are.
func correct(t *testing.T, path string) {
	t.Helper()
	if !strings.HasSuffix(strings.ToLower(path), ".xlsx") {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		corrected := strings.NewReplacer("特急", "高", "\n,远山", "\n无标题,远山").Replace(string(text))
		require.NoError(t, os.WriteFile(path, []byte(corrected), 0o600))
		return
	}
	f, err := excelize.OpenFile(path)
	require.NoError(t, err)
	defer f.Close()
	rows, err := f.GetRows("Sheet1")
	require.NoError(t, err)
	require.Equal(t, []string{"标题*", "客户（必填）", "优先级", "来源", "外部编号", "描述", "记录人", "reject_reason"}, rows[0])
	require.Equal(t, "标题*: it is missing", rows[1][7])
	for cell, marked := range map[string]bool{"A2": true, "B2": false, "C3": true, "A3": false} {
		id, err := f.GetCellStyle("Sheet1", cell)
		require.NoError(t, err)
		style, err := f.GetStyle(id)
		require.NoError(t, err)
		require.Equal(t, marked, style.Fill.Pattern == 1, cell)
	}
	require.NoError(t, f.SetCellValue("Sheet1", "A2", "无标题"))
	require.NoError(t, f.SetCellValue("Sheet1", "C3", "高"))
	require.NoError(t, f.Save())
}

// What a formula could not calculate is told with its row and column, in the
// reader's language; where nobody reads the column it does not matter.
func TestImportOfFormulas(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	defer f.Close()
	for at, value := range map[string]string{"A1": "标题", "B1": "客户", "C1": "合计", "A2": "x", "B2": "y"} {
		require.NoError(t, f.SetCellStr("Sheet1", at, value))
	}
	require.NoError(t, f.SetCellFormula("Sheet1", "C2", "1+1"))
	require.NoError(t, f.SetCellFormula("Sheet1", "A3", "B2&B1"))
	require.NoError(t, f.SetCellStr("Sheet1", "B3", "z"))
	path := filepath.Join(t.TempDir(), "formulas.xlsx")
	require.NoError(t, f.SaveAs(path))
	got := calling{args: []string{"import", path, "--dry-run", "--lang", "zh-CN"}}.run(t)
	require.Zero(t, got.status, got.err)
	require.Equal(t, "✗ 第 3 行，“标题”列：其中的公式没有计算结果：请用 Excel 或 WPS 打开该工作簿并保存\n"+
		"2 行：1 行正确，拒绝 1 行；未提交任何内容\n", got.out)
}

// Rows that we wrote ourselves are there already; a number of somebody else's in
// that column means nothing, and one of ours that is damaged is no new row.
func TestImportOfRowsWithOurIDs(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	w := csv.NewWriter(&b)
	require.NoError(t, w.WriteAll([][]string{
		{"需求编号", "标题", "客户"},
		{someID, "导出报表太慢", "云栖科技"},
		{"", "'=1+1", "云栖科技"},
		{"XQ-2026-17", "登录失败", "远山集团"},
		{"REQ-7K2M9QX", "导出报表太慢", "云栖科技"},
	}))
	d := &fakeDesk{}
	got := calling{args: []string{"import", "-", "-o", "json"}, in: b.String(), desk: d}.run(t)
	require.Zero(t, got.status, got.err)
	require.JSONEq(t, `{"rows":4,"created":2,"existing":1,"rejected":1,"skipped":0,"rejections":[
		{"row":5,"column":"需求编号","reason":"\"REQ-7K2M9QX\" is no id of ours; leave the cell empty for a new requirement"}]}`, got.out)
	titles := []string{d.submitted[0].Title, d.submitted[1].Title}
	require.ElementsMatch(t, []string{"=1+1", "登录失败"}, titles, "what we escaped in our own table is itself again")
}

// A whole workbook is known to be sound before its first row is sent.
func TestImportOfADamagedWorkbookSendsNothing(t *testing.T) {
	t.Parallel()
	book := someWorkbook(t)
	at := bytes.Index(book, []byte("xl/worksheets/sheet1.xml")) + 150
	book[at] ^= 0xff
	d := &fakeDesk{}
	got := calling{args: []string{"import", "-", "--lang", "zh-CN"}, in: string(book), desk: d}.run(t)
	require.Equal(t, exitUsage, got.status)
	require.Contains(t, got.err, "工作簿已损坏")
	require.Empty(t, d.submitted)
}

// What Excel keeps in its old container is an old workbook, or a new one with a
// password; both say what to do.
func TestImportOfALockedWorkbook(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	defer f.Close()
	require.NoError(t, f.SetCellStr("Sheet1", "A1", strings.Repeat("标题", 1_000)))
	path := filepath.Join(t.TempDir(), "locked.xlsx")
	require.NoError(t, f.SaveAs(path, excelize.Options{Password: "secret"}))
	got := calling{args: []string{"import", path, "--lang", "zh-CN"}, desk: &fakeDesk{}}.run(t)
	require.Equal(t, exitUsage, got.status)
	require.Contains(t, got.err, "有密码保护：请打开后取消密码并保存")
}
