package policy

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"closeloop/sla"
)

//go:embed policy.schema.json
var schemaText []byte

// Schema returns the JSON Schema of policy files, for editors. Its formats are
// known to this package only; what they check, editors leave unchecked.
func Schema() []byte { return bytes.Clone(schemaText) }

const schemaURL = "urn:closeloop:policy"

// compiled returns the schema ready for use, and its text as a value.
var compiled = sync.OnceValues(func() (*jsonschema.Schema, any) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText))
	if err != nil {
		panic("closeloop: policy.schema.json: " + err.Error())
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for name, check := range formats {
		c.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(v any) error {
			switch v := v.(type) {
			case string:
				return check(v)
			case json.Number:
				return check(v.String())
			case []any:
				text, err := json.Marshal(v)
				if err != nil {
					return err
				}
				return check(string(text))
			case map[string]any:
				// What is checked are the names of its fields.
				for name := range v {
					if err := check(name); err != nil {
						return err
					}
				}
				return nil
			default:
				// Its type is wrong, which is told already.
				return nil
			}
		}})
	}
	if err := c.AddResource(schemaURL, doc); err != nil {
		panic("closeloop: policy.schema.json: " + err.Error())
	}
	return c.MustCompile(schemaURL), doc
})

// formats are the notations of a policy. Each uses the very function that reads
// the value later, so that the two never disagree.
var formats = map[string]func(string) error{
	"closeloop-identifier": identifier,
	"closeloop-duration":   func(s string) error { _, err := length(s); return err },
	"closeloop-positive-duration": func(s string) error {
		d, err := length(s)
		if err == nil && d.WorkingDays == 0 && d.Time < sla.Tick {
			err = fmt.Errorf("%q is no time at all; write at least %s", s, sla.Exactly(sla.Tick))
		}
		return err
	},
	"closeloop-mark":   func(s string) error { _, err := mark(s); return err },
	"closeloop-quorum": func(s string) error { var n Need; return n.UnmarshalText([]byte(s)) },
	"closeloop-instant": func(s string) error {
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			return fmt.Errorf("%q is not a point in time; write it like 2026-10-01T00:00:00+08:00", s)
		}
		return nil
	},
	"closeloop-date":        func(s string) error { _, err := sla.ParseDate(s); return err },
	"closeloop-day":         func(s string) error { _, err := sla.ParseDay(s); return err },
	"closeloop-day-of-year": func(s string) error { _, err := sla.ParseYearDay(s); return err },
	"closeloop-window":      func(s string) error { var w sla.Window; return w.UnmarshalJSON([]byte(s)) },
	"closeloop-email": func(s string) error {
		if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
			return fmt.Errorf("%q is not a plain e-mail address like li@example.com", s)
		}
		return nil
	},
	"closeloop-template": func(s string) error { _, err := ParseTemplate(s); return err },
	"closeloop-webhook":  webhookURL,
}

// plainText are the formats of values that are texts to the decoder whatever they
// say.
var plainText = []string{"closeloop-identifier", "closeloop-email", "closeloop-template", "closeloop-webhook"}

var identifierText = regexp.MustCompile(`^[a-z][a-z0-9._-]{0,63}$`)

// ValidName returns what is wrong with the name of something in a policy, such as
// a calendar or a set of holidays.
func ValidName(name string) error { return identifier(name) }

func identifier(s string) error {
	if !identifierText.MatchString(s) {
		return fmt.Errorf("%q is not a name: write up to 64 lower-case letters, digits, dots, hyphens and underscores, beginning with a letter", s)
	}
	return nil
}

// longest keeps arithmetic on marks and repetitions far from overflow.
const (
	longest     = 10 * 366 * 24 * time.Hour
	longestDays = 10 * 366
)

func length(s string) (sla.Duration, error) {
	d, err := sla.ParseDuration(s)
	switch {
	case err != nil:
		return d, err
	case d.Negative():
		return d, fmt.Errorf("%q counts backwards; write a length from zero", s)
	case d.Time > longest || d.WorkingDays > longestDays:
		return d, fmt.Errorf("%q is longer than ten years", s)
	}
	return d, nil
}

func mark(s string) (sla.Mark, error) {
	m, err := sla.ParseMark(s)
	switch {
	case err != nil:
		return m, err
	case m == sla.Deadline:
		return m, errors.New("100% is the deadline itself, which every clock has; leave it out")
	case m.Percent > 1000 || m.Offset.Time > longest || m.Offset.Time < -longest || m.Offset.WorkingDays > longestDays || m.Offset.WorkingDays < -longestDays:
		return m, fmt.Errorf("%q lies too far off; write at most 1000%% or ten years", s)
	}
	return m, nil
}

// finding is something the schema does not allow.
type finding struct {
	location []string
	// key is set when the name of the field is meant and not its value.
	key     bool
	message string
	// missing is a required field that is not there.
	missing string
	// unreadable values cannot be decoded, or are not there.
	unreadable bool
}

// againstSchema returns everything in the document that the schema does not
// allow.
func againstSchema(doc any) []finding {
	schema, text := compiled()
	err := schema.Validate(doc)
	if err == nil {
		return nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return []finding{{message: err.Error(), unreadable: true}}
	}
	var found []finding
	var collect func(e *jsonschema.ValidationError)
	collect = func(e *jsonschema.ValidationError) {
		for _, cause := range e.Causes {
			collect(cause)
		}
		if len(e.Causes) == 0 {
			found = append(found, explain(e, text)...)
		}
	}
	collect(invalid)
	return found
}

// misnamed are the fields whose names are not in the notation.
func misnamed(location []string, fields map[string]any, check func(string) error) []finding {
	var found []finding
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if err := check(name); err != nil {
			found = append(found, finding{
				location: append(slices.Clone(location), name), key: true, message: err.Error(), unreadable: true,
			})
		}
	}
	return found
}

// explain puts what the schema says into words for the author of a policy.
func explain(e *jsonschema.ValidationError, schema any) []finding {
	f := finding{location: e.InstanceLocation}
	switch k := e.ErrorKind.(type) {
	case *kind.Type:
		f.unreadable = true
		f.message = wrongType(k, subschema(schema, e.SchemaURL))
	case *kind.AdditionalProperties:
		properties, _ := subschema(schema, e.SchemaURL)["properties"].(map[string]any)
		allowed := slices.Sorted(maps.Keys(properties))
		var found []finding
		for _, name := range k.Properties {
			found = append(found, finding{
				location: append(slices.Clone(e.InstanceLocation), name), key: true,
				message: fmt.Sprintf("unknown field %q%s", name, instead(name, allowed)),
			})
		}
		return found
	case *kind.Required:
		var found []finding
		for _, name := range k.Missing {
			found = append(found, finding{
				location: e.InstanceLocation, missing: name, unreadable: true,
				message: fmt.Sprintf("the field %q is missing", name),
			})
		}
		return found
	case *kind.Enum:
		var allowed []string
		for _, v := range k.Want {
			allowed = append(allowed, fmt.Sprint(v))
		}
		got := fmt.Sprint(k.Got)
		f.message = fmt.Sprintf("unknown value %q%s", got, instead(got, allowed))
	case *kind.Format:
		if fields, ok := k.Got.(map[string]any); ok {
			return misnamed(e.InstanceLocation, fields, formats[k.Want])
		}
		f.unreadable = !slices.Contains(plainText, k.Want)
		f.message = k.Err.Error()
	case *kind.Minimum:
		f.message = fmt.Sprintf("%s is too small; write at least %s", k.Got.RatString(), k.Want.RatString())
	case *kind.Maximum:
		f.unreadable = true
		f.message = fmt.Sprintf("%s is too large; write at most %s", shortened(k.Got.RatString()), k.Want.RatString())
	case *kind.MinItems:
		f.message = "the list is empty; name at least one"
	case *kind.MaxItems:
		f.message = fmt.Sprintf("the list has %d entries; at most %d", k.Got, k.Want)
	case *kind.MinLength:
		f.message = "the text is empty"
	case *kind.MaxLength:
		f.message = fmt.Sprintf("the text has %d characters; at most %d", k.Got, k.Want)
	default:
		// The schema uses no other keyword; should it one day, nothing is lost.
		f.message = fmt.Sprintf("not allowed by %s", strings.Join(e.ErrorKind.KeywordPath(), "/"))
	}
	return []finding{f}
}

func shortened(number string) string {
	if len(number) > 20 {
		return number[:20] + "…"
	}
	return number
}

// kinds are the types of values as a policy's author calls them.
var kinds = map[string]string{
	"string": "text", "integer": "a whole number", "number": "a number",
	"boolean": "true or false", "object": "fields with values", "array": "a list", "null": "nothing",
}

// wrongType says what kind of value is needed, with the examples of its schema.
func wrongType(k *kind.Type, schema map[string]any) string {
	var want []string
	for _, t := range k.Want {
		want = append(want, kinds[t])
	}
	text := fmt.Sprintf("this is %s; write %s", kinds[k.Got], strings.Join(want, " or "))
	examples, _ := schema["examples"].([]any)
	switch {
	case k.Got == "null":
		text += ", or leave the field out"
	case len(examples) > 0:
		text += fmt.Sprintf(" such as %v", examples[0])
	case slices.Equal(k.Want, []string{"string"}) && (k.Got == "number" || k.Got == "boolean"):
		text += ": put it in quotes"
	}
	return text
}

// subschema returns the part of the schema at the address.
func subschema(schema any, address string) map[string]any {
	_, fragment, _ := strings.Cut(address, "#")
	if decoded, err := url.PathUnescape(fragment); err == nil {
		fragment = decoded
	}
	part, _ := schema.(map[string]any)
	for _, token := range strings.Split(strings.Trim(fragment, "/"), "/") {
		if token != "" {
			part, _ = part[token].(map[string]any)
		}
	}
	return part
}
