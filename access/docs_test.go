package access_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/access"
)

// update writes the generated parts of the document anew:
// go test ./access -update.
var update = flag.Bool("update", false, "write the generated parts of the document anew")

const document = "../docs/access.md"

// reaches are the words for reaches in the table.
var reaches = map[access.Reach]string{
	access.None: "", access.Asked: "asked", access.Called: "called", access.Own: "own", access.Involved: "involved",
	access.Department: "department", access.OwnSystem: "own system", access.All: "all",
}

// table is [access.Table] for people.
func table() string {
	head, rule := "| operation |", "|---|"
	for _, role := range access.Roles {
		head += " " + string(role) + " |"
		rule += "---|"
	}
	lines := []string{head, rule}
	for _, row := range access.Table {
		line := "| `" + string(row.Operation) + "` |"
		for _, reach := range row.Reach {
			if reach != access.None {
				line += " " + reaches[reach]
			}
			line += " |"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// TestDocument holds what docs/access.md says to the code: the table, and the
// walk through it that [TestTable] checks.
func TestDocument(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(document)
	require.NoError(t, err)
	want := string(text)
	for name, content := range map[string]string{
		"table": table(),
		"walk":  "```text\n" + strings.Trim(walk, "\n") + "\n```",
	} {
		first, last := "<!-- "+name+" -->\n", "\n<!-- /"+name+" -->"
		before, rest, ok := strings.Cut(want, first)
		require.True(t, ok, name)
		_, after, ok := strings.Cut(rest, last)
		require.True(t, ok, name)
		want = before + first + content + last + after
	}
	if *update {
		require.NoError(t, os.WriteFile(document, []byte(want), 0o644))
		return
	}
	require.Equal(t, want, string(text), "go test ./access -update writes it")
	for _, role := range access.Roles {
		require.Contains(t, want, "- `"+string(role)+"`")
	}
	for _, scope := range access.Scopes {
		require.Contains(t, want, "| `"+string(scope)+"` |")
	}
	for reach, word := range reaches {
		require.True(t, reach == access.None || strings.Contains(want, "| "+word+" | "), word)
	}
	for _, via := range []string{
		access.ViaCLI, access.ViaImport, access.ViaNexus, access.ViaToken, access.ViaOIDC, access.ViaLink, access.ViaWebhook,
	} {
		require.Contains(t, want, "| `"+via)
	}
}
