package access

import (
	"slices"

	"closeloop/requirement"
)

// Operation is something that can be asked for at the edge: the name of an act,
// or one of those below.
type Operation string

// The operations besides the acts.
const (
	Submit      Operation = "submit"
	Read        Operation = "read"
	Acknowledge Operation = "acknowledge"
)

// Reach is which requirements a role may do something to.
type Reach string

// The reaches, from nothing to everything.
const (
	None Reach = ""
	// Asked: those where the person has, or had, a seat in a round of approval.
	Asked Reach = "asked"
	// Called: those where an escalation calls the person, or has called them.
	Called Reach = "called"
	// Own: those that the person owns.
	Own Reach = "own"
	// Involved: those that the person owns or tracks, is asked about, or is called
	// for.
	Involved Reach = "involved"
	// Department: those of the agent's department, and those that they own.
	Department Reach = "department"
	// OwnSystem: those whose reference is of the upstream system.
	OwnSystem Reach = "own_system"
	All       Reach = "all"
)

// Row is one operation with what each role may do it to; the order is that of
// [Roles].
type Row struct {
	Operation Operation
	Reach     [6]Reach
}

// Table is who may do what, completely: an operation without a row may be done
// by nobody. A principal with several roles reaches as far as any of them.
var Table = []Row{
	//                                    operator agent       approver manager upstream   auditor
	{Read, [6]Reach{All, Department, Involved, All, OwnSystem, All}},
	{Submit, [6]Reach{All, All, None, All, OwnSystem, None}},
	{op(requirement.ActTriage), [6]Reach{All, None, None, All, None, None}},
	{op(requirement.ActApprove), [6]Reach{None, None, Asked, None, None, None}},
	{op(requirement.ActDecline), [6]Reach{None, None, Asked, None, None, None}},
	{op(requirement.ActDelegate), [6]Reach{None, None, Asked, None, None, None}},
	{op(requirement.ActAssign), [6]Reach{All, Department, None, All, None, None}},
	{op(requirement.ActAccept), [6]Reach{All, Own, Own, Own, None, None}},
	{op(requirement.ActHandBack), [6]Reach{All, Own, Own, All, None, None}},
	{op(requirement.ActRespond), [6]Reach{All, Department, None, All, None, None}},
	{op(requirement.ActPlan), [6]Reach{All, Department, None, All, None, None}},
	{op(requirement.ActProgress), [6]Reach{All, Department, None, All, None, None}},
	{op(requirement.ActHold), [6]Reach{All, Department, None, All, None, None}},
	{op(requirement.ActResume), [6]Reach{All, Department, None, All, OwnSystem, None}},
	{op(requirement.ActResolve), [6]Reach{All, Department, None, All, None, None}},
	{op(requirement.ActConfirm), [6]Reach{All, None, None, None, OwnSystem, None}},
	{op(requirement.ActDispute), [6]Reach{All, None, None, None, OwnSystem, None}},
	{op(requirement.ActAmend), [6]Reach{All, Department, None, All, OwnSystem, None}},
	{op(requirement.ActReprioritise), [6]Reach{All, None, None, All, None, None}},
	{op(requirement.ActMerge), [6]Reach{All, None, None, All, None, None}},
	{op(requirement.ActWithdraw), [6]Reach{All, None, None, All, OwnSystem, None}},
	{op(requirement.ActAppeal), [6]Reach{All, None, None, All, OwnSystem, None}},
	{op(requirement.ActComment), [6]Reach{All, Department, Involved, All, OwnSystem, None}},
	{Acknowledge, [6]Reach{All, Called, Called, All, None, None}},
}

func op(act requirement.Name) Operation { return Operation(act) }

// scope is what a token must be good for.
func (o Operation) scope() Scope {
	switch o {
	case Submit:
		return ScopeSubmit
	case Read:
		return ScopeRead
	default:
		return ScopeAct
	}
}

// Target is what of a requirement decides whether somebody reaches it.
type Target struct {
	Department, Owner, Tracker string
	// Voters have, or had, a seat in a round of approval.
	Voters []string
	// Called are whom an escalation calls, or has called.
	Called []string
	Ref    string
}

// TargetOf returns the target that a requirement is.
func TargetOf(v requirement.View) Target {
	t := Target{Department: v.Department, Owner: v.Owner, Tracker: v.Tracker, Ref: v.Ref}
	if v.Approval != nil {
		for _, vote := range v.Approval.Votes {
			t.Voters = append(append(t.Voters, vote.Person), vote.From...)
		}
	}
	for _, e := range v.Escalations {
		t.Called = append(t.Called, e.Called...)
	}
	return t
}

// reaches reports whether the reach covers the target. Nobody is in the
// department of a requirement that has none yet.
func (p Principal) reaches(r Reach, t Target) bool {
	is := func(id string) bool { return p.Person != "" && p.Person == id }
	asked, called := slices.ContainsFunc(t.Voters, is), slices.ContainsFunc(t.Called, is)
	switch r {
	case All:
		return true
	case OwnSystem:
		return p.Owns(t.Ref)
	case Department:
		return is(t.Owner) || p.Department != "" && p.Department == t.Department
	case Own:
		return is(t.Owner)
	case Asked:
		return asked
	case Called:
		return called
	case Involved:
		return asked || called || is(t.Owner) || is(t.Tracker)
	default:
		return false
	}
}

// Reaches returns how far the principal's roles reach with the operation, each
// reach once and never [None]; nothing when it is not theirs at all or the token
// is not good for it.
func (p Principal) Reaches(o Operation) []Reach {
	if p.Scopes != nil && !slices.Contains(p.Scopes, o.scope()) {
		return nil
	}
	i := slices.IndexFunc(Table, func(r Row) bool { return r.Operation == o })
	if i < 0 {
		return nil
	}
	var reaches []Reach
	for j, role := range Roles {
		if r := Table[i].Reach[j]; r != None && p.Is(role) && !slices.Contains(reaches, r) {
			reaches = append(reaches, r)
		}
	}
	return reaches
}

// Allow reports whether the principal may do the operation to the requirement.
func Allow(p Principal, o Operation, t Target) bool {
	return slices.ContainsFunc(p.Reaches(o), func(r Reach) bool { return p.reaches(r, t) })
}
