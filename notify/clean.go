package notify

import (
	"strings"
	"unicode"
)

// Limits of what a message takes over from people, in characters.
const (
	maxSubject = 150
	maxLine    = 200
	maxStep    = 40 // where a step only tells clocks apart
	maxQuote   = 2000
)

// line makes one bounded line of a text that somebody wrote: for subjects,
// titles and names. No line end of any kind is left that could begin a header.
func line(text string, limit int) string {
	return shorten(strings.Join(strings.Fields(Visible(text)), " "), limit)
}

// quote makes a bounded text of several lines of one that somebody wrote.
func quote(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\u0085", "\n").Replace(text)
	return strings.TrimSpace(shorten(Visible(text), maxQuote))
}

// Visible leaves out what has no width but an effect: control characters, and
// those that reverse or hide the text after them.
func Visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case r == '\u200c', r == '\u200d': // part of words and of emoji
			return r
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(text, ""))
}

// shorten cuts a text after that many characters.
func shorten(text string, limit int) string {
	count := 0
	for i := range text {
		if count++; count == limit {
			if rest := text[i:]; len([]rune(rest)) > 1 {
				return text[:i] + "…"
			}
			return text
		}
	}
	return text
}
