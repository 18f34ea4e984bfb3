package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"closeloop/policy"
	"closeloop/requirement"
)

// plan is a mapping bound to the columns of one table.
type plan struct {
	mapping *Mapping
	header  []string
	at      map[string]int
	rules   policy.Process
	lenient bool
	words   func(*requirement.Error) string
	// seen are the values of the first_of column that had their row, by hash so
	// that a long table takes little memory.
	seen map[[16]byte]bool
}

// ErrNoColumn says that a condition that was typed names a column that is not there.
var ErrNoColumn = errors.New("there is no column")

// bind finds the columns; the error is a [policy.Problems] with all that are
// missing, or a plain one for conditions that were typed.
func (m *Mapping) bind(header []string, rules policy.Process, lenient bool) (*plan, error) {
	p := &plan{mapping: m, header: header, at: map[string]int{}, rules: rules, lenient: lenient, words: inEnglish, seen: map[[16]byte]bool{}}
	for i, name := range header {
		p.at[name] = i
	}
	var missing policy.Problems
	need := func(column text) {
		if _, ok := p.at[column.value]; !ok {
			missing = append(missing, m.misfit(column, header))
		}
	}
	for _, s := range m.sources {
		if s.column != nil {
			need(*s.column)
		}
		for _, piece := range s.template {
			if piece.column != nil {
				need(*piece.column)
			}
		}
	}
	for _, c := range slices.Concat(m.onlyWhen, m.skipWhen) {
		if _, ok := p.at[c.column.value]; !ok && c.column.line == 0 {
			return nil, fmt.Errorf("%w %q; the table has %s", ErrNoColumn, c.column.value, strings.Join(header, ", "))
		}
		need(c.column)
	}
	if m.firstOf.value != "" {
		need(m.firstOf)
	}
	if len(missing) > 0 {
		return nil, missing
	}
	return p, nil
}

// wanted reports whether the mapping wants the row at all.
func (p *plan) wanted(r Row) bool {
	for _, c := range p.mapping.onlyWhen {
		if !c.matches(r.Cells[p.at[c.column.value]]) {
			return false
		}
	}
	for _, c := range p.mapping.skipWhen {
		if c.matches(r.Cells[p.at[c.column.value]]) {
			return false
		}
	}
	if p.mapping.firstOf.value == "" {
		return true
	}
	sum := sha256.Sum256([]byte(r.Cells[p.at[p.mapping.firstOf.value]]))
	value := [16]byte(sum[:16])
	if p.seen[value] {
		return false
	}
	p.seen[value] = true
	return true
}

// fault is why a row is rejected, and the column it is about, if it is about
// one.
type fault struct {
	column string
	err    error
}

func (f *fault) Error() string { return f.err.Error() }

// submission makes a requirement of a row. The error is a [*fault].
func (p *plan) submission(r Row) (requirement.Submission, error) {
	var s requirement.Submission
	for _, src := range p.mapping.sources {
		value, err := p.value(src, r)
		if err != nil {
			return s, p.faultIn(src, err)
		}
		if value != "" {
			src.field.set(&s, value)
		}
	}
	if s.Title == "" && !p.mapped("title") {
		s.Title = firstWords(s.Description)
	}
	translate(&s, p.rules)
	return s, p.check(s)
}

func (p *plan) mapped(name string) bool {
	return slices.ContainsFunc(p.mapping.sources, func(s source) bool { return s.field.name == name })
}

// check finds what the rules do not allow, before anything is sent.
func (p *plan) check(s requirement.Submission) error {
	rules := p.rules
	s = s.Fill(rules.Defaults)
	if p.lenient {
		rules.Types, rules.Channels = []string{s.Type}, []string{s.Channel}
	}
	err := s.Valid(rules)
	if err == nil {
		return nil
	}
	return p.faultOf(err)
}

// requirementID is the form of our own ids.
var requirementID = regexp.MustCompile(`^REQ-[0-9A-HJKMNP-TV-Z]{8}$`)

// there reports whether the row is of a requirement that is there already: it has
// our id, because we wrote the table. Numbers of other kinds mean nothing here. The
// error is a [*fault].
func (p *plan) there(r Row) (bool, error) {
	for _, src := range p.mapping.sources {
		if src.field.name != idField {
			continue
		}
		value, err := p.value(src, r)
		switch {
		case err != nil:
			return false, p.faultIn(src, err)
		case requirementID.MatchString(value):
			return true, nil
		case strings.HasPrefix(strings.ToUpper(value), "REQ-"):
			return false, p.faultIn(src, &requirement.Error{
				Code:    requirement.CodeInvalid,
				Message: fmt.Sprintf("%q is no id of ours; leave the cell empty for a new requirement", value),
				Params:  map[string]string{"problem": "not_our_id", "value": value},
			})
		}
	}
	return false, nil
}

// faultIn is what is wrong with the column that a field comes from.
func (p *plan) faultIn(src source, err error) *fault {
	if refused, ok := errors.AsType[*requirement.Error](err); ok {
		err = errors.New(p.words(refused))
	}
	return &fault{column: p.columnOf(src), err: err}
}

// faultOf names the column that a refusal of the domain is about.
func (p *plan) faultOf(err error) *fault {
	f := &fault{err: err}
	refused, ok := errors.AsType[*requirement.Error](err)
	if !ok {
		return f
	}
	name := refused.Params["field"]
	for _, src := range p.mapping.sources {
		if src.field.name == name {
			return p.faultIn(src, refused)
		}
	}
	return f
}

// inEnglish is the domain's word on a field.
func inEnglish(refused *requirement.Error) string {
	return strings.TrimPrefix(refused.Message, refused.Params["field"]+": ")
}

// columnOf names the column that a field comes from, or the field itself.
func (p *plan) columnOf(s source) string {
	if s.column != nil {
		return s.column.value
	}
	for _, piece := range s.template {
		if piece.column != nil {
			return piece.column.value
		}
	}
	return s.field.name
}

// value is what the field is in this row.
func (p *plan) value(s source, r Row) (string, error) {
	var value string
	switch {
	case s.constant != nil:
		value = *s.constant
	case s.column != nil:
		cell, err := p.cell(*s.column, r)
		if err != nil {
			return "", err
		}
		value = cell
	default:
		some := false
		var b strings.Builder
		for _, piece := range s.template {
			if piece.column == nil {
				b.WriteString(piece.literal)
				continue
			}
			cell, err := p.cell(*piece.column, r)
			if err != nil {
				return "", err
			}
			some = some || cell != ""
			b.WriteString(cell)
		}
		// Without any of its columns a template says nothing.
		if some || !hasColumn(s.template) {
			value = strings.TrimSpace(b.String())
		}
	}
	if value == "" {
		return s.fallback, nil
	}
	if s.values == nil {
		return value, nil
	}
	if meant, ok := s.values[value]; ok {
		return meant, nil
	}
	if s.otherwise != nil {
		return *s.otherwise, nil
	}
	return "", fmt.Errorf("%q is not among the values of the mapping", value)
}

func hasColumn(template []piece) bool {
	return slices.ContainsFunc(template, func(p piece) bool { return p.column != nil })
}

func (p *plan) cell(column text, r Row) (string, error) {
	at := p.at[column.value]
	if err := r.bad[at]; err != nil {
		return "", err
	}
	cell := strings.TrimSpace(r.Cells[at])
	if !readableText(cell) {
		return "", errors.New("it has bytes that are no text in this encoding; save the file as UTF-8")
	}
	if slices.Contains(p.mapping.empty, cell) {
		return "", nil
	}
	return cell, nil
}

// firstWords is a title for a record that has only contents.
func firstWords(description string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(description), "\n")
	const most = 60
	if utf8.RuneCountInString(line) <= most {
		return strings.TrimSpace(line)
	}
	return string([]rune(line)[:most]) + "…"
}

// Key is what an intake without a reference is known by: its contents. The same
// row, imported again, is the same requirement.
func Key(s requirement.Submission) string {
	if s.Ref != "" {
		return ""
	}
	contents, err := json.Marshal(s)
	if err != nil {
		// A submission is plain data.
		panic("closeloop: a submission cannot be encoded: " + err.Error())
	}
	sum := sha256.Sum256(contents)
	return "import:" + hex.EncodeToString(sum[:16])
}
