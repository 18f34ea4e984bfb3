package policy

import (
	"errors"
	"strings"
)

// Piece is a part of a template: a text, or the name of a column.
type Piece struct {
	Literal string
	Column  string
}

// ParseTemplate reads a text with columns in braces, as mappings have it; a
// doubled brace is one brace.
func ParseTemplate(text string) ([]Piece, error) {
	var pieces []Piece
	var literal strings.Builder
	rest := text
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "}}"):
			literal.WriteByte(rest[0])
			rest = rest[2:]
		case rest[0] == '}':
			return nil, errors.New("a } without its {; write }} for the character itself")
		case rest[0] == '{':
			name, after, ok := strings.Cut(rest[1:], "}")
			if !ok || strings.TrimSpace(name) == "" || strings.Contains(name, "{") {
				return nil, errors.New("a { without a column and its }; write {{ for the character itself")
			}
			if literal.Len() > 0 {
				pieces = append(pieces, Piece{Literal: literal.String()})
				literal.Reset()
			}
			pieces = append(pieces, Piece{Column: strings.TrimSpace(name)})
			rest = after
		default:
			literal.WriteByte(rest[0])
			rest = rest[1:]
		}
	}
	if literal.Len() > 0 {
		pieces = append(pieces, Piece{Literal: literal.String()})
	}
	if len(pieces) == 0 {
		return nil, errors.New("the template is empty")
	}
	return pieces, nil
}
