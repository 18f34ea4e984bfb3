package policy

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"closeloop/sla"
)

//go:embed default.yaml
var defaultText []byte

// DefaultYAML returns the text of the policy that holds when none is given.
func DefaultYAML() []byte { return append([]byte(nil), defaultText...) }

// Default returns the policy that holds when none is given.
func Default() *Policy {
	p, err := Parse("default.yaml", defaultText)
	if err != nil {
		// It is part of the program and tested with it.
		panic("closeloop: " + err.Error())
	}
	return p
}

// Load reads the policy file at the path. The error is a [Problems] when the
// file was read and is wrong.
func Load(path string) (*Policy, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the policy cannot be read: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("the policy cannot be read: %w", err)
	}
	return Parse(path, data)
}

// Parse reads a policy. The name stands in errors as the file. It is strict:
// unknown and doubled fields are errors, and so is every reference to something
// that the file does not define. The error is a [Problems] with all that is
// wrong, not only the first; what is merely doubtful is in [Policy.Warnings].
func Parse(name string, data []byte) (*Policy, error) {
	var problems Problems
	wrong := func(line, column int, path, format string, args ...any) {
		problems = append(problems, Problem{File: name, Line: line, Column: column, Path: path, Message: fmt.Sprintf(format, args...)})
	}
	body := syntax(data, wrong)
	if body == nil {
		return nil, problems.sorted()
	}
	r := &reader{anchors: map[string]*node{}, lost: map[string]bool{}, wrong: wrong}
	root := r.read(body, "$", 0)
	if r.full {
		return nil, problems.sorted()
	}

	// Values that cannot be decoded are left out, so that the rest can still be
	// looked at. What is faulty gives no reason for further complaints.
	without, faulty := map[string]bool{}, map[string]bool{}
	for _, f := range againstSchema(root.plain(nil, "")) {
		at := root.find(f.location, f.key)
		if !r.lost[at.path] {
			wrong(at.line, at.column, at.path, "%s", f.message)
		}
		where := pointer(f.location)
		if f.missing != "" {
			where = pointer(append(slices.Clone(f.location), f.missing))
		}
		faulty[where] = true
		if f.unreadable {
			without[where] = true
		}
	}

	p := &Policy{}
	plain, err := json.Marshal(root.plain(without, ""))
	if err == nil {
		err = json.Unmarshal(plain, p)
	}
	if err != nil {
		wrong(root.line, root.column, "$", "it cannot be read: %v", err)
		return nil, problems.sorted()
	}
	p.complete()
	c := checker{p: p, root: root, file: name, faulty: faulty, absent: without}
	c.check()
	if problems = append(problems, c.problems...); len(problems) > 0 {
		return nil, problems.sorted()
	}
	p.warnings, p.uses = c.warnings.sorted(), c.uses
	p.Digest = p.Process.digest()
	return p, nil
}

// Warnings are what is allowed in the file that the policy was read from, but
// hardly meant: rules that are never reached, people who would be asked in
// vain. They are in the order of the file.
func (p *Policy) Warnings() []Problem { return p.warnings }

// complete writes out what the file may leave to be understood, so that rules
// that mean the same have the same digest.
func (p *Policy) complete() {
	if p.UnknownPeople == "" {
		p.UnknownPeople = RefuseUnknown
	}
	p.Approvals, p.Routing = written(p.Approvals), written(p.Routing)
	p.Chains, p.Notices = written(p.Chains), written(p.Notices)
	for i := range p.Clocks {
		if c := &p.Clocks[i]; c.Name == sla.Resolution && c.OnReopen == "" {
			c.OnReopen = NewCycle
		}
	}
	p.keepCalendars()
	for i := range p.Upstreams {
		p.Upstreams[i].complete()
	}
	for i := range p.Chains {
		c := &p.Chains[i]
		c.Rounds = max(1, c.Rounds)
		for j := range c.Levels {
			c.Levels[j].Times = max(1, c.Levels[j].Times)
		}
	}
}

// written returns an empty list in place of none.
func written[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// digestLength is the number of hexadecimal digits of a digest.
const digestLength = 12

// digest returns a short hash of the rules without the digest itself. People
// are no part of it: they come and go without the rules changing.
func (p Process) digest() string {
	p.Digest = ""
	canonical, err := json.Marshal(p)
	if err != nil {
		// Rules are plain data of this package.
		panic("closeloop: rules cannot be encoded: " + err.Error())
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])[:digestLength]
}

// syntax returns the one document of the file, or nil with what is wrong.
func syntax(data []byte, wrong func(line, column int, path, format string, args ...any)) ast.Node {
	if len(data) > maxBytes {
		wrong(1, 1, "$", "the file is larger than %d KiB; a policy needs far less", maxBytes>>10)
		return nil
	}
	if !utf8.Valid(data) {
		line, column := invalidAt(data)
		wrong(line, column, "$", "this is not UTF-8; save the file in that encoding")
		return nil
	}
	tokens := lexer.Tokenize(strings.TrimPrefix(string(data), "\ufeff"))
	if len(tokens) > maxTokens {
		at := tokens[maxTokens].Position
		wrong(at.Line, at.Column, "$", "more than %d words and signs; a policy needs far fewer", maxTokens)
		return nil
	}
	if at := tooDeep(tokens); at != nil {
		wrong(at.Line, at.Column, "$", "nested more than %d levels deep; a policy needs fewer than ten", maxDepth)
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		line, column, message := 1, 1, err.Error()
		var located yaml.Error
		if errors.As(err, &located) {
			message = located.GetMessage()
			if t := located.GetToken(); t != nil && t.Position != nil {
				line, column = t.Position.Line, t.Position.Column
			}
		}
		wrong(line, column, "$", "not YAML: %s", message)
		return nil
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			at := start(doc.Body)
			wrong(at.Line, at.Column, "$", "a second document begins here; a policy is one document")
			return nil
		}
		body = doc.Body
	}
	if body == nil {
		wrong(1, 1, "$", "the file is empty; begin with a copy of the default policy")
	}
	return body
}

// tooDeep returns where the nesting exceeds the bound. The parser recurses
// without one, so this has to be known beforehand; nesting by indentation alone
// is bounded by the size of the file.
func tooDeep(tokens token.Tokens) *token.Position {
	flow, run, line := 0, 0, 0
	for i, t := range tokens {
		if t.Position.Line != line {
			run, line = 0, t.Position.Line
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
			run++
		case token.MappingEndType, token.SequenceEndType:
			flow--
			run = 0
		case token.SequenceEntryType, token.MappingKeyType, token.AnchorType, token.AliasType, token.TagType:
			run++
		case token.MappingValueType, token.CommentType, token.CollectEntryType:
			// Between two openings these do not end a run.
		default:
			named := i > 0 && (tokens[i-1].Type == token.AnchorType || tokens[i-1].Type == token.AliasType)
			if !named {
				run = 0
			}
		}
		if flow > maxDepth || run > maxDepth {
			return t.Position
		}
	}
	return nil
}

// invalidAt returns the place of the first byte that is no UTF-8.
func invalidAt(data []byte) (line, column int) {
	line, column = 1, 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			return line, column
		}
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
		data = data[size:]
	}
	return line, column
}
