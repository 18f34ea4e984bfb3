package requirement_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/requirement"
)

// TestRestateTellsTheStateAndNoFact: telling the state once more is no event, and
// what happens later does not reach it.
func TestRestateTellsTheStateAndNoFact(t *testing.T) {
	t.Parallel()
	s := tell(t)
	s.journal()
	told := s.Restate(requirement.Standing{Seq: 9, At: t0})
	require.Empty(t, told.Events)
	require.Equal(t, requirement.Standing{Seq: 9, At: t0}, *told.Instead)
	require.Equal(t, s.State, told.State)
	require.False(t, s.Pending())
	before := stateImage(t, told.State)
	s.Tick(after(100 * time.Hour))
	require.Equal(t, before, stateImage(t, told.State))
}
