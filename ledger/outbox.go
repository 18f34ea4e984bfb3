package ledger

import (
	"context"
	"errors"
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

	number int64
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
	query := "SELECT " + noticeColumns + ", created_at, claimed_at, settled_at, number FROM notice" +
		c.where() + " ORDER BY number DESC LIMIT " + c.value(limit+1)
	rows, err := l.pool.Query(ctx, query, c.values...)
	if err != nil {
		return NoticePage{}, failed("list notices", err)
	}
	page := NoticePage{}
	page.Notices, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (NoticeEntry, error) {
		var n NoticeEntry
		var err error
		n.Notice, err = scanNotice(row, &n.CreatedAt, &n.ClaimedAt, &n.SettledAt, &n.number)
		return n, err
	})
	if err != nil {
		return NoticePage{}, failed("list notices", err)
	}
	if len(page.Notices) > limit {
		page.Notices = page.Notices[:limit]
		page.Next, err = cursorOf(noticePlace{page.Notices[limit-1].number})
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

// ErrNotRetryable says that a notice was sent, is being sent, or lost its reason.
var ErrNotRetryable = errors.New("only notices that are parked, failed or uncertain can be tried again")

// RetryNotice makes a notice that did not arrive, or may not have, pending again
// with its attempts counted from nothing. Sending it is up to the caller. The
// error is [ErrNotFound] when there is no such notice, and [ErrNotRetryable] when
// it is in another state.
func (l *Ledger) RetryNotice(ctx context.Context, k notify.Key) (notify.Notice, error) {
	const update = `UPDATE notice SET state = 'pending', attempts = 0, error = '', settled_at = NULL
WHERE requirement_id = $1 AND seq = $2 AND recipient = $3 AND channel = $4
AND state IN ('parked', 'failed', 'uncertain')
RETURNING ` + noticeColumns
	n, err := scanNotice(l.pool.QueryRow(ctx, update, keyFields(k)...))
	if errors.Is(err, pgx.ErrNoRows) {
		if err = noticeExists(ctx, l.pool, k); err == nil {
			err = ErrNotRetryable
		}
	}
	return n, failed("try again "+describe(k), err)
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
