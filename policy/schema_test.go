package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/sla"
)

// The schema is written by hand, for its descriptions and formats; this holds
// it to the types: the same fields everywhere, and kinds of values that can be
// decoded.
func TestSchemaAndTypesAgree(t *testing.T) {
	t.Parallel()
	var schema map[string]any
	require.NoError(t, json.Unmarshal(Schema(), &schema))
	defs := schema["$defs"].(map[string]any)

	resolve := func(s map[string]any) map[string]any {
		for {
			ref, ok := s["$ref"].(string)
			if !ok {
				return s
			}
			s = defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		}
	}
	var agree func(path string, typ reflect.Type, s map[string]any)
	agree = func(path string, typ reflect.Type, s map[string]any) {
		s = resolve(s)
		formats := map[reflect.Type][]string{
			reflect.TypeFor[sla.Duration](): {"closeloop-duration", "closeloop-positive-duration"},
			reflect.TypeFor[sla.Mark]():     {"closeloop-mark"},
			reflect.TypeFor[Need]():         {"closeloop-quorum"},
			reflect.TypeFor[time.Time]():    {"closeloop-instant"},
			reflect.TypeFor[sla.Day]():      {"closeloop-day"},
			reflect.TypeFor[sla.YearDay]():  {"closeloop-day-of-year"},
			reflect.TypeFor[sla.Window]():   {"closeloop-window"},
		}
		if want, ok := formats[typ]; ok {
			require.Contains(t, want, s["format"], path)
			return
		}
		switch typ {
		case reflect.TypeFor[Holds]():
			require.Equal(t, []any{"boolean", "array"}, s["type"], path)
			agree(path+"[]", typ.Elem(), s["items"].(map[string]any))
			return
		case reflect.TypeFor[[]sla.DatedWindows]():
			// A list by date in Go, an object by date in the file.
			require.Equal(t, "object", s["type"], path)
			require.Equal(t, "closeloop-date", s["format"], path)
			agree(path+"{}", reflect.TypeFor[[]sla.Window](), s["additionalProperties"].(map[string]any))
			return
		case reflect.TypeFor[FieldSources]():
			// A list in Go, an object by field in the file.
			require.Equal(t, "object", s["type"], path)
			require.Equal(t, false, s["additionalProperties"], path)
			properties := s["properties"].(map[string]any)
			require.ElementsMatch(t, SourcedFields, slices.Collect(maps.Keys(properties)), path)
			for name, property := range properties {
				agree(path+"."+name, typ.Elem(), property.(map[string]any))
			}
			return
		case reflect.TypeFor[FieldSource]():
			// Short for its column when it is a text.
			require.Equal(t, []any{"string", "object"}, s["type"], path)
			s = maps.Clone(s)
			s["type"] = "object"
		}
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		switch typ.Kind() {
		case reflect.Map:
			require.Equal(t, "object", s["type"], path)
			agree(path+"{}", typ.Elem(), s["additionalProperties"].(map[string]any))
		case reflect.Struct:
			require.Equal(t, "object", s["type"], path)
			require.Equal(t, false, s["additionalProperties"], path)
			properties := s["properties"].(map[string]any)
			var fields []string
			for _, f := range reflect.VisibleFields(typ) {
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				if f.Type == reflect.TypeFor[[]sla.DatedWindows]() {
					name = strings.ToLower(f.Name)
				}
				if f.Anonymous || !f.IsExported() || f.Tag.Get("yaml") == "-" || name == "-" {
					continue
				}
				fields = append(fields, name)
				property, ok := properties[name].(map[string]any)
				require.True(t, ok, "the schema lacks %s.%s", path, name)
				agree(path+"."+name, f.Type, property)
			}
			for name := range properties {
				require.Contains(t, fields, name, "no type has %s.%s", path, name)
			}
			required, _ := s["required"].([]any)
			for _, name := range required {
				require.Contains(t, fields, name, "%s requires what it does not have", path)
			}
		case reflect.Slice:
			require.Equal(t, "array", s["type"], path)
			agree(path+"[]", typ.Elem(), s["items"].(map[string]any))
		case reflect.String:
			require.Equal(t, "string", s["type"], path)
		case reflect.Bool:
			require.Equal(t, "boolean", s["type"], path)
		case reflect.Int:
			require.Equal(t, "integer", s["type"], path)
			require.Contains(t, s, "maximum", "%s has to fit into an int", path)
		default:
			require.Fail(t, "unexpected type", "%s: %s", path, typ)
		}
	}
	agree("$", reflect.TypeFor[Policy](), schema)

	// Every format the schema names is one that is checked, and the other way.
	used := map[string]bool{}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if f, ok := v["format"].(string); ok {
				used[f] = true
			}
			for _, w := range v {
				walk(w)
			}
		case []any:
			for _, w := range v {
				walk(w)
			}
		}
	}
	walk(schema)
	for name := range used {
		require.Contains(t, formats, name)
	}
	require.Len(t, used, len(formats))
}

func TestSchemaAndVocabularyAgree(t *testing.T) {
	t.Parallel()
	var schema any
	require.NoError(t, json.Unmarshal(Schema(), &schema))
	texts := func(list any) []string {
		var out []string
		v := reflect.ValueOf(list)
		for i := range v.Len() {
			out = append(out, fmt.Sprint(v.Index(i).Interface()))
		}
		return out
	}
	for place, want := range map[string][]string{
		"#/$defs/priority":                         Priorities,
		"#/$defs/urgency":                          Urgencies,
		"#/$defs/tier":                             Tiers,
		"#/$defs/language":                         Languages,
		"#/$defs/clock_name":                       texts(sla.Names),
		"#/$defs/clock/properties/runs_in/items":   Stages,
		"#/$defs/clock/properties/on_reopen":       texts(Reopenings),
		"#/$defs/approval/properties/on_timeout":   texts(Timeouts),
		"#/$defs/route/properties/pick":            texts(Picks),
		"#/$defs/notice/properties/event":          Events,
		"#/$defs/person/properties/channels/items": Channels,
		"#/$defs/upstream/properties/kind":         texts(UpstreamKinds),
		"#/$defs/reactions/properties/commented":   texts(ReactionsTo["commented"]),
		"#/$defs/reactions/properties/reopened":    texts(ReactionsTo["reopened"]),
		"#/$defs/reactions/properties/closed":      texts(ReactionsTo["closed"]),
		"#/$defs/reactions/properties/deleted":     texts(ReactionsTo["deleted"]),
		"#/$defs/reactions/properties/updated":     texts(ReactionsTo["updated"]),

		"#/$defs/write_back/properties/events/items": Events,
		"#/properties/unknown_people":                texts(Standings),
	} {
		got := subschema(schema, place)["enum"]
		require.NotNil(t, got, place)
		require.Equal(t, want, texts(got), place)
	}
}

func TestSchemaCannotBeChangedByItsReaders(t *testing.T) {
	t.Parallel()
	before := slices.Clone(schemaText)
	Schema()[0] = 'x'
	DefaultYAML()[0] = 'x'
	require.Equal(t, before, Schema())
	require.Equal(t, byte('#'), DefaultYAML()[0])
}
