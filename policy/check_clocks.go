package policy

import (
	"slices"
	"strings"

	"closeloop/sla"
)

// checkClock looks at one clock rule.
func (c *checker) checkClock(i int) {
	r := c.p.Clocks[i]
	for j, other := range c.p.Clocks[:i] {
		if r.Name != "" && other.Name == r.Name {
			c.wrong(at("clocks", i, "name"), "the clock %s has a rule already, in line %d; put both into one", r.Name, c.line(at("clocks", j, "name")))
			break
		}
	}
	c.calendar(at("clocks", i, "calendar"), r.Calendar)
	c.reference(at("clocks", i, "chain"), "chain", r.Chain, c.chains, "chains")
	c.checkTargets(i)
	c.checkStages(i)
	c.checkMarks(i)
	c.checkHolds(i)
	if r.OnReopen != "" && r.Name != sla.Resolution {
		c.wrong(at("clocks", i, "on_reopen"), "only the resolution clock goes on when a resolution is disputed; leave it out here")
	}
	if r.Chain != "" && lapses(r.Name) {
		c.warn(at("clocks", i, "chain"), "the end of %s is an agreed outcome and no breach: the chain never starts", r.Name)
	}
}

// checkTargets looks at targets and caps: values, and entries that never hold.
func (c *checker) checkTargets(i int) {
	r := c.p.Clocks[i]
	for j, t := range r.Targets {
		c.checkWhen(t.When, at("clocks", i, "targets", j, "when"))
		if k := slices.IndexFunc(r.Targets[:j], func(before TargetRule) bool { return before.When.covers(t.When) }); k >= 0 {
			c.warn(at("clocks", i, "targets", j), "it never holds, because targets[%d] in line %d matches first", k, c.line(at("clocks", i, "targets", k)))
		}
	}
	for j, t := range r.Caps {
		c.checkWhen(t.When, at("clocks", i, "caps", j, "when"))
	}
	for j, limit := range r.Caps {
		capped := func(location []string, when When, target sla.Duration) {
			if limit.When.covers(when) && longer(target, limit.Target) {
				c.warn(location, "%s never holds, because caps[%d] in line %d allows at most %s", target, j, c.line(at("clocks", i, "caps", j)), limit.Target)
			}
		}
		capped(at("clocks", i, "target"), When{}, r.Target)
		for k, t := range r.Targets {
			capped(at("clocks", i, "targets", k, "target"), t.When, t.Target)
		}
	}
}

// checkStages looks at where the clock runs.
func (c *checker) checkStages(i int) {
	r := c.p.Clocks[i]
	where := func(j int) []string { return at("clocks", i, "runs_in", j) }
	c.noDoubles("the stage", r.RunsIn, where)
	if !slices.Contains(sla.Names, r.Name) || len(r.RunsIn) == 0 {
		return
	}
	possible := possibleIn(r.Name)
	if !slices.ContainsFunc(r.RunsIn, func(s string) bool { return slices.Contains(possible, s) }) {
		c.wrong(at("clocks", i, "runs_in"), "the clock %s would never run: it exists only in %s", r.Name, strings.Join(possible, ", "))
		return
	}
	for j, s := range r.RunsIn {
		if !slices.Contains(possible, s) {
			c.warn(where(j), "the clock %s does not exist in %s; it exists in %s", r.Name, s, strings.Join(possible, ", "))
		}
	}
}

// checkMarks looks at marks and repetitions.
func (c *checker) checkMarks(i int) {
	r := c.p.Clocks[i]
	texts := make([]string, len(r.Marks))
	for j, m := range r.Marks {
		if m == (sla.Mark{}) {
			continue
		}
		texts[j] = m.String()
		if m.Offset.Negative() && m.Offset.WorkingDays == 0 && r.Target.WorkingDays == 0 && -m.Offset.Time >= r.Target.Time && !r.Target.IsZero() {
			c.warn(at("clocks", i, "marks", j), "%s lies before the start of a target of %s and is never reached then", m, r.Target)
		}
	}
	c.noDoubles("the mark", texts, func(j int) []string { return at("clocks", i, "marks", j) })
	every := r.Repeat.Every
	tooShort := every.WorkingDays == 0 && every.Time < sla.Tick
	switch {
	case r.Repeat.Times > 0 && tooShort:
		c.wrong(at("clocks", i, "repeat", "every"), "%s is no time at all; write at least %s", every, sla.Exactly(sla.Tick))
	case r.Repeat.Times == 0 && every != sla.Exactly(0):
		c.wrong(at("clocks", i, "repeat", "times"), "it repeats every %s but not once; write how often, or leave repeat out", every)
	case r.Repeat.Times > 0 && lapses(r.Name):
		c.warn(at("clocks", i, "repeat"), "the end of %s is an agreed outcome and no breach: nothing is repeated", r.Name)
	}
}

// checkHolds looks at which holds pause the clock, and for how long.
func (c *checker) checkHolds(i int) {
	r := c.p.Clocks[i]
	if !slices.Equal(r.PausesOnHold, AllHolds) {
		where := func(j int) []string { return at("clocks", i, "pauses_on_hold", j) }
		c.noDoubles("the kind", r.PausesOnHold, where)
		for j, kind := range r.PausesOnHold {
			c.reference(where(j), "kind of hold", kind, c.holds, "holds")
		}
	}
	if len(r.PausesOnHold) == 0 && !r.MaxPause.IsZero() {
		c.warn(at("clocks", i, "max_pause"), "no hold pauses the clock %s, so there is nothing to limit", r.Name)
	}
}

// covers reports whether every requirement that satisfies the other condition
// satisfies this one too.
func (w When) covers(other When) bool {
	in := func(mine, theirs []string) bool {
		if len(mine) == 0 {
			return true
		}
		return len(theirs) > 0 && !slices.ContainsFunc(theirs, func(v string) bool { return !slices.Contains(mine, v) })
	}
	return in(w.Priority, other.Priority) && in(w.Urgency, other.Urgency) && in(w.Tier, other.Tier) &&
		in(w.Type, other.Type) && in(w.Channel, other.Channel)
}
