package nexus_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"closeloop/contract"
	"closeloop/nexus"
	"closeloop/requirement"
)

// TestNothingOfTheProductIsImported keeps the package what it is for: a contract
// that others can import alone.
func TestNothingOfTheProductIsImported(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, i := range parsed.Imports {
			require.NotContains(t, i.Path.Value, "closeloop", file)
		}
	}
}

// TestOutcomeIsWhatTheWorkflowReturns: Temporal hands a workflow's result to who
// waits for it as it is, so the two must fit.
func TestOutcomeIsWhatTheWorkflowReturns(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	returned := contract.Outcome{
		ID: "REQ-7K2M9QXA", Stage: requirement.Archived, Ref: "crm:1", MergedInto: "REQ-00000000", Solution: "index",
		RootCause: "full scan", Reason: "too dear", Rating: 5, Comment: "fast", BySilence: true, Reopened: 2, CreatedAt: at, ClosedAt: at.Add(time.Hour),
	}
	want := nexus.Outcome{
		ID: "REQ-7K2M9QXA", Stage: nexus.Archived, Ref: "crm:1", MergedInto: "REQ-00000000", Solution: "index",
		RootCause: "full scan", Reason: "too dear", Rating: 5, Comment: "fast", BySilence: true, Reopened: 2, CreatedAt: at, ClosedAt: at.Add(time.Hour),
	}
	fields := func(value any) map[string]any {
		text, err := json.Marshal(value)
		require.NoError(t, err)
		var fields map[string]any
		require.NoError(t, json.Unmarshal(text, &fields))
		return fields
	}
	got := fields(returned)
	// Whether the run had anything to do is between the workflow and the audit.
	delete(got, "created")
	require.Equal(t, fields(want), got)
}

func TestRequirementsEndInTheStagesNamed(t *testing.T) {
	t.Parallel()
	require.Equal(t,
		[]requirement.Stage{nexus.Archived, nexus.Rejected, nexus.Withdrawn, nexus.Merged},
		[]requirement.Stage{requirement.Archived, requirement.Rejected, requirement.Withdrawn, requirement.Merged})
}

// TestSubmissionHasWhatARequirementTakes: a field that the intake learns must not
// be forgotten here.
func TestSubmissionHasWhatARequirementTakes(t *testing.T) {
	t.Parallel()
	strict := func(from map[string]any, into any) error {
		text, err := json.Marshal(from)
		require.NoError(t, err)
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		return d.Decode(into)
	}
	for _, field := range []string{
		"title", "description", "customer", "contact", "background", "scenario", "outcome", "pain", "type", "channel",
		"priority", "urgency", "tier", "ref", "language", "on_hold",
	} {
		require.NoError(t, strict(map[string]any{field: "x"}, new(nexus.Submission)), field)
		require.NoError(t, strict(map[string]any{field: "x"}, new(requirement.Submission)), field)
	}
}

func TestRefusalOf(t *testing.T) {
	t.Parallel()
	sent := func(err error) error {
		c := temporal.GetDefaultFailureConverter()
		return c.FailureToError(c.ErrorToFailure(err))
	}
	said := nexus.Refusal{Code: "invalid", Message: "title: it is missing", Params: map[string]string{"field": "title"}}
	wrapped := fmt.Errorf("operation: %w", sent(temporal.NewNonRetryableApplicationError("no", "invalid", nil, said)))
	got, ok := nexus.RefusalOf(wrapped)
	require.True(t, ok)
	require.Equal(t, &said, got)
	require.EqualError(t, got, "title: it is missing")
	for name, err := range map[string]error{
		"nothing":          nil,
		"another error":    errors.New("the disk is full"),
		"no details":       temporal.NewApplicationError("x", "y"),
		"other details":    sent(temporal.NewApplicationError("x", "y", 7)),
		"without any code": sent(temporal.NewApplicationError("x", "y", map[string]string{"message": "m"})),
	} {
		_, ok := nexus.RefusalOf(err)
		require.False(t, ok, name)
	}
}
