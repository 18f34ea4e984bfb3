package sheets_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"closeloop/intake"
	"closeloop/locale"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sheets"
)

// kept is where the tables are kept, to be looked at:
// go test ./sheets -run TestTables -args -keep DIR.
var kept = flag.String("keep", "", "directory in which the tables are kept")

// table writes the stories into a table.
func table(t testing.TB, template sheets.Template, lang, format string, change func(*sheets.Options)) []byte {
	t.Helper()
	o := options(lang)
	if change != nil {
		change(&o)
	}
	var b bytes.Buffer
	var w sheets.Writer
	var err error
	if format == "csv" {
		w, err = sheets.NewText(&b, template, o)
	} else {
		w, err = sheets.NewWorkbook(&b, template, o)
	}
	require.NoError(t, err)
	if !o.Blank {
		for _, l := range stories(t) {
			require.NoError(t, w.Write(l.told(template)))
		}
	}
	require.NoError(t, w.Close())
	if *kept != "" {
		name := string(template) + map[bool]string{true: "-blank"}[o.Blank] + "." + lang + "." + format
		require.NoError(t, os.WriteFile(filepath.Join(*kept, name), b.Bytes(), 0o600))
	}
	return b.Bytes()
}

func opened(t testing.TB, file []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(file))
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// Every table in every language opens, says what it is, and is laid out to be read:
// the header stays in sight and filters, columns have a width, and there is an
// explanation of each column.
func TestTablesAreLaidOut(t *testing.T) {
	t.Parallel()
	for _, template := range sheets.Templates {
		for _, lang := range locale.Languages {
			t.Run(string(template)+" "+lang, func(t *testing.T) {
				t.Parallel()
				f := opened(t, table(t, template, lang, "xlsx", nil))
				names := f.GetSheetList()
				require.Equal(t, locale.For(lang).Text("sheet.name."+string(template), nil), names[0])
				require.Zero(t, f.GetActiveSheetIndex())
				rows, err := f.GetRows(names[0])
				require.NoError(t, err)
				heads := rows[0]
				require.Len(t, slices.Compact(slices.Sorted(slices.Values(heads))), len(heads), "no head stands twice")
				require.NotContains(t, strings.Join(heads, " "), "sheet.", "a head is not in the catalogue")

				panes, err := f.GetPanes(names[0])
				require.NoError(t, err)
				require.True(t, panes.Freeze)
				require.Equal(t, 1, panes.YSplit)
				require.Equal(t, slices.Index(heads, strings.TrimSuffix(locale.For(lang).Text("sheet.column.title", nil), "*")+map[bool]string{true: "*"}[template == sheets.Record])+1, panes.XSplit)
				for i := range heads {
					column, err := excelize.ColumnNumberToName(i + 1)
					require.NoError(t, err)
					width, err := f.GetColWidth(names[0], column)
					require.NoError(t, err)
					require.Greater(t, width, 6.0, heads[i])
				}
				last, err := excelize.CoordinatesToCellName(len(heads), len(rows), true)
				require.NoError(t, err)
				filters := 0
				for _, d := range f.GetDefinedName() {
					if d.Name == "_xlnm._FilterDatabase" {
						require.Contains(t, d.RefersTo, "$A$1:"+last)
						filters++
					}
				}
				require.Equal(t, 1, filters)

				legend, err := f.GetRows(locale.For(lang).Text("sheet.name.legend", nil))
				require.NoError(t, err)
				require.Len(t, legend, 5+len(heads))
				for i, line := range legend[5:] {
					require.Len(t, line, 3)
					require.Equal(t, heads[i], line[0])
					require.NotContains(t, line[1]+line[2], "sheet.")
				}
				legendText := strings.Join(slices.Concat(legend...), " ")
				require.Equal(t, lang == locale.Chinese, strings.Contains(legendText, "系统"))
			})
		}
	}
}

// value is the cell of a requirement's first row under a head.
func value(t testing.TB, rows [][]string, row int, head string) string {
	t.Helper()
	at := slices.Index(rows[0], head)
	require.GreaterOrEqual(t, at, 0, "no column %s among %v", head, rows[0])
	if at >= len(rows[row]) {
		return ""
	}
	return rows[row][at]
}

// What the tables say, in both forms alike.
func TestTablesSayWhatIsOnRecord(t *testing.T) {
	t.Parallel()
	for template, want := range map[sheets.Template]map[string]string{
		sheets.Record: {
			"需求编号": "REQ-7K2M9QXA", "接收时间": "2026-11-23 09:15:00", "标题*": "导出月度报表超时", "客户*": "云栖科技", "优先级": "中",
			"需求内容": "数据超过十万行时，导出一分钟后报超时；月底对账要用。", "来源渠道": "电话", "紧急程度": "重要", "外部编号": "crm:2026-1101",
			"附件链接": "https://files.example/report.png\nhttps://files.example/log.txt", "记录人": "li.na",
		},
		sheets.Analysis: {
			"标题": "导出月度报表超时（十万行以上）", "版本": "2", "紧急程度": "紧急", "优先级": "高", "根本原因": "同步生成时整表读入内存", "阶段": "已归档", "Kano 分类": "", "用户故事": "",
		},
		sheets.Priority: {"优先级": "高", "调整原因": "影响月底对账", "调整人": "李娜 (li.na)", "调整时间": "2026-11-23 09:32:00", "重要性": "", "MoSCoW": ""},
		sheets.Tracking: {"序号": "1", "时间": "2026-11-23 09:15:00", "步骤": "收到需求", "人员": "李娜 (li.na)", "状态": "已完成", "负责人": "吴磊 (wu.lei)"},
		sheets.Feedback: {
			"处理结果": "改为后台生成，完成后发邮件；二十万行 4 秒", "首次响应时间": "2026-11-23 10:02:00", "响应方式": "电话", "响应是否及时": "按时完成", "重开次数": "1",
			"一次解决": "否", "不认可原因": "二十万行仍然超时", "满意度": "5", "客户意见": "很快，谢谢！", "关闭方式": "已确认解决", "经验教训": "",
		},
	} {
		t.Run(string(template), func(t *testing.T) {
			t.Parallel()
			text := table(t, template, locale.Chinese, "csv", nil)
			require.True(t, bytes.HasPrefix(text, []byte("\ufeff")))
			inText, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))).ReadAll()
			require.NoError(t, err)
			f := opened(t, table(t, template, locale.Chinese, "xlsx", nil))
			inBook, err := f.GetRows(f.GetSheetName(0))
			require.NoError(t, err)
			for head, expected := range want {
				require.Equal(t, expected, value(t, inText, 1, head), head)
				if instant, ok := strings.CutSuffix(expected, ":00"); ok && strings.HasPrefix(expected, "2026-") && template != sheets.Tracking {
					expected = instant
				}
				require.Equal(t, expected, value(t, inBook, 1, head), head)
			}
			require.Len(t, inBook, len(inText))
		})
	}
}

// Instants are numbers with a format, so that spreadsheets sort and filter them.
func TestInstantsAreDates(t *testing.T) {
	t.Parallel()
	f := opened(t, table(t, sheets.Record, locale.English, "xlsx", nil))
	raw, err := f.GetCellValue("Requirement records", "B2", excelize.Options{RawCellValue: true})
	require.NoError(t, err)
	require.Equal(t, "46349.38541666667", raw)
}

// Nothing that a customer wrote is a formula, in neither form.
func TestNothingIsAFormula(t *testing.T) {
	t.Parallel()
	for _, template := range sheets.Templates {
		f := opened(t, table(t, template, locale.English, "xlsx", nil))
		for _, sheet := range f.GetSheetList() {
			rows, err := f.GetRows(sheet)
			require.NoError(t, err)
			for i, row := range rows {
				for j, cell := range row {
					at, err := excelize.CoordinatesToCellName(j+1, i+1)
					require.NoError(t, err)
					formula, err := f.GetCellFormula(sheet, at)
					require.NoError(t, err)
					require.Empty(t, formula, at)
					if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
						kind, err := f.GetCellType(sheet, at)
						require.NoError(t, err)
						require.Contains(t, []excelize.CellType{excelize.CellTypeInlineString, excelize.CellTypeSharedString}, kind, at)
					}
				}
			}
		}
		text := table(t, template, locale.English, "csv", nil)
		rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))).ReadAll()
		require.NoError(t, err)
		found := false
		for _, cell := range slices.Concat(rows...) {
			require.False(t, cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r"), "%s: %q", template, cell)
			found = found || strings.HasPrefix(cell, "'=cmd|")
		}
		require.True(t, found, "the hostile title is there, as text")
	}
}

// Columns with choices have a drop-down with all of them, where the choices stand.
func TestDropDowns(t *testing.T) {
	t.Parallel()
	for template, lists := range map[sheets.Template]map[string][]string{
		sheets.Record: {
			"优先级": {"高", "中", "低"}, "紧急程度": {"紧急", "重要", "一般"}, "客户等级": {"P1", "P2", "P3"}, "语言": {"zh-CN", "en"},
		},
		sheets.Analysis: {"Kano 分类": {"基本型", "期望型", "兴奋型"}, "显性/隐性": {"显性", "隐性"}, "技术可行性": {"可行", "有条件可行", "不可行"}},
		sheets.Priority: {"重要性": {"5", "4", "3", "2", "1"}, "MoSCoW": {"必须有", "应该有", "可以有", "此次不做"}, "客户价值": {"高", "低"}},
		sheets.Feedback: {"需要回访": {"是", "否"}},
	} {
		t.Run(string(template), func(t *testing.T) {
			t.Parallel()
			f := opened(t, table(t, template, locale.Chinese, "xlsx", nil))
			sheet := f.GetSheetName(0)
			rows, err := f.GetRows(sheet)
			require.NoError(t, err)
			validations, err := f.GetDataValidations(sheet)
			require.NoError(t, err)
			for head, want := range lists {
				column, err := excelize.ColumnNumberToName(slices.Index(rows[0], head) + 1)
				require.NoError(t, err)
				i := slices.IndexFunc(validations, func(v *excelize.DataValidation) bool { return v.Sqref == column+"2:"+column+"1048576" })
				require.GreaterOrEqual(t, i, 0, head)
				require.Equal(t, want, listed(t, f, validations[i].Formula1), head)
			}
		})
	}
	o := options(locale.Chinese)
	f := opened(t, table(t, sheets.Record, locale.Chinese, "xlsx", nil))
	rows, err := f.GetCols("选项")
	require.NoError(t, err)
	for _, c := range rows {
		if c[0] == "来源渠道" {
			require.Len(t, c, len(o.Channels)+1, "every channel of the policy")
		}
	}
}

// listed are the cells that a reference names.
func listed(t *testing.T, f *excelize.File, reference string) []string {
	t.Helper()
	sheet, area, ok := strings.Cut(strings.ReplaceAll(reference, "$", ""), "!")
	require.True(t, ok, reference)
	from, to, ok := strings.Cut(area, ":")
	require.True(t, ok, reference)
	column, first, err := excelize.CellNameToCoordinates(from)
	require.NoError(t, err)
	_, last, err := excelize.CellNameToCoordinates(to)
	require.NoError(t, err)
	var words []string
	for row := first; row <= last; row++ {
		at, err := excelize.CoordinatesToCellName(column, row)
		require.NoError(t, err)
		word, err := f.GetCellValue(strings.Trim(sheet, "'"), at)
		require.NoError(t, err)
		words = append(words, word)
	}
	return words
}

// A record that was exported is imported again without a change to its columns, in
// every form and language: what is there is passed over, what was added comes in.
func TestRecordsComeBack(t *testing.T) {
	t.Parallel()
	for _, lang := range locale.Languages {
		for _, format := range []string{"xlsx", "csv"} {
			for _, blank := range []bool{false, true} {
				name := lang + " " + format + map[bool]string{true: " blank"}[blank]
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					file := table(t, sheets.Record, lang, format, func(o *sheets.Options) { o.Blank = blank })
					file = withRows(t, file, format, blank)
					got, there := imported(t, file)
					require.Equal(t, map[bool]int{false: 3, true: 0}[blank], there)
					require.Len(t, got, 1)
					require.Equal(t, requirement.Submission{
						Title: "=1+1", Customer: "+86", Contact: "a@b.example", Language: "en", SubmittedBy: "li.na",
						Attachments: []string{"https://a.example", "https://b.example"},
						Attributes:  policy.Attributes{Priority: "high", Urgency: "urgent", Tier: "P1", Type: "fault", Channel: "phone"},
						Description: "two\nlines", Ref: "crm:9", Background: "b", Scenario: "s", Outcome: "o", Pain: "p",
					}, got[0])
				})
			}
		}
	}
}

// withRows fills in one more row, in the words that the drop-downs offer.
func withRows(t *testing.T, file []byte, format string, blank bool) []byte {
	t.Helper()
	zh := bytes.Contains(file, []byte("标题"))
	if format == "xlsx" {
		zh = opened(t, file).GetSheetName(0) == "客户需求原始记录表"
	}
	word := func(chinese, english string) string {
		if zh {
			return chinese
		}
		return english
	}
	row := []string{
		"=1+1", "+86", "a@b.example", "P1", "b", word("电话", "phone"), word("故障", "fault"), "two\nlines", "s", "o", "p",
		word("紧急", "urgent"), word("高", "high"), "crm:9", "https://a.example\nhttps://b.example", "en", "li.na",
	}
	if !blank {
		row = append([]string{"", ""}, row...)
	}
	if format == "csv" {
		var b bytes.Buffer
		b.Write(file)
		w := csv.NewWriter(&b)
		for i := range row {
			row[i] = intake.Escaped(row[i])
		}
		if blank {
			// A table without our ids is not known to be ours: as people type it.
			row[0], row[1] = "=1+1", "+86"
		}
		require.NoError(t, w.Write(row))
		w.Flush()
		return b.Bytes()
	}
	f := opened(t, file)
	sheet := f.GetSheetName(0)
	rows, err := f.GetRows(sheet)
	require.NoError(t, err)
	for i, text := range row {
		at, err := excelize.CoordinatesToCellName(i+1, len(rows)+1)
		require.NoError(t, err)
		require.NoError(t, f.SetCellStr(sheet, at, text))
	}
	var b bytes.Buffer
	require.NoError(t, f.Write(&b))
	return b.Bytes()
}

// imported runs an import over the file: what would be submitted, and how many are
// there already.
func imported(t *testing.T, file []byte) (got []requirement.Submission, there int) {
	t.Helper()
	in, err := intake.Open(bytes.NewReader(file))
	require.NoError(t, err)
	defer in.Close()
	mapping, err := intake.Recognise(in.Header)
	require.NoError(t, err)
	var mu sync.Mutex
	im := intake.Import{
		Table: in, Mapping: mapping, Rules: policy.Default().Process,
		Submit: func(_ context.Context, s requirement.Submission, _ string) (bool, error) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, s)
			return true, nil
		},
		Rejected: func(r intake.Rejection) { t.Errorf("row %d, %s: %s", r.Row, r.Column, r.Reason) },
	}
	sum, err := im.Run(t.Context())
	require.NoError(t, err)
	return got, sum.Existing
}

// Every head of a record is one that the import knows, but for the time, which is
// the system's.
func TestHeadsOfARecordAreKnown(t *testing.T) {
	t.Parallel()
	for _, lang := range locale.Languages {
		f := opened(t, table(t, sheets.Record, lang, "xlsx", func(o *sheets.Options) { o.Blank = true }))
		rows, err := f.GetRows(f.GetSheetName(0))
		require.NoError(t, err)
		for _, head := range rows[0] {
			// With title and customer beside it, a known head is one more field.
			with, err := intake.Recognise([]string{"title", "customer", head})
			require.NoError(t, err)
			without, err := intake.Recognise([]string{"title", "customer"})
			require.NoError(t, err)
			known := !reflect.DeepEqual(with, without) || strings.HasSuffix(head, "*")
			require.True(t, known, "%s: %s", lang, head)
		}
	}
}

// A table with more rows than a sheet can have goes on in the next one.
func TestMoreRowsThanASheetHas(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w, err := sheets.NewWorkbook(&b, sheets.Record, options(locale.English))
	require.NoError(t, err)
	sheets.Limit(w, 3)
	told := stories(t)[0].told(sheets.Record)
	for range 5 {
		require.NoError(t, w.Write(told))
	}
	require.NoError(t, w.Close())
	require.Equal(t, 5, w.Rows())
	f := opened(t, b.Bytes())
	require.Equal(t, []string{"Requirement records", "Requirement records (2)", "Requirement records (3)", "About this table", "Choices"}, f.GetSheetList())
	for i, want := range []int{3, 3, 2} {
		rows, err := f.GetRows(f.GetSheetName(i))
		require.NoError(t, err)
		require.Len(t, rows, want)
		require.Equal(t, "Requirement id", rows[0][0])
	}
}

// A text as long as the process takes fits, and does not fill the screen.
func TestLongTexts(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w, err := sheets.NewWorkbook(&b, sheets.Record, options(locale.Chinese))
	require.NoError(t, err)
	long := strings.Repeat("需𠮷", requirement.MaxText/2)
	require.NoError(t, w.Write(begin(t, "REQ-7K2M9QXA", requirement.Submission{Title: "x", Customer: "y", Description: long}).told(sheets.Record)))
	require.NoError(t, w.Close())
	f := opened(t, b.Bytes())
	rows, err := f.GetRows(f.GetSheetName(0))
	require.NoError(t, err)
	require.Equal(t, long, value(t, rows, 1, "需求内容"))
	height, err := f.GetRowHeight(f.GetSheetName(0), 2)
	require.NoError(t, err)
	require.InDelta(t, 112, height, 1)
}
