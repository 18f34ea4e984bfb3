package intake

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"closeloop/policy"
)

// Mapping says what the columns of a table mean. The zero value means nothing;
// see [ParseMapping] and [Recognise].
type Mapping struct {
	name    string
	sources []source
	// empty are cells that mean nothing, besides those without text.
	empty    []string
	onlyWhen []Condition
	skipWhen []Condition
	// firstOf is the column of which only the first row of each value counts.
	firstOf text
}

// source is where a field comes from.
type source struct {
	field field
	at    text
	// Exactly one of the three is given.
	column   *text
	template []piece
	constant *string
	// values replace what the cell says; otherwise is for what is not among them.
	values    map[string]string
	otherwise *string
	// fallback is for an empty cell.
	fallback string
}

// piece is a part of a template: a text, or a column.
type piece struct {
	literal string
	column  *text
}

// Condition is a test of a row: the cell of the column is one of the values. A
// star at the end of a value stands for any ending.
type Condition struct {
	column text
	values []string
}

// ParseCondition reads COLUMN=VALUE, as it is typed on the command line.
func ParseCondition(typed string) (Condition, error) {
	column, value, ok := strings.Cut(typed, "=")
	if column = strings.TrimSpace(column); !ok || column == "" {
		return Condition{}, fmt.Errorf("%q is not COLUMN=VALUE", typed)
	}
	return Condition{column: text{value: column}, values: []string{strings.TrimSpace(value)}}, nil
}

func (c Condition) matches(cell string) bool {
	cell = strings.TrimSpace(cell)
	return slices.ContainsFunc(c.values, func(v string) bool {
		if prefix, open := strings.CutSuffix(v, "*"); open {
			return strings.HasPrefix(cell, prefix)
		}
		return cell == v
	})
}

// Only narrows the mapping to rows that match.
func (m *Mapping) Only(c Condition) { m.onlyWhen = append(m.onlyWhen, c) }

// LoadMapping reads the mapping file at the path; see [ParseMapping].
func LoadMapping(path string) (*Mapping, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the mapping cannot be read: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxMapping+1))
	if err != nil {
		return nil, fmt.Errorf("the mapping cannot be read: %w", err)
	}
	return ParseMapping(path, data)
}

// ParseMapping reads a mapping:
//
//	fields:            # of the intake record; title and customer are needed
//	  title:           # either of column, template and constant
//	    template: "{category} {symptom}"
//	  customer: caller # short for {column: caller}
//	  priority:
//	    column: priority
//	    values: {"1": high, "2": high, "3": medium}
//	    otherwise: low   # for what is not among the values
//	    default: medium  # for an empty cell
//	empty: ["?"]       # cells that mean nothing
//	only_when: {state: [New, "Re*"]}
//	skip_when: {test: "true"}
//	first_of: number   # only the first row of each value
//
// The second of several columns with one name is NAME#2. The error is a
// [policy.Problems] with everything that is wrong; name stands in it as the
// file.
func ParseMapping(name string, data []byte) (*Mapping, error) {
	f := &file{name: name}
	m := &Mapping{name: name}
	if body := f.body(data); body != nil {
		f.mapping(body, m)
	}
	if len(f.problems) > 0 {
		return nil, f.problems
	}
	return m, nil
}

func (f *file) mapping(body ast.Node, m *Mapping) {
	entries, ok := f.entries(body, "$")
	if !ok {
		f.wrong(place(body, "$"), "a mapping begins with fields:")
		return
	}
	for _, e := range entries {
		switch e.key.value {
		case "fields":
			m.sources = f.sources(e.value)
		case "empty":
			for _, t := range f.texts(e.value, "$.empty") {
				m.empty = append(m.empty, t.value)
			}
		case "only_when":
			m.onlyWhen = f.conditions(e.value, "$.only_when")
		case "skip_when":
			m.skipWhen = f.conditions(e.value, "$.skip_when")
		case "first_of":
			m.firstOf, _ = f.text(e.value, "$.first_of")
		default:
			f.wrong(e.key, "unknown key %q; there is fields, empty, only_when, skip_when, first_of", e.key.value)
		}
	}
	for _, needed := range []string{"title", "customer"} {
		if !slices.ContainsFunc(m.sources, func(s source) bool { return s.field.name == needed }) {
			f.wrong(place(body, "$.fields"), "%s is missing; every requirement needs one", needed)
		}
	}
}

func (f *file) sources(n ast.Node) []source {
	entries, ok := f.entries(n, "$.fields")
	if !ok {
		f.wrong(place(n, "$.fields"), "fields have to stand here, such as title: summary")
		return nil
	}
	var list []source
	for _, e := range entries {
		i := slices.IndexFunc(fields, func(x field) bool { return x.name == e.key.value })
		if i < 0 {
			f.wrong(e.key, "unknown field %q; there is %s", e.key.value, strings.Join(fieldNames(), ", "))
			continue
		}
		list = append(list, f.source(fields[i], e))
	}
	return list
}

func (f *file) source(to field, e entry) source {
	path := "$.fields." + to.name
	s := source{field: to, at: e.key}
	entries, ok := f.entries(e.value, path)
	if !ok {
		if column, ok := f.text(e.value, path); ok {
			f.column(&s, column)
		}
		return s
	}
	origins := 0
	for _, p := range entries {
		at := path + "." + p.key.value
		switch p.key.value {
		case "column":
			if column, ok := f.text(p.value, at); ok {
				f.column(&s, column)
			}
			origins++
		case "template":
			if t, ok := f.text(p.value, at); ok {
				s.template = f.template(t)
			}
			origins++
		case "constant":
			if t, ok := f.text(p.value, at); ok {
				s.constant = &t.value
			}
			origins++
		case "values":
			s.values = f.values(p.value, at)
		case "otherwise":
			if t, ok := f.text(p.value, at); ok {
				s.otherwise = &t.value
			}
		case "default":
			if t, ok := f.text(p.value, at); ok {
				s.fallback = t.value
			}
		default:
			f.wrong(p.key, "unknown key %q; there is column, template, constant, values, otherwise, default", p.key.value)
		}
	}
	if origins != 1 {
		f.wrong(e.key, "name exactly one of column, template and constant")
	}
	if s.otherwise != nil && s.values == nil {
		f.wrong(e.key, "otherwise needs values: it is for what is not among them")
	}
	return s
}

func (f *file) column(s *source, column text) {
	if strings.TrimSpace(column.value) == "" {
		f.wrong(column, "the name of a column has to stand here")
		return
	}
	s.column = &column
}

func (f *file) values(n ast.Node, path string) map[string]string {
	entries, ok := f.entries(n, path)
	if !ok {
		f.wrong(place(n, path), `what a cell says and what it means have to stand here, such as {"1": high}`)
		return nil
	}
	values := map[string]string{}
	for _, e := range entries {
		if t, ok := f.text(e.value, path+"."+e.key.value); ok {
			values[e.key.value] = t.value
		}
	}
	return values
}

func (f *file) conditions(n ast.Node, path string) []Condition {
	entries, ok := f.entries(n, path)
	if !ok {
		f.wrong(place(n, path), "columns with their values have to stand here, such as {state: New}")
		return nil
	}
	var list []Condition
	for _, e := range entries {
		c := Condition{column: e.key}
		for _, t := range f.texts(e.value, path+"."+e.key.value) {
			c.values = append(c.values, t.value)
		}
		list = append(list, c)
	}
	return list
}

// template reads a text with columns in braces; a doubled brace is one brace.
func (f *file) template(t text) []piece {
	parsed, err := policy.ParseTemplate(t.value)
	if err != nil {
		f.wrong(t, "%v", err)
		return nil
	}
	return piecesAt(parsed, t)
}

// piecesAt are the parts of a template that stands at the place.
func piecesAt(parsed []policy.Piece, at text) []piece {
	pieces := make([]piece, len(parsed))
	for i, p := range parsed {
		pieces[i].literal = p.Literal
		if p.Column != "" {
			pieces[i].column = &text{value: p.Column, line: at.line, column: at.column, path: at.path}
		}
	}
	return pieces
}

// Recognise returns the mapping of a table whose heads are our own names of
// fields, or the Chinese ones of the intake record. The error names what is
// missing.
func Recognise(header []string) (*Mapping, error) {
	m := &Mapping{}
	taken := map[string]bool{}
	for _, head := range header {
		if f, ok := fieldCalled(head); ok && !taken[f.name] {
			taken[f.name] = true
			m.sources = append(m.sources, source{field: f, column: &text{value: head}})
		}
	}
	// A record without a title has one in its first words.
	if !taken["customer"] || !taken["title"] && !taken["description"] {
		return nil, fmt.Errorf("the header names no title (标题) or customer (客户): it has %s; name the columns with a mapping",
			strings.Join(header, ", "))
	}
	return m, nil
}

// problems of a mapping that does not fit a table.
func (m *Mapping) misfit(at text, header []string) policy.Problem {
	return policy.Problem{
		File: m.name, Line: max(1, at.line), Column: max(1, at.column), Path: at.path,
		Message: fmt.Sprintf("there is no column %q; the table has %s", at.value, strings.Join(header, ", ")),
	}
}
