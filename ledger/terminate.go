package ledger

import (
	"context"
	"time"
)

// Terminate ends a requirement whose workflow was ended from outside at the
// instant `at`, so that nothing keeps waiting for it: it is withdrawn with the
// event terminated and the reason, its clocks stop without a verdict, its
// escalations end, and notices that were not sent are cancelled. What fell due
// before happens first, and may end it otherwise. It is false, and changes
// nothing, when the requirement had ended already.
//
// Should the workflow go on all the same, as it does when it is reset, what it
// writes later stands. The error is [ErrNotFound] when the requirement is not in
// the ledger.
func (l *Ledger) Terminate(ctx context.Context, id string, at time.Time, reason string) (bool, error) {
	r, err := l.Get(ctx, id)
	if err != nil {
		return false, err
	}
	if r.Over() {
		return false, nil
	}
	// The clock that told when the workflow ended may be another than the one it
	// lived by.
	if at.Before(r.UpdatedAt) {
		at = r.UpdatedAt
	}
	r.Terminate(at.UTC(), reason)
	if _, err := l.Write(ctx, r.Take(), nil); err != nil {
		return false, err
	}
	return true, nil
}
