package upstream

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of what is read of a body. A ticket with thousand fields of its own is
// well within them.
const (
	maxDepth  = 32
	maxFields = 20_000
	// maxItems is how many tickets and comments of one body are looked at.
	maxItems = 100
)

// ErrNotJSON says that a body is no JSON.
var ErrNotJSON = errors.New("the body is not JSON")

// parse reads a body. Numbers stay as they are written: ids exceed what a
// floating-point number holds.
func parse(body []byte) (any, error) {
	if !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte("\uFFFD"))
	}
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\uFEFF"))))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotJSON, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something follows its end", ErrNotJSON)
	}
	return v, nil
}

// node is a value of a body. The zero value is one that is not there, and every
// question about it has an empty answer.
type node struct{ v any }

// at follows a dotted path; elements of lists are counted from 0.
func (n node) at(path string) node {
	for step := range strings.SplitSeq(path, ".") {
		switch v := n.v.(type) {
		case map[string]any:
			n = node{v[step]}
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return node{}
			}
			n = node{v[i]}
		default:
			return node{}
		}
	}
	return n
}

// is reports whether something other than null is there.
func (n node) is() bool { return n.v != nil }

// object reports whether it has fields.
func (n node) object() bool { _, ok := n.v.(map[string]any); return ok }

// list is the elements of a list.
func (n node) list() []node {
	values, _ := n.v.([]any)
	nodes := make([]node, len(values))
	for i, v := range values {
		nodes[i] = node{v}
	}
	return nodes
}

// text is a scalar as a text; empty for anything else.
func (n node) text() string {
	switch v := n.v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	default:
		return ""
	}
}

// first is the first text along the paths that says something.
func (n node) first(paths ...string) string {
	for _, p := range paths {
		if t := strings.TrimSpace(n.at(p).text()); t != "" {
			return t
		}
	}
	return ""
}

// flatten writes every scalar under its dotted path. A list stands under its own
// path as well, joined; so do the fields of its elements: labels.0.name and
// labels.name.
func flatten(v any) map[string]string {
	f := flattener{into: map[string]string{}}
	f.walk("", v, 0)
	return f.into
}

type flattener struct{ into map[string]string }

func (f flattener) walk(path string, v any, depth int) {
	if depth > maxDepth || len(f.into) >= maxFields {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			f.walk(join(path, name), value, depth+1)
		}
	case []any:
		for i, value := range v {
			f.walk(join(path, strconv.Itoa(i)), value, depth+1)
		}
		f.joined(path, v)
	default:
		if t := (node{v}).text(); t != "" && path != "" {
			f.into[path] = t
		}
	}
}

// joined writes a list, and each field of its elements, as one text.
func (f flattener) joined(path string, list []any) {
	together := map[string][]string{}
	var names []string
	add := func(name string, v any) {
		if t := (node{v}).text(); t != "" {
			if together[name] == nil {
				names = append(names, name)
			}
			together[name] = append(together[name], t)
		}
	}
	for _, value := range list {
		if fields, ok := value.(map[string]any); ok {
			for name, v := range fields {
				add(join(path, name), v)
			}
			continue
		}
		add(path, value)
	}
	for _, name := range names {
		if _, taken := f.into[name]; !taken && name != "" && len(f.into) < maxFields {
			f.into[name] = strings.Join(together[name], separator)
		}
	}
}

// separator stands between the values of a list that is one text.
const separator = ", "

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
