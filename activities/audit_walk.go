package activities

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"closeloop/contract"
	"closeloop/ledger"
)

// suspect is a requirement that is to be looked at closely.
type suspect struct {
	id string
	// escalations are the ids of those whose workflow is not listed.
	escalations []string
	cases       []*diagnosis
}

// stretch is a page of the ledger's open requirements and the ids between which
// it lies.
type stretch struct {
	// after and last bound the ids; an empty last is no bound.
	after, last string
	entries     map[string]ledger.Entry
	suspects    map[string]*suspect
}

func (p *stretch) suspect(id string) *suspect {
	if p.suspects[id] == nil {
		p.suspects[id] = &suspect{id: id}
	}
	return p.suspects[id]
}

// walk lays the ledger and Temporal's list side by side.
func (a *audit) walk(ctx context.Context) error {
	after := a.req.After
	for range partPages {
		entries, err := a.Ledger.OpenEntries(ctx, after, a.page())
		if err != nil {
			return err
		}
		p := stretch{after: after, entries: map[string]ledger.Entry{}, suspects: map[string]*suspect{}}
		for _, e := range entries {
			p.entries[e.ID] = e
		}
		if len(entries) == a.page() {
			p.last = entries[len(entries)-1].ID
		}
		if err := a.compare(ctx, &p); err != nil {
			return err
		}
		if after = p.last; after == "" {
			break
		}
	}
	a.part.Next = after
	return a.look(ctx)
}

// compare finds the suspects of a page.
func (a *audit) compare(ctx context.Context, p *stretch) error {
	a.part.Open += len(p.entries)
	for id, e := range p.entries {
		late := e.NextMarkAt != nil && a.old(*e.NextMarkAt)
		long := e.Seq >= orElse(a.LongHistory, 10_000)/eventsPerFact
		if a.req.Deep || late || long {
			p.suspect(id)
		}
	}
	running, err := a.compareRunning(ctx, p)
	if err != nil {
		return err
	}
	for id := range p.entries {
		if !running[id] {
			p.suspect(id)
		}
	}
	if err := a.compareEscalations(ctx, p); err != nil {
		return err
	}
	undated, err := a.Ledger.UndatedClocks(ctx, p.after, p.last)
	if err != nil {
		return err
	}
	for _, c := range undated {
		details := map[string]string{"clock": string(c.Name), "calendar": c.Calendar}
		if c.Year != 0 {
			details["year"] = strconv.Itoa(c.Year)
		}
		a.note(contract.Finding{
			Kind: contract.Undated, ID: c.RequirementID, Since: c.Since, Obstacle: contract.ByHand, Details: details,
		})
	}
	for _, id := range slices.Sorted(maps.Keys(p.suspects)) {
		a.suspects = append(a.suspects, p.suspects[id])
		if err := a.lookAtMany(ctx); err != nil {
			return err
		}
	}
	return nil
}

// compareRunning goes through the workflows that Temporal lists as running in the
// page, and returns which of the page's requirements are among them. The list may
// be behind by a moment, and order ids otherwise than the ledger: then there is
// one suspect more.
func (a *audit) compareRunning(ctx context.Context, p *stretch) (map[string]bool, error) {
	query := `WorkflowType = '` + contract.RequirementWorkflow + `' AND ExecutionStatus = 'Running'`
	if p.after != "" {
		query += ` AND WorkflowId > ` + quoted(p.after)
	}
	if p.last != "" {
		query += ` AND WorkflowId <= ` + quoted(p.last)
	}
	running := map[string]bool{}
	return running, a.list(ctx, query, func(w *workflowpb.WorkflowExecutionInfo) {
		id := w.GetExecution().GetWorkflowId()
		entry, known := p.entries[id]
		switch {
		case known:
			running[id] = true
			a.part.Running++
			if unlike(entry, w.GetSearchAttributes()) {
				p.suspect(id)
			}
		case w.GetTaskQueue() == a.TaskQueue:
			a.part.Running++
			if a.old(w.GetStartTime().AsTime()) {
				a.suspects = append(a.suspects, &suspect{id: id})
			}
		}
	})
}

// compareEscalations finds the escalations of the page whose workflow is not
// listed as running.
func (a *audit) compareEscalations(ctx context.Context, p *stretch) error {
	const chunk = 100
	live, err := a.Ledger.LiveEscalations(ctx, p.after, p.last)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(live, chunk) {
		ids := make([]string, len(some))
		for i, e := range some {
			ids[i] = quoted(contract.EscalationID(e.RequirementID, e.ID))
		}
		running := map[string]bool{}
		query := `WorkflowType = '` + contract.EscalationWorkflow + `' AND ExecutionStatus = 'Running' AND WorkflowId IN (` + strings.Join(ids, ", ") + `)`
		err := a.list(ctx, query, func(w *workflowpb.WorkflowExecutionInfo) {
			running[w.GetExecution().GetWorkflowId()] = true
		})
		if err != nil {
			return err
		}
		for _, e := range some {
			if !running[contract.EscalationID(e.RequirementID, e.ID)] {
				s := p.suspect(e.RequirementID)
				s.escalations = append(s.escalations, e.ID)
			}
		}
	}
	return nil
}

// list calls see for each workflow that matches.
func (a *audit) list(ctx context.Context, query string, see func(*workflowpb.WorkflowExecutionInfo)) error {
	var next []byte
	for {
		found, err := a.Temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Query: query, PageSize: int32(a.page()), NextPageToken: next,
		})
		if err != nil {
			return fmt.Errorf("list the workflows that run: %w", err)
		}
		for _, w := range found.GetExecutions() {
			see(w)
		}
		if err := a.lookAtMany(ctx); err != nil {
			return err
		}
		if next = found.GetNextPageToken(); len(next) == 0 {
			return nil
		}
	}
}

// quoted is a text in a query.
func quoted(text string) string {
	return `'` + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + `'`
}

// unlike reports whether the search attributes, which change with every
// transition, are not those of what the ledger has.
func unlike(e ledger.Entry, attributes *commonpb.SearchAttributes) bool {
	var stage, owner string
	var held, breached bool
	var deadline time.Time
	for name, into := range map[string]any{
		contract.AttrStage: &stage, contract.AttrOwner: &owner, contract.AttrOnHold: &held,
		contract.AttrBreached: &breached, contract.AttrNextDeadline: &deadline,
	} {
		if p, ok := attributes.GetIndexedFields()[name]; ok && converter.GetDefaultDataConverter().FromPayload(p, into) != nil {
			return true
		}
	}
	return stage != string(e.Stage) || owner != e.Owner || held != e.OnHold || breached != e.Breached ||
		!sameInstant(e.NextDeadline, &deadline)
}

// sameInstant compares instants as precisely as they are kept; no instant and
// the zero one are the same.
func sameInstant(a, b *time.Time) bool {
	of := func(t *time.Time) time.Time {
		if t == nil || t.IsZero() {
			return time.Time{}
		}
		return t.UTC().Truncate(time.Microsecond)
	}
	return of(a).Equal(of(b))
}
