package activities

import (
	"context"
	"errors"
	"slices"

	"closeloop/contract"
	"closeloop/ledger"
	"closeloop/notify"
	"closeloop/policy"
	"closeloop/requirement"
)

// Ledger writes and reads what is kept of requirements.
type Ledger struct {
	Ledger *ledger.Ledger
	Policy *policy.Policy
}

// Open returns the rules for a new requirement, or the receipt of the one that
// the ledger has under this id. A run that is tried again after a crash may have
// written the requirement itself; it is told the rules.
func (l *Ledger) Open(ctx context.Context, req contract.OpenRequest) (contract.Opening, error) {
	entry, err := l.Ledger.Receipt(ctx, req.ID)
	switch {
	case errors.Is(err, ledger.ErrNotFound), err == nil && entry.Origin == req.Origin:
		// Whoever reads the requirement in the ledger looks there for its rules.
		return contract.Opening{Process: l.Policy.Process}, l.Ledger.KeepProcess(ctx, l.Policy.Process)
	case err != nil:
		return contract.Opening{}, err
	default:
		return contract.Opening{Existing: &contract.Receipt{ID: req.ID, Stage: entry.Stage, Ref: entry.Ref}}, nil
	}
}

// Persist writes a transition, with one notice for each recipient of its
// events, in one transaction; or a state that is told once more.
func (l *Ledger) Persist(ctx context.Context, t requirement.Transition) (contract.Persisted, error) {
	if t.Process != nil {
		if err := l.Ledger.KeepProcess(ctx, *t.Process); err != nil {
			return contract.Persisted{}, err
		}
	}
	var notices []notify.Notice
	for _, e := range t.Events {
		notices = append(notices, notify.Plan(t.State, e, l.Policy.Directory, e.At)...)
	}
	written, err := l.Ledger.Write(ctx, t, notices)
	if t.Instead != nil && errors.Is(err, ledger.ErrGap) {
		// The ledger lacks facts, which a state cannot give back. Trying again would
		// hold up what happens next.
		return contract.Persisted{}, nil
	}
	return contract.Persisted{Notices: written.Notices}, err
}

// Reopen has notices be sent again that did not arrive; sending them is the next
// step. It may be repeated.
func (l *Ledger) Reopen(ctx context.Context, req contract.RedeliverRequest) (contract.Reopened, error) {
	notices, from, to, err := l.Ledger.ReopenNotices(ctx, req.ID, req.Numbers)
	return contract.Reopened{Notices: notices, From: from, To: to}, err
}

// FindOwner finds an owner in a department: who has the fewest open
// requirements, or who was given one longest ago (T1). People who are away,
// and those who gave the requirement back, are passed over.
func (l *Ledger) FindOwner(ctx context.Context, req contract.OwnerRequest) (contract.OwnerFound, error) {
	department, _ := l.Policy.Department(req.Department)
	found := contract.OwnerFound{Tracker: department.Tracker}
	var ids []string
	for _, p := range l.Policy.Agents(req.Department) {
		if !p.AwayAt(req.At) && !slices.Contains(req.Except, p.ID) {
			ids = append(ids, p.ID)
		}
	}
	if len(ids) == 0 {
		return found, nil
	}
	loads, err := l.Ledger.Load(ctx, ids)
	if err != nil {
		return found, err
	}
	best := ids[0]
	for _, id := range ids[1:] {
		a, b := loads[id], loads[best]
		switch req.Pick {
		case policy.PickRoundRobin:
			if a.LastAssigned.Before(b.LastAssigned) {
				best = id
			}
		default:
			if a.Open < b.Open || a.Open == b.Open && a.LastAssigned.Before(b.LastAssigned) {
				best = id
			}
		}
	}
	found.Owner = best
	return found, nil
}
