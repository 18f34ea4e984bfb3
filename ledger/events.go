package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"closeloop/requirement"
	"closeloop/sla"
)

// MaxEvents is how many events are read at once.
const MaxEvents = 1_000

type eventRow struct {
	Seq      int              `json:"seq"`
	At       time.Time        `json:"at"`
	Kind     requirement.Kind `json:"kind"`
	Actor    string           `json:"actor"`
	Via      *string          `json:"via"`
	Stage    *string          `json:"stage"`
	Clock    *sla.Name        `json:"clock"`
	Data     json.RawMessage  `json:"data"`
	Audience []string         `json:"audience"`
}

const (
	insertEvents = `INSERT INTO event (requirement_id, seq, at, kind, actor, via, stage, clock, data, audience)
SELECT $2, seq, at, kind, actor, via, stage, clock, data, audience FROM jsonb_populate_recordset(NULL::event, $1)
ON CONFLICT DO NOTHING`

	otherEvents = `SELECT coalesce(min(had.seq), 0)
FROM jsonb_populate_recordset(NULL::event, $1) new JOIN event had ON had.requirement_id = $2 AND had.seq = new.seq
WHERE (had.at, had.kind, had.actor, had.data, had.audience)
IS DISTINCT FROM (new.at, new.kind, new.actor, new.data, new.audience)`
)

// events stores the facts.
func (w *writing) events() error {
	text, err := w.eventRows()
	if err != nil {
		return err
	}
	w.batch.Queue(insertEvents, text, w.id()).Exec(func(tag pgconn.CommandTag) error {
		w.result.Events = int(tag.RowsAffected())
		return nil
	})
	return nil
}

func (w *writing) eventRows() (json.RawMessage, error) {
	rows := make([]eventRow, 0, len(w.t.Events))
	for _, e := range w.t.Events {
		row := eventRow{Seq: e.Seq, At: stamp(e.At), Kind: e.Kind, Actor: e.Actor, Data: e.Data, Audience: e.To}
		if len(e.To) == 0 {
			row.Audience = nil
		}
		if e.Via != "" {
			row.Via = &e.Via
		}
		if stage := string(e.Stage); stage != "" {
			row.Stage = &stage
		}
		if name := clockOf(e); name != "" {
			row.Clock = &name
		}
		rows = append(rows, row)
	}
	return encode(rows)
}

// compare refuses facts that contradict those the ledger has.
func (w *writing) compare(ctx context.Context, pool *pgxpool.Pool) error {
	text, err := w.eventRows()
	if err != nil {
		return err
	}
	var seq int
	if err := pool.QueryRow(ctx, otherEvents, text, w.id()).Scan(&seq); err != nil {
		return err
	}
	if seq != 0 {
		return fmt.Errorf("%w: its event %d is another one", ErrConflict, seq)
	}
	return nil
}

// clockOf returns the clock of an event about a clock or an escalation. The
// field does not survive JSON, the particulars do.
func clockOf(e requirement.Event) sla.Name {
	if e.Clock != "" {
		return e.Clock
	}
	if !strings.HasPrefix(string(e.Kind), "clock_") && !strings.HasPrefix(string(e.Kind), "escalation_") {
		return ""
	}
	var about struct {
		Clock sla.Name `json:"clock"`
	}
	if json.Unmarshal(e.Data, &about) != nil {
		return ""
	}
	return about.Clock
}

const eventColumns = `seq, at, kind, actor, coalesce(via, ''), coalesce(stage, ''), coalesce(clock, ''), data, audience`

func scanEvent(row pgx.CollectableRow) (requirement.Event, error) {
	var e requirement.Event
	var data []byte
	err := row.Scan(&e.Seq, &e.At, &e.Kind, &e.Actor, &e.Via, &e.Stage, &e.Clock, &data, &e.To)
	e.Data = compact(data)
	return e, err
}

// Event returns one event of a requirement, or [ErrNotFound].
func (l *Ledger) Event(ctx context.Context, id string, seq int) (requirement.Event, error) {
	doing := fmt.Sprintf("read event %d of %s", seq, id)
	rows, err := l.pool.Query(ctx, `SELECT `+eventColumns+` FROM event WHERE requirement_id = $1 AND seq = $2`, storable(id), seq)
	if err != nil {
		return requirement.Event{}, failed(doing, err)
	}
	e, err := pgx.CollectExactlyOneRow(rows, scanEvent)
	return e, failed(doing, err)
}

// Events returns the events of a requirement after the number afterSeq, in
// order, at most limit of them; a limit outside 1 to [MaxEvents] means that. The
// error is [ErrNotFound] when the requirement is not in the ledger.
func (l *Ledger) Events(ctx context.Context, id string, afterSeq, limit int) ([]requirement.Event, error) {
	const query = `SELECT ` + eventColumns + ` FROM event WHERE requirement_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`
	rows, err := l.pool.Query(ctx, query, storable(id), afterSeq, bounded(limit, MaxEvents, MaxEvents))
	if err != nil {
		return nil, failed("read the events of "+id, err)
	}
	events, err := pgx.CollectRows(rows, scanEvent)
	if err != nil {
		return nil, failed("read the events of "+id, err)
	}
	if len(events) == 0 {
		if _, err := l.Receipt(ctx, id); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// bounded returns the limit, or what is usual when there is none, or the most
// there may be.
func bounded(limit, usual, most int) int {
	if limit < 1 {
		return usual
	}
	return min(limit, most)
}
