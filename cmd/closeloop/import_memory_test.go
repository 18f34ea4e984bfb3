package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"closeloop/contract"
	"closeloop/ledger"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sheets"
)

// The bound on memory, and the number of rows for which it holds.
const (
	mostMemory = 300 << 20
	manyRows   = 100_000
)

// measured names the table that a run of this test program is to work on and
// measure itself with; see TestMain.
const measured = "CLOSELOOP_TEST_MEASURED"

// answeringDesk answers at once and remembers nothing, as a fast system would.
type answeringDesk struct{ fakeDesk }

func (*answeringDesk) Submit(_ context.Context, s requirement.Submission, _ string) (contract.Receipt, error) {
	return contract.Receipt{ID: someID, Created: true, Stage: requirement.Received}, nil
}

// endlessArchive gives as many requirements as there may be, each with its events.
type endlessArchive struct{ *fakeArchive }

func (b endlessArchive) Export(_ context.Context, _ ledger.Filter, _ []requirement.Kind, each func(ledger.Exported) error) error {
	for i := range manyRows {
		x := b.exported[0]
		x.State.ID = fmt.Sprintf("REQ-%08d", i)
		x.State.Description = fmt.Sprintf("%d %s", i, x.State.Description)
		if err := each(x); err != nil {
			return err
		}
	}
	return nil
}

// TestMain is this program's other face: with the variable set, it runs a command
// with services that answer at once, and prints the most memory it ever had.
func TestMain(m *testing.M) {
	if os.Getenv(measured) == "" {
		os.Exit(m.Run())
	}
	a := newApp(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ())
	a.connect = func(context.Context) (desk, error) { return &answeringDesk{}, nil }
	a.open = func(context.Context) (archive, error) {
		r, err := requirement.New(someID, requirement.Submission{
			Title: "导出报表太慢", Customer: "云栖科技", Description: strings.Repeat("每次导出都要十分钟。", 20),
		}, policy.Default().Process, noon)
		if err != nil {
			return nil, err
		}
		happened := r.Take()
		return endlessArchive{&fakeArchive{exported: []ledger.Exported{{State: happened.State, Events: happened.Events}}}}, nil
	}
	status := a.run(context.Background(), os.Args[1:])
	about, err := os.ReadFile("/proc/self/status")
	if err == nil {
		fmt.Fprintf(os.Stderr, "%s\n", regexp.MustCompile(`VmHWM:\s+\d+ kB`).Find(about))
	}
	os.Exit(status)
}

// peak runs a command in a process of its own and returns the most memory it had,
// in bytes.
func peak(t testing.TB, args ...string) (int64, string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the peak of memory is read from /proc, which only Linux has")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	run := exec.CommandContext(t.Context(), self, args...)
	run.Env = append(os.Environ(), measured+"=yes", "TMPDIR="+t.TempDir())
	var out, errs bytes.Buffer
	run.Stdout, run.Stderr = &out, &errs
	require.NoError(t, run.Run(), errs.String())
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindStringSubmatch(errs.String())
	require.NotNil(t, found, errs.String())
	kilobytes, err := strconv.ParseInt(found[1], 10, 64)
	require.NoError(t, err)
	return kilobytes << 10, out.String()
}

// held is a command and what it has to say, with no more memory than there may be.
type held struct {
	name string
	args []string
	says string
}

func (h held) measure(t testing.TB) int64 {
	t.Helper()
	most, out := peak(t, append(h.args, "-o", "json")...)
	require.Contains(t, out, h.says, h.name)
	require.Less(t, most, int64(mostMemory), h.name)
	t.Logf("%-36s %4d MB", h.name, most>>20)
	return most
}

// TestMemoryOfAnImport: a hundred thousand rows fit into 300 MB, as text and as a
// workbook. The columns are few, for speed; BenchmarkMemory has them all.
func TestMemoryOfAnImport(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("reads a hundred thousand rows twice")
	}
	many := writeMany(t, 4)
	held{"CSV, sent", []string{"import", many.text}, `"created": 100000`}.measure(t)
	held{"workbook, sent", []string{"import", many.shared}, `"created": 100000`}.measure(t)
}

// BenchmarkMemory: a hundred thousand rows, all fields filled and no two alike, fit
// into 300 MB, whether they are checked or sent, good or rejected, text or workbook;
// and so do the tables that are exported.
func BenchmarkMemory(b *testing.B) {
	many := writeMany(b, len(manyRow(0)))
	dir := b.TempDir()
	for _, h := range []held{
		{"CSV, checked", []string{"import", many.text, "--dry-run"}, `"rows": 100000`},
		{"CSV, sent", []string{"import", many.text}, `"created": 90000`},
		{"workbook, checked", []string{"import", many.inline, "--dry-run"}, `"rejected": 10000`},
		{"workbook, sent, with rejected rows", []string{"import", many.inline, "--rejects", filepath.Join(dir, "rejects.xlsx")}, `"created": 90000`},
		{"workbook with shared texts, sent", []string{"import", many.shared}, `"created": 90000`},
		{"export of records", []string{"export", string(sheets.Record), "--force", "--to", filepath.Join(dir, "record.xlsx")}, `"rows": 100000`},
		{"export of every step", []string{"export", string(sheets.Tracking), "--force", "--to", filepath.Join(dir, "tracking.xlsx")}, `"rows": 300000`},
	} {
		b.Run(h.name, func(b *testing.B) {
			most := int64(0)
			for b.Loop() {
				most = max(most, h.measure(b))
			}
			b.ReportMetric(float64(most)/(1<<20), "MB")
		})
	}
}

// manyRow is a row of the table, its header when i is zero. Every tenth is bad.
func manyRow(i int) []string {
	if i == 0 {
		return []string{"标题", "客户", "需求内容", "外部编号", "邮箱", "客户背景", "需求场景", "期望目标", "当前痛点", "来源", "类型", "优先级", "紧急程度", "客户等级"}
	}
	priority := "高"
	if i%10 == 0 {
		priority = "特急"
	}
	return []string{
		fmt.Sprintf("导出报表太慢 %d", i), fmt.Sprintf("云栖科技 %d", i),
		fmt.Sprintf("%d %s", i, strings.Repeat("数据超过十万行时导出超时。", 10)), fmt.Sprintf("crm:%d", i),
		fmt.Sprintf("c%d@yunqi.example", i), fmt.Sprintf("云计算，%d 人", i), fmt.Sprintf("第 %d 次对账", i), fmt.Sprintf("%d 秒内完成", i),
		fmt.Sprintf("分 %d 次导出", i), "电话", "故障", priority, "重要", "P1",
	}
}

// manyFiles are the rows as text, as a workbook with the texts in their cells, and
// as one whose cells share their texts, as Excel writes them.
type manyFiles struct{ text, inline, shared string }

// writeMany writes the first columns of the rows.
func writeMany(t testing.TB, columns int) manyFiles {
	t.Helper()
	dir := t.TempDir()
	many := manyFiles{filepath.Join(dir, "many.csv"), filepath.Join(dir, "inline.xlsx"), filepath.Join(dir, "shared.xlsx")}
	text, book, shared := many.text, many.inline, many.shared
	out, err := os.Create(text)
	require.NoError(t, err)
	defer out.Close()
	w := csv.NewWriter(out)
	f := excelize.NewFile()
	defer f.Close()
	sheet, err := f.NewStreamWriter("Sheet1")
	require.NoError(t, err)
	var texts, cells strings.Builder
	for i := range manyRows + 1 {
		row := manyRow(i)[:columns]
		require.NoError(t, w.Write(row))
		values := make([]any, len(row))
		cells.WriteString("<row>")
		for j := range row {
			values[j] = row[j]
			fmt.Fprintf(&texts, "<si><t>%s</t></si>", row[j])
			fmt.Fprintf(&cells, `<c t="s"><v>%d</v></c>`, i*len(row)+j)
		}
		cells.WriteString("</row>")
		at, err := excelize.CoordinatesToCellName(1, i+1)
		require.NoError(t, err)
		require.NoError(t, sheet.SetRow(at, values))
	}
	w.Flush()
	require.NoError(t, w.Error())
	require.NoError(t, sheet.Flush())
	require.NoError(t, f.SaveAs(book))

	file, err := os.Create(shared)
	require.NoError(t, err)
	defer file.Close()
	z := zip.NewWriter(file)
	for name, content := range map[string]string{
		"[Content_Types].xml": "<Types/>",
		"_rels/.rels":         `<Relationships><Relationship Id="r" Type="/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":     `<workbook xmlns:r="r"><sheets><sheet name="Sheet1" r:id="s"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="s" Type="/worksheet" Target="sheet.xml"/>` +
			`<Relationship Id="t" Type="/sharedStrings" Target="texts.xml"/></Relationships>`,
		"xl/texts.xml": "<sst>" + texts.String() + "</sst>",
		"xl/sheet.xml": "<worksheet><sheetData>" + cells.String() + "</sheetData></worksheet>",
	} {
		part, err := z.Create(name)
		require.NoError(t, err)
		_, err = io.WriteString(part, content)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return many
}
