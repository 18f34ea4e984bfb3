package ledger

import (
	"time"

	"closeloop/requirement"
	"closeloop/sla"
)

var escalationTable = table{name: "escalation", key: []string{"requirement_id", "id"}, columns: []string{
	"clock", "cycle", "chain", "state", "level", "round", "called", "acknowledged_by", "started_at", "ended_at",
}}

type escalationRow struct {
	RequirementID  string                      `json:"requirement_id"`
	ID             string                      `json:"id"`
	Clock          sla.Name                    `json:"clock"`
	Cycle          int                         `json:"cycle"`
	Chain          string                      `json:"chain"`
	State          requirement.EscalationState `json:"state"`
	Level          int                         `json:"level"`
	Round          int                         `json:"round"`
	Called         []string                    `json:"called"`
	AcknowledgedBy string                      `json:"acknowledged_by"`
	StartedAt      time.Time                   `json:"started_at"`
	EndedAt        *time.Time                  `json:"ended_at"`
}

// escalations stores the chains that breaches started.
func (w *writing) escalations() error {
	rows := make([]escalationRow, 0, len(w.t.State.Escalations))
	for _, e := range w.t.State.Escalations {
		rows = append(rows, escalationRow{
			RequirementID: w.id(), ID: e.ID, Clock: e.Clock, Cycle: e.Cycle, Chain: e.Chain, State: e.State,
			Level: e.Level, Round: e.Round, Called: orNone(e.Called), AcknowledgedBy: e.AcknowledgedBy,
			StartedAt: stamp(e.StartedAt), EndedAt: stampOrNull(e.EndedAt),
		})
	}
	if len(rows) == 0 {
		return nil
	}
	return w.derive(escalationTable, rows)
}
