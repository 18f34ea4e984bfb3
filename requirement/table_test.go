package requirement_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/requirement"
)

func TestTableHasEveryStageAndNamesEachActOnce(t *testing.T) {
	t.Parallel()
	var names []requirement.Name
	for _, rule := range requirement.Table {
		require.NotContains(t, names, rule.Act)
		names = append(names, rule.Act)
		require.NotEmpty(t, rule.About)
		for _, s := range append(slices.Clone(rule.In), rule.To...) {
			require.Contains(t, requirement.Stages, s)
		}
	}
	diagram := requirement.Diagram()
	for _, s := range requirement.Stages {
		require.Contains(t, diagram, "--> "+string(s), "%s can be reached", s)
	}
	require.Equal(t, len(requirement.Stages)-6, strings.Count(diagram, "--> [*]"))
}
