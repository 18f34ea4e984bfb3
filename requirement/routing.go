package requirement

import (
	"time"

	"closeloop/policy"
)

// findOwner puts a triaged requirement where an owner is looked for: by the
// rules when they say how, otherwise by somebody who assigns it (T1).
func (r *Requirement) findOwner() {
	r.Stage, r.Routing = Analysing, nil
	rule, ok := r.process.Route(r.Attributes)
	if !ok {
		return
	}
	department := rule.Department
	if r.Department != "" {
		department = r.Department
	}
	if rule.Pick != policy.PickByHand {
		r.Routing = &Routing{Department: department, Pick: rule.Pick, Except: r.GaveBack}
	}
}

// Route gives the requirement to the person that was found. An empty owner
// means that nobody was: then it waits for somebody to assign it.
func (r *Requirement) Route(now time.Time, owner, tracker string) {
	if r.Routing == nil || r.Stage != Analysing {
		return
	}
	r.Tick(now)
	routing := *r.Routing
	r.Routing = nil
	if owner == "" {
		r.record(now, RoutingFailed, SystemActor, routing)
		return
	}
	if tracker != "" {
		r.Tracker = tracker
	}
	r.assign(now, Assign{Header: Header{Actor: SystemActor}, To: owner, Department: routing.Department})
	r.retime(now, SystemActor)
}

// assign makes somebody the owner, with clocks and history kept (T3).
func (r *Requirement) assign(now time.Time, act Assign) int {
	r.handOver(act.Department, now)
	r.Owner, r.AssignedAt, r.AcceptedAt = act.To, now, nil
	r.Assignments++
	r.Stage, r.Routing = Assigned, nil
	if r.Tracker == "" && act.By() != SystemActor {
		r.Tracker = act.By()
	}
	return r.record(now, WasAssigned, act.By(), struct {
		Assign
		Department string `json:"department,omitempty"`
		Tracker    string `json:"tracker,omitempty"`
	}{act, r.Department, r.Tracker})
}

// handOver makes the department the one that holds the requirement, if one is
// named and it is another.
func (r *Requirement) handOver(department string, now time.Time) {
	if department != "" && department != r.Department {
		r.Department, r.DepartmentSince = department, now
		r.HandOvers++
	}
}

// takeUp accepts an assignment: by the owner's word, or because work on it
// began.
func (r *Requirement) takeUp(now time.Time, by string, implied bool) int {
	r.AcceptedAt, r.Stage = &now, Executing
	return r.record(now, WasAccepted, by, struct {
		Owner   string `json:"owner"`
		Implied bool   `json:"implied,omitempty"`
	}{r.Owner, implied})
}
