package ledger

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"closeloop/requirement"
)

// undo takes out what the transition replaces: the events from its first one on,
// and what was derived from them and the new state does not have. A notice that
// somebody may have been sent stays, so that it is not sent again; a system is
// told what became true instead.
func (w *writing) undo() error {
	if !w.replaces {
		return nil
	}
	for _, statement := range []string{
		`DELETE FROM notice WHERE requirement_id = $1 AND seq >= $2
AND (state IN ('pending', 'cancelled') OR channel = 'webhook' AND state <> 'sending')`,
		`DELETE FROM event WHERE requirement_id = $1 AND seq >= $2`,
	} {
		w.batch.Queue(statement, w.id(), w.first())
	}
	// A clock that the state has forgotten has its beginning among the events.
	w.batch.Queue(`DELETE FROM clock WHERE requirement_id = $1 AND NOT EXISTS (
	SELECT FROM event WHERE event.requirement_id = $1 AND kind = 'clock_started'
	AND clock = name AND (data ->> 'cycle')::integer = cycle)`, w.id())
	w.batch.Queue(`DELETE FROM requirement_version WHERE requirement_id = $1 AND version > $2`, w.id(), w.t.State.Version)
	w.batch.Queue(`DELETE FROM requirement_text WHERE requirement_id = $1`, w.id())
	w.batch.Queue(`DELETE FROM approval_round WHERE requirement_id = $1 AND round > $2`, w.id(), w.asked())
	if a := w.t.State.Approval; a != nil {
		w.batch.Queue(`DELETE FROM approval_vote WHERE requirement_id = $1 AND round = $2 AND position > $3`,
			w.id(), a.Round, len(a.Votes))
	}
	w.batch.Queue(`DELETE FROM escalation WHERE requirement_id = $1 AND NOT id = ANY ($2)`, w.id(), w.chains())
	if w.t.State.Stage != requirement.Archived {
		w.batch.Queue(`DELETE FROM knowledge WHERE requirement_id = $1`, w.id())
	}
	return nil
}

// text stores the words of the wording that the state has.
func (w *writing) text() error {
	if !w.replaces {
		return nil
	}
	return w.words(w.t.State.Version, w.t.State.Title, w.t.State.Description)
}

// asked is the number of the latest round whose people were asked.
func (w *writing) asked() int {
	a := w.t.State.Approval
	switch {
	case a == nil:
		return 0
	case a.OpenedAt.IsZero():
		return a.Round - 1
	default:
		return a.Round
	}
}

func (w *writing) chains() []string {
	ids := []string{}
	for _, e := range w.t.State.Escalations {
		ids = append(ids, e.ID)
	}
	return ids
}

// recognise answers for a transition that the ledger has already, or that a
// later one has overtaken: how many of its notices are still to be sent. One of
// the same instant must be the same.
func (w *writing) recognise(ctx context.Context, pool *pgxpool.Pool) error {
	if w.result.Current {
		if err := w.compare(ctx, pool); err != nil {
			return err
		}
	}
	return pool.QueryRow(ctx, countUnsent, w.id(), w.first(), w.last()).Scan(&w.result.Notices)
}
