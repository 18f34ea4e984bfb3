package intake

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/policy"
	"closeloop/requirement"
)

func TestMistakesInMappings(t *testing.T) {
	t.Parallel()
	const sound = "fields: {title: a, customer: b}\n"
	for name, tc := range map[string]struct{ in, want string }{
		"nothing":                     {"", "m.yaml:1:1: $: the file is empty; a mapping begins with fields:"},
		"only a comment":              {"# nothing\n", "m.yaml:1:1: $: the file is empty; a mapping begins with fields:"},
		"a list":                      {"- a\n", "m.yaml:1:1: $: a mapping begins with fields:"},
		"no YAML":                     {"fields: {title: a\n", "not YAML:"},
		"no customer":                 {"fields:\n  title: a\n", "m.yaml:1:1: $.fields: customer is missing; every requirement needs one"},
		"an unknown key":              {sound + "onlywhen: {a: b}\n", "m.yaml:2:1: $.onlywhen: unknown key \"onlywhen\"; there is fields, empty, only_when, skip_when, first_of"},
		"an unknown field":            {"fields:\n  title: a\n  customer: b\n  prio: c\n", "m.yaml:4:3: $.fields.prio: unknown field \"prio\"; there is title, customer,"},
		"an unknown part":             {"fields:\n  title: {col: a}\n  customer: b\n", "m.yaml:2:11: $.fields.title.col: unknown key \"col\"; there is column,"},
		"two origins":                 {"fields:\n  title: {column: a, constant: b}\n  customer: b\n", "m.yaml:2:3: $.fields.title: name exactly one of column, template and constant"},
		"no origin":                   {"fields:\n  title: {default: x}\n  customer: b\n", "m.yaml:2:3: $.fields.title: name exactly one of column, template and constant"},
		"otherwise without values":    {"fields:\n  title: {column: a, otherwise: x}\n  customer: b\n", "m.yaml:2:3: $.fields.title: otherwise needs values"},
		"values that are none":        {"fields:\n  title: {column: a, values: high}\n  customer: b\n", "m.yaml:2:30: $.fields.title.values: what a cell says and what it means"},
		"a key twice":                 {"fields:\n  title: a\n  customer: b\n  title: c\n", "m.yaml:4:3: $.fields.title: the key is there already, in line 2; keep one of them"},
		"no name of a column":         {"fields:\n  title:\n  customer: b\n", "$.fields.title: the name of a column has to stand here"},
		"a list for a column":         {"fields:\n  title: [a]\n  customer: b\n", "m.yaml:2:10: $.fields.title: a text has to stand here"},
		"a brace without its partner": {"fields:\n  title: {template: \"{a\"}\n  customer: b\n", "m.yaml:2:21: $.fields.title.template: a { without a column and its }"},
		"a closing brace alone":       {"fields:\n  title: {template: \"a}\"}\n  customer: b\n", "a } without its {"},
		"an empty template":           {"fields:\n  title: {template: \"\"}\n  customer: b\n", "the template is empty"},
		"conditions that are none":    {sound + "skip_when: a\n", "m.yaml:2:12: $.skip_when: columns with their values have to stand here"},
		"an anchor":                   {"fields: &x {title: a, customer: b}\n", "m.yaml:1:9: $: & is of no use in a mapping; write it out"},
		"a tag":                       {"fields: !!map {title: a, customer: b}\n", "is of no use in a mapping"},
		"two documents":               {sound + "---\n" + sound, "a second document begins here; a mapping is one document"},
		"deep nesting":                {strings.Repeat("[", 5_000), "nested too deep"},
		"not UTF-8":                   {"fields: {title: \xff}\n", "this is not UTF-8"},
		"too large":                   {sound + strings.Repeat("# x\n", maxMapping), "the file is larger than 64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseMapping("m.yaml", []byte(tc.in))
			problems, ok := errors.AsType[policy.Problems](err)
			require.True(t, ok, "%v", err)
			require.NotEmpty(t, problems)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := ParseMapping("m.yaml", []byte("fields:\n  titel: a\n  customer: b\nempti: x\n"))
	problems, _ := errors.AsType[policy.Problems](err)
	require.Len(t, problems, 3)
}

// submissionOf maps one row under a header.
func submissionOf(t *testing.T, mapping, header, row string) (requirement.Submission, error) {
	t.Helper()
	table, err := Open(strings.NewReader(header + "\n" + row + "\n"))
	require.NoError(t, err)
	var m *Mapping
	if mapping == "" {
		m, err = Recognise(table.Header)
	} else {
		m, err = ParseMapping("m.yaml", []byte(mapping))
	}
	require.NoError(t, err)
	p, err := m.bind(table.Header, policy.Default().Process, false)
	require.NoError(t, err)
	r, err := table.Next()
	require.NoError(t, err)
	return p.submission(r)
}

func TestHeadsThatNeedNoMapping(t *testing.T) {
	t.Parallel()
	with := func(s requirement.Submission, set func(*requirement.Submission)) requirement.Submission {
		set(&s)
		return s
	}
	base := requirement.Submission{Title: "导出太慢", Customer: "云栖"}
	for name, tc := range map[string]struct {
		header, row string
		want        requirement.Submission
	}{
		"our own names": {"title,customer,priority,ref", "导出太慢,云栖,high,crm:1", with(base, func(s *requirement.Submission) { s.Priority, s.Ref = "high", "crm:1" })},
		"the intake record": {
			"标题,客户,联系方式,来源,类型,优先级,紧急程度,描述,使用场景,期望目标,痛点,外部编号",
			"导出太慢,云栖,li@example.com,电话,功能,高,紧急,很慢,月末,快,等,crm:1",
			with(base, func(s *requirement.Submission) {
				s.Contact, s.Channel, s.Type, s.Priority, s.Urgency = "li@example.com", "phone", "functional", "high", "urgent"
				s.Description, s.Scenario, s.Outcome, s.Pain, s.Ref = "很慢", "月末", "快", "等", "crm:1"
			}),
		},
		"heads with decorations": {"需求标题（必填）,客户名称*,优先级：", "导出太慢,云栖,低优先级", with(base, func(s *requirement.Submission) { s.Priority = "low" })},
		"full width and case":    {"ＴＩＴＬＥ,Customer", "导出太慢,云栖", base},
		"several links":          {"标题,客户,附件", "导出太慢,云栖,https://a；https://b https://c", with(base, func(s *requirement.Submission) { s.Attachments = []string{"https://a", "https://b", "https://c"} })},
		"no title, but contents": {"客户,需求内容", "云栖,导出太慢", with(base, func(s *requirement.Submission) { s.Description = "导出太慢" })},
		"columns of no meaning":  {"序号,标题,客户,备注栏", "1,导出太慢,云栖,x", base},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := submissionOf(t, "", tc.header, tc.row)
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
	_, err := Recognise([]string{"a", "客户"})
	require.ErrorContains(t, err, "the header names no title (标题) or customer (客户): it has a, 客户")
}

func TestMappings(t *testing.T) {
	t.Parallel()
	const mapping = `
fields:
  title: {template: "{{{kind}}} {what}"}
  customer: {column: who, default: somebody}
  ref: {template: "desk:{no}"}
  priority:
    column: prio
    values: {1: high, "2": medium, 003: low}
    otherwise: low
    default: medium
  urgency: {column: urg, values: {"1": urgent}, default: general}
  language: {constant: en}
empty: ["?", NULL]
`
	const header = "no,kind,what,who,prio,urg"
	for name, tc := range map[string]struct {
		row  string
		want func(*requirement.Submission)
		err  string
	}{
		"everything there":                 {"7,a,b,Acme,1,1", func(s *requirement.Submission) { s.Priority, s.Urgency = "high", "urgent" }, ""},
		"numbers stay as they are written": {"7,a,b,Acme,003,1", func(s *requirement.Submission) { s.Priority, s.Urgency = "low", "urgent" }, ""},
		"a value that is not listed":       {"7,a,b,Acme,9,1", func(s *requirement.Submission) { s.Priority, s.Urgency = "low", "urgent" }, ""},
		"cells that mean nothing": {"?,a,b,?,NULL,?", func(s *requirement.Submission) {
			s.Priority, s.Urgency, s.Customer, s.Ref = "medium", "general", "somebody", ""
		}, ""},
		"a value that is refused": {"7,a,b,Acme,1,5", nil, `"5" is not among the values of the mapping`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := submissionOf(t, mapping, header, tc.row)
			if tc.err != "" {
				require.EqualError(t, err, tc.err)
				f, ok := errors.AsType[*fault](err)
				require.True(t, ok)
				require.Equal(t, "urg", f.column)
				return
			}
			require.NoError(t, err)
			want := requirement.Submission{Title: "{a} b", Customer: "Acme", Ref: "desk:7", Language: "en"}
			tc.want(&want)
			require.Equal(t, want, got)
		})
	}
}

func TestRowsThatAreWanted(t *testing.T) {
	t.Parallel()
	const mapping = `
fields: {title: a, customer: b}
only_when: {state: [New, "Re*"]}
skip_when: {test: "true"}
first_of: a
`
	table, err := Open(strings.NewReader("a,b,state,test\n1,x,New,\n1,x,New,\n2,x,Resolved,\n3,x,Closed,\n4,x,New,true\n5,x, Reopened ,false\n"))
	require.NoError(t, err)
	m, err := ParseMapping("m.yaml", []byte(mapping))
	require.NoError(t, err)
	p, err := m.bind(table.Header, policy.Default().Process, false)
	require.NoError(t, err)
	var wanted []int
	for {
		row, err := table.Next()
		if err != nil {
			break
		}
		if p.wanted(row) {
			wanted = append(wanted, row.Number)
		}
	}
	require.Equal(t, []int{2, 4, 7}, wanted)
}

func TestTextThatIsNone(t *testing.T) {
	t.Parallel()
	_, err := submissionOf(t, "", "title,customer", "caf\xc3\xa9 \xff\xfe x,云栖科技公司")
	require.ErrorContains(t, err, "bytes that are no text")
}

func TestKeyIsTheContents(t *testing.T) {
	t.Parallel()
	a := requirement.Submission{Title: "x", Customer: "y"}
	b := a
	require.Equal(t, Key(a), Key(b))
	b.Title = "z"
	require.NotEqual(t, Key(a), Key(b))
	b.Ref = "crm:1"
	require.Empty(t, Key(b), "a reference is the key")
}

func FuzzParseMapping(f *testing.F) {
	shipped, err := os.ReadFile("../examples/mapping-servicenow.yaml")
	require.NoError(f, err)
	f.Add(shipped)
	for _, seed := range []string{
		"fields: {title: a, customer: b}", "fields:\n  title: {template: \"{a}{{\"}\n", "- - - -", "a: b: c", "? x\n: y\n", "fields: {title: {values: {1: {}}}}",
		"\"", "{", "a:\n\t- b", "%YAML 1.2\n---\nfields: {}", "fields: |\n  x\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseMapping("m.yaml", data)
		if err == nil {
			require.NotEmpty(t, m.sources)
			return
		}
		problems, ok := errors.AsType[policy.Problems](err)
		require.True(t, ok)
		for _, p := range problems {
			require.Positive(t, p.Line)
			require.Positive(t, p.Column)
		}
	})
}
