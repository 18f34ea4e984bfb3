package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"closeloop/requirement"
	"closeloop/starter"
)

const someTable = "标题,客户,优先级,来源,外部编号\n" +
	"导出报表太慢,云栖科技,高,电话,crm:1\n" +
	",远山集团,中,电话,crm:2\n" +
	"登录失败,远山集团,特急,邮件,crm:3\n" +
	"手机端看不到附件,㐀氏公司,低,邮件,\n"

func TestImportOfEveryEncoding(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]encoding.Encoding{
		"UTF-8":               encoding.Nop,
		"UTF-8 with mark":     unicode.UTF8BOM,
		"UTF-16 LE with mark": unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
		"UTF-16 BE with mark": unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
		"GB18030":             simplifiedchinese.GB18030,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := e.NewEncoder().String(someTable)
			require.NoError(t, err)
			path := filepath.Join(t.TempDir(), "table.csv")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))

			got := calling{args: []string{"import", path, "--dry-run", "-o", "json"}}.run(t)
			require.Zero(t, got.status, got.err)
			require.JSONEq(t, `{"rows":4,"created":0,"existing":0,"rejected":2,"skipped":0,"dry_run":true,"rejections":[
				{"row":3,"column":"标题","reason":"it is missing"},
				{"row":4,"column":"优先级","reason":"\"特急\" is not one of high, medium, low"}]}`, got.out)

			d := &fakeDesk{}
			got = calling{args: []string{"import", path, "--as", "li.na", "-o", "json"}, desk: d}.run(t)
			require.Zero(t, got.status, got.err)
			require.Len(t, d.submitted, 2)
			byCustomer := map[string]requirement.Submission{}
			for _, s := range d.submitted {
				byCustomer[s.Customer] = s
			}
			require.Equal(t, "high", byCustomer["云栖科技"].Priority)
			require.Equal(t, "phone", byCustomer["云栖科技"].Channel)
			require.Equal(t, "手机端看不到附件", byCustomer["㐀氏公司"].Title)
			require.Equal(t, "li.na", byCustomer["㐀氏公司"].SubmittedBy)
			require.Equal(t, "import", byCustomer["㐀氏公司"].Via)
		})
	}
}

func TestImportForPeople(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, rejects := filepath.Join(dir, "table.csv"), filepath.Join(dir, "rejects.csv")
	require.NoError(t, os.WriteFile(path, []byte(someTable), 0o600))
	got := calling{args: []string{"import", path, "--rejects", rejects, "--lang", "zh-CN"}, desk: &fakeDesk{}}.run(t)
	require.Zero(t, got.status, got.err)
	require.Equal(t, "✗ 第 3 行，“标题”列：不能为空\n"+
		"✗ 第 4 行，“优先级”列：“特急”不在可选范围内：high, medium, low\n"+
		"4 行：新建 2，已存在 0，拒绝 2\n被拒绝的行已写入 "+rejects+"；改正后可导入该文件。\n", got.out)
	text, err := os.ReadFile(rejects)
	require.NoError(t, err)
	require.Contains(t, string(text), "\ufeff标题,客户,优先级,来源,外部编号,reject_reason\n,远山集团,中,电话,crm:2,标题: 不能为空\n")
}

func TestImportStopsWhenTheServiceIsLost(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"no worker": starter.ErrNoWorker, "unreachable": starter.ErrUnreachable} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := calling{args: []string{"import", "-", "-o", "json"}, in: someTable, desk: &fakeDesk{err: err}}.run(t)
			require.Equal(t, exitUnreachable, got.status)
			require.Empty(t, got.out)
			f := got.told(t)
			require.Contains(t, f.Message, "it stopped after 0 rows (0 created, 0 there already)")
			require.Contains(t, f.Hint, "running the same import again is safe")
		})
	}
}

func TestImportOfARowThatTheProcessRefuses(t *testing.T) {
	t.Parallel()
	refusal := &requirement.Error{Code: requirement.CodeInvalid, Message: "type: no", Params: map[string]string{"field": "type"}}
	got := calling{args: []string{"import", "-", "-o", "json"}, in: "title,customer,type\nx,y,ours\n", desk: &fakeDesk{err: refusal}}.run(t)
	require.Zero(t, got.status, got.err)
	var answer imported
	require.NoError(t, json.Unmarshal([]byte(got.out), &answer))
	require.Equal(t, 1, answer.Rejected)
	require.Equal(t, "type", answer.Rejections[0].Column)
}

func TestWrongImports(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	fine := write("fine.csv", someTable)
	book := write("fine.xlsx", string(someWorkbook(t)))
	mapping := write("map.yaml", "fields:\n  title: 题目\n  customer: 客户\n")
	for name, tc := range map[string]struct {
		args    []string
		status  int
		message string
	}{
		"no such table":             {[]string{filepath.Join(dir, "none.csv")}, 3, "no such file"},
		"a broken workbook":         {[]string{write("book.xlsx", "PK\x03\x04 and so on")}, 2, "the workbook is damaged (zip: zip: not a valid zip file)"},
		"an old workbook":           {[]string{write("book.xls", "\xd0\xcf\x11\xe0 and so on")}, 2, "Excel 97 to 2003 (.xls): open it in Excel or WPS, save it as .xlsx"},
		"a sheet of a text":         {[]string{fine, "--sheet", "表一"}, 2, "which has no sheets"},
		"no such sheet":             {[]string{book, "--sheet", "三月"}, 2, "the workbook has 需求, 空表"},
		"an empty sheet":            {[]string{book, "--sheet", "空表"}, 2, "name another one with --sheet: 需求, 空表"},
		"nothing":                   {[]string{write("empty.csv", "")}, 2, "the file is empty"},
		"heads that say nothing":    {[]string{write("other.csv", "a,b\n1,2\n")}, 2, "the header names no title"},
		"no such mapping":           {[]string{fine, "--map", filepath.Join(dir, "none.yaml")}, 3, "no such file"},
		"a mapping with a mistake":  {[]string{fine, "--map", write("wrong.yaml", "fields:\n  titel: x\n")}, 2, "wrong.yaml:2:3: $.fields.titel: unknown field \"titel\""},
		"a mapping for other heads": {[]string{fine, "--map", mapping}, 2, "map.yaml:2:10: $.fields.title: there is no column \"题目\"; the table has 标题, 客户"},
		"a condition that is none":  {[]string{fine, "--where", "客户"}, 2, `"客户" is not COLUMN=VALUE`},
		"a condition on no column":  {[]string{fine, "--where", "公司=x"}, 2, `there is no column "公司"`},
		"rejects over the table":    {[]string{fine, "--rejects", fine}, 2, "cannot be written into the file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := calling{args: append([]string{"import", "--dry-run"}, tc.args...)}.run(t)
			require.Equal(t, tc.status, got.status, got.err)
			require.Contains(t, got.err, tc.message)
			require.Empty(t, got.out)
		})
	}
}

// The mapping that ships is read and fits the table that it is for.
func TestTheMappingThatShips(t *testing.T) {
	t.Parallel()
	const incidents = "number,ident_state,opened_by,opened_at,caller_id,contact_type,location,category,category,u_symptom,cmdb_ci,urgency,priority,assignment_group\n" +
		"INC1,New,8,7/3/2016 01:16,2403,Phone,143,55,170,72,?,2,3,56\n" +
		"INC1,Resolved,8,7/3/2016 01:16,2403,Phone,143,55,170,72,?,2,3,56\n" +
		"INC2,New,?,8/3/2016 01:16,?,Email,143,55,170,?,?,1,1,?\n" +
		"INC3,New,8,8/3/2016 01:16,1,Phone,143,55,170,1,?,1,9,?\n"
	d := &fakeDesk{}
	got := calling{args: []string{"import", "-", "--map", "../../examples/mapping-servicenow.yaml", "-o", "json"}, in: incidents, desk: d}.run(t)
	require.Zero(t, got.status, got.err)
	require.JSONEq(t, `{"rows":3,"created":2,"existing":0,"rejected":1,"skipped":1,"rejections":[
		{"row":5,"column":"priority","reason":"\"9\" is not among the values of the mapping"}]}`, got.out)
	for _, s := range d.submitted {
		if s.Ref == "servicenow:INC2" {
			require.Equal(t, "high", s.Priority)
			require.Equal(t, "urgent", s.Urgency)
			require.Equal(t, "caller unknown", s.Customer)
			require.Equal(t, "email", s.Channel)
			require.Empty(t, s.SubmittedBy)
		}
	}
	only := calling{args: []string{"import", "-", "--map", "../../examples/mapping-servicenow.yaml", "--where", "opened_at=7/3/2016 *", "--dry-run", "-q"}, in: incidents}.run(t)
	require.Equal(t, "1 rows: 1 fine, 0 rejected; nothing was sent\n", only.out)
}
