package workbook

import (
	"strings"
	"unicode/utf8"
)

// maxCell is how many UTF-16 units a cell can hold.
const maxCell = 32_767

// Fitting is the text as a cell of a workbook can hold it: without characters that
// XML does not have, and cut off where Excel would refuse the rest.
func Fitting(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(text, string(utf8.RuneError)))
	if len(text) <= maxCell {
		return text
	}
	units, end := 0, 0
	for i, r := range text {
		if units++; r > 0xffff {
			units++
		}
		if units > maxCell {
			return text[:end] + "…"
		}
		if units < maxCell {
			end = i + utf8.RuneLen(r)
		}
	}
	return text
}
