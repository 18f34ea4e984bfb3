package workflows

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/locale"
	"closeloop/requirement"
	"closeloop/sla"
)

// TestNamesAreThoseOfTheCatalogue: workflow code stays clear of catalogues and
// their maps, and has the few names of the Web UI's page at hand; they are the
// same words that people read everywhere else.
func TestNamesAreThoseOfTheCatalogue(t *testing.T) {
	t.Parallel()
	zh := locale.For("zh-CN")
	for _, s := range requirement.Stages {
		require.Equal(t, zh.Name("stage", string(s)), stageName(s))
	}
	for _, name := range sla.Names {
		require.Equal(t, zh.Name("clock", string(name)), clockName(name))
	}
	for _, s := range clockStates {
		require.Equal(t, zh.Name("clock_state", string(s.state)), strings.Trim(s.name, "*"))
	}
}

func TestCutKeepsCharactersWhole(t *testing.T) {
	t.Parallel()
	require.Equal(t, "short", cut("short", 10))
	got := cut(strings.Repeat("需", 100), 50)
	require.LessOrEqual(t, len(got), 50)
	require.Equal(t, strings.Repeat("需", 15)+"…", got)
}

func TestPlainKeepsMarkdownOut(t *testing.T) {
	t.Parallel()
	got := plain("<b>a</b> | [x](http://y) `z` **bold** # no\nline")
	require.NotContains(t, got, "\n")
	for i, c := range got {
		if strings.ContainsRune("<[|`*#", c) {
			require.Equal(t, byte('\\'), got[i-1], "%s: %c means something in Markdown", got, c)
		}
	}
}
