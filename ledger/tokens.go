package ledger

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Bounds of the words of one text: an index entry must fit a page, and a long
// text must not make an index of itself.
const (
	maxToken  = 64
	maxTokens = 4_000
)

// Tokens returns the words of texts for search, each once, in the order in
// which they come: every pair of neighbouring characters in Chinese, because
// that has no spaces between words; words in other scripts. Width and case make
// no difference.
func Tokens(texts ...string) []string {
	tokens := []string{}
	seen := map[string]bool{}
	add := func(token []rune) {
		if len(token) == 0 || len(token) > maxToken || len(tokens) == maxTokens {
			return
		}
		if text := string(token); !seen[text] {
			seen[text] = true
			tokens = append(tokens, text)
		}
	}
	for _, text := range texts {
		for _, run := range runs(text) {
			if !unspaced(run[0]) || len(run) == 1 {
				add(run)
				continue
			}
			for i := range len(run) - 1 {
				add(run[i : i+2])
			}
		}
	}
	return tokens
}

// single returns the characters of a query that stand alone: no pair has them,
// so they are looked for in the text itself.
func single(query string) []string {
	alone := []string{}
	for _, run := range runs(query) {
		if len(run) == 1 && unspaced(run[0]) {
			alone = append(alone, string(run))
		}
	}
	return alone
}

// runs splits a text where the letters end, and where a script with spaces
// between its words meets one without.
func runs(text string) [][]rune {
	var found [][]rune
	var run []rune
	end := func() {
		if len(run) > 0 {
			found = append(found, run)
			run = nil
		}
	}
	for _, c := range strings.ToLower(norm.NFKC.String(text)) {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			end()
			continue
		}
		if len(run) > 0 && unspaced(c) != unspaced(run[0]) {
			end()
		}
		run = append(run, c)
	}
	end()
	return found
}

// unspaced reports characters that are written without spaces between words.
func unspaced(c rune) bool { return unicode.Is(unicode.Han, c) }
