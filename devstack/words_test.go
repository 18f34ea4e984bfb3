package main

import (
	"os/exec"
	"slices"
	"testing"
)

func TestSplitWords(t *testing.T) {
	for _, test := range []struct {
		line string
		want []string // nil: an error
	}{
		{`bin/closeloop worker`, []string{"bin/closeloop", "worker"}},
		{"  a \t b\n", []string{"a", "b"}},
		{`'/a dir/closeloop' migrate`, []string{"/a dir/closeloop", "migrate"}},
		{`sh -c "echo \"$X\" 'y'"`, []string{"sh", "-c", `echo "$X" 'y'`}},
		{`a "" ''`, []string{"a", "", ""}},
		{`a\ b c\\d`, []string{"a b", `c\d`}},
		{`"a\nb"`, []string{`a\nb`}},
		{`pre'fix'"ed"`, []string{"prefixed"}},
		{`需求 '闭环 系统'`, []string{"需求", "闭环 系统"}},
		{``, []string{}},
		{`a 'b`, nil},
		{`a "b`, nil},
		{`a \`, nil},
	} {
		got, err := splitWords(test.line)
		if (err != nil) != (test.want == nil) || !slices.Equal(got, test.want) {
			t.Errorf("splitWords(%q) = %q, %v; want %q", test.line, got, err, test.want)
		}
	}
}

// The judge is a real shell.
func TestQuoteWordIsReadBackByAShell(t *testing.T) {
	for _, word := range []string{
		"", "plain", "a b", "it's", `"double"`, "$HOME `id` $(id)", `back\slash`, "new\nline", "闭环", "a=b;c&d|e", "~", "*",
		"postgres://u:p@127.0.0.1:1/db?sslmode=disable",
	} {
		out, err := exec.Command("sh", "-c", "printf %s "+quoteWord(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("a shell reads %s as %q (%v), want %q", quoteWord(word), out, err, word)
		}
		if back, err := splitWords(quoteWord(word)); err != nil || len(back) != 1 || back[0] != word {
			t.Errorf("splitWords(%s) = %q, %v; want %q", quoteWord(word), back, err, word)
		}
	}
}
