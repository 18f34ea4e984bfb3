package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"closeloop/notify"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// Channel is the PostgreSQL notification channel on which the ids of changed
// requirements are told.
const Channel = "closeloop_transition"

// Written says what [Ledger.Write] did.
type Written struct {
	// Events is the number of events that were new to the ledger.
	Events int
	// Current is false when the ledger had a later state, which it kept.
	Current bool
	// Notices is the number of notices of these events that are still to be sent.
	Notices int
}

// Write stores a transition and the notices that tell it, in one transaction.
// It may be repeated, also late: what is there already stays as it is, and a
// state never goes back in time.
//
// A workflow task that was cut off by a crash is tried again, and its second
// attempt may tell another story than the first, which the ledger may have
// heard: what the first wrote then never happened. The later one is true; it
// replaces what it overlaps (see [writing.undo]).
//
// A state that is told once more ([requirement.Requirement.Restate]) replaces
// what the ledger has when that is what it is to replace, and nothing otherwise.
//
// The error is [ErrGap] when earlier events are missing, [ErrConflict] when the
// ledger has another story of the same instant, [ErrUnreachable] when the
// database does not answer; nothing is written then.
func (l *Ledger) Write(ctx context.Context, t requirement.Transition, notices []notify.Notice) (Written, error) {
	rules, err := l.rulesOf(ctx, t)
	if err != nil {
		return Written{}, failed("write "+t.State.ID, err)
	}
	w := &writing{t: t, notices: notices, r: requirement.Restore(t.State, rules), replaces: t.Instead != nil}
	err = w.run(ctx, l.pool)
	if errors.Is(err, errOvertaken) {
		w.replaces = true
		err = w.run(ctx, l.pool)
	}
	if errors.Is(err, errKnown) {
		err = w.recognise(ctx, l.pool)
	}
	if err != nil {
		return Written{}, failed("write "+t.State.ID, w.explain(err))
	}
	return w.result, nil
}

// rulesOf returns the rules that the figures of the new state take: those with
// the calendars of its clocks. Around the clock takes none.
func (l *Ledger) rulesOf(ctx context.Context, t requirement.Transition) (policy.Process, error) {
	if t.Process != nil {
		return *t.Process, nil
	}
	for _, c := range t.State.Clocks {
		if c.Open() && c.Calendar != sla.AlwaysOpen {
			return l.Process(ctx, t.State.Policy)
		}
	}
	return policy.Process{}, nil
}

// What the lock finds out, besides that the transition is what comes next.
var (
	// errKnown: the ledger has this transition, or a later one.
	errKnown = errors.New("the ledger knows this already")
	// errOvertaken: the ledger has events that this later transition replaces.
	errOvertaken = errors.New("the ledger has what never happened")
)

// writing is one transition on its way into the ledger. All statements go to the
// server together, so whatever one needs of another is said in SQL.
type writing struct {
	t requirement.Transition
	// r is the requirement in its new state.
	r       *requirement.Requirement
	notices []notify.Notice
	// replaces is set when this transition takes the place of what the ledger has.
	replaces bool
	batch    *pgx.Batch
	result   Written
}

// run sends all statements in one transaction.
func (w *writing) run(ctx context.Context, pool *pgxpool.Pool) error {
	w.batch, w.result = &pgx.Batch{}, Written{}
	if err := w.prepare(); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return tx.SendBatch(ctx, w.batch).Close() })
}

func (w *writing) id() string { return w.t.State.ID }
func (w *writing) last() int  { return w.t.State.Seq }

// first is the number of the first event; without events, of the one to come.
func (w *writing) first() int {
	if len(w.t.Events) == 0 {
		return w.last() + 1
	}
	return w.t.Events[0].Seq
}

// at is when the state was reached, as precisely as PostgreSQL keeps it.
func (w *writing) at() time.Time { return stamp(w.t.State.UpdatedAt) }

// prepare puts all statements into the batch. The order matters.
func (w *writing) prepare() error {
	if err := w.check(); err != nil {
		return err
	}
	for _, step := range []func() error{
		w.lock, w.undo, w.requirement, w.text, w.events, w.versions,
		w.clocks, w.approvals, w.escalations, w.knowledge, w.outgoing, w.tell,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// check refuses what no requirement yields.
func (w *writing) check() error {
	if w.id() == "" || (len(w.t.Events) == 0) != (w.t.Instead != nil) {
		return errors.New("a transition has a requirement, and events or a state that is told once more")
	}
	for i, e := range w.t.Events {
		if e.Seq != w.first()+i {
			return fmt.Errorf("the events are not numbered densely: %d follows %d", e.Seq, w.first()+i-1)
		}
	}
	if end := w.first() + len(w.t.Events) - 1; end != w.last() {
		return fmt.Errorf("the state is at event %d and the last event is %d", w.last(), end)
	}
	for _, n := range w.notices {
		if n.Requirement != w.id() || n.Seq < w.first() || n.Seq > w.last() {
			return fmt.Errorf("the notice of %s, event %d, does not belong to events %d to %d",
				n.Requirement, n.Seq, w.first(), w.last())
		}
	}
	return nil
}

// put queues a statement whose first argument is v as JSON.
func (w *writing) put(statement string, v any, more ...any) error {
	rows, err := encode(v)
	if err != nil {
		return err
	}
	w.batch.Queue(statement, append([]any{rows}, more...)...)
	return nil
}

// derive queues the rows of a table that follow from the state; see
// [table.upsert].
func (w *writing) derive(t table, rows any) error {
	return w.put(t.upsert(), rows, w.id(), w.last())
}

// lock lets one writer at a time at a requirement, and finds out how the
// transition fits to what is there. Where there is no row to lock yet, the
// writers meet when they insert it.
func (w *writing) lock() error {
	const query = `SELECT seq, updated_at FROM requirement WHERE id = $1
UNION ALL SELECT 0, '-infinity' WHERE NOT EXISTS (SELECT FROM requirement WHERE id = $1)`
	w.batch.Queue(`SELECT FROM requirement WHERE id = $1 FOR NO KEY UPDATE`, w.id())
	w.batch.Queue(query, w.id()).QueryRow(func(row pgx.Row) error {
		var stored int
		var at pgtype.Timestamptz
		if err := row.Scan(&stored, &at); err != nil {
			return err
		}
		later := stored == 0 || w.at().After(at.Time) || w.at().Equal(at.Time) && w.last() > stored
		switch {
		case w.first() > stored+1:
			return fmt.Errorf("%w: the ledger has %d, then comes %d", ErrGap, stored, w.first())
		case w.t.Instead != nil:
			return w.takesThePlaceOf(requirement.Standing{Seq: stored, At: at.Time})
		case !later:
			w.result.Current = w.last() == stored && w.at().Equal(at.Time)
			return errKnown
		case w.first() <= stored && !w.replaces:
			return errOvertaken
		}
		w.result.Current = true
		return nil
	})
	return nil
}

// takesThePlaceOf lets a state that is told once more replace what it is to
// replace, and nothing else: a straggler must not take the ledger back in time.
func (w *writing) takesThePlaceOf(stored requirement.Standing) error {
	w.result.Current = stored.Seq == w.t.Instead.Seq && stored.At.Equal(stamp(w.t.Instead.At))
	if !w.result.Current {
		return errKnown
	}
	return nil
}

// tell wakes those who listen; PostgreSQL tells them when the transaction ends.
func (w *writing) tell() error {
	w.batch.Queue(`SELECT pg_notify($1, $2)`, Channel, w.id())
	return nil
}

// explain says what a broken constraint means.
func (w *writing) explain(err error) error {
	var answer *pgconn.PgError
	if errors.As(err, &answer) && answer.ConstraintName == "requirement_ref_key" {
		return fmt.Errorf("%w: another requirement has the external reference %s", ErrConflict, w.t.State.Ref)
	}
	return err
}

// requirementTable is written by [writing.requirement], whose guard is its own.
var requirementTable = table{name: "requirement", key: []string{"id"}, columns: []string{
	"title", "customer", "contact", "tier", "channel", "type", "priority", "urgency", "ref",
	"stage", "status", "on_hold", "department", "owner", "tracker", "submitted_by",
	"version", "cycle", "reopened", "first_time_resolved", "rating",
	"breached", "next_deadline", "next_mark_at", "waiting_for", "created_at", "updated_at", "closed_at",
	"policy", "seq", "state",
}}

var upsertRequirement = fmt.Sprintf(`INSERT INTO requirement (id, %[1]s)
SELECT id, %[1]s FROM jsonb_populate_record(NULL::requirement, $1)
ON CONFLICT (id) DO UPDATE SET (%[1]s) = ROW (%[2]s)
WHERE $2 OR (requirement.updated_at, requirement.seq) < (excluded.updated_at, excluded.seq)`,
	prefixed("", requirementTable.columns), prefixed("excluded.", requirementTable.columns))

type requirementRow struct {
	ID                string             `json:"id"`
	Title             string             `json:"title"`
	Customer          string             `json:"customer"`
	Contact           string             `json:"contact"`
	Tier              string             `json:"tier"`
	Channel           string             `json:"channel"`
	Type              string             `json:"type"`
	Priority          string             `json:"priority"`
	Urgency           string             `json:"urgency"`
	Ref               *string            `json:"ref"`
	Stage             requirement.Stage  `json:"stage"`
	Status            requirement.Status `json:"status"`
	OnHold            bool               `json:"on_hold"`
	Department        string             `json:"department"`
	Owner             string             `json:"owner"`
	Tracker           string             `json:"tracker"`
	SubmittedBy       string             `json:"submitted_by"`
	Version           int                `json:"version"`
	Cycle             int                `json:"cycle"`
	Reopened          int                `json:"reopened"`
	FirstTimeResolved *bool              `json:"first_time_resolved"`
	Rating            *int               `json:"rating"`
	Breached          bool               `json:"breached"`
	NextDeadline      *time.Time         `json:"next_deadline"`
	NextMarkAt        *time.Time         `json:"next_mark_at"`
	WaitingFor        []string           `json:"waiting_for"`
	CreatedAt         time.Time          `json:"created_at"`
	UpdatedAt         time.Time          `json:"updated_at"`
	ClosedAt          *time.Time         `json:"closed_at"`
	Policy            string             `json:"policy"`
	Seq               int                `json:"seq"`
	State             requirement.State  `json:"state"`
}

func (w *writing) requirement() error {
	s, r := w.t.State, w.r
	row := requirementRow{
		ID: s.ID, Title: s.Title, Customer: s.Customer, Contact: s.Contact, Tier: s.Tier, Channel: s.Channel,
		Type: s.Type, Priority: s.Priority, Urgency: s.Urgency, Stage: s.Stage, Status: s.Stage.Status(),
		OnHold: s.Hold != nil, Department: s.Department, Owner: s.Owner, Tracker: s.Tracker, SubmittedBy: s.SubmittedBy,
		Version: s.Version, Cycle: s.Cycle, Reopened: s.Reopened, FirstTimeResolved: s.FirstTimeResolved,
		Breached: r.Breached(), WaitingFor: orNone(r.Waiting().Who),
		CreatedAt: stamp(s.CreatedAt), UpdatedAt: stamp(s.UpdatedAt), ClosedAt: stampOrNull(s.ClosedAt),
		Policy: s.Policy, Seq: s.Seq, State: s,
	}
	if s.Ref != "" {
		row.Ref = &s.Ref
	}
	row.Rating = rating(s)
	if at, ok := r.NextDeadline(); ok {
		row.NextDeadline = stampOrNull(&at)
	}
	if next, ok := r.Next(); ok {
		row.NextMarkAt = stampOrNull(&next.At)
	}
	// The lock has found out that a state which is told once more is to be there.
	return w.put(upsertRequirement, row, w.t.Instead != nil)
}

// rating is the customer's satisfaction, or nil.
func rating(s requirement.State) *int {
	if s.Closing == nil || s.Closing.Rating == 0 {
		return nil
	}
	return &s.Closing.Rating
}

func orNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
