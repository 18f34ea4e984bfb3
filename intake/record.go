package intake

import (
	"maps"
	"slices"
	"strings"

	"closeloop/policy"
	"closeloop/requirement"
)

// FromSources returns the mapping that a policy has for an upstream system. The
// sources are sound: the policy was read from a file that was checked.
func FromSources(sources policy.FieldSources) *Mapping {
	m := &Mapping{}
	for _, s := range sources {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == s.Field })
		if i < 0 {
			continue
		}
		src := source{field: fields[i], constant: s.Constant, values: s.Values, otherwise: s.Otherwise, fallback: s.Default}
		switch {
		case s.Column != "":
			src.column = &text{value: s.Column}
		case s.Template != "":
			parsed, err := policy.ParseTemplate(s.Template)
			if err != nil {
				continue
			}
			src.template = piecesAt(parsed, text{})
		}
		m.sources = append(m.sources, src)
	}
	return m
}

// Record makes a submission of one record that is no row of a table: look returns
// what it says in a column, or nothing. Nothing in it is refused: the case of
// values makes no difference, of a list the first counts that means something,
// and what means nothing is left out. The submission is not checked.
func (m *Mapping) Record(look func(column string) string, rules policy.Process) requirement.Submission {
	var s requirement.Submission
	for _, src := range m.sources {
		p := &plan{mapping: m, at: map[string]int{}}
		var cells []string
		for _, column := range src.columns() {
			p.at[column] = len(cells)
			// What could not be decoded is no reason to lose the rest.
			cells = append(cells, strings.ReplaceAll(strings.ToValidUTF8(look(column), "?"), "\uFFFD", "?"))
		}
		said := src
		said.values, said.otherwise, said.fallback = nil, nil, ""
		value, err := p.value(said, Row{Cells: cells})
		switch {
		case err != nil:
			value = ""
		case value == "":
			value = src.fallback
		case src.values != nil:
			value = src.meaning(value)
		}
		if value != "" {
			src.field.set(&s, value)
		}
	}
	translate(&s, rules)
	return s
}

// columns are those that the source looks at.
func (s source) columns() []string {
	if s.column != nil {
		return []string{s.column.value}
	}
	var columns []string
	for _, piece := range s.template {
		if piece.column != nil {
			columns = append(columns, piece.column.value)
		}
	}
	return columns
}

// meaning is what the values of the mapping make of a text, or of the first part
// of a list that is among them.
func (s source) meaning(said string) string {
	for _, part := range append([]string{said}, strings.Split(said, ",")...) {
		part = strings.TrimSpace(part)
		if meant, ok := s.values[part]; ok {
			return meant
		}
		for _, value := range slices.Sorted(maps.Keys(s.values)) {
			if strings.EqualFold(value, part) {
				return s.values[value]
			}
		}
	}
	if s.otherwise != nil {
		return *s.otherwise
	}
	return ""
}
