package intake

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// rows reads a whole table: cells joined, or what is wrong with the row.
func rows(t require.TestingT, text string) (*Table, []string, error) {
	table, err := Open(strings.NewReader(text))
	require.NoError(t, err)
	var got []string
	for {
		row, err := table.Next()
		if errors.Is(err, io.EOF) {
			return table, got, nil
		}
		if err != nil {
			return table, got, err
		}
		if row.Err != nil {
			got = append(got, "! "+row.Err.Error()+" ["+row.Raw+"]")
			continue
		}
		got = append(got, strings.Join(row.Cells, "|"))
	}
}

func TestTables(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		in     string
		header []string
		rows   []string
	}{
		"commas":                                {"a,b\n1,2\n", []string{"a", "b"}, []string{"1|2"}},
		"semicolons":                            {"a;b\n1;2,5\n", []string{"a", "b"}, []string{"1|2,5"}},
		"tabs, as Excel's Unicode text":         {"a\tb\n1\t2\n", []string{"a", "b"}, []string{"1|2"}},
		"delimiters within quotes do not count": {"\"a;;;\",b\n1,2\n", []string{"a;;;", "b"}, []string{"1|2"}},
		"one column":                            {"title\nx\n", []string{"title"}, []string{"x"}},
		"windows line ends":                     {"a,b\r\n1,2\r\n", []string{"a", "b"}, []string{"1|2"}},
		"heads with spaces":                     {" a , b\n1,2\n", []string{"a", "b"}, []string{"1|2"}},
		"two heads alike":                       {"a,a,a\n1,2,3\n", []string{"a", "a#2", "a#3"}, []string{"1|2|3"}},
		"cells with lines and quotes":           {"a,b\n\"x\ny\",\"say \"\"hi\"\"\"\n", []string{"a", "b"}, []string{"x\ny|say \"hi\""}},
		"rows without text":                     {"a,b\n,\n\n1,2\n ,\t\n", []string{"a", "b"}, []string{"1|2"}},
		"a short row":                           {"a,b,c\n1\n", []string{"a", "b", "c"}, []string{"1||"}},
		"a long row":                            {"a,b\n1,2,3\n4,5\n", []string{"a", "b"}, []string{"! it has 3 cells under 2 columns; put cells with a ',' in them in quotes []", "4|5"}},
		"a bad quote between good rows": {"a,b\n1,2\nx\"y,3\n4,5\n", []string{"a", "b"}, []string{
			"1|2", "! line 3, character 2: a quote in a cell that does not begin with one; double it and put the cell in quotes [x\"y,3]", "4|5",
		}},
		"text after a closing quote": {"a,b\n\"x\"y,3\n4,5\n", []string{"a", "b"}, []string{
			"! line 2, character 3: a quote that is not closed, or text after the closing one [\"x\"y,3]", "4|5",
		}},
		"rejected rows, imported again": {"a,reject_reason\n'=1+1,because\n'quoted',x\n", []string{"a", "reject_reason"}, []string{"=1+1|because", "'quoted'|x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, got, err := rows(t, tc.in)
			require.NoError(t, err)
			require.Equal(t, tc.header, table.Header)
			require.Equal(t, tc.rows, got)
		})
	}
}

func TestRowNumbersAreThoseOfASpreadsheet(t *testing.T) {
	t.Parallel()
	table, err := Open(strings.NewReader("a,b\n1,2\n,\n\"x\ny\",3\n"))
	require.NoError(t, err)
	first, err := table.Next()
	require.NoError(t, err)
	require.Equal(t, 2, first.Number)
	second, err := table.Next()
	require.NoError(t, err)
	require.Equal(t, 4, second.Number, "the empty row has a number of its own")
}

// A quote that is never closed must not read a whole file into memory.
func TestAQuoteThatIsNeverClosed(t *testing.T) {
	t.Parallel()
	_, got, err := rows(t, "a,b\n1,2\n\"x"+strings.Repeat("y", 3*maxRow))
	require.ErrorContains(t, err, "row 3 is longer than 1024 KiB: most likely a quote in it is never closed")
	require.Equal(t, []string{"1|2"}, got)
}

func TestFilesWithoutAHeader(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                               "the file is empty",
		"\ufeff":                         "the file is empty",
		"\"a":                            "the header cannot be read: line 1, character 3: a quote that is not closed",
		strings.Repeat("a,", maxColumns): "the header has 1001 columns; at most 1000 are read",
	} {
		_, err := Open(strings.NewReader(in))
		require.ErrorContains(t, err, want)
	}
}

func TestFormulasAreMadeTextAndBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringOf(rapid.RuneFrom([]rune("=+-@'a1 需\t"))).Draw(t, "cell")
		require.False(t, formula(Escaped(cell)))
		require.Equal(t, cell, unescaped(Escaped(cell)))
	})
}
