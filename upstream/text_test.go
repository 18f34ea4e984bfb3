package upstream

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestHTMLBecomesText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                             "",
		"plain, 5 > 4":                                 "plain, 5 > 4",
		"Tom &amp; Jerry &lt;3":                        "Tom & Jerry <3",
		"<div>one</div><div>two</div>":                 "one\n\ntwo",
		"one<br>two<br/>three":                         "one\ntwo\nthree",
		"<ul><li>a</li><li>b</li></ul>":                "- a\n- b",
		"<p>a</p><script>alert(1)</script>":            "a",
		"<style>p {}</style><p>b</p>":                  "b",
		"<table><tr><td>a</td><td>b</td></tr></table>": "a\tb",
		"<p>unclosed <b>bold":                          "unclosed bold",
		"<img src=x onerror=alert(1)>text":             "text",
		"<<<>>>":                                       "<<<>>>",
		"a&nbsp;b\u2028c":                              "a b\nc",
	} {
		require.Equal(t, want, fromHTML(in), in)
	}
}

func TestDocumentsBecomeText(t *testing.T) {
	t.Parallel()
	v, err := parse([]byte(`{"type": "doc", "content": [
		{"type": "paragraph", "content": [{"type": "text", "text": "Ask "}, {"type": "mention", "attrs": {"text": "@Li"}}, {"type": "hardBreak"}, {"type": "text", "text": "now"}]},
		{"type": "bulletList", "content": [{"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "first"}]}]}]},
		{"type": "blockCard", "attrs": {"url": "https://example.com"}}]}`))
	require.NoError(t, err)
	require.Equal(t, "Ask @Li\nnow\n- first\nhttps://example.com", fromDocument(node{v}))
}

func TestTextsAreClean(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a\nb\n\nc", clean("\x00a\r\nb\n\n\n\n\x1b\u0085c\x7f "))
	require.Equal(t, "a b", line(" a\n\tb "))
	require.Equal(t, "需…", cut("需求响应", 2))
	require.Equal(t, "需求响应", cut("需求响应", 4))
	rapid.Check(t, func(t *rapid.T) {
		s := clean(rapid.String().Draw(t, "text"))
		require.True(t, utf8.ValidString(s))
		require.NotContains(t, s, "\x00")
		require.Equal(t, s, clean(s), "cleaning twice changes nothing")
		most := rapid.IntRange(1, 50).Draw(t, "most")
		require.LessOrEqual(t, utf8.RuneCountInString(cut(s, most)), most)
		require.NotContains(t, line(s), "\n")
	})
}

func TestFlatten(t *testing.T) {
	t.Parallel()
	v, err := parse([]byte(`{"a": {"b": 12345678901234567890, "c": true, "d": null}, "l": [{"n": "x"}, {"n": "y", "m": 1}], "s": ["p", "q"], "e": []}`))
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"a.b": "12345678901234567890", "a.c": "true",
		"l.0.n": "x", "l.1.n": "y", "l.1.m": "1", "l.n": "x, y", "l.m": "1",
		"s.0": "p", "s.1": "q", "s": "p, q",
	}, flatten(v))
	require.Empty(t, flatten(nil))

	deep, err := parse([]byte(strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200)))
	require.NoError(t, err)
	require.Empty(t, flatten(deep), "nobody has such a field")
	for _, bad := range []string{"", "{", `{"a": 1} x`, "<xml/>", `{"a": 1}{}`, "\xff"} {
		_, err := parse([]byte(bad))
		require.ErrorIs(t, err, ErrNotJSON, bad)
	}
}
