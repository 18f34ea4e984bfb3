package closeloop_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/contrib/envconfig"

	"closeloop/contract"
	"closeloop/locale"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// update writes the generated parts of the documents anew:
// go test . -run TestGenerated -update.
var update = flag.Bool("update", false, "write the generated parts of the documents anew")

// readmes are the two that say the same, by language.
var readmes = map[string]string{locale.English: "README.md", locale.Chinese: "README.zh-CN.md"}

// TestGenerated holds what the READMEs say of the process to the code.
func TestGenerated(t *testing.T) {
	t.Parallel()
	for lang, file := range readmes {
		text := read(t, file)
		want := between(t, file, text, "diagram", "```mermaid\n"+requirement.Diagram()+"```")
		want = between(t, file, want, "stages", statuses(lang))
		want = between(t, file, want, "acts", acts(t, lang))
		want = between(t, file, want, "explain", explained(t, lang))
		if *update && want != text {
			require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
			continue
		}
		have, should := strings.Split(text, "\n"), strings.Split(want, "\n")
		for i := range min(len(have), len(should)) {
			require.Equal(t, should[i], have[i], "%s, line %d, is not what the code says: run go test . -run TestGenerated -update", file, i+1)
		}
		require.Len(t, have, len(should), "%s is not what the code says: run go test . -run TestGenerated -update", file)
	}
}

// between replaces what stands between two markers.
func between(t *testing.T, file, text, name, content string) string {
	t.Helper()
	first, last := "<!-- "+name+" -->\n", "\n<!-- /"+name+" -->"
	before, rest, ok := strings.Cut(text, first)
	require.True(t, ok, "%s has no marker %s", file, first)
	_, after, ok := strings.Cut(rest, last)
	require.True(t, ok, "%s has no marker %s", file, last)
	return before + first + content + last + after
}

// explained is what the test of the command prints, which is counted by hand in
// the test of the domain.
func explained(t *testing.T, lang string) string {
	t.Helper()
	printed := read(t, filepath.Join("cmd", "closeloop", "testdata", "sla.explain."+lang+".txt"))
	return "```console\n$ closeloop sla explain REQ-7K2M9QXA\n" + printed + "```"
}

// statuses is the table of stages by the status they mean.
func statuses(lang string) string {
	l := locale.For(lang)
	lines := []string{"| status | stages |", "|---|---|"}
	if lang == locale.Chinese {
		lines[0] = "| 状态 | 阶段 |"
	}
	for _, status := range requirement.Statuses {
		var in []string
		for _, stage := range requirement.Stages {
			if stage.Status() == status {
				in = append(in, named(l, "stage", string(stage)))
			}
		}
		lines = append(lines, "| "+named(l, "status", string(status))+" | "+strings.Join(in, ", ")+" |")
	}
	return strings.Join(lines, "\n")
}

// named is a value as it is written in code, with its name in Chinese.
func named(l *locale.Localizer, kind, value string) string {
	if l.Language() == locale.English {
		return "`" + value + "`"
	}
	return "`" + value + "` " + l.Name(kind, value)
}

// bodies are the acts as they are sent: with every field, each as somebody
// would fill it in.
func bodies(lang string) []requirement.Act {
	say := func(english, chinese string) string {
		if lang == locale.Chinese {
			return chinese
		}
		return english
	}
	by := func(person string) requirement.Header { return requirement.Header{Actor: person} }
	due := time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)
	return []requirement.Act{
		requirement.Triage{Header: by("li.na"), Type: "fault", Priority: "high", Urgency: "urgent", Department: "technology", NeedApproval: true},
		requirement.Approve{Header: by("zhang.wei"), Comment: say("worth it", "值得做")},
		requirement.Decline{Header: by("gao.yuan"), Reason: say("not this year", "今年不做")},
		requirement.Delegate{Header: by("zhang.wei"), To: "liu.yang"},
		requirement.Assign{Header: by("li.na"), To: "wu.lei", Department: "technology", Reason: say("knows it", "熟悉该模块")},
		requirement.Accept{Header: by("wu.lei")},
		requirement.HandBack{Header: by("wu.lei"), Reason: say("not mine", "不属于本组")},
		requirement.Respond{
			Header: by("wu.lei"), Method: "phone", Message: say("we are on it", "正在处理"),
			Options: []string{say("repair", "修复"), say("refund", "退款")},
		},
		requirement.Plan{Header: by("wu.lei"), Steps: []requirement.PlanStep{{What: say("add an index", "加索引"), Owner: "wu.lei", Due: due}}},
		requirement.Progress{Header: by("wu.lei"), Message: say("half done", "完成一半"), DoneSteps: []int{1}},
		requirement.PutOnHold{Header: by("wu.lei"), Reason: say("which version?", "请提供版本号"), For: "customer"},
		requirement.Resume{Header: by("customer"), Message: say("version 4.2", "4.2 版")},
		requirement.Resolve{Header: by("wu.lei"), Solution: say("index added", "已加索引"), RootCause: say("full scan", "全表扫描")},
		requirement.Confirm{Header: by("customer"), Rating: 5, Comment: say("fast", "很快")},
		requirement.Dispute{Header: by("customer"), Reason: say("still slow", "仍然很慢")},
		requirement.Amend{Header: by("customer"), Title: say("Export fails", "导出失败"), Description: say("since Monday", "周一开始出现")},
		requirement.Reprioritise{Header: by("li.na"), Priority: "high", Reason: say("month end", "影响月结")},
		requirement.Merge{Header: by("li.na"), Into: "REQ-7K2M9QXA"},
		requirement.Withdraw{Header: by("customer"), Reason: say("solved it ourselves", "已自行解决")},
		requirement.Appeal{Header: by("customer"), Reason: say("we depend on it", "业务依赖该功能")},
		requirement.Comment{Header: by("wu.lei"), Message: say("log attached", "日志已附")},
	}
}

// acts is the table of all acts: names, bodies, who may, in which stages.
func acts(t *testing.T, lang string) string {
	t.Helper()
	l := locale.For(lang)
	head := "| act | body (JSON) | who may | in which stages |"
	separator, to, anyone := ", ", " to ", "everybody known"
	if lang == locale.Chinese {
		head = "| 动作 | 内容（JSON） | 谁可以做 | 在哪些阶段 |"
		separator, to, anyone = "、", "至", "所有已知人员"
	}
	names := func(kind string, values []string) string {
		list := slices.Clone(values)
		if lang == locale.Chinese {
			for i, v := range list {
				list[i] = l.Name(kind, v)
			}
		}
		return strings.Join(list, separator)
	}
	byName := map[requirement.Name]requirement.Act{}
	for _, act := range bodies(lang) {
		require.NoError(t, act.Valid(), act.Name())
		filled(t, reflect.ValueOf(act), string(act.Name()))
		byName[act.Name()] = act
	}
	lines := []string{head, "|---|---|---|---|"}
	for _, rule := range requirement.Table {
		require.Contains(t, byName, rule.Act, "bodies has no example of this act")
		body, err := json.Marshal(byName[rule.Act])
		require.NoError(t, err)
		who := anyone
		if len(rule.Roles) > 0 {
			who = names("role", texts(rule.Roles))
		}
		lines = append(lines, fmt.Sprintf("| %s | `%s` | %s | %s |", named(l, "act", string(rule.Act)), body, who, stages(rule.In, names, to)))
	}
	return strings.Join(lines, "\n")
}

// stages lists stages; a row of more than three is told by its ends.
func stages(in []requirement.Stage, names func(string, []string) string, to string) string {
	first := slices.Index(requirement.Stages, in[0])
	row := 1
	for row < len(in) && first+row < len(requirement.Stages) && in[row] == requirement.Stages[first+row] {
		row++
	}
	if row <= 3 {
		return names("stage", texts(in))
	}
	ends := names("stage", texts(in[:1])) + to + names("stage", texts(in[row-1:row]))
	if rest := texts(in[row:]); len(rest) > 0 {
		return names("stage", append([]string{ends}, rest...))
	}
	return ends
}

// mayBeLeftOut are fields that the examples do without.
var mayBeLeftOut = []string{"ActID", "Via"}

// filled requires a value in every field that is sent, so that a new field
// cannot be forgotten in the examples.
func filled(t *testing.T, v reflect.Value, where string) {
	t.Helper()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch {
		case f.Anonymous:
			filled(t, v.Field(i), where)
		case !slices.Contains(mayBeLeftOut, f.Name):
			require.False(t, v.Field(i).IsZero(), "the example of %s does not show its field %s", where, f.Name)
		}
	}
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// TestReadmesAreEqual compares the two READMEs: the same sections with the same
// blocks, links and variables.
func TestReadmesAreEqual(t *testing.T) {
	t.Parallel()
	shape := func(lang string) []string {
		var lines []string
		fenced := false
		for line := range strings.Lines(read(t, readmes[lang])) {
			switch {
			case strings.HasPrefix(line, "```"):
				if fenced = !fenced; fenced {
					lines = append(lines, strings.TrimSpace(line))
				}
			case fenced:
			case strings.HasPrefix(line, "#"):
				lines = append(lines, strings.Repeat("#", len(line)-len(strings.TrimLeft(line, "#")))+" heading")
			}
		}
		return lines
	}
	require.Equal(t, shape(locale.English), shape(locale.Chinese))
	for _, pattern := range []*regexp.Regexp{variable, regexp.MustCompile(`\]\(([a-z][^):#]*)`), regexp.MustCompile(`Closeloop[A-Z][A-Za-z]+`)} {
		found := func(lang string) []string {
			all := pattern.FindAllString(read(t, readmes[lang]), -1)
			slices.Sort(all)
			return slices.Compact(all)
		}
		require.Equal(t, found(locale.English), found(locale.Chinese))
	}
}

// documents are the Markdown files of the repository.
func documents(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.md")
	require.NoError(t, err)
	require.NoError(t, filepath.WalkDir("docs", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			files = append(files, path)
		}
		return err
	}))
	require.Subset(t, files, slices.Collect(maps.Values(readmes)))
	return files
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinks follows every link that stays in the repository.
func TestLinks(t *testing.T) {
	t.Parallel()
	for _, file := range documents(t) {
		for _, found := range link.FindAllStringSubmatch(prose(read(t, file)), -1) {
			target := found[1]
			if strings.Contains(target, "://") {
				continue
			}
			path, anchor, _ := strings.Cut(target, "#")
			if path != "" {
				path = filepath.Join(filepath.Dir(file), filepath.FromSlash(path))
				require.True(t, filepath.IsLocal(path), "%s: %s leads out of the repository", file, target)
				_, err := os.Stat(path)
				require.NoError(t, err, "%s: %s", file, target)
			} else {
				path = file
			}
			if anchor != "" && filepath.Ext(path) == ".md" {
				require.Contains(t, anchors(read(t, path)), anchor, "%s: %s", file, target)
			}
		}
	}
}

// anchors are the names under which the headings of a document can be linked.
func anchors(text string) []string {
	var names []string
	dropped := regexp.MustCompile(`[^\p{L}\p{N}\p{M} _-]`)
	for line := range strings.Lines(prose(text)) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			name := dropped.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
			names = append(names, strings.ReplaceAll(name, " ", "-"))
		}
	}
	return names
}

// prose is a document without its fenced blocks.
func prose(text string) string {
	var b strings.Builder
	fenced := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		} else if !fenced {
			b.WriteString(line)
		}
	}
	return b.String()
}

// shell are the lines of the document's sh blocks, and the commands after a
// prompt in its console blocks.
func shell(text string) []string {
	var lines []string
	block := ""
	joined := regexp.MustCompile(`\\\n\s*`).ReplaceAllString(text, "")
	for line := range strings.Lines(joined) {
		line = strings.TrimRight(line, "\n")
		command, prompted := strings.CutPrefix(line, "$ ")
		switch {
		case block == "" && strings.HasPrefix(line, "```"):
			block = strings.TrimPrefix(line, "```")
		case strings.HasPrefix(line, "```"):
			block = ""
		case block == "sh", block == "console" && prompted:
			lines = append(lines, command)
		}
	}
	return lines
}

// calls are the calls of a program among lines of shell: the words after its
// name, up to the end of the command.
func calls(lines []string, program string) [][]string {
	start := regexp.MustCompile(`(?:^|[|;&(]\s*|\b[A-Z_]+=\S+\s+)(?:bin/)?` + program + ` `)
	var found [][]string
	for _, line := range lines {
		line, _, _ = strings.Cut(line, " #")
		for _, at := range start.FindAllStringIndex(line, -1) {
			found = append(found, words(line[at[1]:]))
		}
	}
	return found
}

// words splits a command like a shell does, up to its end.
func words(text string) []string {
	var list []string
	word, quote, inWord := "", rune(0), false
	for _, r := range text {
		switch {
		case quote != 0 && r != quote:
			word += string(r)
		case quote != 0:
			quote = 0
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == ' ' || strings.ContainsRune("|;&)><", r):
			if inWord {
				list = append(list, word)
			}
			if word, inWord = "", false; r != ' ' {
				return list
			}
		default:
			word, inWord = word+string(r), true
		}
	}
	if inWord {
		list = append(list, word)
	}
	return list
}

// inline are the calls that stand in backquotes within the prose.
func inline(text, program string) []string {
	var lines []string
	for _, found := range regexp.MustCompile("`("+program+" [^`]+)`").FindAllStringSubmatch(prose(text), -1) {
		lines = append(lines, found[1])
	}
	return lines
}

// TestCommands asks the program itself whether the calls that are shown are
// calls that it takes.
func TestCommands(t *testing.T) {
	t.Parallel()
	program := os.Getenv("CLOSELOOP_BIN")
	if testing.Short() || program == "" {
		t.Skip("needs the built program: make test, or set CLOSELOOP_BIN to bin/closeloop")
	}
	helps := map[string]string{}
	help := func(path []string) string {
		key := strings.Join(path, " ")
		if _, asked := helps[key]; !asked {
			out, err := exec.CommandContext(t.Context(), program, append([]string{"help", "--lang", "en"}, path...)...).Output()
			if err != nil {
				out = nil
			}
			helps[key] = string(out)
		}
		return helps[key]
	}
	for _, file := range documents(t) {
		text := read(t, file)
		shown := calls(append(shell(text), inline(text, "closeloop")...), "closeloop")
		if slices.Contains(slices.Collect(maps.Values(readmes)), file) {
			require.NotEmpty(t, shown, file)
		}
		for _, call := range shown {
			path := commandPath(call, help)
			require.NotEmpty(t, path, "%s: there is no command closeloop %s", file, strings.Join(call, " "))
			page := help(path)
			require.False(t, strings.Contains(page, "closeloop "+strings.Join(path, " ")+" COMMAND"),
				"%s: closeloop %s does not say which", file, strings.Join(call, " "))
			for _, f := range given(call) {
				require.True(t, regexp.MustCompile(`(?m)^ +(-\w, )?`+regexp.QuoteMeta(f)+`[ ,\n]`).MatchString(page),
					"%s: closeloop %s: there is no flag %s", file, strings.Join(call, " "), f)
			}
		}
	}
}

// TestShownImport: what the READMEs show of a check of the table that ships is
// what the program says, for it needs nothing running.
func TestShownImport(t *testing.T) {
	t.Parallel()
	program := os.Getenv("CLOSELOOP_BIN")
	if testing.Short() || program == "" {
		t.Skip("needs the built program: make test, or set CLOSELOOP_BIN to bin/closeloop")
	}
	for lang, file := range readmes {
		run := exec.CommandContext(t.Context(), program, "import", "examples/requirements.csv", "--dry-run", "--lang", lang)
		run.Env = []string{"CLOSELOOP_POLICY=" + filepath.Join("examples", "policy-fast.yaml")}
		said, err := run.Output()
		require.NoError(t, err)
		shown := "$ closeloop import examples/requirements.csv --dry-run\n" + string(said) + "$ "
		require.True(t, strings.Contains(read(t, file), shown), "%s does not show\n%s", file, shown)
	}
}

// commandPath is the longest beginning of a call that names a command.
func commandPath(call []string, help func([]string) string) []string {
	var path []string
	for _, word := range call {
		if strings.HasPrefix(word, "-") || help(append(slices.Clone(path), word)) == "" {
			break
		}
		path = append(path, word)
	}
	return path
}

// given are the flags of a call.
func given(call []string) []string {
	var flags []string
	for _, word := range call {
		if word != "-" && word != "--" && strings.HasPrefix(word, "-") {
			name, _, _ := strings.Cut(word, "=")
			flags = append(flags, name)
		}
	}
	return flags
}

// TestMakeTargets looks up every make target that is shown.
func TestMakeTargets(t *testing.T) {
	t.Parallel()
	makefile := read(t, "Makefile")
	for _, file := range documents(t) {
		text := read(t, file)
		for _, call := range calls(append(shell(text), inline(text, "make")...), "make") {
			for _, word := range call {
				if !strings.Contains(word, "=") {
					target := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(word) + `:`)
					require.True(t, target.MatchString(makefile), "%s: there is no target %s", file, word)
				}
			}
		}
	}
}

var variable = regexp.MustCompile(`\b(?:CLOSELOOP|TEMPORAL)_[A-Z0-9_]*[A-Z0-9]\b`)

// TestVariables holds the environment variables in the documents to those that
// the code reads, both ways.
func TestVariables(t *testing.T) {
	t.Parallel()
	ours := variablesInCode(t)
	temporals := variablesOfTemporal(t)
	for _, file := range documents(t) {
		for _, name := range variable.FindAllString(read(t, file), -1) {
			require.True(t, ours[name] || temporals[name] || ofOneUpstream(ours, name), "%s: nothing reads %s", file, name)
		}
	}
	for _, file := range readmes {
		text := read(t, file)
		for name := range ours {
			require.True(t, strings.Contains(text, name), "%s does not tell of the variable %s", file, name)
		}
	}
}

// ofOneUpstream reports whether a variable is one of those that each upstream
// system has: the code has only their beginnings.
func ofOneUpstream(ours map[string]bool, name string) bool {
	for beginning := range ours {
		if strings.HasSuffix(beginning, "_") && strings.HasPrefix(name, beginning) && strings.HasSuffix(name, "_SECRETS") {
			return true
		}
	}
	return false
}

// variablesInCode are our own variables that something other than a test reads
// or sets.
func variablesInCode(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	quoted := regexp.MustCompile(`"(CLOSELOOP_[A-Z_]+)[="]`)
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || path == "bin") {
			return skip(err)
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		for _, name := range quoted.FindAllStringSubmatch(read(t, path), -1) {
			found[name[1]] = true
		}
		return nil
	}))
	require.NotEmpty(t, found)
	found["CLOSELOOP_BIN"] = strings.Contains(read(t, "Makefile"), "CLOSELOOP_BIN=")
	return found
}

func skip(err error) error {
	if err != nil {
		return err
	}
	return fs.SkipDir
}

// listener is an environment that writes down what is asked for.
type listener struct {
	mu    sync.Mutex
	asked map[string]bool
}

func (*listener) Environ() []string { return nil }

func (l *listener) LookupEnv(name string) (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked[name] = true
	return "", false
}

// variablesOfTemporal are those that the Temporal client asks for.
func variablesOfTemporal(t *testing.T) map[string]bool {
	t.Helper()
	l := &listener{asked: map[string]bool{}}
	_, err := envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{EnvLookup: l})
	require.NoError(t, err)
	require.True(t, l.asked["TEMPORAL_ADDRESS"])
	return l.asked
}

// TestSearchAttributes: every one that the documents name is one that is there,
// and the READMEs name all.
func TestSearchAttributes(t *testing.T) {
	t.Parallel()
	var names []string
	for _, key := range contract.SearchAttributeKeys {
		names = append(names, key.GetName())
	}
	for _, file := range documents(t) {
		for _, name := range regexp.MustCompile(`\bCloseloop[A-Z][A-Za-z]+`).FindAllString(read(t, file), -1) {
			require.Contains(t, names, name, file)
		}
	}
	for _, file := range readmes {
		for _, name := range names {
			require.True(t, strings.Contains(read(t, file), name), "%s does not name %s", file, name)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

// TestFacts: the description of the process names every kind of fact.
func TestFacts(t *testing.T) {
	t.Parallel()
	text := read(t, filepath.Join("docs", "process.md"))
	for _, kind := range append(slices.Clone(policy.Events), string(requirement.NoticeParked)) {
		require.True(t, strings.Contains(text, "`"+kind+"`"), "docs/process.md does not name the fact %s", kind)
	}
	for _, name := range sla.Names {
		require.True(t, strings.Contains(text, "| `"+string(name)+"` |"), "docs/process.md does not tell of the clock %s", name)
	}
}

// TestAuditIsExplained: the documents name the schedule, every kind of finding,
// and every signal that the audit sends.
func TestAuditIsExplained(t *testing.T) {
	t.Parallel()
	schedule, _, _ := strings.Cut(contract.AuditScheduleID("QUEUE"), "/")
	for _, file := range readmes {
		require.True(t, strings.Contains(read(t, file), "`"+schedule+"`"), "%s does not name the schedule %s", file, schedule)
	}
	text := read(t, filepath.Join("docs", "process.md"))
	for _, kind := range contract.FindingKinds {
		require.True(t, strings.Contains(text, "| `"+string(kind)+"` |"), "docs/process.md does not tell of the finding %s", kind)
	}
	for _, signal := range []string{contract.SignalTick, contract.SignalEscalationsLost, contract.SignalContinueAsNew} {
		require.True(t, strings.Contains(text, "| `"+signal+"` |"), "docs/process.md does not tell of the signal %s", signal)
	}
}
