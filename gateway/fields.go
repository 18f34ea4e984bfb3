package gateway

import (
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"closeloop/locale"
	"closeloop/requirement"
)

// field is what the description of the API says about a field that people send.
type field struct {
	about   string
	example any
	// most is the longest text, in characters; for numbers, the largest.
	most int
	// allowed are the values there are, where they are the same under every policy.
	allowed []string
}

// fields are those of the intake and of all acts. The same name means the same
// in each of them.
var fields = map[string]field{
	"title":         {"What is asked for, in one line", "Report export times out", requirement.MaxTitle, nil},
	"description":   {"What is asked for, in full", "Every export of more than 10,000 rows fails", requirement.MaxText, nil},
	"customer":      {"Who asks", "Acme Robotics", requirement.MaxName, nil},
	"contact":       {"The customer's e-mail address", "dana@acme.example", 0, nil},
	"background":    {"The customer's industry, role and size", "", requirement.MaxText, nil},
	"scenario":      {"When it is needed (需求场景)", "", requirement.MaxText, nil},
	"outcome":       {"What is hoped for (期望目标)", "", requirement.MaxText, nil},
	"pain":          {"What hurts now (当前痛点)", "", requirement.MaxText, nil},
	"ref":           {"The external reference SYSTEM:ID", "jira:OPS-17", requirement.MaxName, nil},
	"attachments":   {"Links", nil, 0, nil},
	"language":      {"The language in which the customer is written to", "en", 0, locale.Languages},
	"on_hold":       {"Why it waits for the customer from the start; no clock runs before it is resumed", "", requirement.MaxTitle, nil},
	"type":          {"One of the policy's types", "fault", requirement.MaxName, nil},
	"channel":       {"One of the policy's channels", "email", requirement.MaxName, nil},
	"priority":      {"How much it matters to us", "high", 0, requirement.Priorities},
	"urgency":       {"How soon the customer needs it", "urgent", 0, requirement.Urgencies},
	"tier":          {"The customer's tier", "P1", 0, requirement.Tiers},
	"department":    {"The id of a department of the policy", "technology", requirement.MaxName, nil},
	"need_approval": {"Demands a review even where no rule does", nil, 0, nil},
	"to":            {"The id of a person of the policy", "wu.lei", requirement.MaxName, nil},
	"into":          {"The id of the requirement that lives on", "REQ-7K2M9QXA", requirement.MaxName, nil},
	"reason":        {"Why", "The description is not enough to find it", requirement.MaxText, nil},
	"message":       {"What is said", "A fix follows today", requirement.MaxText, nil},
	"comment":       {"A remark", "in line with the list", requirement.MaxText, nil},
	"method":        {"How the customer was reached", "phone", 0, requirement.Methods},
	"options":       {"The ways out that the customer is offered, two or three", nil, 0, nil},
	"steps":         {"The steps, in their order", nil, 0, nil},
	"what":          {"What is to be done", "Add an index", requirement.MaxTitle, nil},
	"owner":         {"The id of the person who does it", "wu.lei", requirement.MaxName, nil},
	"due":           {"Until when", "2026-11-24T09:00:00Z", 0, nil},
	"done_steps":    {"Numbers of steps of the plan that are done, from 1", nil, 0, nil},
	"for":           {"Whom it waits for: one of the policy's kinds of holds, the customer when empty", "customer", requirement.MaxName, nil},
	"solution":      {"What solved it", "Index added: 100,000 rows in 4 s", requirement.MaxText, nil},
	"root_cause":    {"Why it had happened", "", requirement.MaxText, nil},
	"rating":        {"The customer's satisfaction, 1 to 5", 5, 5, nil},
}

// bodyOf describes a body whose type is one of the domain's: with what [fields]
// says of its fields, and without those that the gateway fills in.
func bodyOf[T any](api huma.API, required []string, without ...string) *huma.RequestBody {
	all := api.OpenAPI().Components.Schemas
	ref := all.Schema(reflect.TypeFor[T](), true, "")
	schema := all.SchemaFromRef(ref.Ref)
	for _, name := range without {
		delete(schema.Properties, name)
	}
	schema.Required = slices.DeleteFunc(schema.Required, func(name string) bool {
		return slices.Contains(without, name) || required != nil && !slices.Contains(required, name)
	})
	explain(all, schema)
	return &huma.RequestBody{
		Required: len(schema.Required) > 0,
		Content:  map[string]*huma.MediaType{"application/json": {Schema: ref, Example: exampleOf(all, schema)}},
	}
}

// explain adds to a schema what [fields] says, and to those of the lists in it.
func explain(all huma.Registry, schema *huma.Schema) {
	for name, s := range schema.Properties {
		f, ok := fields[name]
		if !ok {
			panic("closeloop: nothing is said about the field " + name)
		}
		s.Description = f.about
		if f.example != nil && f.example != "" {
			s.Examples = []any{f.example}
		}
		switch {
		case f.most > 0 && s.Type == huma.TypeString:
			s.MaxLength = &f.most
		case f.most > 0:
			least, most := 1.0, float64(f.most)
			s.Minimum, s.Maximum = &least, &most
		}
		for _, value := range f.allowed {
			s.Enum = append(s.Enum, value)
		}
		if s.Type == huma.TypeArray {
			// A list that is missing is empty; null is for what has no fields.
			s.Nullable = false
			if strings.HasPrefix(s.Items.Ref, "#") {
				explain(all, all.SchemaFromRef(s.Items.Ref))
			}
		}
	}
	schema.PrecomputeMessages()
	for name, s := range schema.Properties {
		if len(s.Enum) > 0 && !slices.Contains(schema.Required, name) {
			// Programs with types send what they leave out as an empty text. It is no
			// choice, so it was not among those that the messages name.
			s.Enum = append(s.Enum, "")
		}
	}
}

// exampleOf is a body with all fields for which there is an example.
func exampleOf(all huma.Registry, schema *huma.Schema) map[string]any {
	body := map[string]any{}
	for name, s := range schema.Properties {
		switch {
		case len(s.Examples) > 0:
			body[name] = s.Examples[0]
		case s.Type == huma.TypeArray && s.Items.Ref != "":
			body[name] = []any{exampleOf(all, all.SchemaFromRef(s.Items.Ref))}
		}
	}
	return body
}
