package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"closeloop/notify"
	"closeloop/requirement"
)

var _ notify.Store = (*Ledger)(nil)

const (
	insertNotices = `INSERT INTO notice
(requirement_id, seq, recipient, channel, event, address, language, escalation, rest, state, attempts, error)
SELECT requirement_id, seq, recipient, channel, event, address, language, escalation, rest, state, attempts, error
FROM jsonb_populate_recordset(NULL::notice, $1)
ON CONFLICT DO NOTHING`

	// Only what was told before the event loses its reason by it.
	cancelNotices = `UPDATE notice SET state = 'cancelled', settled_at = now()
WHERE requirement_id = $1 AND seq < $2 AND state = 'pending' AND ($3 = '' OR escalation = $3)`

	countUnsent = `SELECT count(*) FROM notice
WHERE requirement_id = $1 AND seq BETWEEN $2 AND $3 AND state IN ('pending', 'sending')`

	noticeColumns = `requirement_id, seq, recipient, channel, event, address, language, escalation, rest, state, attempts, error`
)

type noticeRow struct {
	RequirementID string           `json:"requirement_id"`
	Seq           int              `json:"seq"`
	Recipient     string           `json:"recipient"`
	Channel       string           `json:"channel"`
	Event         requirement.Kind `json:"event"`
	Address       string           `json:"address"`
	Language      string           `json:"language"`
	Escalation    string           `json:"escalation"`
	Rest          []notify.Route   `json:"rest"`
	State         notify.State     `json:"state"`
	Attempts      int              `json:"attempts"`
	Error         string           `json:"error"`
}

func noticeRowOf(n notify.Notice) noticeRow {
	row := noticeRow{
		RequirementID: n.Requirement, Seq: n.Seq, Recipient: n.Recipient, Channel: n.Channel, Event: n.Event,
		Address: n.Address, Language: n.Language, Escalation: n.Escalation, Rest: orNone(n.Rest),
		State: n.State, Attempts: n.Attempts, Error: n.Error,
	}
	if row.State == "" {
		row.State = notify.Pending
	}
	return row
}

// outgoing stores the notices, and cancels those that nobody needs any longer:
// an escalation that was acknowledged or has ended, a requirement that nobody
// works on.
func (w *writing) outgoing() error {
	if len(w.notices) > 0 {
		rows := make([]noticeRow, 0, len(w.notices))
		for _, n := range w.notices {
			rows = append(rows, noticeRowOf(n))
		}
		if err := w.put(insertNotices, rows); err != nil {
			return err
		}
	}
	for _, e := range w.t.Events {
		switch e.Kind {
		case requirement.EscalationAcknowledged, requirement.EscalationEnded:
			var about struct {
				ID string `json:"id"`
			}
			if err := json.Unmarshal(e.Data, &about); err != nil || about.ID == "" {
				return fmt.Errorf("event %d (%s) does not name its escalation", e.Seq, e.Kind)
			}
			w.batch.Queue(cancelNotices, w.id(), e.Seq, about.ID)
		case requirement.Terminated:
			w.batch.Queue(cancelNotices, w.id(), e.Seq, "")
		}
	}
	w.batch.Queue(countUnsent, w.id(), w.first(), w.last()).QueryRow(func(row pgx.Row) error {
		return row.Scan(&w.result.Notices)
	})
	return nil
}

// DueNotices returns the notices of the events from to that are pending or
// sending, by event, recipient and channel.
func (l *Ledger) DueNotices(ctx context.Context, requirementID string, from, to int) ([]notify.Notice, error) {
	const query = `SELECT ` + noticeColumns + ` FROM notice
WHERE requirement_id = $1 AND seq BETWEEN $2 AND $3 AND state IN ('pending', 'sending')
ORDER BY seq, recipient, channel`
	rows, err := l.pool.Query(ctx, query, storable(requirementID), from, to)
	if err != nil {
		return nil, failed("read the notices of "+requirementID, err)
	}
	due, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (notify.Notice, error) { return scanNotice(row) })
	return due, failed("read the notices of "+requirementID, err)
}

// scanNotice reads [noticeColumns], and the columns after them into more.
func scanNotice(row pgx.Row, more ...any) (notify.Notice, error) {
	var n notify.Notice
	err := row.Scan(append([]any{
		&n.Requirement, &n.Seq, &n.Recipient, &n.Channel, &n.Event, &n.Address, &n.Language,
		&n.Escalation, &n.Rest, &n.State, &n.Attempts, &n.Error,
	}, more...)...)
	if len(n.Rest) == 0 {
		n.Rest = nil
	}
	return n, err
}

// ClaimNotice marks a pending notice as sending and counts the attempt. Of
// several who claim it at once, one is told true.
func (l *Ledger) ClaimNotice(ctx context.Context, k notify.Key) (bool, error) {
	const update = `UPDATE notice SET state = 'sending', attempts = attempts + 1, claimed_at = now()
WHERE requirement_id = $1 AND seq = $2 AND recipient = $3 AND channel = $4 AND state = 'pending'`
	tag, err := l.pool.Exec(ctx, update, keyFields(k)...)
	if err != nil {
		return false, failed("claim "+describe(k), err)
	}
	return tag.RowsAffected() == 1, nil
}

// SettleNotice records what became of a pending or sending notice, and lets next
// take over in the same transaction. A notice that has its final state keeps it,
// for instance one that was cancelled meanwhile; then nothing takes over. The
// error is [ErrNotFound] when there is no such notice.
func (l *Ledger) SettleNotice(ctx context.Context, k notify.Key, s notify.State, reason string, next *notify.Notice) error {
	const update = `UPDATE notice SET state = $5, error = $6,
	settled_at = CASE WHEN $5 IN ('pending', 'sending') THEN NULL ELSE now() END
WHERE requirement_id = $1 AND seq = $2 AND recipient = $3 AND channel = $4 AND state IN ('pending', 'sending')`
	err := pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, update, append(keyFields(k), string(s), storable(reason))...)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return noticeExists(ctx, tx, k)
		}
		if next == nil {
			return nil
		}
		rows, err := encode([]noticeRow{noticeRowOf(*next)})
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, insertNotices, rows)
		return err
	})
	return failed("settle "+describe(k), err)
}

func keyFields(k notify.Key) []any {
	return []any{storable(k.Requirement), k.Seq, storable(k.Recipient), storable(k.Channel)}
}

func describe(k notify.Key) string {
	return fmt.Sprintf("the notice of %s, event %d, to %s by %s", k.Requirement, k.Seq, k.Recipient, k.Channel)
}
