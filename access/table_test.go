package access_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/access"
	"closeloop/policy"
	"closeloop/requirement"
)

// targets are requirements of every kind, seen from somebody who is me, works in
// technology and speaks for jira; the letters are those of [walk].
var targets = []struct {
	letter string
	access.Target
}{
	{"D", access.Target{Department: "technology", Owner: "other", Ref: "crm:1"}},
	{"d", access.Target{Department: "operations", Owner: "other", Ref: "crm:1"}},
	{"o", access.Target{Department: "operations", Owner: "me"}},
	{"t", access.Target{Department: "operations", Owner: "other", Tracker: "me"}},
	{"a", access.Target{Department: "operations", Owner: "other", Voters: []string{"other", "me"}}},
	{"c", access.Target{Department: "operations", Owner: "other", Called: []string{"me"}}},
	{"s", access.Target{Department: "operations", Ref: "jira:OPS-1"}},
	{"x", access.Target{Department: "operations", Ref: "jira2:OPS-1"}},
	{"n", access.Target{}},
}

// walk is who may do what, written down by hand and not made from the table: a
// letter for each kind of requirement that somebody with this role alone may do
// it to, and a stroke where they may not.
const walk = `
              operator   agent      approver   manager    upstream   auditor
read          Ddotacsxn  D-o------  --otac---  Ddotacsxn  ------s--  Ddotacsxn
submit        Ddotacsxn  Ddotacsxn  ---------  Ddotacsxn  ------s--  ---------
triage        Ddotacsxn  ---------  ---------  Ddotacsxn  ---------  ---------
approve       ---------  ---------  ----a----  ---------  ---------  ---------
decline       ---------  ---------  ----a----  ---------  ---------  ---------
delegate      ---------  ---------  ----a----  ---------  ---------  ---------
assign        Ddotacsxn  D-o------  ---------  Ddotacsxn  ---------  ---------
accept        Ddotacsxn  --o------  --o------  --o------  ---------  ---------
hand-back     Ddotacsxn  --o------  --o------  Ddotacsxn  ---------  ---------
respond       Ddotacsxn  D-o------  ---------  Ddotacsxn  ---------  ---------
plan          Ddotacsxn  D-o------  ---------  Ddotacsxn  ---------  ---------
progress      Ddotacsxn  D-o------  ---------  Ddotacsxn  ---------  ---------
hold          Ddotacsxn  D-o------  ---------  Ddotacsxn  ---------  ---------
resume        Ddotacsxn  D-o------  ---------  Ddotacsxn  ------s--  ---------
resolve       Ddotacsxn  D-o------  ---------  Ddotacsxn  ---------  ---------
confirm       Ddotacsxn  ---------  ---------  ---------  ------s--  ---------
dispute       Ddotacsxn  ---------  ---------  ---------  ------s--  ---------
amend         Ddotacsxn  D-o------  ---------  Ddotacsxn  ------s--  ---------
reprioritise  Ddotacsxn  ---------  ---------  Ddotacsxn  ---------  ---------
merge         Ddotacsxn  ---------  ---------  Ddotacsxn  ---------  ---------
withdraw      Ddotacsxn  ---------  ---------  Ddotacsxn  ------s--  ---------
appeal        Ddotacsxn  ---------  ---------  Ddotacsxn  ------s--  ---------
comment       Ddotacsxn  D-o------  --otac---  Ddotacsxn  ------s--  ---------
acknowledge   Ddotacsxn  -----c---  -----c---  Ddotacsxn  ---------  ---------
`

// alone is somebody with one role and nothing else.
func alone(role access.Role) access.Principal {
	p := access.Principal{ID: "me", Roles: []access.Role{role}}
	switch role {
	case access.Upstream:
		p.System = "jira"
	case access.Auditor:
	default:
		p.Person, p.Department = "me", "technology"
	}
	return p
}

// TestTable walks the table through: every role, every operation, every kind of
// requirement.
func TestTable(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.Trim(walk, "\n"), "\n")
	var head []access.Role
	for _, role := range strings.Fields(lines[0]) {
		head = append(head, access.Role(role))
	}
	require.Equal(t, access.Roles, head)
	var walked []access.Operation
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		operation := access.Operation(cells[0])
		walked = append(walked, operation)
		for i, role := range access.Roles {
			t.Run(string(role)+"/"+cells[0], func(t *testing.T) {
				t.Parallel()
				may := ""
				for _, target := range targets {
					if access.Allow(alone(role), operation, target.Target) {
						may += target.letter
					} else {
						may += "-"
					}
				}
				require.Equal(t, cells[i+1], may)
			})
		}
	}
	var all []access.Operation
	for _, row := range access.Table {
		all = append(all, row.Operation)
	}
	require.Equal(t, all, walked, "every operation is walked through, in the order of the table")
}

// TestEveryActHasItsRow: an act that the domain knows can be asked for.
func TestEveryActHasItsRow(t *testing.T) {
	t.Parallel()
	rows := map[access.Operation]int{}
	for _, row := range access.Table {
		rows[row.Operation]++
	}
	for _, rule := range requirement.Table {
		require.Equal(t, 1, rows[access.Operation(rule.Act)], rule.Act)
		delete(rows, access.Operation(rule.Act))
	}
	require.Equal(t, map[access.Operation]int{access.Submit: 1, access.Read: 1, access.Acknowledge: 1}, rows)
}

// TestTheEdgeIsNoWiderThanTheProcess: who is let in with an act is somebody whom
// the process may let do it in some stage, so that no role is refused always.
func TestTheEdgeIsNoWiderThanTheProcess(t *testing.T) {
	t.Parallel()
	// The roles that the process knows somebody of each role by.
	inProcess := map[access.Role][]requirement.Role{
		access.Operator: {requirement.Operator},
		access.Agent:    {requirement.Agent},
		access.Approver: nil,
		access.Manager:  {requirement.Manager},
		access.Upstream: {requirement.Customer},
		access.Auditor:  nil,
	}
	// And those that the requirement gives them.
	byReach := map[access.Reach][]requirement.Role{
		access.Asked: {requirement.Voter}, access.Own: {requirement.Owner},
	}
	for _, rule := range requirement.Table {
		i := slices.IndexFunc(access.Table, func(r access.Row) bool { return r.Operation == access.Operation(rule.Act) })
		for j, role := range access.Roles {
			reach := access.Table[i].Reach[j]
			as := append(slices.Clone(inProcess[role]), byReach[reach]...)
			may := len(rule.Roles) == 0 || slices.ContainsFunc(as, func(r requirement.Role) bool { return slices.Contains(rule.Roles, r) })
			if reach != access.None {
				require.True(t, may, "%s is let in with %s, which the process never lets them do", role, rule.Act)
				continue
			}
			// What the process would allow, the edge refuses on purpose only here.
			require.True(t, !may || role == access.Auditor || rule.Act == requirement.ActComment,
				"%s may %s in the process, and is not let in with it", role, rule.Act)
		}
	}
}

func TestScopesNarrow(t *testing.T) {
	t.Parallel()
	own := access.Target{Department: "technology", Owner: "me", Ref: "jira:OPS-1"}
	for name, c := range map[string]struct {
		scopes []access.Scope
		may    []access.Operation
		mayNot []access.Operation
	}{
		"all":    {nil, []access.Operation{access.Submit, access.Read, access.Acknowledge, "triage", "comment"}, nil},
		"none":   {[]access.Scope{}, nil, []access.Operation{access.Submit, access.Read, access.Acknowledge, "triage"}},
		"submit": {[]access.Scope{access.ScopeSubmit}, []access.Operation{access.Submit}, []access.Operation{access.Read, access.Acknowledge, "triage"}},
		"read":   {[]access.Scope{access.ScopeRead}, []access.Operation{access.Read}, []access.Operation{access.Submit, access.Acknowledge, "comment"}},
		"act":    {[]access.Scope{access.ScopeAct}, []access.Operation{access.Acknowledge, "triage"}, []access.Operation{access.Submit, access.Read}},
		"two": {
			[]access.Scope{access.ScopeRead, access.ScopeAct},
			[]access.Operation{access.Read, "triage"},
			[]access.Operation{access.Submit},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := alone(access.Operator)
			p.Scopes = c.scopes
			for _, o := range c.may {
				require.True(t, access.Allow(p, o, own), o)
			}
			for _, o := range c.mayNot {
				require.False(t, access.Allow(p, o, own), o)
				require.Empty(t, p.Reaches(o), o)
			}
			auditor := alone(access.Auditor)
			auditor.Scopes = c.scopes
			require.False(t, access.Allow(auditor, access.Submit, own), "a scope gives nothing that the role has not")
		})
	}
}

func TestNobodyAndUnknownOperations(t *testing.T) {
	t.Parallel()
	for _, target := range targets {
		for _, row := range access.Table {
			require.False(t, access.Allow(access.Principal{}, row.Operation, target.Target), "%s by nobody", row.Operation)
		}
		require.False(t, access.Allow(alone(access.Operator), "delete", target.Target))
	}
	require.Empty(t, access.Principal{}.Reaches(access.Read))
}

// TestSeveralRoles: somebody reaches as far as any of their roles.
func TestSeveralRoles(t *testing.T) {
	t.Parallel()
	p := access.Principal{Person: "me", Department: "technology", Roles: []access.Role{access.Approver, access.Agent}}
	require.Equal(t, []access.Reach{access.Department, access.Involved}, p.Reaches(access.Read))
	for _, target := range targets {
		require.Equal(t, strings.Contains("Dotac", target.letter), access.Allow(p, access.Read, target.Target), target.letter)
	}
	require.Equal(t, []access.Reach{access.Own}, p.Reaches("accept"), "each reach once")
}

// TestWithoutADepartment: an agent of no department works on what they own, not
// on everything that has no department yet.
func TestWithoutADepartment(t *testing.T) {
	t.Parallel()
	p := access.Principal{Person: "me", Roles: []access.Role{access.Agent}}
	require.False(t, access.Allow(p, access.Read, access.Target{}))
	require.False(t, access.Allow(p, access.Read, access.Target{Department: "technology"}))
	require.True(t, access.Allow(p, access.Read, access.Target{Owner: "me"}))
}

func TestPerson(t *testing.T) {
	t.Parallel()
	refuse, lenient := *policy.Default(), *policy.Default()
	lenient.UnknownPeople = policy.UnknownAreAgents
	refuse.People = append(slices.Clone(refuse.People), policy.Person{ID: "an.di", Roles: []string{"auditor", "upstream", "approver"}})
	for name, c := range map[string]struct {
		policy *policy.Policy
		id     string
		want   access.Principal
		known  bool
	}{
		"an operator who is an agent too": {&refuse, "li.na", access.Principal{
			ID: "li.na", Via: "x", Person: "li.na", Department: "service",
			Roles: []access.Role{access.Approver, access.Operator, access.Agent},
		}, true},
		"roles of the edge alone are no names of roles in the directory": {&refuse, "an.di", access.Principal{
			ID: "an.di", Via: "x", Person: "an.di", Roles: []access.Role{access.Approver, access.Auditor},
		}, true},
		"a stranger":                   {&refuse, "stranger", access.Principal{}, false},
		"a stranger who may act":       {&lenient, "stranger", access.Principal{ID: "stranger", Via: "x", Person: "stranger", Roles: []access.Role{access.Approver, access.Agent}}, true},
		"the system is nobody":         {&lenient, requirement.SystemActor, access.Principal{}, false},
		"the customer is nobody here":  {&lenient, requirement.CustomerActor, access.Principal{}, false},
		"no name":                      {&lenient, "", access.Principal{}, false},
		"a stranger named as a system": {&lenient, "upstream:jira", access.Principal{}, false},
		"a stranger named as a token":  {&lenient, "token:mzxw6ytboi4tg", access.Principal{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, known := access.Person(c.policy, c.id, "x")
			require.Equal(t, c.known, known)
			require.Equal(t, c.want, got)
		})
	}
}

func TestSystemsAndReaders(t *testing.T) {
	t.Parallel()
	jira := access.System("jira", "token:1")
	require.Equal(t, requirement.Header{ActID: "k", Actor: "customer", Via: "token:1"}, jira.Header("k"))
	require.Equal(t, "upstream:jira", jira.ID)
	require.Equal(t, requirement.Submission{Title: "t", SubmittedBy: "upstream:jira", Via: "token:1"},
		jira.Recorded(requirement.Submission{Title: "t", SubmittedBy: "li.na", Via: "cli"}))
	require.Equal(t, "li.na", access.Principal{ID: "li.na", Person: "li.na"}.Recorded(requirement.Submission{}).SubmittedBy)
	for ref, own := range map[string]bool{
		"jira:OPS-1": true, "jira:": true, "jira": false, "": false, "jira2:1": false, "JIRA:1": false, ":1": false, "crm:jira:1": false,
	} {
		require.Equal(t, own, jira.Owns(ref), ref)
	}
	reader := access.Reader("token:1", "token:1")
	require.False(t, reader.Owns(":1"), "somebody of no system owns no reference")
	require.Equal(t, []access.Reach{access.All}, reader.Reaches(access.Read))
	require.Equal(t, "li.na", access.Principal{Person: "li.na"}.Actor())
}

func TestTargetOf(t *testing.T) {
	t.Parallel()
	got := access.TargetOf(requirement.View{
		Department: "technology", Owner: "wu.lei", Tracker: "chen.jing", Ref: "jira:1",
		Approval: &requirement.Approval{Votes: []requirement.Vote{
			{Person: "liu.yang", From: []string{"zhang.wei", "gao.yuan"}}, {Person: "he.xin"},
		}},
		Escalations: []requirement.EscalationView{{Called: []string{"a", "b"}}, {Called: []string{"c"}}},
	})
	require.Equal(t, access.Target{
		Department: "technology", Owner: "wu.lei", Tracker: "chen.jing", Ref: "jira:1",
		Voters: []string{"liu.yang", "zhang.wei", "gao.yuan", "he.xin"}, Called: []string{"a", "b", "c"},
	}, got)
}
