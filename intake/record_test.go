package intake

import (
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/policy"
	"closeloop/requirement"
)

// Every field that a policy may name for upstream systems is one of ours.
func TestSourcedFieldsAreFields(t *testing.T) {
	t.Parallel()
	require.Subset(t, fieldNames(), policy.SourcedFields)
	for _, name := range []string{"ref", "submitted_by", "on_hold"} {
		require.NotContains(t, policy.SourcedFields, name, "it is not the system's to say")
	}
}

func TestRecords(t *testing.T) {
	t.Parallel()
	word := func(s string) *string { return &s }
	levels := map[string]string{"High": "high", "low": "low"}
	for name, tc := range map[string]struct {
		source policy.FieldSource
		cells  map[string]string
		want   requirement.Submission
	}{
		"a column":               {policy.FieldSource{Field: "title", Column: "a.b"}, map[string]string{"a.b": " Slow "}, requirement.Submission{Title: "Slow"}},
		"a column that is empty": {policy.FieldSource{Field: "title", Column: "a.b", Default: "none"}, nil, requirement.Submission{Title: "none"}},
		"a template":             {policy.FieldSource{Field: "title", Template: "{a}: {b}{{}}"}, map[string]string{"a": "x", "b": "y"}, requirement.Submission{Title: "x: y{}"}},
		"a template of nothing":  {policy.FieldSource{Field: "title", Template: "{a}: {b}", Default: "none"}, nil, requirement.Submission{Title: "none"}},
		"a constant":             {policy.FieldSource{Field: "channel", Constant: word("system")}, nil, requirement.Submission{Attributes: policy.Attributes{Channel: "system"}}},
		"a value":                {policy.FieldSource{Field: "priority", Column: "p", Values: levels}, map[string]string{"p": "High"}, requirement.Submission{Attributes: policy.Attributes{Priority: "high"}}},
		"in other letters":       {policy.FieldSource{Field: "priority", Column: "p", Values: levels}, map[string]string{"p": "HIGH"}, requirement.Submission{Attributes: policy.Attributes{Priority: "high"}}},
		"one of a list":          {policy.FieldSource{Field: "priority", Column: "p", Values: levels}, map[string]string{"p": "ui, low, High"}, requirement.Submission{Attributes: policy.Attributes{Priority: "low"}}},
		"none of the values":     {policy.FieldSource{Field: "priority", Column: "p", Values: levels}, map[string]string{"p": "odd"}, requirement.Submission{}},
		"otherwise":              {policy.FieldSource{Field: "priority", Column: "p", Values: levels, Otherwise: word("medium")}, map[string]string{"p": "odd"}, requirement.Submission{Attributes: policy.Attributes{Priority: "medium"}}},
		"a word of ours":         {policy.FieldSource{Field: "priority", Column: "p"}, map[string]string{"p": "高"}, requirement.Submission{Attributes: policy.Attributes{Priority: "high"}}},
		"what is no text":        {policy.FieldSource{Field: "title", Column: "a"}, map[string]string{"a": "sl\xffow\uFFFD"}, requirement.Submission{Title: "sl?ow?"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := FromSources(policy.FieldSources{tc.source}).Record(func(column string) string { return tc.cells[column] }, policy.Default().Process)
			require.Equal(t, tc.want, got)
		})
	}
}
