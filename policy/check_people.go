package policy

import (
	"slices"
	"strings"
)

// checkDepartments looks at ids, heads and trackers.
func (c *checker) checkDepartments() {
	c.unique("the department", each(c.p.Departments, func(d Department) string { return d.ID }), func(i int) []string { return at("departments", i, "id") })
	for i, d := range c.p.Departments {
		c.reference(at("departments", i, "head"), "person", d.Head, c.people, "people")
		c.reference(at("departments", i, "tracker"), "person", d.Tracker, c.people, "people")
	}
}

// checkPeople looks at the directory.
func (c *checker) checkPeople() {
	c.unique("the person", each(c.p.People, func(p Person) string { return p.ID }), func(i int) []string { return at("people", i, "id") })
	for i, p := range c.p.People {
		if slices.Contains(reserved, p.ID) {
			c.wrong(at("people", i, "id"), "%s means something else to the process; give the person another id", p.ID)
		}
		c.noDoubles("the role", p.Roles, func(j int) []string { return at("people", i, "roles", j) })
		c.noDoubles("the channel", p.Channels, func(j int) []string { return at("people", i, "channels", j) })
		c.reference(at("people", i, "department"), "department", p.Department, c.departments, "departments")
		c.reference(at("people", i, "substitute"), "person", p.Substitute, c.people, "people")
		if p.Substitute != "" && p.Substitute == p.ID {
			c.wrong(at("people", i, "substitute"), "%s cannot stand in for themselves; name somebody else", p.ID)
		}
		if j := slices.Index(p.Channels, ChannelEmail); j >= 0 && p.Email == "" && !c.excused(at("people", i, "email")) {
			c.wrong(at("people", i, "channels", j), "%s has no address for it; add the field email", p.ID)
		}
		for j, a := range p.Away {
			where := at("people", i, "away", j)
			if !c.excused(append(where, "from")) && !c.excused(append(where, "to")) && !a.From.Before(a.To) {
				c.wrong(append(where, "to"), "an absence ends after it begins; this one begins at %s", a.From.Format("2006-01-02T15:04:05Z07:00"))
			}
		}
		c.doubtPerson(i)
	}
	c.warnOfCircles()
	desk := func(p Person) bool {
		return slices.Contains(p.Roles, "operator") || slices.Contains(p.Roles, "manager")
	}
	if !slices.ContainsFunc(c.p.People, desk) {
		c.warn(at("people"), "nobody has the role operator or manager, so only the system can triage")
	}
}

// doubtPerson warns of people who would be asked in vain.
func (c *checker) doubtPerson(i int) {
	p := c.p.People[i]
	if len(p.Channels) == 0 {
		c.warn(at("people", i), "%s has no channel and is never told anything", p.ID)
	}
	if j := slices.Index(p.Roles, "agent"); j >= 0 && p.Department == "" {
		c.warn(at("people", i, "roles", j), "%s is an agent of no department and is never picked", p.ID)
	}
	if len(p.Away) > 0 && p.Substitute == "" {
		c.warn(at("people", i, "away"), "nobody stands in for %s; name a substitute", p.ID)
	}
}

// warnOfCircles tells of people who stand in for each other. That is common and
// allowed, but when all of them are away nobody is there.
func (c *checker) warnOfCircles() {
	index := map[string]int{}
	for i, p := range c.p.People {
		index[p.ID] = i
	}
	// walk numbers the walks along the substitutes; a walk that meets itself has
	// found a circle, one that meets an earlier walk has nothing new to tell.
	walk := make([]int, len(c.p.People))
	for start := range c.p.People {
		here, ok := start, true
		for ok && walk[here] == 0 {
			walk[here] = start + 1
			here, ok = index[c.p.People[here].Substitute]
		}
		if !ok || walk[here] != start+1 {
			continue
		}
		circle := []string{c.p.People[here].ID}
		for i := index[c.p.People[here].Substitute]; i != here; i = index[c.p.People[i].Substitute] {
			circle = append(circle, c.p.People[i].ID)
		}
		if len(circle) > 1 {
			c.warn(at("people", here, "substitute"), "%s stand in for each other; when all are away, nobody does", strings.Join(circle, ", "))
		}
	}
}
