package requirement

import (
	"slices"

	"closeloop/policy"
)

// Company answers who somebody is from the policy's directory.
type Company struct {
	Directory policy.Directory
	// Unknown is the standing of people whom the directory does not know.
	Unknown policy.UnknownPeople
}

// HasDepartment reports whether the directory has the department. Where strangers
// may act, they may also name departments of their own.
func (c Company) HasDepartment(id string) bool {
	_, ok := c.Directory.Department(id)
	return ok || c.Unknown == policy.UnknownAreAgents
}

// Find returns the actor of that id with the roles the directory gives them.
func (c Company) Find(id string) (Actor, bool) {
	if id == SystemActor {
		return Actor{ID: id, Roles: []Role{System}}, true
	}
	p, ok := c.Directory.Person(id)
	if !ok {
		if id == "" || id == CustomerActor || c.Unknown != policy.UnknownAreAgents {
			return Actor{}, false
		}
		return Actor{ID: id, Roles: []Role{Agent}}, true
	}
	a := Actor{ID: p.ID, Department: p.Department}
	for _, role := range []Role{Operator, Agent, Manager} {
		if slices.Contains(p.Roles, string(role)) {
			a.Roles = append(a.Roles, role)
		}
	}
	return a, true
}
