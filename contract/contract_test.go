package contract_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"closeloop/contract"
	"closeloop/requirement"
)

func TestRequirementID(t *testing.T) {
	t.Parallel()
	id := contract.RequirementID("ref:jira:OPS-17", 0)
	require.Regexp(t, `^REQ-[0-9A-HJKMNP-TV-Z]{8}$`, id)
	require.Equal(t, id, contract.RequirementID("ref:jira:OPS-17", 0), "the same key has the same id")
	require.NotEqual(t, id, contract.RequirementID("ref:jira:OPS-17", 1))
	require.NotEqual(t, id, contract.RequirementID("ref:jira:OPS-18", 0))
	require.NotEqual(t, contract.RequirementID("1x", 1), contract.RequirementID("x", 11))

	seen := map[string]bool{}
	for n := range 100_000 {
		seen[contract.RequirementID(fmt.Sprint(n), 0)] = true
	}
	require.Len(t, seen, 100_000)
}

func TestNormalID(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"REQ-7K2M9QXA": "REQ-7K2M9QXA", "req-7k2m9qxa": "REQ-7K2M9QXA", " 7k2m9qxa ": "REQ-7K2M9QXA", "other": "OTHER",
	} {
		require.Equal(t, want, contract.NormalID(typed), typed)
	}
}

func TestRefusalCrossesTemporal(t *testing.T) {
	t.Parallel()
	refused := &requirement.Error{Code: requirement.CodeStage, Message: "not now", Hint: "later", Params: map[string]string{"stage": "received"}}
	err := contract.Refusal(fmt.Errorf("wrapped: %w", refused))
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.True(t, app.NonRetryable())
	require.Equal(t, "wrong_stage", app.Type())
	got, ok := contract.RefusalOf(fmt.Errorf("over the wire: %w", err))
	require.True(t, ok)
	require.Equal(t, refused, got)

	plain := errors.New("the disk is full")
	require.Equal(t, plain, contract.Refusal(plain))
	_, ok = contract.RefusalOf(plain)
	require.False(t, ok)
	_, ok = contract.RefusalOf(temporal.NewApplicationError("x", "y"))
	require.False(t, ok)
}
