package locale_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/locale"
	"closeloop/requirement"
)

// TestEveryProblemOfAField has words in each language, with all they need.
func TestEveryProblemOfAField(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../requirement/*.go")
	require.NoError(t, err)
	use := regexp.MustCompile(`invalid\(\w+|invalid\("\w+"`)
	problem := regexp.MustCompile(`invalid\((?:field|"\w+"), "(\w+)"`)
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if filepath.Base(file) == "errors.go" {
			continue
		}
		problems := problem.FindAllStringSubmatch(string(text), -1)
		require.Len(t, problems, len(use.FindAllString(string(text), -1)), "%s: a problem without a name", file)
		for _, p := range problems {
			found++
			for _, lang := range locale.Languages {
				require.True(t, locale.For(lang).Has("error.invalid."+p[1]), "%s: %s", lang, p[1])
			}
		}
	}
	require.Greater(t, found, 10)

	var refused *requirement.Error
	require.ErrorAs(t, requirement.Respond{Method: "pigeon"}.Valid(), &refused)
	zh := locale.For("zh-CN").Error(string(refused.Code), refused.Message, refused.Params)
	require.Equal(t, "字段“method”填写有误：“pigeon”不在可选范围内：phone, email, visit, message", zh)
}
