package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"closeloop/access"
	"closeloop/requirement"
)

// How many rows a list has when nobody says, and at most.
const (
	DefaultLimit = 50
	MaxLimit     = 1_000
)

// maxQuery bounds a text that is searched for, in characters.
const maxQuery = 500

// Filter says which requirements a list has. Every field that is set narrows it;
// a list matches each of its values.
type Filter struct {
	Stages      []requirement.Stage
	Statuses    []requirement.Status
	Priorities  []string
	Departments []string
	Owners      []string
	Customers   []string
	// Breached asks for those of which a running clock has breached.
	Breached bool
	// OnHold asks for those that wait for the customer, or with false for the
	// others.
	OnHold *bool
	// Open asks for those that have not ended.
	Open bool
	// DueBy asks for those whose next deadline is at or before that instant, be it
	// past.
	DueBy time.Time
	// Text asks for those whose title and description have all these words, in
	// Chinese or English.
	Text string
	// Reader, when it is set, is who reads: requirements that they may not read are
	// left out.
	Reader *access.Principal

	// Limit is the number of rows; outside 1 to [MaxLimit] it is brought there,
	// with [DefaultLimit] for none.
	Limit int
	// Cursor is [Page.Next] of the page before.
	Cursor string
	// Count asks for the number of all rows that match.
	Count bool
}

// Row is a requirement in a list.
type Row struct {
	ID           string             `json:"id" db:"id"`
	Title        string             `json:"title" db:"title"`
	Customer     string             `json:"customer" db:"customer"`
	Stage        requirement.Stage  `json:"stage" db:"stage"`
	Status       requirement.Status `json:"status" db:"status"`
	Priority     string             `json:"priority" db:"priority"`
	Urgency      string             `json:"urgency" db:"urgency"`
	Type         string             `json:"type" db:"type"`
	Tier         string             `json:"tier" db:"tier"`
	Channel      string             `json:"channel" db:"channel"`
	Department   string             `json:"department" db:"department"`
	Owner        string             `json:"owner" db:"owner"`
	Tracker      string             `json:"tracker" db:"tracker"`
	OnHold       bool               `json:"on_hold" db:"on_hold"`
	Breached     bool               `json:"breached" db:"breached"`
	NextDeadline *time.Time         `json:"next_deadline" db:"next_deadline"`
	// WaitingFor is who must act: people's ids, roles, or customer.
	WaitingFor []string   `json:"waiting_for" db:"waiting_for"`
	CreatedAt  time.Time  `json:"created_at" db:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at" db:"updated_at"`
	ClosedAt   *time.Time `json:"closed_at" db:"closed_at"`
}

// Page is a part of a list.
type Page struct {
	Rows []Row `json:"rows"`
	// Next is the cursor of the next page; empty on the last one.
	Next string `json:"next,omitempty"`
	// Total is the number of all rows that match, when it was asked for.
	Total *int `json:"total,omitempty"`
}

const rowColumns = `id, title, customer, stage, status, priority, urgency, type, tier, channel,
department, owner, tracker, on_hold, breached, next_deadline, waiting_for, created_at, updated_at, closed_at`

// due is the order of lists, as the indexes have it: by the next deadline, the
// ones without at the end.
const due = `coalesce(next_deadline, 'infinity'::timestamptz)`

// place is where a page of requirements ended.
type place struct {
	// Due is in microseconds since 1970; nil for a row without a deadline.
	Due *int64 `json:"due,omitempty"`
	ID  string `json:"id"`
}

// List returns the requirements that match, by their next deadline and then by
// id; those without a deadline come last. Going from page to page gives every
// row once, but for those whose deadline changes meanwhile. The error is
// [ErrCursor] for a cursor that no list gave out.
func (l *Ledger) List(ctx context.Context, f Filter) (Page, error) {
	f.Limit = bounded(f.Limit, DefaultLimit, MaxLimit)
	query, values, err := f.statement()
	if err != nil {
		return Page{}, err
	}
	rows, err := l.pool.Query(ctx, query, values...)
	if err != nil {
		return Page{}, failed("list requirements", err)
	}
	page := Page{}
	if page.Rows, err = pgx.CollectRows(rows, pgx.RowToStructByName[Row]); err != nil {
		return Page{}, failed("list requirements", err)
	}
	if len(page.Rows) > f.Limit {
		page.Rows = page.Rows[:f.Limit]
		if page.Next, err = cursorOf(placeOf(page.Rows[f.Limit-1])); err != nil {
			return Page{}, err
		}
	}
	if f.Count {
		page.Total, err = l.count(ctx, f)
	}
	return page, err
}

// statement returns the query of a page. It asks for one row more than the
// page has, which tells whether there is another page.
func (f Filter) statement() (string, []any, error) {
	var c conditions
	if err := f.narrow(&c); err != nil {
		return "", nil, err
	}
	if f.Cursor != "" {
		var p place
		if err := readCursor(f.Cursor, &p); err != nil {
			return "", nil, err
		}
		c.add("("+due+", id) > (?, ?)", p.instant(), storable(p.ID))
	}
	query := "SELECT " + rowColumns + " FROM requirement" + c.where() +
		" ORDER BY " + due + ", id LIMIT " + c.value(f.Limit+1)
	return query, c.values, nil
}

// count returns how many requirements match, on all pages.
func (l *Ledger) count(ctx context.Context, f Filter) (*int, error) {
	var c conditions
	if err := f.narrow(&c); err != nil {
		return nil, err
	}
	var total int
	err := l.pool.QueryRow(ctx, "SELECT count(*) FROM requirement"+c.where(), c.values...).Scan(&total)
	return &total, failed("count requirements", err)
}

// narrow puts the filter into conditions.
func (f Filter) narrow(c *conditions) error {
	stages, some := f.stages()
	if some && len(stages) == 0 {
		c.add("false")
	}
	c.oneOf("stage", stages)
	c.oneOf("priority", f.Priorities)
	c.oneOf("department", f.Departments)
	c.oneOf("owner", f.Owners)
	c.oneOf("customer", f.Customers)
	if f.Breached {
		c.add("breached")
	}
	if f.OnHold != nil {
		c.add("on_hold = ?", *f.OnHold)
	}
	if f.Open {
		c.add("closed_at IS NULL")
	}
	if !f.DueBy.IsZero() {
		c.add(due+" <= ?", stamp(f.DueBy))
	}
	if f.Reader != nil {
		c.readable(*f.Reader)
	}
	return f.search(c)
}

// stages returns the stages that the filter allows, and whether it says anything
// of them. A status is asked for by its stages, because those are indexed.
func (f Filter) stages() (stages []string, some bool) {
	some = len(f.Stages) > 0 || len(f.Statuses) > 0
	for _, stage := range requirement.Stages {
		if (len(f.Stages) == 0 || slices.Contains(f.Stages, stage)) &&
			(len(f.Statuses) == 0 || slices.Contains(f.Statuses, stage.Status())) && some {
			stages = append(stages, string(stage))
		}
	}
	return stages, some
}

// search narrows to the words of the text.
func (f Filter) search(c *conditions) error {
	text := strings.TrimSpace(f.Text)
	if text == "" {
		return nil
	}
	if n := len([]rune(text)); n > maxQuery {
		return fmt.Errorf("search for at most %d characters, not %d", maxQuery, n)
	}
	alone := single(text)
	words := slices.DeleteFunc(Tokens(text), func(t string) bool { return slices.Contains(alone, t) })
	if len(words)+len(alone) == 0 {
		c.add("false") // nothing but punctuation
	}
	if len(words) > 0 {
		c.add("id IN (SELECT requirement_id FROM requirement_text WHERE tokens @> ?)", words)
	}
	for _, character := range alone {
		c.add("strpos(normalize(title || ' ' || coalesce(state ->> 'description', ''), NFKC), ?) > 0", character)
	}
	return nil
}

func placeOf(r Row) place {
	p := place{ID: r.ID}
	if r.NextDeadline != nil {
		at := r.NextDeadline.UnixMicro()
		p.Due = &at
	}
	return p
}

func (p place) instant() pgtype.Timestamptz {
	if p.Due == nil {
		return pgtype.Timestamptz{Valid: true, InfinityModifier: pgtype.Infinity}
	}
	return pgtype.Timestamptz{Valid: true, Time: time.UnixMicro(*p.Due).UTC()}
}
