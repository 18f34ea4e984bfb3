package ledger_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/access"
	"closeloop/ledger"
	"closeloop/requirement"
)

// TestReadersSeeWhatTheyReach compares what SQL gives somebody with what the
// role table says, for every kind of reader and requirement.
func TestReadersSeeWhatTheyReach(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	// A life with voters, one who passed a vote on, owners, a tracker and a call.
	for _, transition := range life(t, "REQ-LIFE") {
		_, err := l.Write(t.Context(), transition, nil)
		require.NoError(t, err)
	}
	for id, acts := range map[string][]requirement.Act{
		"REQ-NEW":  nil,
		"REQ-TECH": {requirement.Triage{Header: as("zhou"), Department: "technology"}},
		"REQ-LI":   {requirement.Triage{Header: as("qian"), Department: "operations"}, requirement.Assign{Header: as("qian"), To: "li"}},
	} {
		r := submit(t, id, func(s *requirement.Submission) { s.Ref = "jira:" + id })
		do(t, r, time.Minute, acts...)
		write(t, l, r)
	}
	other := submit(t, "REQ-JIRA2", func(s *requirement.Submission) { s.Ref = "jira2:7" })
	write(t, l, other)
	ids := []string{"REQ-LIFE", "REQ-NEW", "REQ-TECH", "REQ-LI", "REQ-JIRA2"}

	person := func(id, department string, roles ...access.Role) access.Principal {
		return access.Principal{ID: id, Person: id, Department: department, Roles: roles}
	}
	seen := map[string]bool{}
	for name, p := range map[string]access.Principal{
		"an operator":                    person("zhou", "", access.Operator),
		"an agent":                       person("nobody", "technology", access.Agent),
		"an agent who owns":              person("li", "technology", access.Agent),
		"an agent of no department":      person("nobody", "", access.Agent),
		"an agent who votes":             person("ma", "operations", access.Agent, access.Approver),
		"a voter":                        person("ma", "", access.Approver),
		"a voter of the first round":     person("qian", "", access.Approver),
		"who passed a vote on":           person("wang", "", access.Approver),
		"who was called":                 person("li", "", access.Approver),
		"who tracks":                     person("zhou", "", access.Approver),
		"an approver nobody asked":       person("nobody", "", access.Approver),
		"an auditor":                     access.Reader("audit", ""),
		"an upstream system":             access.System("jira", ""),
		"an upstream system like it":     access.System("jir", ""),
		"an upstream system of no name":  access.System("", ""),
		"a person of no name":            person("", "", access.Agent, access.Approver),
		"a token that may not read":      {ID: "x", Roles: []access.Role{access.Operator}, Scopes: []access.Scope{access.ScopeSubmit}},
		"nobody at all":                  {},
		"a system with an odd character": access.System("jira\x00", ""),
	} {
		var want []string
		for _, id := range ids {
			target, err := l.Target(t.Context(), id)
			require.NoError(t, err)
			if access.Allow(p, access.Read, target) {
				want = append(want, id)
			}
		}
		page, err := l.List(t.Context(), ledger.Filter{Reader: &p, Count: true})
		require.NoError(t, err, name)
		var got []string
		for _, row := range page.Rows {
			got = append(got, row.ID)
		}
		require.ElementsMatch(t, want, got, name)
		require.Len(t, want, *page.Total, name)

		h, err := l.Horizon(t.Context())
		require.NoError(t, err)
		told, err := l.Feed(t.Context(), ledger.FeedFilter{Until: h.Last, Reader: p})
		require.NoError(t, err, name)
		var fed []string
		for _, e := range told {
			if !slices.Contains(fed, e.ID) {
				fed = append(fed, e.ID)
			}
		}
		require.ElementsMatch(t, want, fed, name)
		seen[string(rune('0'+len(want)))] = true
	}
	require.Greater(t, len(seen), 3, "readers differ")

	target, err := l.Target(t.Context(), "REQ-LIFE")
	require.NoError(t, err)
	for _, voter := range []string{"wang", "qian", "ma"} {
		require.Contains(t, target.Voters, voter, "of an earlier round, too")
	}
	require.Contains(t, target.Called, "li")
	_, err = l.Target(t.Context(), "REQ-NONE")
	require.ErrorIs(t, err, ledger.ErrNotFound)
}
