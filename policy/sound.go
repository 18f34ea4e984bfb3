package policy

import (
	"errors"
	"fmt"
	"slices"

	"closeloop/sla"
)

// maxTimes bounds repetitions, rounds and calls, as the schema of the policy file
// does.
const maxTimes = 100

// Sound reports whether a requirement can live by the rules: they have a digest,
// clocks, and every calendar that they name, and repeat nothing without end.
// Those of a policy file are; the error says what rules from elsewhere lack.
func (p Process) Sound() error {
	switch {
	case p.Digest == "":
		return errors.New("the rules have no digest")
	case len(p.Clocks) == 0:
		return errors.New("the rules have no clocks")
	}
	for _, c := range p.Clocks {
		if c.Repeat.Times > maxTimes || len(c.Marks) > maxTimes {
			return fmt.Errorf("the clock %s has more than %d marks or repetitions", c.Name, maxTimes)
		}
	}
	for _, c := range p.Chains {
		if c.Rounds > maxTimes || slices.ContainsFunc(c.Levels, func(l Level) bool { return l.Times > maxTimes }) {
			return fmt.Errorf("the chain %s calls more than %d times", c.Name, maxTimes)
		}
	}
	for _, name := range p.calendarNames() {
		if _, err := p.Calendar(name); err != nil {
			return err
		}
	}
	return nil
}

// CalendarsOf returns the calendars that the levels of a chain name, in the order
// of the rules; 24x7 is none of them.
func (p Process) CalendarsOf(c Chain) []sla.Timetable {
	var named []sla.Timetable
	for _, t := range p.Calendars {
		if slices.ContainsFunc(c.Levels, func(l Level) bool { return l.Calendar == t.Name }) {
			named = append(named, t)
		}
	}
	return named
}
