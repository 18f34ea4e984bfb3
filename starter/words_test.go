package starter

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/requirement"
)

func TestSummaryFitsAndStaysText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := summary(requirement.Submission{Title: rapid.String().Draw(t, "title")})
		require.LessOrEqual(t, len(s), maxSummary)
		require.True(t, utf8.ValidString(s))
		require.NotContains(t, s, "\n")
	})
	require.Equal(t, `\!\[pixel\](http://x) \*now\*`, summary(requirement.Submission{Title: "![pixel](http://x) *now*"}))
	long := summary(requirement.Submission{Title: strings.Repeat("报", 200)})
	require.True(t, strings.HasSuffix(long, "报…"))
}

func TestDetailsQuoteTheCustomer(t *testing.T) {
	t.Parallel()
	s := requirement.Submission{
		Customer: "[evil](http://x)", Description: "# head\n<script>alert(1)</script>\n> quote `code`",
	}
	got := details(s)
	require.Contains(t, got, `\[evil\](http`)
	require.NotRegexp(t, `(^|[^\\])<script`, got)
	require.Contains(t, got, "\n> \\# head")
	require.NotContains(t, got, "Scenario", "what is not known is left out")
	require.Less(t, len(details(requirement.Submission{Description: strings.Repeat("需", requirement.MaxText)})), 10_000)
}
