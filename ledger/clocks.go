package ledger

import (
	"time"

	"closeloop/requirement"
	"closeloop/sla"
)

var clockTable = table{name: "clock", key: []string{"requirement_id", "name", "cycle"}, columns: []string{
	"state", "target", "target_seconds", "calendar", "started_at", "deadline", "stopped_at",
	"breached_at", "detected_at", "elapsed_seconds", "pauses", "marks", "max_pause",
}}

type clockRow struct {
	RequirementID  string       `json:"requirement_id"`
	Name           sla.Name     `json:"name"`
	Cycle          int          `json:"cycle"`
	State          sla.State    `json:"state"`
	Target         sla.Duration `json:"target"`
	TargetSeconds  float64      `json:"target_seconds"`
	Calendar       string       `json:"calendar"`
	StartedAt      time.Time    `json:"started_at"`
	Deadline       *time.Time   `json:"deadline"`
	StoppedAt      *time.Time   `json:"stopped_at"`
	BreachedAt     *time.Time   `json:"breached_at"`
	DetectedAt     *time.Time   `json:"detected_at"`
	ElapsedSeconds *float64     `json:"elapsed_seconds"`
	Pauses         []sla.Pause  `json:"pauses"`
	Marks          []sla.Fired  `json:"marks"`
	MaxPause       *string      `json:"max_pause"`
}

// holders records who held the requirement while a clock ran out (L7). That is
// read from the facts before the breach, because the requirement may have
// changed hands by now. The seconds are those of the breach in $1.
const holders = `UPDATE clock SET
	breach_owner = coalesce((
		SELECT CASE kind WHEN 'assigned' THEN data ->> 'to' END FROM event
		WHERE requirement_id = $2 AND event.seq < breach.seq AND kind IN ('assigned', 'handed_back')
		ORDER BY event.seq DESC LIMIT 1), ''),
	breach_department = coalesce((
		SELECT data ->> 'department' FROM event
		WHERE requirement_id = $2 AND event.seq < breach.seq AND kind IN ('assigned', 'triaged')
		ORDER BY event.seq DESC LIMIT 1), '')
FROM event breach
WHERE breach.requirement_id = $2 AND breach.seq = ANY ($1)
AND clock.requirement_id = $2 AND clock.name = breach.clock AND clock.cycle = (breach.data ->> 'cycle')::integer`

// clocks stores the clocks as they stand. Those that the state has forgotten
// stay as they were when they ended.
func (w *writing) clocks() error {
	rows := make([]clockRow, 0, len(w.t.State.Clocks))
	for i := range w.t.State.Clocks {
		rows = append(rows, clockRowOf(w.r, &w.t.State.Clocks[i]))
	}
	if len(rows) > 0 {
		if err := w.derive(clockTable, rows); err != nil {
			return err
		}
	}
	if breaches := w.seqs(requirement.ClockBreached); len(breaches) > 0 {
		w.batch.Queue(holders, breaches, w.id())
	}
	return nil
}

// seqs returns the numbers of the events of those kinds.
func (w *writing) seqs(kind requirement.Kind) []int {
	var found []int
	for _, e := range w.t.Events {
		if e.Kind == kind {
			found = append(found, e.Seq)
		}
	}
	return found
}

func clockRowOf(r *requirement.Requirement, c *sla.Clock) clockRow {
	cal := r.CalendarOf(c)
	row := clockRow{
		RequirementID: r.ID, Name: c.Name, Cycle: c.Cycle, State: c.State(),
		Target: c.Target, TargetSeconds: c.TargetWork(cal).Seconds(), Calendar: c.Calendar,
		StartedAt: stamp(c.StartedAt), StoppedAt: stampOrNull(c.StoppedAt),
		BreachedAt: stampOrNull(c.BreachedAt), DetectedAt: stampOrNull(c.DetectedAt),
		Pauses: orNone(c.Pauses), Marks: orNone(c.Fired),
	}
	if !c.MaxPause.IsZero() {
		limit := c.MaxPause.String()
		row.MaxPause = &limit
	}
	if at, ok := c.Deadline(cal); ok {
		row.Deadline = stampOrNull(&at)
	}
	if c.StoppedAt != nil {
		elapsed := c.Elapsed(cal, *c.StoppedAt).Seconds()
		row.ElapsedSeconds = &elapsed
	}
	return row
}
