package notify

import (
	"encoding/json"
	"time"

	"closeloop/requirement"
	"closeloop/sla"
)

// particulars are the fields that the data of events have, of whatever kind.
type particulars struct {
	Reason         string                 `json:"reason"`
	Message        string                 `json:"message"`
	Comment        string                 `json:"comment"`
	Solution       string                 `json:"solution"`
	RootCause      string                 `json:"root_cause"`
	Description    string                 `json:"description"`
	Options        []string               `json:"options"`
	Steps          []requirement.PlanStep `json:"steps"`
	DoneSteps      []int                  `json:"done_steps"`
	To             string                 `json:"to"`
	For            string                 `json:"for"`
	Into           string                 `json:"into"`
	ID             string                 `json:"id"`
	Title          string                 `json:"title"`
	Customer       string                 `json:"customer"`
	Owner          string                 `json:"owner"`
	Department     string                 `json:"department"`
	Act            string                 `json:"act"`
	Method         string                 `json:"method"`
	Before         string                 `json:"before"`
	Priority       string                 `json:"priority"`
	Rating         int                    `json:"rating"`
	Automatic      bool                   `json:"automatic"`
	Implied        bool                   `json:"implied"`
	FromCustomer   bool                   `json:"from_customer"`
	Version        int                    `json:"version"`
	Cycle          int                    `json:"cycle"`
	Round          int                    `json:"round"`
	Need           int                    `json:"need"`
	State          string                 `json:"state"`
	Clock          sla.Name               `json:"clock"`
	Mark           string                 `json:"mark"`
	Deadline       *time.Time             `json:"deadline"`
	BreachedAt     *time.Time             `json:"breached_at"`
	Level          int                    `json:"level"`
	Called         []string               `json:"called"`
	AcknowledgedBy string                 `json:"acknowledged_by"`
	Count          int                    `json:"count"`
	Policy         string                 `json:"policy"`
	Calendar       string                 `json:"calendar"`
	Lacks          *sla.Lack              `json:"lacks"`
}

// particularsOf reads the data of an event; fields of one line are cleaned. What cannot be read is left out: a
// notice with less in it is better than none.
func particularsOf(e requirement.Event) (particulars, error) {
	p := particulars{Clock: e.Clock}
	if len(e.Data) == 0 {
		return p, nil
	}
	err := json.Unmarshal(e.Data, &p)
	for _, text := range []*string{&p.For, &p.Into, &p.ID, &p.Mark, &p.State, &p.Act, &p.Method, &p.Title, &p.Policy, &p.Calendar} {
		*text = line(*text, maxLine)
	}
	return p, err
}
