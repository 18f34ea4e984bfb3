package workbook_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"closeloop/intake/workbook"
)

// parts are the least that a workbook has; a case puts others in or takes them
// away.
func parts(change map[string]string) map[string]string {
	p := map[string]string{
		"[Content_Types].xml":  `<Types/>`,
		"_rels/.rels":          `<Relationships><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":      `<workbook xmlns:r="r"><sheets><sheet name="表一" r:id="rId1"/></sheets></workbook>`,
		"xl/worksheets/s1.xml": sheetOf(`<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>`),
		"xl/_rels/workbook.xml.rels": `<Relationships>
			<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/s1.xml"/>
			<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="/xl/sharedStrings.xml"/>
			<Relationship Id="rId3" Type="http://purl.oclc.org/ooxml/officeDocument/relationships/styles" Target="styles.xml"/></Relationships>`,
	}
	for name, text := range change {
		if p[name] = text; text == "" {
			delete(p, name)
		}
	}
	return p
}

func sheetOf(rows string) string {
	return `<?xml version="1.0"?><worksheet><sheetData>` + rows + `</sheetData></worksheet>`
}

func zipped(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range parts {
		w, err := z.Create(name)
		require.NoError(t, err)
		_, err = io.WriteString(w, text)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

// read reads a sheet: the number of each row and its cells, or what is bad.
func read(file []byte, name string) ([]string, error) {
	book, err := workbook.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	defer book.Close()
	rows, err := book.Rows(name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var got []string
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		line := fmt.Sprintf("%d: %s", row.Number, strings.Join(row.Cells, "|"))
		for i := range row.Cells {
			if bad := row.Bad[i]; bad != "" {
				line += fmt.Sprintf(" !%d %s", i, bad)
			}
		}
		got = append(got, line)
	}
}

// What people see in a cell is what is read, whatever it is stored as.
func TestCellsAsPeopleSeeThem(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		// format is the code of the cell's format, or the number of a built-in one.
		format string
		cell   string
		want   string
	}{
		"a whole number":                {"General", `<c s="1"><v>13800138000</v></c>`, "13800138000"},
		"a number with an exponent":     {"General", `<c s="1"><v>1.2E+6</v></c>`, "1200000"},
		"a long number":                 {"General", `<c s="1"><v>123456789012345680</v></c>`, "123456789012346000"},
		"a small number":                {"General", `<c s="1"><v>1.0000000000000001E-5</v></c>`, "0.00001"},
		"a number as it is stored":      {"General", `<c s="1"><v>0.10000000000000001</v></c>`, "0.1"},
		"no .0":                         {"0.00", `<c s="1"><v>12.0</v></c>`, "12"},
		"minus nothing":                 {"General", `<c s="1"><v>-0</v></c>`, "0"},
		"zeros in front":                {"00000", `<c s="1"><v>123</v></c>`, "00123"},
		"percent":                       {"9", `<c s="1"><v>0.18</v></c>`, "18%"},
		"percent with decimals":         {"0.0%", `<c s="1"><v>0.183</v></c>`, "18.3%"},
		"a date":                        {"14", `<c s="1"><v>46349</v></c>`, "2026-11-23"},
		"a Chinese date":                {`yyyy"年"m"月"d"日";@`, `<c s="1"><v>46349</v></c>`, "2026-11-23"},
		"a date of an East Asian Excel": {"31", `<c s="1"><v>46349</v></c>`, "2026-11-23"},
		"a date and time":               {"22", `<c s="1"><v>46349.520833333336</v></c>`, "2026-11-23 12:30"},
		"a date and time to the second": {"yyyy-mm-dd hh:mm:ss", `<c s="1"><v>46349.520844907405</v></c>`, "2026-11-23 12:30:01"},
		"a date with a time unseen":     {"[$-804]yyyy-mm-dd", `<c s="1"><v>46349.5</v></c>`, "2026-11-23 12:00"},
		"a time":                        {"h:mm AM/PM", `<c s="1"><v>0.5625</v></c>`, "13:30"},
		"a length of time":              {"[h]:mm:ss", `<c s="1"><v>1.5</v></c>`, "36:00:00"},
		"a colour is no date":           {"[Red]0", `<c s="1"><v>7</v></c>`, "7"},
		"a word in a format":            {`0" days"`, `<c s="1"><v>3</v></c>`, "3"},
		"the first of March 1900":       {"14", `<c s="1"><v>61</v></c>`, "1900-03-01"},
		"the last of February 1900":     {"14", `<c s="1"><v>59</v></c>`, "1900-02-28"},
		"a date as ISO text":            {"General", `<c s="1" t="d"><v>2026-11-23T00:00:00.000Z</v></c>`, "2026-11-23"},
		"an instant as ISO text":        {"General", `<c s="1" t="d"><v>2026-11-23T08:15:00Z</v></c>`, "2026-11-23 08:15:00"},
		"a number as text":              {"@", `<c s="1" t="inlineStr"><is><t>007</t></is></c>`, "007"},
		"truth":                         {"General", `<c s="1" t="b"><v>1</v></c>`, "TRUE"},
		"what a formula gave":           {"General", `<c s="1" t="str"><f>A2&amp;"x"</f><v>ax</v></c>`, "ax"},
		"a number a formula gave":       {"General", `<c s="1"><f>1+1</f><v>2</v></c>`, "2"},
		"runs of letters":               {"General", `<c t="inlineStr"><is><r><t>导出</t></r><r><t xml:space="preserve"> 慢</t></r><rPh><t>かな</t></rPh></is></c>`, "导出 慢"},
		"characters XML does not have":  {"General", `<c t="inlineStr"><is><t>a_x000D__x000A_b_x005F_x0041_</t></is></c>`, "a\r\nb_x0041_"},
		"a shared text":                 {"General", `<c t="s"><v>1</v></c>`, "二"},
		"a style that is not there":     {"General", `<c s="99"><v>5</v></c>`, "5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			formats, id := "", tc.format
			if len(id) > 2 || id == "@" {
				formats, id = fmt.Sprintf(`<numFmts><numFmt numFmtId="164" formatCode="%s"/></numFmts>`, strings.ReplaceAll(tc.format, `"`, "&quot;")), "164"
			}
			got, err := read(zipped(t, parts(map[string]string{
				"xl/styles.xml":        fmt.Sprintf(`<styleSheet>%s<cellXfs><xf numFmtId="0"/><xf numFmtId="%s"/></cellXfs></styleSheet>`, formats, id),
				"xl/sharedStrings.xml": `<sst><si><t>一</t></si><si><r><t>二</t></r></si></sst>`,
				"xl/worksheets/s1.xml": sheetOf(`<row>` + tc.cell + `</row>`),
			})), "")
			require.NoError(t, err)
			require.Equal(t, []string{"1: " + tc.want}, got)
		})
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	text := func(at, s string) string {
		return fmt.Sprintf(`<c r="%s" t="inlineStr"><is><t>%s</t></is></c>`, at, s)
	}
	for name, tc := range map[string]struct {
		change map[string]string
		sheet  string
		want   []string
	}{
		"rows that are left out keep their numbers": {
			map[string]string{"xl/worksheets/s1.xml": sheetOf(`<row r="2">` + text("B2", "x") + `</row><row r="9">` + text("A9", "y") + `</row>`)},
			"",
			[]string{"2: |x", "9: y"},
		},
		"empty rows and cells": {
			map[string]string{"xl/worksheets/s1.xml": sheetOf(`<row r="1"><c r="A1" s="1"/></row><row r="2"/><row r="3">` + text("A3", " ") + `</row><row r="4">` + text("A4", "x") + text("C4", " ") + `</row>`)},
			"",
			[]string{"4: x"},
		},
		"rows and cells without references": {
			map[string]string{"xl/worksheets/s1.xml": sheetOf(`<row><c t="inlineStr"><is><t>a</t></is></c><c/><c t="inlineStr"><is><t>b</t></is></c></row><row><c><v>1</v></c></row>`)},
			"",
			[]string{"1: a||b", "2: 1"},
		},
		"elements with a prefix": {
			map[string]string{"xl/worksheets/s1.xml": `<x:worksheet xmlns:x="x"><x:sheetData><x:row r="1"><x:c r="A1" t="str"><x:v>q</x:v></x:c></x:row></x:sheetData></x:worksheet>`},
			"",
			[]string{"1: q"},
		},
		"merged cells have their text in every row": {
			map[string]string{"xl/worksheets/s1.xml": `<worksheet><sheetData><row r="1">` + text("A1", "云栖") + text("B1", "1") + `</row><row r="2">` + text("B2", "2") +
				`</row><row r="3"><c r="A3"/></row><row r="4">` + text("B4", "4") + `</row><row r="5">` + text("B5", "5") + `</row></sheetData><mergeCells count="2"><mergeCell ref="A1:A4"/><mergeCell ref="B1:C1"/></mergeCells></worksheet>`},
			"",
			[]string{"1: 云栖|1", "2: 云栖|2", "4: 云栖|4", "5: |5"},
		},
		"formulas that failed, or were never calculated": {
			map[string]string{"xl/worksheets/s1.xml": sheetOf(`<row><c t="e"><f>1/0</f><v>#DIV/0!</v></c><c><f>A1</f></c><c><v>3</v></c></row>`)},
			"",
			[]string{"1: #DIV/0!||3 !0 formula_failed !1 not_calculated"},
		},
		"the first visible sheet": {
			map[string]string{
				"xl/workbook.xml":      `<workbook xmlns:r="r"><sheets><sheet name="hidden" state="hidden" r:id="rId1"/><sheet name="seen" r:id="rId9"/></sheets></workbook>`,
				"xl/worksheets/s2.xml": sheetOf(`<row>` + text("A1", "two") + `</row>`),
				"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Type="/worksheet" Target="worksheets/s1.xml"/>
					<Relationship Id="rId9" Type="/worksheet" Target="worksheets\S2.xml"/></Relationships>`,
			},
			"",
			[]string{"1: two"},
		},
		"a hidden sheet by its name": {
			map[string]string{"xl/workbook.xml": `<workbook xmlns:r="r"><sheets><sheet name="Hidden" state="veryHidden" r:id="rId1"/></sheets></workbook>`},
			"hidden",
			[]string{"1: a"},
		},
		"days since 1904": {
			map[string]string{
				"xl/workbook.xml":      `<workbook xmlns:r="r"><workbookPr date1904="1"/><sheets><sheet name="x" r:id="rId1"/></sheets></workbook>`,
				"xl/styles.xml":        `<styleSheet><cellXfs><xf numFmtId="14"/></cellXfs></styleSheet>`,
				"xl/worksheets/s1.xml": sheetOf(`<row><c s="0"><v>44887</v></c></row>`),
			},
			"",
			[]string{"1: 2026-11-23"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := read(zipped(t, parts(tc.change)), tc.sheet)
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestWhatIsNoWorkbook(t *testing.T) {
	t.Parallel()
	whole := zipped(t, parts(nil))
	flipped := zipped(t, parts(map[string]string{"xl/worksheets/s1.xml": sheetOf(strings.Repeat("<row><c><v>1</v></c></row>", 2_000))}))
	at := bytes.Index(flipped, []byte("xl/worksheets/s1.xml")) + 60
	flipped[at] ^= 0xff
	for name, tc := range map[string]struct {
		file  []byte
		sheet string
		code  workbook.Code
		says  string
	}{
		"cut off":                         {whole[:len(whole)/2], "", workbook.Damaged, "save it anew"},
		"a byte changed":                  {flipped, "", workbook.Damaged, ""},
		"another zip":                     {zipped(t, map[string]string{"a.txt": "x"}), "", workbook.OtherZip, ""},
		"a text document":                 {zipped(t, parts(map[string]string{"xl/workbook.xml": `<document/>`})), "", workbook.OtherZip, ""},
		"an OpenDocument table":           {zipped(t, map[string]string{"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}), "", workbook.OpenDocument, ""},
		"the binary form":                 {zipped(t, parts(map[string]string{"_rels/.rels": `<Relationships><Relationship Id="r" Type="/officeDocument" Target="xl/workbook.bin"/></Relationships>`})), "", workbook.Binary, ""},
		"no such sheet":                   {whole, "三月", workbook.NoSheet, "the workbook has 表一"},
		"nothing but hidden sheets":       {zipped(t, parts(map[string]string{"xl/workbook.xml": `<workbook xmlns:r="r"><sheets><sheet name="x" state="hidden" r:id="rId1"/></sheets></workbook>`})), "", workbook.NoSheets, ""},
		"a sheet that is missing":         {zipped(t, parts(map[string]string{"xl/worksheets/s1.xml": ""})), "", workbook.Damaged, "it is missing"},
		"XML that breaks off":             {zipped(t, parts(map[string]string{"xl/worksheets/s1.xml": `<worksheet><sheetData><row><c><v>1</v></c></row><row>`})), "", workbook.Damaged, "unexpected EOF"},
		"a text that is not there":        {zipped(t, parts(map[string]string{"xl/worksheets/s1.xml": sheetOf(`<row><c t="s"><v>5</v></c></row>`)})), "", workbook.Damaged, "row 1"},
		"an entity":                       {zipped(t, parts(map[string]string{"xl/worksheets/s1.xml": `<!DOCTYPE x [<!ENTITY a "aaaa">]>` + sheetOf(`<row><c t="inlineStr"><is><t>&a;</t></is></c></row>`)})), "", workbook.Damaged, ""},
		"a row without an end":            {zipped(t, parts(map[string]string{"xl/worksheets/s1.xml": sheetOf(`<row><c t="inlineStr"><is><t>` + strings.Repeat("x", 17<<20) + `</t></is></c></row>`)})), "", workbook.Damaged, "longer than 16 MiB"},
		"a part that unpacks to too much": {zipped(t, parts(map[string]string{"xl/workbook.xml": `<workbook>` + strings.Repeat(" ", 17<<20) + `</workbook>`})), "", workbook.TooLarge, "more than 16 MiB"},
		"a column beyond all":             {zipped(t, parts(map[string]string{"xl/worksheets/s1.xml": sheetOf(`<row><c r="ZZZZZZZZZZZZZZZ1"><v>1</v></c></row>`)})), "", workbook.Damaged, "more columns"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := read(tc.file, tc.sheet)
			wrong, ok := errors.AsType[*workbook.Error](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, tc.code, wrong.Code, "%v", err)
			require.ErrorContains(t, err, tc.says)
		})
	}
}

// What excelize writes, which most Go programs do, is read as it was meant; shared
// texts that are many are put aside and found again.
func TestManySharedTexts(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	defer f.Close()
	long := strings.Repeat("需求", 4_000)
	const rows = 2_000 // of some 24 kB each: more than is kept in memory
	for i := range rows {
		require.NoError(t, f.SetCellStr("Sheet1", fmt.Sprintf("A%d", i+1), fmt.Sprintf("%d %s", i, long)))
	}
	var file bytes.Buffer
	require.NoError(t, f.Write(&file))
	got, err := read(file.Bytes(), "Sheet1")
	require.NoError(t, err)
	require.Len(t, got, rows)
	for i, line := range got {
		require.Equal(t, fmt.Sprintf("%d: %d %s", i+1, i, long), line)
	}
}

func FuzzSheet(f *testing.F) {
	f.Add(`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>x</t></is></c></row>`)
	f.Add(`<row><c t="e"><v>#N/A</v></c><c s="1"><v>46349.5</v></c></row></sheetData><mergeCells><mergeCell ref="A1:A3"/>`)
	f.Fuzz(func(t *testing.T, rows string) {
		_, _ = read(zipped(t, parts(map[string]string{
			"xl/worksheets/s1.xml": sheetOf(rows),
			"xl/sharedStrings.xml": `<sst><si><t>一</t></si></sst>`,
			"xl/styles.xml":        `<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>`,
		})), "")
	})
}
