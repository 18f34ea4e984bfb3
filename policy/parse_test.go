package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

func TestEveryMistakeIsToldInOrder(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer(
		"type: fault, channel: phone", "type: wrong, channel: wrong",
		"target: 2h", "target: 2days",
		"calendar: 24x7", "calendar: office",
		"chain: front", "chain: back",
		"role:product, head", "role:product, role:nobody",
		"pick: round_robin", "pick: any",
		"event: resolved", "event: solved\n    urgent: true",
		"head: li.na", "head: nobody",
	).Replace(small)
	_, err := Parse("many.yaml", []byte(text))
	var problems Problems
	require.ErrorAs(t, err, &problems)
	var places []string
	for i, p := range problems {
		require.Equal(t, "many.yaml", p.File)
		require.NotEmpty(t, p.Message)
		places = append(places, p.Path)
		if i > 0 {
			before := problems[i-1]
			require.False(t, p.Line < before.Line || p.Line == before.Line && p.Column < before.Column)
		}
	}
	require.Equal(t, []string{
		"$.defaults.type", "$.defaults.channel", "$.clocks[0].calendar", "$.clocks[0].target", "$.clocks[0].chain",
		"$.approvals[0].seats[1]", "$.routing[0].pick", "$.notices[0].event", "$.notices[0].urgent", "$.departments[0].head",
	}, places)
	require.Equal(t, len(problems), strings.Count(err.Error(), "\n")+1)
}

func TestFilesOutOfBounds(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for before, name := 'a', 'b'; name <= 'j'; before, name = name, name+1 {
		bomb += string(name) + ": &" + string(name) + " [" + strings.Repeat("*"+string(before)+", ", 9) + "*" + string(before) + "]\n"
	}
	var merges strings.Builder
	merges.WriteString("a: &a {k: v}\nb:\n")
	for range 1200 {
		merges.WriteString("  k" + strings.Repeat("x", merges.Len()%97) + ": v\n")
	}
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "f.yaml:1:1: $: the file is empty; begin with a copy of the default policy"},
		{"only comments", "# nothing\n---\n", "f.yaml:1:1: $: the file is empty; begin with a copy of the default policy"},
		{"a word", "policy", "f.yaml:1:1: $: this is text; write fields with values"},
		{"too large", strings.Repeat("# x\n", 300_000), "f.yaml:1:1: $: the file is larger than 1024 KiB; a policy needs far less"},
		{"not UTF-8", "types: [\xb9\xa6]", "f.yaml:1:9: $: this is not UTF-8; save the file in that encoding"},
		{"not UTF-8 further down", "# 客户\nname: 客\xff", "f.yaml:2:8: $: this is not UTF-8; save the file in that encoding"},
		{"deep lists", strings.Repeat("[", 50_000), "f.yaml:1:33: $: nested more than 32 levels deep; a policy needs fewer than ten"},
		{"deep braces", strings.Repeat("{a: ", 10_000), "nested more than 32 levels deep"},
		{"deep dashes", strings.Repeat("- ", 10_000), "nested more than 32 levels deep"},
		{"deep keys", strings.Repeat("? ", 10_000), "nested more than 32 levels deep"},
		{"deep anchors", strings.Repeat("&a ", 10_000) + "b", "nested more than 32 levels deep"},
		{"deep indentation", deepIndentation(200), "nested more than 32 levels deep"},
		{"aliases of aliases", bomb, "f.yaml:6:7: $.f: more than 200000 values, aliases counted in full; a policy needs far fewer"},
		{"too many tokens", "types: [" + strings.Repeat("a,", 60_000) + "]", "f.yaml:1:100006: $: more than 100000 words and signs; a policy needs far fewer"},
		{"too many fields", merges.String(), "more than 1000 fields in one mapping"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("f.yaml", []byte(c.text))
			var problems Problems
			require.ErrorAs(t, err, &problems)
			require.Contains(t, err.Error(), c.want)
		})
	}
}

func deepIndentation(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestNotationsThatMeanTheSame(t *testing.T) {
	t.Parallel()
	want, err := Parse("p.yaml", []byte(small))
	require.NoError(t, err)
	for _, c := range []struct{ name, old, new string }{
		{"byte order mark", "defaults:", "\ufeffdefaults:"},
		{"line ends of Windows", "\n", "\r\n"},
		{"other units", "target: 2h", "target: 120分钟"},
		{"quotes", "calendar: 24x7", `calendar: "24x7"`},
		{"text by tag", "calendar: 24x7", "calendar: !!str 24x7"},
		{"seat within braces", "  - event: resolved\n    to: [customer]", "  - {event: resolved, to: [customer]}"},
		{"rounds", "    alarm: [role:manager]", "    alarm: [role:manager]\n    rounds: 1"},
		{"whole number with a point", "    alarm: [role:manager]", "    alarm: [role:manager]\n    rounds: 1.0"},
		{"times", "        acknowledge_within: 15m", "        acknowledge_within: 15m\n        times: 1"},
		{"unknown people", "departments:", "unknown_people: refuse\ndepartments:"},
		{"anchor and alias", "people: [owner, role:manager]\n        acknowledge_within: 15m\n    alarm: [role:manager]", "people: [owner, &m role:manager]\n        acknowledge_within: 15m\n    alarm: [*m]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse("p.yaml", []byte(strings.ReplaceAll(small, c.old, c.new)))
			require.NoError(t, err)
			require.Equal(t, want.Process, got.Process)
			require.Equal(t, want.Directory, got.Directory)
		})
	}
}

func TestWhatMayBeLeftOutMeansItsDefault(t *testing.T) {
	t.Parallel()
	const bare = `
defaults: {type: fault, channel: phone, priority: medium, urgency: general, tier: P3, language: en}
types: [fault]
channels: [phone]
clocks: [{name: resolution, calendar: 24x7, target: 1h, runs_in: [received]}]
departments: [{id: service, name: 客服部, name_en: Service, head: li.na}]
people: [{id: li.na, name: 李娜, roles: []}]
`
	const full = `
approvals: []
routing: []
chains: []
notices: []
unknown_people: refuse
`
	want, err := Parse("bare.yaml", []byte(bare))
	require.NoError(t, err)
	got, err := Parse("full.yaml", []byte(full+strings.Replace(bare, "[received]", "[received], on_reopen: new_cycle, pauses_on_hold: false, repeat: {every: 0s, times: 0}", 1)))
	require.NoError(t, err)
	require.Equal(t, want.Process, got.Process)
	require.Equal(t, NewCycle, got.Clocks[0].OnReopen)
	require.NotNil(t, got.Notices)
}

func TestWordsWithAColonWithinBraces(t *testing.T) {
	t.Parallel()
	p, err := Parse("p.yaml", []byte(strings.Replace(small,
		"  - event: resolved\n    to: [customer]",
		"  - {event: resolved, to: [customer, role:manager, 'role:product', \"role:agent\"]}", 1)))
	require.NoError(t, err)
	require.Equal(t, []string{"customer", "role:manager", "role:product", "role:agent"}, p.Notices[0].To)
}

func TestMergedMappingGivesWhatIsNotThere(t *testing.T) {
	t.Parallel()
	p, err := Parse("p.yaml", []byte(strings.Replace(small,
		"  - event: resolved\n    to: [customer]",
		"  - &resolved\n    event: resolved\n    to: [customer]\n  - <<: *resolved\n    event: archived", 1)))
	require.NoError(t, err)
	require.Equal(t, []NoticeRule{{Event: "resolved", To: []string{"customer"}}, {Event: "archived", To: []string{"customer"}}}, p.Notices)
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"default.yaml", fastPath} {
		want, err := Load(path)
		require.NoError(t, err)
		text, err := yaml.MarshalWithOptions(want, yaml.UseJSONMarshaler())
		require.NoError(t, err)
		got, err := Parse("written.yaml", text)
		require.NoError(t, err, string(text))
		require.Equal(t, want.Process, got.Process)
		require.Equal(t, len(want.People), len(got.People))
		for i := range want.People {
			require.Equal(t, want.People[i], got.People[i])
		}
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	parse := func(before, after string) string {
		p, err := Parse("p.yaml", []byte(strings.Replace(small, before, after, 1)))
		require.NoError(t, err)
		require.Regexp(t, "^[0-9a-f]{12}$", p.Digest)
		return p.Digest
	}
	same := parse("", "")
	require.Equal(t, same, parse("name: 王芳", "name: 王小芳"), "people are no part of it")
	require.Equal(t, same, parse("channels: [log]", "channels: [log]\n    substitute: li.na"))
	require.Equal(t, same, parse("name: 客服部", "name: 客户服务部"))
	require.Equal(t, same, parse("target: 2h", "target: 120m # the same"))
	require.Equal(t, same, parse("types:", "# comment\ntypes:"))
	require.NotEqual(t, same, parse("target: 2h", "target: 121m"))
	require.NotEqual(t, same, parse("to: [customer]", "to: [owner]"))
	// Requirements at work are known by this digest: a change of the encoding
	// would make every one of them look as if its rules had changed.
	require.Equal(t, "000e29fdccd1", same)
}

func TestDigestDoesNotDependOnItself(t *testing.T) {
	t.Parallel()
	p := Default().Process
	want := p.Digest
	p.Digest = "something else"
	require.Equal(t, want, p.digest())
}

func TestLoadTellsWhichFile(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	_, err := Load(missing)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, missing)

	_, err = Load(t.TempDir())
	require.ErrorContains(t, err, "the policy cannot be read")

	path := filepath.Join(t.TempDir(), "bad.yaml")
	require.NoError(t, os.WriteFile(path, []byte("types: [a"), 0o600))
	_, err = Load(path)
	require.ErrorContains(t, err, path+":1:")
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add(DefaultYAML())
	f.Add([]byte("a: &a [*a]\n<<: *a\n? [x]\n: y\n- {b: !!int c}"))
	f.Add([]byte("types: [role:x, a: b, {c: d}]\n\"q\": |\n  text\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("fuzz.yaml", data)
		if err != nil {
			var problems Problems
			require.ErrorAs(t, err, &problems)
			require.NotEmpty(t, problems)
			for _, problem := range problems {
				require.Positive(t, problem.Line)
				require.Positive(t, problem.Column)
			}
			return
		}
		require.NotEmpty(t, p.Digest)
	})
}
