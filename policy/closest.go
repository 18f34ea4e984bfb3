package policy

import (
	"fmt"
	"strings"
)

// listed is the most alternatives that an error enumerates; a longer list helps
// nobody and a suggestion does.
const listed = 80

// instead names the words that are allowed in place of one that is not, and
// which was probably meant.
func instead(got string, allowed []string) string {
	text := ""
	switch {
	case len(allowed) == 0:
		text = "; there is none"
	case len(allowed) <= listed:
		text = "; there is " + strings.Join(allowed, ", ")
	}
	if meant := closest(got, allowed); meant != "" {
		text += fmt.Sprintf(" (did you mean %q?)", meant)
	}
	return text
}

// closest returns the word nearest in spelling, or nothing when none is near.
func closest(got string, words []string) string {
	// Longer words are not worth the work: ids and field names are short.
	if len(got) > 64 {
		return ""
	}
	best, nearest := "", max(1, len([]rune(got))/3)+1
	for _, w := range words {
		if d := distance([]rune(strings.ToLower(got)), []rune(strings.ToLower(w))); d < nearest {
			best, nearest = w, d
		}
	}
	return best
}

// distance counts the insertions, deletions and replacements between two words.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		before := row[0]
		row[0] = i + 1
		for j := range b {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}
