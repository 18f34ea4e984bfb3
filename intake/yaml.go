package intake

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"closeloop/policy"
)

// Bounds of a mapping file. The parser recurses without one of its own.
const (
	maxMapping = 64 << 10
	maxNesting = 8
)

// text is a word of the file with its place.
type text struct {
	value        string
	line, column int
	path         string
}

// entry is a key of a mapping with what stands behind it.
type entry struct {
	key   text
	value ast.Node
}

// file reads a mapping file and collects all that is wrong with it.
type file struct {
	name     string
	problems policy.Problems
}

func (f *file) wrong(at text, format string, args ...any) {
	f.problems = append(f.problems, policy.Problem{
		File: f.name, Line: max(1, at.line), Column: max(1, at.column), Path: at.path, Message: fmt.Sprintf(format, args...),
	})
}

// body returns the one document of the file; nil when it cannot be read.
func (f *file) body(data []byte) ast.Node {
	top := text{path: "$"}
	if len(data) > maxMapping {
		f.wrong(top, "the file is larger than %d KiB; a mapping needs far less", maxMapping>>10)
		return nil
	}
	if !utf8.Valid(data) {
		f.wrong(top, "this is not UTF-8; save the file in that encoding")
		return nil
	}
	tokens := lexer.Tokenize(strings.TrimPrefix(string(data), "\ufeff"))
	if !f.flat(tokens) {
		return nil
	}
	// Keys that stand twice are told with the place of the first.
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		at, message := top, err.Error()
		var located yaml.Error
		if errors.As(err, &located) {
			message = located.GetMessage()
			if t := located.GetToken(); t != nil && t.Position != nil {
				at.line, at.column = t.Position.Line, t.Position.Column
			}
		}
		f.wrong(at, "not YAML: %s", message)
		return nil
	}
	var body ast.Node
	for _, doc := range parsed.Docs {
		switch {
		case doc.Body == nil:
		case body != nil:
			f.wrong(place(doc.Body, "$"), "a second document begins here; a mapping is one document")
			return nil
		default:
			body = doc.Body
		}
	}
	if body == nil {
		f.wrong(top, "the file is empty; a mapping begins with fields:")
	}
	return body
}

// flat refuses what a mapping does not need and what could exhaust the parser:
// deep nesting, anchors, aliases and tags.
func (f *file) flat(tokens token.Tokens) bool {
	depth, run, line := 0, 0, 0
	for _, t := range tokens {
		at := text{line: t.Position.Line, column: t.Position.Column, path: "$"}
		if at.line != line {
			run, line = 0, at.line
		}
		switch t.Type {
		case token.AnchorType, token.AliasType, token.TagType, token.MergeKeyType, token.MappingKeyType:
			f.wrong(at, "%s is of no use in a mapping; write it out", t.Value)
			return false
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth--
		case token.SequenceEntryType, token.MappingValueType:
			run++
		}
		if depth > maxNesting || run > 4*maxNesting || t.Position.IndentNum > 4*maxNesting {
			f.wrong(at, "nested too deep; a mapping has three levels")
			return false
		}
	}
	return true
}

// place is where a node begins.
func place(n ast.Node, path string) text {
	at := text{path: path}
	if n == nil {
		return at
	}
	t := n.GetToken()
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		t = m.Values[0].Key.GetToken()
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		t = m.Key.GetToken()
	}
	if t != nil && t.Position != nil {
		at.line, at.column = t.Position.Line, t.Position.Column
	}
	return at
}

// entries returns the keys of a mapping, each once; false when it is none.
func (f *file) entries(n ast.Node, path string) ([]entry, bool) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		return nil, false
	}
	var list []entry
	seen := map[string]int{}
	for _, v := range values {
		key, ok := scalar(v.Key)
		at := place(v.Key, path+"."+key)
		at.value = key
		if !ok {
			f.wrong(at, "a key has to be a plain word")
			continue
		}
		if first, ok := seen[key]; ok {
			f.wrong(at, "the key is there already, in line %d; keep one of them", first)
			continue
		}
		seen[key] = at.line
		list = append(list, entry{at, v.Value})
	}
	return list, true
}

// text returns a word; false, and a problem, when there is none.
func (f *file) text(n ast.Node, path string) (text, bool) {
	at := place(n, path)
	value, ok := scalar(n)
	if !ok {
		f.wrong(at, "a text has to stand here")
		return at, false
	}
	at.value = value
	return at, true
}

// texts returns a word or a list of words.
func (f *file) texts(n ast.Node, path string) []text {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		if one, ok := f.text(n, path); ok {
			return []text{one}
		}
		return nil
	}
	var all []text
	for i, v := range list.Values {
		if one, ok := f.text(v, fmt.Sprintf("%s[%d]", path, i)); ok {
			all = append(all, one)
		}
	}
	return all
}

// scalar is the text of a leaf as it stands in the file: 007 stays 007, NULL
// stays NULL.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		if n.Value == nil {
			return "", true
		}
		return n.Value.Value, true
	case *ast.NullNode:
		if n.GetToken().Type == token.ImplicitNullType {
			return "", true
		}
		return n.GetToken().Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	default:
		return "", false
	}
}
