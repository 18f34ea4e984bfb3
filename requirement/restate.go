package requirement

import "time"

// Standing is where the ledger stands with a requirement: the number of the
// latest event it has, and when that happened, as precisely as it keeps it.
type Standing struct {
	Seq int       `json:"seq"`
	At  time.Time `json:"at"`
}

// Restate returns the state once more, without any fact: the ledger is to have
// it in the place of what it has. instead is what somebody saw there; if the
// ledger has moved on meanwhile, nothing is replaced. Call it only while nothing
// is [Requirement.Pending].
func (r *Requirement) Restate(instead Standing) Transition {
	return Transition{State: r.snapshot(), Instead: &instead}
}
