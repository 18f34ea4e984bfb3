package requirement

import "slices"

// Role is what an actor may do in the process.
type Role string

// The roles. Approval roles (product, management …) are names of seats and no
// concern of this type: a vote belongs to the person who was asked.
const (
	Operator Role = "operator" // runs the desk: intake, triage, routing
	Agent    Role = "agent"    // works on requirements in a department
	Manager  Role = "manager"  // answers for the outcome
	Customer Role = "customer" // asked for it; also the words others record
	System   Role = "system"   // closeloop itself and unnamed automation
	Voter    Role = "voter"    // is asked to vote in the open round
	Owner    Role = "owner"    // the requirement is assigned to them
)

// Ids of actors that are no person of the directory.
const (
	// SystemActor acts when nobody is named.
	SystemActor = "system"
	// CustomerActor is the customer of whichever requirement is meant.
	CustomerActor = "customer"
)

// Actor is who does an act, with the roles the directory gives them.
type Actor struct {
	ID         string `json:"id"`
	Roles      []Role `json:"roles"`
	Department string `json:"department,omitempty"`
}

// Is reports whether the actor has one of the roles.
func (a Actor) Is(roles ...Role) bool {
	return slices.ContainsFunc(a.Roles, func(r Role) bool { return slices.Contains(roles, r) })
}

// People tells who somebody is and which departments there are. The directory
// answers for the validator of an Update; [Known] answers where the look-up has
// to be on record.
type People interface {
	// Find returns the actor of that id; false when nobody knows them.
	Find(id string) (Actor, bool)
	// HasDepartment reports whether there is a department of that id.
	HasDepartment(id string) bool
}

// Known is what was looked up beforehand.
type Known struct {
	Actors      []Actor  `json:"actors,omitempty"`
	Departments []string `json:"departments,omitempty"`
}

// Find returns the actor of that id.
func (k Known) Find(id string) (Actor, bool) {
	i := slices.IndexFunc(k.Actors, func(a Actor) bool { return a.ID == id })
	if i < 0 {
		return Actor{}, false
	}
	return k.Actors[i], true
}

// HasDepartment reports whether the department was found.
func (k Known) HasDepartment(id string) bool { return slices.Contains(k.Departments, id) }

// rolesOn returns the actor's roles towards this requirement: those of the
// directory, and those that the requirement itself gives.
func (r *Requirement) rolesOn(a Actor) []Role {
	roles := slices.Clone(a.Roles)
	if r.isCustomer(a.ID) {
		roles = append(roles, Customer)
	}
	if a.ID == r.Owner && a.ID != "" {
		roles = append(roles, Owner)
	}
	if r.Approval != nil && r.Approval.waitsFor(a.ID) {
		roles = append(roles, Voter)
	}
	return roles
}

// isCustomer reports whether the id means the customer of this requirement.
func (r *Requirement) isCustomer(id string) bool {
	return id == CustomerActor || (id != "" && (id == r.Contact || id == r.Customer))
}
