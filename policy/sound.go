package policy

import "errors"

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
