package requirement_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/policy"
	"closeloop/requirement"
)

// TestNobodyIsGivenAgainWhatTheyGaveBack: two people would hand it to each other
// for ever.
func TestNobodyIsGivenAgainWhatTheyGaveBack(t *testing.T) {
	t.Parallel()
	s := tell(t, func(p *policy.Policy, _ *requirement.Submission) { p.Routing[0].Pick = policy.PickRoundRobin })
	s.does(t0, requirement.Triage{Header: by("wang.fang")})
	require.Empty(t, s.Routing.Except)
	s.Route(t0, "li.na", "")
	s.does(t0, requirement.HandBack{Header: by("li.na"), Reason: "not mine"})
	require.Equal(t, []string{"li.na"}, s.Routing.Except)
	s.Route(t0, "chen.jing", "")
	s.does(t0, requirement.HandBack{Header: by("chen.jing"), Reason: "nor mine"})
	require.Equal(t, []string{"li.na", "chen.jing"}, s.Routing.Except)
	s.does(t0, requirement.Triage{Header: by("wang.fang"), Type: "fault"})
	require.Equal(t, []string{"li.na", "chen.jing"}, s.Routing.Except, "another triage does not forget them")
}
