package policy

import (
	"slices"
	"strconv"

	"closeloop/sla"
)

// checkApprovals looks at names, seats and quorums.
func (c *checker) checkApprovals() {
	for i, r := range c.p.Approvals {
		c.checkWhen(r.When, at("approvals", i, "when"))
		c.checkQuorum(i)
		clock, ok := c.p.Clock(sla.Approval)
		switch {
		case !ok:
			c.warn(at("approvals", i, "on_timeout"), "there is no approval clock, so no round ever times out")
		case r.OnTimeout == TimeoutEscalates && clock.Chain == "":
			c.warn(at("approvals", i, "on_timeout"), "the approval clock has no chain, so nobody is called")
		}
		if k := slices.IndexFunc(c.p.Approvals[:i], func(before ApprovalRule) bool {
			return before.OnRequest == r.OnRequest && before.When.covers(r.When)
		}); k >= 0 {
			c.warn(at("approvals", i), "it never holds, because approvals[%d] in line %d matches first", k, c.line(at("approvals", k)))
		}
	}
	c.unique("the approval", each(c.p.Approvals, func(r ApprovalRule) string { return r.Name }), func(i int) []string { return at("approvals", i, "name") })
}

// checkQuorum looks at whether a round can be filled and decided.
func (c *checker) checkQuorum(i int) {
	r := c.p.Approvals[i]
	seats, fallback := at("approvals", i, "seats"), at("approvals", i, "fallback")
	fine := c.checkSeats(seats, r.Seats, seatsOfApproval)
	fine = c.checkSeat(fallback, r.Fallback, seatsOfApproval) && fine
	if count, err := strconv.Atoi(string(r.Need)); err == nil && count > len(r.Seats) && len(r.Seats) > 0 {
		c.wrong(at("approvals", i, "need"), "%d approvals of %d seats cannot be had; write all, any, or at most %d", count, len(r.Seats), len(r.Seats))
	}
	if !fine {
		return
	}
	if j := c.unfillable(r.Seats); j >= 0 {
		c.wrong(append(seats, strconv.Itoa(j)), "nobody is left for the seat %s: whoever could fill it is needed for another, and a person has one vote", r.Seats[j])
		return
	}
	if r.Fallback != "" {
		return
	}
	for j, seat := range r.Seats {
		if seat != SeatHead && len(c.p.Candidates(seat, Cast{})) == 1 {
			c.warn(append(seats, strconv.Itoa(j)), "only one person can fill %s; name a fallback for when they are away or asked for it themselves", seat)
		}
	}
}

// unfillable returns the index of a seat for which nobody is left when every
// person sits once, or -1. Heads are left out: who that is depends on the
// requirement.
func (c *checker) unfillable(seats []string) int {
	sits := map[string]int{}
	var place func(j int, tried map[string]bool) bool
	place = func(j int, tried map[string]bool) bool {
		for _, id := range c.p.Candidates(seats[j], Cast{}) {
			if tried[id] {
				continue
			}
			tried[id] = true
			if other, taken := sits[id]; !taken || place(other, tried) {
				sits[id] = j
				return true
			}
		}
		return false
	}
	for j, seat := range seats {
		if seat != SeatHead && seat != "" && !place(j, map[string]bool{}) {
			return j
		}
	}
	return -1
}

// checkRouting looks at departments, at whether they have somebody to pick, and
// at types that no rule routes for certain.
func (c *checker) checkRouting() {
	for i, r := range c.p.Routing {
		c.checkWhen(r.When, at("routing", i, "when"))
		known := c.reference(at("routing", i, "department"), "department", r.Department, c.departments, "departments")
		if known && r.Department != "" && r.Pick != PickByHand && !c.unsure("people") && len(c.p.Agents(r.Department)) == 0 {
			c.wrong(at("routing", i, "pick"), "the department %s has nobody with the role agent; give it one, or write by_hand", r.Department)
		}
		if k := slices.IndexFunc(c.p.Routing[:i], func(before RoutingRule) bool { return before.When.covers(r.When) }); k >= 0 {
			c.warn(at("routing", i), "it never holds, because routing[%d] in line %d matches first", k, c.line(at("routing", k)))
		}
	}
	for i, t := range c.p.Types {
		certain := func(r RoutingRule) bool { return r.When.covers(When{Type: []string{t}}) }
		if !slices.ContainsFunc(c.p.Routing, certain) {
			c.warn(at("types", i), "requirements of the type %s may match no routing rule and then wait for somebody to assign them; end routing with a rule without when", t)
		}
	}
}

// checkChains looks at names, people and whether a chain is used.
func (c *checker) checkChains() {
	c.unique("the chain", each(c.p.Chains, func(ch Chain) string { return ch.Name }), func(i int) []string { return at("chains", i, "name") })
	for i, ch := range c.p.Chains {
		for j, l := range ch.Levels {
			c.checkSeats(at("chains", i, "levels", j, "people"), l.People, seatsOfChain)
			c.calendar(at("chains", i, "levels", j, "calendar"), l.Calendar)
		}
		c.checkSeats(at("chains", i, "alarm"), ch.Alarm, seatsOfChain)
		if ch.Name != "" && !slices.ContainsFunc(c.p.Clocks, func(r ClockRule) bool { return r.Chain == ch.Name }) {
			c.warn(at("chains", i, "name"), "no clock starts the chain %s", ch.Name)
		}
	}
}

// checkNotices looks at audiences, and at rules that never tell anybody.
func (c *checker) checkNotices() {
	for i, n := range c.p.Notices {
		c.checkSeats(at("notices", i, "to"), n.To, seatsOfNotice)
		if !slices.Contains(Events, n.Event) {
			continue
		}
		if n.Clock != "" {
			if !aboutClock(n.Event) {
				c.wrong(at("notices", i, "clock"), "%s is not about a clock; leave the field out", n.Event)
			} else if _, ok := c.p.Clock(n.Clock); !ok && slices.Contains(sla.Names, n.Clock) {
				c.warn(at("notices", i, "clock"), "the clock %s has no rule, so nobody is told", n.Clock)
			}
		}
		if j := slices.Index(n.To, SeatCalled); j >= 0 && !aboutEscalation(n.Event) {
			c.warn(at("notices", i, "to", j), "%s calls nobody; only events about escalations do", n.Event)
		}
	}
}
