package intake

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"
)

var encodings = map[string]encoding.Encoding{
	"UTF-8":                  encoding.Nop,
	"UTF-8 with mark":        unicode.UTF8BOM,
	"UTF-16 LE with mark":    unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"UTF-16 BE with mark":    unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	"UTF-16 LE without mark": unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM),
	"UTF-16 BE without mark": unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
	"GB18030":                simplifiedchinese.GB18030,
}

func decoded(t require.TestingT, r io.Reader) string {
	text, err := Text(r)
	require.NoError(t, err)
	all, err := io.ReadAll(text)
	require.NoError(t, err)
	return string(all)
}

func TestEveryEncoding(t *testing.T) {
	t.Parallel()
	for name, e := range encodings {
		for what, want := range map[string]string{
			"Chinese from the start": "标题,客户\n导出报表,云栖科技\n",
			"ASCII only":             "title,customer\nexport,Acme\n",
			"Chinese after more ASCII than is looked at": strings.Repeat("title,customer\n", 20_000) + "导出报表太慢了,云栖科技\n",
			"rare characters":            "标题,客户\n𠮷野家的㐀字显示不出来,龘靐科技\n",
			"a last line without an end": "标题,客户\n导出,云栖",
		} {
			t.Run(name+": "+what, func(t *testing.T) {
				t.Parallel()
				bytes, err := e.NewEncoder().String(want)
				require.NoError(t, err)
				require.Equal(t, want, decoded(t, strings.NewReader(bytes)))
				require.Equal(t, want, decoded(t, iotest.HalfReader(strings.NewReader(bytes))))
			})
		}
	}
}

func TestWhatIsNoText(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		in   string
		want error
	}{
		"an old workbook":        {"\xd0\xcf\x11\xe0\xa1\xb1", errOld},
		"a web page":             {"\ufeff\r\n<HTML><table><tr><td>标题</td></tr></table>", errMarkup},
		"a table of Excel 2003":  {"<?xml version=\"1.0\"?><Workbook/>", errMarkup},
		"zero bytes":             {"a\x00\x00b\x00c\x00\x00", ErrBinary},
		"zero bytes in the head": {"title,cust\x00omer\n", ErrBinary},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(strings.NewReader(tc.in))
			require.ErrorIs(t, err, tc.want)
		})
	}
}

// A sample that ends within a character is still UTF-8.
func TestUTF8CutAnywhere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := "需求" + rapid.StringOf(rapid.RuneFrom([]rune("需求响应a𠮷,é"))).Draw(t, "text")
		cut := rapid.IntRange(3, len(text)).Draw(t, "cut")
		require.True(t, looksUTF8([]byte(text[:cut])))
	})
}

func FuzzText(f *testing.F) {
	for _, e := range encodings {
		seed, _ := e.NewEncoder().String("标题,客户\n\"导出,报表\",云栖\n")
		f.Add([]byte(seed))
	}
	f.Add([]byte("\xff\xfe\x00"))
	f.Add([]byte("a\xe5\xaf"))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := Open(strings.NewReader(string(data)))
		if err != nil {
			return
		}
		for range 1_000 {
			row, err := table.Next()
			if err != nil {
				return
			}
			require.Greater(t, row.Number, 1)
			if row.Err == nil {
				require.GreaterOrEqual(t, len(row.Cells), len(table.Header))
			}
			for _, c := range row.Cells {
				if readableText(c) {
					require.True(t, utf8.ValidString(c))
				}
			}
		}
	})
}
