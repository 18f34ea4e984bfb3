package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"closeloop/sla"
)

// Directory is who there is: the people and departments of the company, and the
// systems that requirements come from.
type Directory struct {
	Departments []Department `json:"departments" yaml:"departments"`
	People      []Person     `json:"people" yaml:"people"`
	Upstreams   []Upstream   `json:"upstreams,omitempty" yaml:"upstreams,omitempty"`
}

// Department is a unit that owns requirements.
type Department struct {
	ID string `json:"id" yaml:"id"`
	// Name and NameEN are what people read.
	Name   string `json:"name" yaml:"name"`
	NameEN string `json:"name_en" yaml:"name_en"`
	// Head leads the department; Tracker follows its requirements to closure (T2).
	Head    string `json:"head" yaml:"head"`
	Tracker string `json:"tracker,omitempty" yaml:"tracker,omitempty"`
}

// Person is somebody who takes part in the process.
type Person struct {
	ID     string `json:"id" yaml:"id"`
	Name   string `json:"name" yaml:"name"`
	NameEN string `json:"name_en,omitempty" yaml:"name_en,omitempty"`
	// Roles are what the person may do: operator, agent, manager; and the names
	// of approval roles, such as product.
	Roles      []string `json:"roles" yaml:"roles"`
	Department string   `json:"department,omitempty" yaml:"department,omitempty"`
	Email      string   `json:"email,omitempty" yaml:"email,omitempty"`
	Language   string   `json:"language,omitempty" yaml:"language,omitempty"`
	// Channels in the order in which they are tried.
	Channels []string `json:"channels,omitempty" yaml:"channels,omitempty"`
	// Away are absences; Substitute stands in during them.
	Away       []Absence `json:"away,omitempty" yaml:"away,omitempty"`
	Substitute string    `json:"substitute,omitempty" yaml:"substitute,omitempty"`
}

// Absence is a time during which a person is not asked.
type Absence struct {
	From time.Time `json:"from" yaml:"from"`
	To   time.Time `json:"to" yaml:"to"`
}

// AwayAt reports whether the person is absent at that instant; From is the
// first and To the first no longer absent instant.
func (p Person) AwayAt(at time.Time) bool {
	return slices.ContainsFunc(p.Away, func(a Absence) bool {
		return !at.Before(a.From) && at.Before(a.To)
	})
}

// Person returns the person of that id.
func (d Directory) Person(id string) (Person, bool) {
	for _, p := range d.People {
		if p.ID == id {
			return p, true
		}
	}
	return Person{}, false
}

// Department returns the department of that id.
func (d Directory) Department(id string) (Department, bool) {
	for _, dep := range d.Departments {
		if dep.ID == id {
			return dep, true
		}
	}
	return Department{}, false
}

// WithRole returns the people who have the role, in the order of the file.
func (d Directory) WithRole(role string) []Person {
	var found []Person
	for _, p := range d.People {
		if slices.Contains(p.Roles, role) {
			found = append(found, p)
		}
	}
	return found
}

// Agents returns the agents of a department, in the order of the file.
func (d Directory) Agents(department string) []Person {
	var found []Person
	for _, p := range d.WithRole("agent") {
		if p.Department == department {
			found = append(found, p)
		}
	}
	return found
}

// Standing returns who stands in for the person at that instant: the person
// when present, otherwise the first present along the substitutes. The error
// says why there is nobody: unknown, nobody named, or a circle.
func (d Directory) Standing(id string, at time.Time) (Person, error) {
	var seen []string
	for {
		if slices.Contains(seen, id) {
			return Person{}, fmt.Errorf("%s stand in for each other and are all away", strings.Join(seen, ", "))
		}
		seen = append(seen, id)
		p, ok := d.Person(id)
		if !ok {
			return Person{}, fmt.Errorf("%s is not in the policy's people", id)
		}
		if !p.AwayAt(at) {
			return p, nil
		}
		if p.Substitute == "" {
			return Person{}, fmt.Errorf("%s is away and has no substitute", id)
		}
		id = p.Substitute
	}
}

// Cast is the part of a requirement that seats refer to.
type Cast struct {
	Department string   `json:"department,omitempty"`
	Owner      string   `json:"owner,omitempty"`
	Tracker    string   `json:"tracker,omitempty"`
	Called     []string `json:"called,omitempty"`
	Voters     []string `json:"voters,omitempty"`
}

// Fill returns whom the seat means in this cast: owner, tracker, called or
// voters. It is false for any other seat, which takes the directory to fill.
func (c Cast) Fill(seat string) (ids []string, ok bool) {
	some := func(id string) []string {
		if id == "" {
			return nil
		}
		return []string{id}
	}
	switch seat {
	case SeatOwner:
		return some(c.Owner), true
	case SeatTracker:
		return some(c.Tracker), true
	case SeatCalled:
		return c.Called, true
	case SeatVoters:
		return c.Voters, true
	default:
		return nil, false
	}
}

// Candidates returns the ids of the people a seat may mean, in the order in
// which they are asked: those of [Cast.Fill], the head of the cast's
// department, everybody with a role (`role:R`), or the person of that id.
func (d Directory) Candidates(seat string, cast Cast) []string {
	if ids, ok := cast.Fill(seat); ok {
		return ids
	}
	if seat == SeatHead {
		if dep, ok := d.Department(cast.Department); ok && dep.Head != "" {
			return []string{dep.Head}
		}
		return nil
	}
	if role, ok := strings.CutPrefix(seat, SeatRole); ok {
		var ids []string
		for _, p := range d.WithRole(role) {
			ids = append(ids, p.ID)
		}
		return ids
	}
	return []string{seat}
}

// Seats that refer to a requirement's cast; any other seat is a person's id or,
// after SeatRole, a role.
const (
	SeatOwner      = "owner"
	SeatTracker    = "tracker"
	SeatHead       = "head"
	SeatCalled     = "called" // whom an escalation calls
	SeatVoters     = "voters" // whose vote is waited for
	SeatCustomer   = "customer"
	SeatDuplicates = "duplicates" // customers of requirements merged into this
	SeatRole       = "role:"
)

// Policy is a whole policy file.
type Policy struct {
	Process   `yaml:",inline"`
	Directory `yaml:",inline"`
	// Calendars are the working calendars besides the shipped ones (L2); one that
	// has the name of a shipped one replaces it. [Process] keeps those it uses.
	Calendars []sla.Timetable `json:"calendars,omitempty" yaml:"calendars,omitempty"`
	// Holidays are years of sets of holidays; a year of a shipped set replaces it.
	Holidays []sla.HolidayYear `json:"holidays,omitempty" yaml:"holidays,omitempty"`

	warnings Problems
	// uses are the places at which the file first names a calendar.
	uses map[string]Problem
}
