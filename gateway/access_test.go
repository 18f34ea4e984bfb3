package gateway

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"closeloop/access"
	"closeloop/policy"
	"closeloop/requirement"
)

// walked reads the walk through the role table from docs/access.md, which is
// written by hand: for each operation and role the letters of the requirements
// that it may be done to.
func walked(t *testing.T) map[access.Operation]map[access.Role]string {
	t.Helper()
	text, err := os.ReadFile("../docs/access.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(text), "<!-- walk -->\n```text\n")
	require.True(t, ok)
	block, _, ok := strings.Cut(rest, "\n```")
	require.True(t, ok)
	lines := strings.Split(block, "\n")
	roles := strings.Fields(lines[0])
	walk := map[access.Operation]map[access.Role]string{}
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		require.Len(t, cells, len(roles)+1)
		walk[access.Operation(cells[0])] = map[access.Role]string{}
		for i, role := range roles {
			walk[access.Operation(cells[0])][access.Role(role)] = cells[i+1]
		}
	}
	return walk
}

// TestRoleTableOverHTTP walks the role table through from end to end: real API
// tokens, requirements of every kind in the ledger, every operation. The
// requirements have ended, so that what somebody may do changes nothing and is
// answered in one way.
func TestRoleTableOverHTTP(t *testing.T) {
	t.Parallel()
	walk := walked(t)
	s := newStack(t)
	rules := *s.config.Policy.Current()
	rules.People = append(slices.Clone(rules.People), policy.Person{ID: "guest", Department: "technology"})
	s.config.Policy = &rules
	s.tokens(newIdentity(t))
	operator := s.keep(access.Token{Person: "wang.fang"})

	conn, err := pgx.Connect(t.Context(), s.url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	change := func(query string, args ...any) {
		t.Helper()
		done, err := conn.Exec(t.Context(), query, args...)
		require.NoError(t, err)
		require.EqualValues(t, 1, done.RowsAffected())
	}
	// One requirement of each kind; who is meant by me is written into the ledger for
	// each who walks.
	ids, refs := map[rune]string{}, map[rune]string{}
	for _, kind := range "Ddotacsxn" {
		body := map[string]any{"title": "t", "customer": "Acme"}
		switch kind {
		case 's':
			refs[kind] = ref("jira")
		case 'x':
			refs[kind] = ref("jira2")
		case 'D', 'd':
			refs[kind] = ref("crm")
		}
		if refs[kind] != "" {
			body["ref"] = refs[kind]
		}
		id := s.post(operator, "/v1/requirements", body).is(http.StatusCreated).text("id")
		s.post(operator, "/v1/requirements/"+id+"/withdraw", map[string]any{"reason": "x"}).is(http.StatusOK)
		// Whatever the workflow writes later would undo the changes below, so it has to
		// be at its end.
		require.Eventually(t, func() bool {
			running, err := s.desk.Running(t.Context(), id)
			return err == nil && !running
		}, waitFor, tick)
		s.settled(id)
		ids[kind] = id
		department := "service"
		switch kind {
		case 'D':
			department = "technology"
		case 'n':
			department = ""
		}
		change(`UPDATE requirement SET department = $2, owner = 'other', tracker = '' WHERE id = $1`, id, department)
	}
	change(`UPDATE requirement SET owner = '' WHERE id = $1`, ids['n'])
	change(`INSERT INTO approval_round VALUES ($1, 1, 'approved', 1, 'x', now(), now(), '')`, ids['a'])
	change(`INSERT INTO approval_vote VALUES ($1, 1, 1, 'x', 'other', '{}', 'approve', now(), '')`, ids['a'])
	change(`INSERT INTO escalation VALUES ($1, 'response-1', 'response', 1, 'breach', 'ended', 1, 1, '{}', '', now(), now())`, ids['c'])

	type fields = map[string]any
	bodies := map[access.Operation]any{ // without one where no field is needed
		"decline": fields{"reason": "x"}, "delegate": fields{"to": "li.na"}, "assign": fields{"to": "li.na"}, "hand-back": fields{"reason": "x"},
		"respond": fields{"method": "phone", "message": "x"}, "plan": fields{"steps": []fields{{"what": "x", "due": "2099-01-01T00:00:00Z"}}},
		"progress": fields{"message": "x"}, "hold": fields{"reason": "x"}, "resolve": fields{"solution": "x"}, "dispute": fields{"reason": "x"},
		"amend": fields{"title": "x"}, "reprioritise": fields{"priority": "low", "reason": "x"}, "merge": fields{"into": "REQ-00000000"},
		"withdraw": fields{"reason": "x"}, "appeal": fields{"reason": "x"}, "comment": fields{"message": "x"},
	}
	for _, walker := range []struct {
		name  string
		token access.Token
		// roles that somebody has: every person is an approver too.
		roles []access.Role
	}{
		{"an operator", access.Token{Person: "wang.fang"}, []access.Role{access.Operator, access.Approver}},
		{"an agent", access.Token{Person: "zhang.wei"}, []access.Role{access.Agent, access.Approver}},
		{"somebody without a role", access.Token{Person: "guest"}, []access.Role{access.Approver}},
		{"a manager", access.Token{Person: "sun.li"}, []access.Role{access.Manager, access.Approver}},
		{"a system", access.Token{Upstream: "jira"}, []access.Role{access.Upstream}},
		{"an auditor", access.Token{Auditor: true}, []access.Role{access.Auditor}},
	} {
		me := walker.token.Person
		if me == "" {
			me = "nobody"
		}
		change(`UPDATE requirement SET owner = $2 WHERE id = $1`, ids['o'], me)
		change(`UPDATE requirement SET tracker = $2 WHERE id = $1`, ids['t'], me)
		change(`UPDATE approval_vote SET person = $2 WHERE requirement_id = $1`, ids['a'], me)
		change(`UPDATE escalation SET called = ARRAY[$2] WHERE requirement_id = $1`, ids['c'], me)
		token := s.keep(walker.token)
		t.Run(walker.name, func(t *testing.T) {
			may := func(operation access.Operation, kind rune) bool {
				return slices.ContainsFunc(walker.roles, func(r access.Role) bool { return strings.ContainsRune(walk[operation][r], kind) })
			}
			for operation := range walk {
				for kind, id := range ids {
					where := string(operation) + " " + string(kind)
					path := "/v1/requirements/" + id
					var got reply
					switch operation {
					case access.Read:
						got = s.get(token, path)
						if may(operation, kind) {
							require.Equal(t, http.StatusOK, got.status, where)
						} else {
							got.refused(http.StatusNotFound, "not_found")
						}
						continue
					case access.Submit:
						body := map[string]any{"title": "t", "customer": "Acme"}
						if refs[kind] != "" {
							body["ref"] = refs[kind]
						}
						got = s.post(token, "/v1/requirements", body)
						if may(operation, kind) {
							require.Contains(t, []int{http.StatusOK, http.StatusCreated}, got.status, where+got.body)
						} else {
							got.refused(http.StatusForbidden, "not_your_role")
						}
						continue
					case access.Acknowledge:
						got = s.post(token, path+"/escalations/response-1/acknowledge", nil)
					default:
						got = s.post(token, path+"/"+string(operation), bodies[operation])
					}
					switch {
					case may(operation, kind) && operation == access.Acknowledge:
						// Nothing climbs there. Who may acknowledge may read, and would be told that
						// they may not.
						require.True(t, may(access.Read, kind), where)
						require.Contains(t, []string{"over", "no_escalation", "not_found"}, got.text("code"), where+got.body)
					case may(operation, kind):
						require.Equal(t, "over", got.text("code"), where+got.body)
					case may(access.Read, kind):
						require.Equal(t, "not_your_role", got.text("code"), where+got.body)
						require.Equal(t, http.StatusForbidden, got.status, where)
					default:
						require.Equal(t, "not_found", got.text("code"), where+got.body)
						require.Equal(t, http.StatusNotFound, got.status, where)
					}
				}
			}
		})
	}
	require.Len(t, walk, len(requirement.Table)+3)
}
