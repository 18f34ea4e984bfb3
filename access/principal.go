package access

import (
	"slices"
	"strings"

	"closeloop/policy"
	"closeloop/requirement"
)

// How somebody was known to be who they say; the ledger keeps it with every act
// ([requirement.Header]). Those that end in a colon are followed by a name.
const (
	ViaCLI    = "cli"
	ViaImport = "import"
	ViaNexus  = "nexus"
	// ViaToken comes before the id of an API token.
	ViaToken = "token:"
	// ViaOIDC comes before the issuer's host.
	ViaOIDC = "oidc:"
	// ViaLink comes before customer or a person's id.
	ViaLink = "link:"
	// ViaWebhook comes before the name of an upstream system.
	ViaWebhook = "webhook:"
)

// Role is what a principal may do at the edge.
type Role string

// The roles.
const (
	Operator Role = "operator" // runs the desk
	Agent    Role = "agent"    // works in a department
	Approver Role = "approver" // is asked for their vote
	Manager  Role = "manager"  // answers for the outcome
	Upstream Role = "upstream" // another system, for its own references
	Auditor  Role = "auditor"  // reads everything and changes nothing
)

// Roles are all of them, in the order of the table.
var Roles = []Role{Operator, Agent, Approver, Manager, Upstream, Auditor}

// Scope narrows what a token may be used for, within what its role allows.
type Scope string

// The scopes.
const (
	ScopeSubmit Scope = "submit"
	ScopeRead   Scope = "read"
	ScopeAct    Scope = "act"
)

// Scopes are all of them.
var Scopes = []Scope{ScopeSubmit, ScopeRead, ScopeAct}

// Principal is who somebody is who comes in from outside.
type Principal struct {
	// ID names the principal for limits and logs: a person's id, upstream:NAME, or
	// token:ID.
	ID string
	// Via is how they were known.
	Via   string
	Roles []Role
	// Person is their id in the process; empty for a system and for an auditor who
	// is no person of the policy.
	Person string
	// Department of an agent.
	Department string
	// System is the name before the colon in the references that are theirs.
	System string
	// Scopes narrow; nil means all.
	Scopes []Scope
}

// Person returns the principal for somebody of the policy, with the roles that
// its directory gives them today. Everybody may be asked for a vote, so
// everybody is an approver. Somebody whom the directory does not know is an
// agent where the policy lets strangers act, and false otherwise. No stranger has
// an id that means a system, a token, or one of the process's own actors.
func Person(p *policy.Policy, id, via string) (Principal, bool) {
	who := Principal{ID: id, Via: via, Person: id, Roles: []Role{Approver}}
	person, known := p.Person(id)
	switch {
	case known:
		who.Department = person.Department
		for _, role := range []Role{Operator, Agent, Manager, Auditor} {
			if slices.Contains(person.Roles, string(role)) {
				who.Roles = append(who.Roles, role)
			}
		}
		return who, true
	case id == "" || id == requirement.SystemActor || id == requirement.CustomerActor || p.UnknownPeople != policy.UnknownAreAgents,
		strings.HasPrefix(id, SystemPrefix), strings.HasPrefix(id, ViaToken):
		return Principal{}, false
	default:
		who.Roles = append(who.Roles, Agent)
		return who, true
	}
}

// SystemPrefix comes before the name of an upstream system in the id of its
// principal.
const SystemPrefix = "upstream:"

// System returns the principal for an upstream system, whose references begin
// with its name.
func System(name, via string) Principal {
	return Principal{ID: SystemPrefix + name, Via: via, Roles: []Role{Upstream}, System: name}
}

// Reader returns the principal for an auditor who is no person of the policy.
func Reader(id, via string) Principal {
	return Principal{ID: id, Via: via, Roles: []Role{Auditor}}
}

// Is reports whether the principal has the role.
func (p Principal) Is(r Role) bool { return slices.Contains(p.Roles, r) }

// Actor is who acts in the process when the principal does: the person
// themselves; an upstream system speaks for its customer.
func (p Principal) Actor() string {
	if p.Person != "" {
		return p.Person
	}
	return requirement.CustomerActor
}

// Header returns what an act of the principal carries.
func (p Principal) Header(actID string) requirement.Header {
	return requirement.Header{ActID: actID, Actor: p.Actor(), Via: p.Via}
}

// Recorded returns the submission as the principal records it. A person records
// it themselves; a system does so under its own name and not as its customer, who
// has yet to hear that it was received.
func (p Principal) Recorded(s requirement.Submission) requirement.Submission {
	s.SubmittedBy, s.Via = p.ID, p.Via
	return s
}

// Owns reports whether the reference is one of the principal's own system.
func (p Principal) Owns(ref string) bool {
	system, _, ok := strings.Cut(ref, ":")
	return ok && p.System != "" && system == p.System
}
