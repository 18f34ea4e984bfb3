package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is something wrong at one place of a policy file.
type Problem struct {
	File string `json:"file"`
	// Line and Column count from 1; the column counts characters, not bytes.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Path leads to the place from the root `$`, such as `$.clocks[0].target`.
	Path string `json:"path"`
	// Message says what is wrong and what is allowed.
	Message string `json:"message"`
}

// Error returns `file:line:column: $.path: message`.
func (p Problem) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s", p.File, p.Line, p.Column, p.Path, p.Message)
}

// Problems are all that is wrong with a policy file, in the order of the file.
// It is the error of [Parse] and [Load].
type Problems []Problem

// Error returns the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// sorted returns the problems in the order of the file, each once.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(ps)
}
