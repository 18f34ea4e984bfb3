package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

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

	// inOf is for how many seconds a notice that is not settled is to be left alone:
	// until it is due, or until its courier must have let go of it.
	inOf = `greatest(0, coalesce(extract(epoch FROM
	CASE state WHEN 'pending' THEN due_at ELSE claimed_at + make_interval(secs => %d) END - now()), 0))::float8`

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

// inSeconds is [inOf] with the lease in it.
var inSeconds = fmt.Sprintf(inOf, int(notify.Lease.Seconds()))

// DueNotices returns the notices of the events from to that are pending or
// sending, by event, recipient and channel.
func (l *Ledger) DueNotices(ctx context.Context, requirementID string, from, to int) ([]notify.Due, error) {
	query := `SELECT ` + noticeColumns + `, ` + inSeconds + `, extract(epoch FROM now() - opened_at)::float8 FROM notice
WHERE requirement_id = $1 AND seq BETWEEN $2 AND $3 AND state IN ('pending', 'sending')
ORDER BY seq, recipient, channel`
	rows, err := l.pool.Query(ctx, query, storable(requirementID), from, to)
	if err != nil {
		return nil, failed("read the notices of "+requirementID, err)
	}
	due, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (notify.Due, error) {
		var in, age float64
		n, err := scanNotice(row, &in, &age)
		return notify.Due{Notice: n, In: seconds(in), Age: seconds(age)}, err
	})
	return due, failed("read the notices of "+requirementID, err)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

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
// several who claim it at once, one takes it. It is not taken before it is due
// nor, with inOrder, while an earlier one to the same recipient on that channel
// about the requirement is not settled.
func (l *Ledger) ClaimNotice(ctx context.Context, k notify.Key, inOrder bool) (notify.Claim, error) {
	const update = `UPDATE notice SET state = 'sending', attempts = attempts + 1, claimed_at = now(), due_at = NULL
WHERE requirement_id = $1 AND seq = $2 AND recipient = $3 AND channel = $4
AND state = 'pending' AND coalesce(due_at, now()) <= now()
AND NOT ($5 AND EXISTS (SELECT FROM notice earlier
	WHERE earlier.requirement_id = $1 AND earlier.seq < $2 AND earlier.recipient = $3 AND earlier.channel = $4
	AND earlier.state IN ('pending', 'sending')))`
	tag, err := l.pool.Exec(ctx, update, append(keyFields(k), inOrder)...)
	if err != nil {
		return notify.Claim{}, failed("claim "+describe(k), err)
	}
	if tag.RowsAffected() == 1 {
		return notify.Claim{Taken: true}, nil
	}
	after, err := l.turn(ctx, k, inOrder)
	return notify.Claim{After: after}, failed("claim "+describe(k), err)
}

// turn is when to claim a notice again that could not be claimed: when the first
// of those before it is due, and a second later for each of the others, so that
// those who wait do not all come at once. It is zero for a notice that is settled.
func (l *Ledger) turn(ctx context.Context, k notify.Key, inOrder bool) (time.Duration, error) {
	query := `SELECT count(*), coalesce((array_agg(` + inSeconds + ` ORDER BY seq))[1], 0) FROM notice
WHERE requirement_id = $1 AND (seq = $2 OR $5 AND seq < $2) AND recipient = $3 AND channel = $4
AND state IN ('pending', 'sending')
AND EXISTS (SELECT FROM notice own WHERE own.requirement_id = $1 AND own.seq = $2 AND own.recipient = $3
	AND own.channel = $4 AND own.state IN ('pending', 'sending'))`
	var queue int
	var in float64
	err := l.pool.QueryRow(ctx, query, append(keyFields(k), inOrder)...).Scan(&queue, &in)
	if err != nil || queue == 0 {
		return 0, err
	}
	return seconds(in) + time.Duration(max(queue-1, 1))*time.Second, nil
}

// PostponeNotice makes a notice that was being sent pending again, to be tried
// after that time. One that has its final state keeps it. The error is
// [ErrNotFound] when there is no such notice.
func (l *Ledger) PostponeNotice(ctx context.Context, k notify.Key, reason string, after time.Duration) error {
	const update = `UPDATE notice SET state = 'pending', error = $5, due_at = now() + make_interval(secs => $6)
WHERE requirement_id = $1 AND seq = $2 AND recipient = $3 AND channel = $4 AND state = 'sending'`
	tag, err := l.pool.Exec(ctx, update, append(keyFields(k), storable(reason), after.Seconds())...)
	if err == nil && tag.RowsAffected() == 0 {
		err = noticeExists(ctx, l.pool, k)
	}
	return failed("postpone "+describe(k), err)
}

// SettleNotice records what became of a pending or sending notice, and lets next
// take over in the same transaction. A notice that has its final state keeps it,
// for instance one that was cancelled meanwhile; then nothing takes over. The
// error is [ErrNotFound] when there is no such notice.
func (l *Ledger) SettleNotice(ctx context.Context, k notify.Key, s notify.State, reason string, next *notify.Notice) error {
	const update = `UPDATE notice SET state = $5, error = $6, settled_at = now()
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
