package ledger

import (
	"strings"
	"time"

	"closeloop/requirement"
)

var knowledgeTable = table{name: "knowledge", key: []string{"requirement_id"}, columns: []string{
	"title", "problem", "root_cause", "solution", "type", "tier", "customer", "owner", "department",
	"rating", "archived_at", "tokens",
}}

type knowledgeRow struct {
	RequirementID string     `json:"requirement_id"`
	Title         string     `json:"title"`
	Problem       string     `json:"problem"`
	RootCause     string     `json:"root_cause"`
	Solution      string     `json:"solution"`
	Type          string     `json:"type"`
	Tier          string     `json:"tier"`
	Customer      string     `json:"customer"`
	Owner         string     `json:"owner"`
	Department    string     `json:"department"`
	Rating        *int       `json:"rating"`
	ArchivedAt    *time.Time `json:"archived_at"`
	Tokens        []string   `json:"tokens"`
}

// knowledge puts what an archived requirement taught into the knowledge base
// (C4).
func (w *writing) knowledge() error {
	s := w.t.State
	if s.Stage != requirement.Archived || s.ClosedAt == nil || s.Resolution == nil {
		return nil
	}
	problem := paragraphs(s.Description, s.Scenario, s.Pain)
	return w.derive(knowledgeTable, []knowledgeRow{{
		RequirementID: s.ID, Title: s.Title, Problem: problem,
		RootCause: s.Resolution.RootCause, Solution: s.Resolution.Solution,
		Type: s.Type, Tier: s.Tier, Customer: s.Customer, Owner: s.Owner, Department: s.Department,
		Rating: rating(s), ArchivedAt: stampOrNull(s.ClosedAt),
		Tokens: Tokens(s.Title, problem, s.Resolution.RootCause, s.Resolution.Solution),
	}})
}

// paragraphs joins the texts that are not empty.
func paragraphs(texts ...string) string {
	var some []string
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			some = append(some, t)
		}
	}
	return strings.Join(some, "\n\n")
}
