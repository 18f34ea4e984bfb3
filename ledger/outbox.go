package ledger

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"closeloop/notify"
	"closeloop/requirement"
)

// NoticeFilter says which notices a list has. Every field that is set narrows
// it; a list matches each of its values.
type NoticeFilter struct {
	Requirement string
	States      []notify.State
	Events      []requirement.Kind
	Recipient   string
	Channel     string
	// Numbers are those of [NoticeEntry].
	Numbers []int64

	// Limit is the number of rows; outside 1 to [MaxLimit] it is brought there,
	// with [DefaultLimit] for none.
	Limit int
	// Cursor is [NoticePage.Next] of the page before.
	Cursor string
}

// NoticeEntry is a notice with its times.
type NoticeEntry struct {
	notify.Notice
	CreatedAt time.Time `json:"created_at"`
	// ClaimedAt is when it was last handed to its channel, SettledAt when it got
	// its final state.
	ClaimedAt *time.Time `json:"claimed_at"`
	SettledAt *time.Time `json:"settled_at"`

	// Number is the order in which notices were written; gaps mean nothing.
	Number int64 `json:"number"`
	// DueAt is when a pending notice is tried next; nil for at once.
	DueAt *time.Time `json:"due_at"`
}

// NoticePage is a part of a list of notices.
type NoticePage struct {
	Notices []NoticeEntry `json:"notices"`
	// Next is the cursor of the next page; empty on the last one.
	Next string `json:"next,omitempty"`
}

// noticePlace is where a page of notices ended.
type noticePlace struct {
	Number int64 `json:"number"`
}

// Notices returns the notices that match, the latest first. Going from page to
// page gives every one once. The error is [ErrCursor] for a cursor that no list
// gave out.
func (l *Ledger) Notices(ctx context.Context, f NoticeFilter) (NoticePage, error) {
	var c conditions
	if err := f.narrow(&c); err != nil {
		return NoticePage{}, err
	}
	limit := bounded(f.Limit, DefaultLimit, MaxLimit)
	query := "SELECT " + noticeColumns + ", created_at, claimed_at, settled_at, number, due_at FROM notice" +
		c.where() + " ORDER BY number DESC LIMIT " + c.value(limit+1)
	rows, err := l.pool.Query(ctx, query, c.values...)
	if err != nil {
		return NoticePage{}, failed("list notices", err)
	}
	page := NoticePage{}
	page.Notices, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (NoticeEntry, error) {
		var n NoticeEntry
		var err error
		n.Notice, err = scanNotice(row, &n.CreatedAt, &n.ClaimedAt, &n.SettledAt, &n.Number, &n.DueAt)
		return n, err
	})
	if err != nil {
		return NoticePage{}, failed("list notices", err)
	}
	if len(page.Notices) > limit {
		page.Notices = page.Notices[:limit]
		page.Next, err = cursorOf(noticePlace{page.Notices[limit-1].Number})
	}
	return page, err
}

func (f NoticeFilter) narrow(c *conditions) error {
	one := func(column, value string) {
		if value != "" {
			c.oneOf(column, []string{value})
		}
	}
	one("requirement_id", f.Requirement)
	one("recipient", f.Recipient)
	one("channel", f.Channel)
	if len(f.Numbers) > 0 {
		c.add("number = ANY (?)", f.Numbers)
	}
	c.oneOf("state", texts(f.States))
	c.oneOf("event", texts(f.Events))
	if len(f.States) > 0 && !slices.ContainsFunc(f.States, settled) {
		// Said in these words, because the index is on them.
		c.add("state IN ('pending', 'sending', 'uncertain', 'parked')")
	}
	if f.Cursor == "" {
		return nil
	}
	var p noticePlace
	if err := readCursor(f.Cursor, &p); err != nil {
		return err
	}
	c.add("number < ?", p.Number)
	return nil
}

// settled reports states in which nobody has to do anything any more.
func settled(s notify.State) bool {
	return s == notify.Sent || s == notify.Failed || s == notify.Cancelled
}

func texts[T ~string](list []T) []string {
	var found []string
	for _, t := range list {
		found = append(found, string(t))
	}
	return found
}

// Retryable reports whether notices of that state can be sent again: those that
// did not arrive, or may not have.
func Retryable(s notify.State) bool {
	return s == notify.Parked || s == notify.Failed || s == notify.Uncertain
}

// ReopenNotices makes notices of a requirement pending again, with attempts and
// time counted anew. Those that are not [Retryable] stay as they are. It returns
// how many of them are to be sent, and the first and the last of their events:
// sending them is up to the caller. It may be repeated.
func (l *Ledger) ReopenNotices(ctx context.Context, requirementID string, numbers []int64) (count, from, to int, err error) {
	const (
		update = `UPDATE notice SET state = 'pending', attempts = 0, error = '', settled_at = NULL, due_at = NULL, opened_at = now()
WHERE requirement_id = $1 AND number = ANY ($2) AND state IN ('parked', 'failed', 'uncertain')`
		query = `SELECT count(*), coalesce(min(seq), 0), coalesce(max(seq), 0) FROM notice
WHERE requirement_id = $1 AND number = ANY ($2) AND state IN ('pending', 'sending')`
	)
	err = pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, update, storable(requirementID), numbers); err != nil {
			return err
		}
		return tx.QueryRow(ctx, query, storable(requirementID), numbers).Scan(&count, &from, &to)
	})
	return count, from, to, failed("reopen notices of "+requirementID, err)
}

// querier is a connection, a pool or a transaction.
type querier interface {
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

// noticeExists returns [pgx.ErrNoRows] when there is no such notice.
func noticeExists(ctx context.Context, q querier, k notify.Key) error {
	var one int
	return q.QueryRow(ctx, `SELECT 1 FROM notice
WHERE requirement_id = $1 AND seq = $2 AND recipient = $3 AND channel = $4`, keyFields(k)...).Scan(&one)
}
