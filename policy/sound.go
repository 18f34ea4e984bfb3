package policy

import (
	"errors"
	"slices"

	"closeloop/sla"
)

// Sound reports whether a requirement can live by the rules: they have a digest,
// and every calendar that they name. Those of a policy file are; the error says
// what rules from elsewhere lack.
func (p Process) Sound() error {
	if p.Digest == "" {
		return errors.New("the rules have no digest")
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
