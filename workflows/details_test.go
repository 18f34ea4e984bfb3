package workflows

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/locale"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// The Web UI calls things as the command line does in Chinese.
func TestDetailsUseTheWordsOfTheCatalogue(t *testing.T) {
	t.Parallel()
	words := locale.For(locale.Chinese)
	for _, stage := range requirement.Stages {
		require.Equal(t, words.Name("stage", string(stage)), stageName(stage), stage)
	}
	for _, c := range policy.Default().Clocks {
		require.Equal(t, words.Name("clock", string(c.Name)), clockName(c.Name), c.Name)
	}
	for _, state := range []sla.State{sla.Running, sla.Paused, sla.Met, sla.Breached, sla.Stopped} {
		require.Equal(t, words.Name("clock_state", string(state)), strings.Trim(clockStateName(state), "*"), state)
	}
}
