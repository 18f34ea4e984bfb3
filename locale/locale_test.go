package locale_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template"
	"text/template/parse"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/require"

	"closeloop/contract"
	"closeloop/locale"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		values []string
		want   string
	}{
		{"nothing", nil, "en"},
		{"empty", []string{"", ""}, "en"},
		{"chinese", []string{"zh-CN"}, "zh-CN"},
		{"posix chinese", []string{"zh_CN.UTF-8"}, "zh-CN"},
		{"short chinese", []string{"zh"}, "zh-CN"},
		{"traditional reads simplified", []string{"zh_TW.UTF-8@radical"}, "zh-CN"},
		{"english", []string{"en"}, "en"},
		{"posix english", []string{"en_US.UTF-8"}, "en"},
		{"any case", []string{"ZH_cn"}, "zh-CN"},
		{"C asks for nothing", []string{"C.UTF-8", "zh_CN"}, "zh-CN"},
		{"the first usable", []string{"", "fr_FR.UTF-8", "zh_CN.UTF-8", "en"}, "zh-CN"},
		{"a list", []string{"fr:zh_CN:en"}, "zh-CN"},
		{"accept-language", []string{"de, zh-CN;q=0.9, en;q=0.8"}, "zh-CN"},
		{"hostile", []string{"../../etc/passwd\x00"}, "en"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, locale.Match(c.values...))
		})
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	zh, en := locale.For("zh_CN.UTF-8"), locale.For("xx")
	require.Equal(t, "zh-CN", zh.Language())
	require.Equal(t, "en", en.Language())
	require.Equal(t, "执行中", zh.Name("stage", "executing"))
	require.Equal(t, "处理中", zh.Name("status", "in_progress"))
	require.Equal(t, "首次响应", zh.Name("clock", "response"))
	require.Equal(t, "其他", zh.Name("type", "other"))
	require.Equal(t, "first response", en.Name("clock", "response"))
	require.Equal(t, "our own type", zh.Name("type", "our own type"))
	require.True(t, zh.Has("stage.executing"))
	require.False(t, zh.Has("no.such.key"))
	require.Equal(t, "no.such.key", zh.Text("no.such.key", nil))
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	zh, en := locale.For("zh-CN"), locale.For("en")
	params := map[string]string{"person": "li", "act": "triage", "roles": "operator"}
	require.Equal(t, "li 无权执行“triage”，需要以下角色之一：operator", zh.Error("not_your_role", "li may not", params))
	require.Equal(t, "li may not", en.Error("not_your_role", "li may not", params))
	require.Equal(t, "li may not triage: that takes operator", en.Error("not_your_role", "", params))
	require.Equal(t, "as it is", zh.Error("no_such_code", "as it is", nil))
	require.Equal(t, "字段“rating”填写有误：rating: it is 1 to 5, not 6",
		zh.Error("invalid", "rating: it is 1 to 5, not 6", map[string]string{"field": "rating"}))
	require.Equal(t, "请用 --as 以有权限的人员身份执行", zh.Hint("not_your_role", "act as somebody else", params))
	require.Empty(t, zh.Hint("no_such_code", "", nil))
}

// TestRefusalParams fills the params of every shape that a code comes in
// and checks that no text misses one, in any language.
func TestRefusalParams(t *testing.T) {
	t.Parallel()
	shapes := map[string][][]string{
		"invalid":         {{"field"}},
		"wrong_stage":     {{"id", "stage", "act", "stages"}, {"round"}},
		"not_your_role":   {{"person", "act", "roles"}, {"person"}},
		"unknown_person":  {{"person"}},
		"own_request":     {{"person"}},
		"already_decided": {{"person"}},
		"act_id_reused":   {{"act_id", "act"}},
		"not_on_hold":     {{"id"}},
		"already_on_hold": {{"id"}},
		"appealed_before": {{"id"}},
		"merge_cycle":     {{"id", "into"}},
		"over":            {{"id", "stage", "act", "stages"}},
		"not_ready":       {{"id"}},
	}
	for _, code := range constants(t, "../requirement/errors.go", "Code") {
		require.Contains(t, shapes, code, "a code without a known shape")
		for _, lang := range locale.Languages {
			l := locale.For(lang)
			require.True(t, l.Has("error."+code), "%s: error.%s", lang, code)
			for _, names := range shapes[code] {
				params := map[string]string{}
				for _, n := range names {
					params[n] = "‹" + n + "›"
				}
				for _, text := range []string{l.Error(code, "m", params), l.Hint(code, "h", params), l.Error(code, "", params), l.Hint(code, "", params)} {
					require.NotContains(t, text, "<no value>", "%s %s %v", lang, code, names)
					require.NotEmpty(t, text)
				}
			}
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	named := map[string][]string{
		"stage": strs(requirement.Stages), "status": strs(requirement.Statuses), "clock": strs(sla.Names),
		"clock_state": constants(t, "../sla/clock.go", "State"),
		"event":       constants(t, "../requirement/event.go", "Kind"),
		"priority":    requirement.Priorities, "urgency": requirement.Urgencies, "tier": requirement.Tiers,
		"escalation_state": constants(t, "../requirement/escalations.go", "EscalationState"),
		"round_state":      constants(t, "../requirement/approval.go", "RoundState"),
		"vote":             constants(t, "../requirement/approval.go", "Answer"),
		"role":             constants(t, "../requirement/actor.go", "Role"),
		"notice_state":     constants(t, "../notify/notice.go", "State"),
		"finding":          constants(t, "../contract/audit.go", "FindingKind"),
		"repair":           constants(t, "../contract/audit.go", "Repair"),
		"obstacle":         constants(t, "../contract/audit.go", "Obstacle"),
		"token_state":      constants(t, "../access/token.go", "TokenState"),
		"method":           requirement.Methods,
		"type":             policy.Default().Types,
		"channel":          append(policy.Default().Channels, policy.Channels...),
	}
	for _, rule := range requirement.Table {
		named["act"] = append(named["act"], string(rule.Act))
	}
	for kind, values := range named {
		require.NotEmpty(t, values, kind)
		for _, value := range values {
			for _, lang := range locale.Languages {
				require.True(t, locale.For(lang).Has(kind+"."+value), "%s has no %s.%s", lang, kind, value)
			}
		}
	}
}

// TestFindings: each kind of finding has its sentence.
func TestFindings(t *testing.T) {
	t.Parallel()
	kinds := constants(t, "../contract/audit.go", "FindingKind")
	require.ElementsMatch(t, kinds, strs(contract.FindingKinds))
	for _, kind := range kinds {
		for _, lang := range locale.Languages {
			require.True(t, locale.For(lang).Has("cli.audit.finding."+kind), "%s has no sentence for %s", lang, kind)
		}
	}
}

// TestCatalogues compares the catalogues: the same keys, the same params.
func TestCatalogues(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.toml")
	require.NoError(t, err)
	byLanguage := map[string]map[string][]string{}
	for _, file := range files {
		subject, lang, ok := strings.Cut(strings.TrimSuffix(file, ".toml"), ".")
		require.True(t, ok && slices.Contains(locale.Languages, lang), "%s: name it SUBJECT.LANGUAGE.toml", file)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var raw map[string]any
		require.NoError(t, toml.Unmarshal(text, &raw), file)
		if byLanguage[lang] == nil {
			byLanguage[lang] = map[string][]string{}
		}
		for key, value := range raw {
			byLanguage[lang][subject+" "+key] = params(t, file, value)
		}
	}
	require.Len(t, byLanguage, len(locale.Languages))
	reference := byLanguage[locale.English]
	for lang, texts := range byLanguage {
		require.ElementsMatch(t, slices.Collect(maps.Keys(reference)), slices.Collect(maps.Keys(texts)), "keys of %s", lang)
		for key, names := range texts {
			if strings.HasPrefix(key, "errors ") {
				// There English passes the domain's own message on, or builds one.
				names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "message" })
				reference[key] = slices.DeleteFunc(slices.Clone(reference[key]), func(n string) bool { return n == "message" })
			}
			require.Equal(t, reference[key], names, "params of %s in %s", key, lang)
		}
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		d      time.Duration
		zh, en string
	}{
		{0, "0 秒", "0 s"},
		{time.Millisecond, "不到 1 秒", "less than 1 s"},
		{1999 * time.Millisecond, "1 秒", "1 s"},
		{time.Minute, "1 分", "1 min"},
		{61 * time.Second, "1 分 1 秒", "1 min 1 s"},
		{90 * time.Minute, "1 小时 30 分", "1 h 30 min"},
		{2*time.Hour + 59*time.Second, "2 小时", "2 h"},
		{100 * time.Hour, "100 小时", "100 h"},
		{-90 * time.Minute, "1 小时 30 分", "1 h 30 min"},
		{-1 << 63, "2562047 小时 47 分", "2562047 h 47 min"},
	} {
		require.Equal(t, c.zh, locale.For("zh").Duration(c.d))
		require.Equal(t, c.en, locale.For("en").Duration(c.d))
	}
	require.Equal(t, "3 个工作日", locale.For("zh").Target(sla.Duration{WorkingDays: 3}))
	require.Equal(t, "1 working day", locale.For("en").Target(sla.Duration{WorkingDays: 1}))
	require.Equal(t, "3 working days", locale.For("en").Target(sla.Duration{WorkingDays: 3}))
	require.Equal(t, "2 h", locale.For("en").Target(sla.Exactly(2*time.Hour)))
	require.Equal(t, "还剩 30 分", locale.For("zh").Left(30*time.Minute))
	require.Equal(t, "已超时 20 分", locale.For("zh").Left(-20*time.Minute))
	require.Equal(t, "overdue by 20 min", locale.For("en").Left(-20*time.Minute))
}

func TestTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 14, 15, 59, 0, time.UTC)
	shanghai := time.FixedZone("CST", 8*3600)
	require.Equal(t, "2026-11-23 周一 22:15 (UTC+8)", locale.For("zh").Time(at, shanghai))
	require.Equal(t, "Mon 23 Nov 2026, 22:15 (UTC+8)", locale.For("en").Time(at, shanghai))
	require.Equal(t, "Mon 23 Nov 2026, 14:15 (UTC)", locale.For("en").Time(at, nil))
	require.Equal(t, "Mon 23 Nov 2026, 04:15 (UTC-10)", locale.For("en").Time(at, time.FixedZone("", -10*3600)))
	require.Equal(t, "2026-11-23 周一 19:45 (UTC+05:30)", locale.For("zh").Time(at, time.FixedZone("IST", 5*3600+1800)))
}

// params returns the names that the text's templates use, sorted.
func params(t *testing.T, file string, value any) []string {
	t.Helper()
	var texts []string
	switch v := value.(type) {
	case string:
		texts = []string{v}
	case map[string]any:
		for _, form := range v {
			texts = append(texts, form.(string))
		}
	default:
		require.Fail(t, "not a text", "%s: %v", file, value)
	}
	found := map[string]bool{}
	for _, text := range texts {
		tmpl, err := template.New(file).Parse(text)
		require.NoError(t, err, "%s: %s", file, text)
		collect(tmpl.Root, found)
	}
	return slices.Sorted(maps.Keys(found))
}

func collect(n parse.Node, found map[string]bool) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, child := range n.Nodes {
			collect(child, found)
		}
	case *parse.ActionNode:
		collect(n.Pipe, found)
	case *parse.IfNode:
		collect(n.Pipe, found)
		collect(n.List, found)
		collect(n.ElseList, found)
	case *parse.WithNode:
		collect(n.Pipe, found)
		collect(n.List, found)
		collect(n.ElseList, found)
	case *parse.RangeNode:
		collect(n.Pipe, found)
		collect(n.List, found)
		collect(n.ElseList, found)
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			for _, a := range c.Args {
				collect(a, found)
			}
		}
	case *parse.FieldNode:
		found[n.Ident[0]] = true
	}
}

// constants returns the values of the string constants of a type in a file of
// the domain, so that a new one cannot be forgotten here.
func constants(t *testing.T, file, typeName string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	require.NoError(t, err)
	var values []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != typeName || len(spec.Values) == 0 {
			return true
		}
		if lit, ok := spec.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
			value, err := strconv.Unquote(lit.Value)
			require.NoError(t, err)
			values = append(values, value)
		}
		return true
	})
	require.NotEmpty(t, values, "%s has no constants of type %s", file, typeName)
	return values
}

func strs[T ~string](list []T) []string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = string(v)
	}
	return texts
}
