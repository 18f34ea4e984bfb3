package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// checker looks for what the schema cannot see: references to what does not
// exist, names given twice, figures that contradict each other.
type checker struct {
	p    *Policy
	root *node
	file string
	// faulty are the places that the schema complained of: nothing that follows
	// from them is worth telling.
	faulty map[string]bool
	// absent are those of them whose values are not in p.
	absent             map[string]bool
	problems, warnings Problems

	// uses are the places at which a calendar is first named.
	uses map[string]Problem

	types, channels, holds, calendars, chains, departments, people, roles names
}

func (c *checker) check() {
	self := func(s string) []string { return []string{s} }
	c.types, c.channels = namesOf(c.p.Types, self), namesOf(c.p.Channels, self)
	c.uses = map[string]Problem{}
	c.holds, c.calendars = namesOf(c.p.HoldKinds(), self), namesOf(c.p.CalendarNames(), self)
	c.chains = namesOf(c.p.Chains, func(ch Chain) []string { return []string{ch.Name} })
	c.departments = namesOf(c.p.Departments, func(d Department) []string { return []string{d.ID} })
	c.people = namesOf(c.p.People, func(p Person) []string { return []string{p.ID} })
	c.roles = namesOf(c.p.People, func(p Person) []string { return p.Roles })
	c.checkIntake()
	c.checkHoldKinds()
	c.checkHolidays()
	c.checkCalendars()
	for i := range c.p.Clocks {
		c.checkClock(i)
	}
	c.checkApprovals()
	c.checkRouting()
	c.checkChains()
	c.checkNotices()
	c.checkDepartments()
	c.checkPeople()
	c.checkUpstreams()
}

// at is a location in the file: names of fields and indices of entries.
func at(steps ...any) []string {
	location := make([]string, len(steps))
	for i, s := range steps {
		switch s := s.(type) {
		case int:
			location[i] = strconv.Itoa(s)
		default:
			location[i] = fmt.Sprint(s)
		}
	}
	return location
}

// excused reports whether the place, or one around it, is known to be wrong.
func (c *checker) excused(location []string) bool {
	for i := range len(location) + 1 {
		if c.faulty[pointer(location[:i])] {
			return true
		}
	}
	return false
}

func (c *checker) problem(location []string, format string, args ...any) Problem {
	found := c.root.find(location, false)
	return Problem{File: c.file, Line: found.line, Column: found.column, Path: found.path, Message: fmt.Sprintf(format, args...)}
}

func (c *checker) wrong(location []string, format string, args ...any) {
	if !c.excused(location) {
		c.problems = append(c.problems, c.problem(location, format, args...))
	}
}

func (c *checker) warn(location []string, format string, args ...any) {
	if !c.excused(location) {
		c.warnings = append(c.warnings, c.problem(location, format, args...))
	}
}

// line returns the line of a place, to point to it from another.
func (c *checker) line(location []string) int { return c.root.find(location, false).line }

// unique complains of names that are given twice; location tells where the name
// of an entry stands.
func (c *checker) unique(what string, names []string, location func(i int) []string) {
	c.once(what, names, "give each a name of its own", location)
}

// noDoubles complains of words that are twice in a list.
func (c *checker) noDoubles(what string, words []string, location func(i int) []string) {
	c.once(what, words, "keep one of them", location)
}

func (c *checker) once(what string, names []string, advice string, location func(i int) []string) {
	first := map[string]int{}
	for i, name := range names {
		j, twice := first[name]
		switch {
		case name == "":
		case twice:
			c.wrong(location(i), "%s %s is there already, in line %d; %s", what, name, c.line(location(j)), advice)
		default:
			first[name] = i
		}
	}
}

// reference complains of a name that is not among those defined under the
// top-level field.
func (c *checker) reference(location []string, what, name string, defined names, under string) bool {
	if name == "" || defined.set[name] {
		return true
	}
	if !c.unsure(under) {
		c.wrong(location, "unknown %s %q%s", what, name, instead(name, defined.list))
	}
	return false
}

// calendar looks at a rule's calendar.
func (c *checker) calendar(location []string, name string) {
	if c.reference(location, "calendar", name, c.calendars, "calendars") && name != "" {
		if _, known := c.uses[name]; !known {
			c.uses[name] = c.problem(location, "")
		}
	}
}

// unsure reports whether something defined under the top-level field could not
// be read. A reference that seems wrong may mean that.
func (c *checker) unsure(under string) bool {
	for place := range c.absent {
		rest, ok := strings.CutPrefix(place, "/"+under)
		steps := strings.Split(strings.Trim(rest, "/"), "/")
		if ok && (len(steps) == 1 || slices.Contains([]string{"id", "name", "roles"}, steps[1])) {
			return true
		}
	}
	return false
}

// checkIntake looks at types, channels and defaults.
func (c *checker) checkIntake() {
	c.noDoubles("the type", c.p.Types, func(i int) []string { return at("types", i) })
	c.noDoubles("the channel", c.p.Channels, func(i int) []string { return at("channels", i) })
	d := c.p.Defaults
	c.reference(at("defaults", "type"), "type", d.Type, c.types, "types")
	c.reference(at("defaults", "channel"), "channel", d.Channel, c.channels, "channels")
}

// checkHoldKinds looks at the kinds of holds.
func (c *checker) checkHoldKinds() {
	where := func(i int) []string { return at("holds", i) }
	c.noDoubles("the kind", c.p.Holds, where)
	if i := slices.Index(c.p.Holds, HoldCustomer); i >= 0 {
		c.wrong(where(i), "every policy has holds for the customer; leave it out")
	}
}

// checkWhen looks at the values that a condition asks for.
func (c *checker) checkWhen(w When, location []string) {
	within := func(field string, i int) []string { return append(slices.Clone(location), field, strconv.Itoa(i)) }
	for i, t := range w.Type {
		c.reference(within("type", i), "type", t, c.types, "types")
	}
	for i, ch := range w.Channel {
		c.reference(within("channel", i), "channel", ch, c.channels, "channels")
	}
	for _, list := range []struct {
		field  string
		values []string
	}{
		{"priority", w.Priority}, {"urgency", w.Urgency}, {"tier", w.Tier}, {"type", w.Type}, {"channel", w.Channel},
	} {
		c.noDoubles("the value", list.values, func(i int) []string { return within(list.field, i) })
	}
}

// seatsAt is which seats make sense in a place.
type seatsAt struct {
	cast []string
	// roles and people may always be named.
	what string
}

var (
	seatsOfApproval = seatsAt{[]string{SeatHead}, "seat"}
	seatsOfChain    = seatsAt{[]string{SeatOwner, SeatTracker, SeatHead, SeatVoters}, "seat"}
	seatsOfNotice   = seatsAt{[]string{SeatCustomer, SeatDuplicates, SeatOwner, SeatTracker, SeatHead, SeatVoters, SeatCalled}, "audience"}
)

// reserved are the words that seats use and that no person can have as id.
var reserved = append(slices.Clone(seatsOfNotice.cast), "system")

// checkSeat complains of a seat that means nobody. It reports whether the seat
// is fine.
func (c *checker) checkSeat(location []string, seat string, allowed seatsAt) bool {
	if seat == "" || slices.Contains(allowed.cast, seat) {
		return true
	}
	if c.unsure("people") {
		return false
	}
	if role, ok := strings.CutPrefix(seat, SeatRole); ok {
		if !c.roles.set[role] {
			c.wrong(location, "nobody has the role %q%s", role, instead(role, c.roles.list))
			return false
		}
		return true
	}
	if c.people.set[seat] {
		return true
	}
	if slices.Contains(reserved, seat) {
		c.wrong(location, "%s has no meaning here; write %s, role:ROLE or a person's id", seat, strings.Join(allowed.cast, ", "))
		return false
	}
	hint := closest(seat, append(slices.Clone(allowed.cast), c.people.list...))
	if c.roles.set[seat] {
		hint = SeatRole + seat
	}
	text := fmt.Sprintf("unknown %s %q; write %s, role:ROLE or a person's id", allowed.what, seat, strings.Join(allowed.cast, ", "))
	if hint != "" {
		text += fmt.Sprintf(" (did you mean %q?)", hint)
	}
	c.wrong(location, "%s", text)
	return false
}

// checkSeats looks at a list of seats.
func (c *checker) checkSeats(location, seats []string, allowed seatsAt) bool {
	fine := true
	for i, seat := range seats {
		fine = c.checkSeat(append(slices.Clone(location), strconv.Itoa(i)), seat, allowed) && fine
	}
	return fine
}

// names are what a part of the file defines, in its order.
type names struct {
	list []string
	set  map[string]bool
}

func namesOf[T any](entries []T, of func(T) []string) names {
	n := names{set: map[string]bool{}}
	for _, e := range entries {
		for _, name := range of(e) {
			if name != "" && !n.set[name] {
				n.set[name] = true
				n.list = append(n.list, name)
			}
		}
	}
	return n
}

// each returns one text of every entry.
func each[T any](entries []T, of func(T) string) []string {
	texts := make([]string, len(entries))
	for i, e := range entries {
		texts[i] = of(e)
	}
	return texts
}
