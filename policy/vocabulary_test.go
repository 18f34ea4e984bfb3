package policy_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/policy"
	"closeloop/requirement"
)

func TestStagesAreThoseOfTheDomain(t *testing.T) {
	t.Parallel()
	var stages []string
	for _, s := range requirement.Stages {
		stages = append(stages, string(s))
	}
	require.Equal(t, stages, policy.Stages)
}

func TestEventsAreThoseOfTheDomain(t *testing.T) {
	t.Parallel()
	// The domain has its kinds as constants only, so they are read from its text.
	file, err := parser.ParseFile(token.NewFileSet(), "../requirement/event.go", nil, 0)
	require.NoError(t, err)
	var kinds []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Kind" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			kinds = append(kinds, text)
		}
		return true
	})
	require.True(t, slices.Contains(kinds, string(requirement.Submitted)))
	parked := slices.Index(kinds, string(requirement.NoticeParked))
	require.ElementsMatch(t, slices.Delete(kinds, parked, parked+1), policy.Events)
}

func TestChoicesAreThoseOfTheDomain(t *testing.T) {
	t.Parallel()
	require.Equal(t, requirement.Priorities, policy.Priorities)
	require.Equal(t, requirement.Urgencies, policy.Urgencies)
	require.Equal(t, requirement.Tiers, policy.Tiers)
}

func TestDefaultPolicyTakesInARequirement(t *testing.T) {
	t.Parallel()
	p := policy.Default()
	s := requirement.Submission{Title: "登录太慢", Customer: "某公司"}
	require.NoError(t, s.Fill(p.Defaults).Valid(p.Process))
}
