package policy

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a file. A policy of a thousand people has some twelve thousand values.
const (
	maxBytes = 1 << 20
	maxDepth = 32
	// maxTokens keeps the parser's work in bounds, which grows with the square of
	// the tokens of some (nonsensical) files; a person takes about thirty.
	maxTokens = 100_000
	// maxNodes counts every value as often as an alias repeats it, so that a few
	// aliases of aliases cannot grow into billions of values.
	maxNodes = 200_000
	// maxFields is far above what any mapping of the schema has, also the dates of
	// a calendar.
	maxFields = 1000
)

// node is a value of the file with its place. YAML is read into nodes first, so
// that every later check can name a place.
type node struct {
	line, column int
	// Exactly one of the three is meant: a scalar unless fields or items are not
	// nil.
	scalar any
	fields []field
	items  []*node
	// size is the number of values in it, those of aliases included.
	size int
}

// field is a key with its value.
type field struct {
	name         string
	line, column int
	value        *node
}

func (n *node) field(name string) (field, bool) {
	i := slices.IndexFunc(n.fields, func(f field) bool { return f.name == name })
	if i < 0 {
		return field{}, false
	}
	return n.fields[i], true
}

// reader turns a syntax tree into nodes and collects what is wrong with it.
type reader struct {
	anchors map[string]*node
	wrong   func(line, column int, path, format string, args ...any)
	// lost are the paths whose values could not be made out: that they are not
	// there is no problem of its own.
	lost map[string]bool
	// full is set once there are more values than a policy may have.
	full bool
}

// read returns the value at the path.
func (r *reader) read(n ast.Node, path string, depth int) *node {
	out := &node{size: 1}
	if n == nil {
		return out
	}
	at := start(n)
	out.line, out.column = at.Line, at.Column
	if depth > maxDepth {
		r.wrong(out.line, out.column, path, "nested more than %d levels deep; a policy needs fewer than ten", maxDepth)
		r.lost[path] = true
		return out
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		r.readMapping(out, n.Values, path, depth)
	case *ast.MappingValueNode:
		r.readMapping(out, []*ast.MappingValueNode{n}, path, depth)
	case *ast.SequenceNode:
		out.items = []*node{}
		for i, v := range n.Values {
			if word, ok := colonWord(v); ok {
				at := start(v)
				out.items = append(out.items, &node{line: at.Line, column: at.Column, scalar: word, size: 1})
				out.size++
				continue
			}
			item := r.read(v, fmt.Sprintf("%s[%d]", path, i), depth+1)
			out.items = append(out.items, item)
			out.size += item.size
		}
	case *ast.AnchorNode:
		value := r.read(n.Value, path, depth+1)
		if n.Name != nil {
			r.anchors[n.Name.GetToken().Value] = value
		}
		return value
	case *ast.AliasNode:
		name := ""
		if n.Value != nil {
			name = n.Value.GetToken().Value
		}
		value, ok := r.anchors[name]
		if !ok {
			r.wrong(out.line, out.column, path, "unknown alias *%s; an anchor &%s has to stand before it", name, name)
			r.lost[path] = true
			return out
		}
		return value
	case *ast.TagNode:
		value := r.read(n.Value, path, depth+1)
		if n.Start.Value != "!!str" {
			r.wrong(out.line, out.column, path, "the tag %s means nothing here; leave it out", n.Start.Value)
			return value
		}
		out.scalar = ""
		if n.Value != nil {
			out.scalar = n.Value.GetToken().Value
		}
	default:
		out.scalar = scalar(n)
	}
	if out.size > maxNodes && !r.full {
		r.full = true
		r.wrong(out.line, out.column, path, "more than %d values, aliases counted in full; a policy needs far fewer", maxNodes)
	}
	if r.full {
		return &node{line: out.line, column: out.column, size: 1}
	}
	return out
}

// start is where a value begins. A mapping without braces begins with its first
// key; its token is the colon.
func start(n ast.Node) *token.Position {
	switch n := n.(type) {
	case *ast.MappingNode:
		if n.GetToken().Type == token.MappingValueType && len(n.Values) > 0 {
			return n.Values[0].Key.GetToken().Position
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken().Position
	}
	return n.GetToken().Position
}

// readMapping reads the fields of a mapping.
func (r *reader) readMapping(out *node, values []*ast.MappingValueNode, path string, depth int) {
	out.fields = []field{}
	var merged []field
	if len(values) > maxFields {
		at := values[maxFields].Key.GetToken().Position
		r.wrong(at.Line, at.Column, path, "more than %d fields in one mapping; none has so many", maxFields)
		values = values[:maxFields]
	}
	for _, v := range values {
		key := ast.Node(v.Key)
		if k, ok := v.Key.(*ast.MappingKeyNode); ok {
			key = k.Value
		}
		at := v.Key.GetToken().Position
		if key != nil {
			at = key.GetToken().Position
		}
		if _, ok := key.(*ast.MergeKeyNode); ok {
			from := r.read(v.Value, path, depth+1)
			if from.fields == nil {
				r.wrong(at.Line, at.Column, path, "<< takes an alias of a mapping")
			}
			merged = append(merged, from.fields...)
			continue
		}
		f := field{line: at.Line, column: at.Column}
		switch k := key.(type) {
		case *ast.StringNode:
			f.name = k.Value
		case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
			f.name = k.GetToken().Value
		default:
			r.wrong(at.Line, at.Column, path, "a key has to be a plain word")
			continue
		}
		f.value = r.read(v.Value, path+step(f.name), depth+1)
		if first, ok := out.field(f.name); ok {
			r.wrong(at.Line, at.Column, path+step(f.name), "the key is there already, in line %d; keep one of them", first.line)
			continue
		}
		out.fields = append(out.fields, f)
		out.size += f.value.size
	}
	for _, f := range merged {
		if _, ok := out.field(f.name); !ok {
			out.fields = append(out.fields, f)
			out.size += f.value.size
		}
	}
}

// colonWord returns the plain word that the parser took for a mapping. YAML has
// `role:manager` and `09:00` as one word, because no space follows the colon;
// within braces the parser splits them all the same.
func colonWord(n ast.Node) (string, bool) {
	m, ok := n.(*ast.MappingNode)
	if !ok || len(m.Values) != 1 || m.GetToken().Type != token.MappingValueType {
		return "", false
	}
	value, isLeaf := m.Values[0].Value.(ast.ScalarNode)
	if !isLeaf || value.GetToken().Type == token.NullType {
		return "", false
	}
	var key string
	switch k := m.Values[0].Key.(type) {
	case *ast.StringNode:
		if k.Token.Type != token.StringType {
			return "", false
		}
		key = k.Value
	case *ast.IntegerNode:
		key = k.Token.Value
	default:
		return "", false
	}
	before, colon, after := m.Values[0].Key.GetToken().Position, m.GetToken().Position, value.GetToken().Position
	adjacent := before.Line == colon.Line && colon.Line == after.Line &&
		before.Column+utf8.RuneCountInString(key) == colon.Column && colon.Column+1 == after.Column
	return key + ":" + value.GetToken().Value, adjacent
}

var hugeNumber = regexp.MustCompile(`^-?[1-9][0-9]{17,39}$`)

// scalar returns the value of a leaf in the terms of JSON.
func scalar(n ast.Node) any {
	switch n := n.(type) {
	case *ast.StringNode:
		// The parser takes what exceeds 64 bits for text.
		if n.Token.Type == token.StringType && hugeNumber.MatchString(n.Value) {
			return json.Number(n.Value)
		}
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.BoolNode:
		return n.Value
	case *ast.NullNode:
		return nil
	case *ast.IntegerNode:
		return json.Number(fmt.Sprint(n.Value))
	case *ast.FloatNode:
		if math.IsInf(n.Value, 0) || math.IsNaN(n.Value) {
			return n.Token.Value
		}
		// Written out, because 2.0 is a whole number to a schema and must be one
		// to the decoder as well.
		return json.Number(strconv.FormatFloat(n.Value, 'f', -1, 64))
	default:
		return n.GetToken().Value
	}
}

// plain returns the node as JSON values, with null in the places that are not
// to be decoded; places are JSON pointers.
func (n *node) plain(without map[string]bool, pointer string) any {
	switch {
	case without[pointer]:
		return nil
	case n.fields != nil:
		m := make(map[string]any, len(n.fields))
		for _, f := range n.fields {
			// Left out with its name: that may be what cannot be decoded.
			if at := pointer + "/" + f.name; !without[at] {
				m[f.name] = f.value.plain(without, at)
			}
		}
		return m
	case n.items != nil:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.plain(without, pointer+"/"+strconv.Itoa(i))
		}
		return list
	default:
		return n.scalar
	}
}

// place is where something stands, for people.
type place struct {
	line, column int
	path         string
}

// find follows the location as far as the file goes. With key set, the place is
// that of the last field's name instead of its value.
func (n *node) find(location []string, key bool) place {
	at := place{n.line, n.column, "$"}
	for i, token := range location {
		last := i == len(location)-1
		switch {
		case n.fields != nil:
			at.path += step(token)
			f, ok := n.field(token)
			if !ok {
				return at
			}
			n = f.value
			at.line, at.column = n.line, n.column
			if last && key {
				at.line, at.column = f.line, f.column
			}
		case n.items != nil:
			at.path += "[" + token + "]"
			index, err := strconv.Atoi(token)
			if err != nil || index < 0 || index >= len(n.items) {
				return at
			}
			n = n.items[index]
			at.line, at.column = n.line, n.column
		default:
			return at
		}
	}
	return at
}

var plainWord = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// step is a field in a path.
func step(name string) string {
	if plainWord.MatchString(name) {
		return "." + name
	}
	return "[" + strconv.Quote(name) + "]"
}

// pointer is a location as a key of a set. It needs no escapes: a location that
// holds a slash in a name is of an unknown field, and those are not decoded.
func pointer(location []string) string {
	if len(location) == 0 {
		return ""
	}
	return "/" + strings.Join(location, "/")
}
