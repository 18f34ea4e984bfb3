package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"closeloop/contract"
	"closeloop/ledger"
	"closeloop/requirement"
)

// lookAtMany looks at the suspects when there are enough of them.
func (a *audit) lookAtMany(ctx context.Context) error {
	if len(a.suspects) < batchRows {
		return nil
	}
	return a.look(ctx)
}

// look looks at all suspects for the second time, closely, and repairs what it
// finds.
func (a *audit) look(ctx context.Context) error {
	for batch := range slices.Chunk(a.suspects, batchRows) {
		if err := pause(ctx, orElse(a.Pause, 2*time.Second)); err != nil {
			return err
		}
		ids := make([]string, len(batch))
		for i, s := range batch {
			ids[i] = s.id
		}
		entries, err := a.Ledger.Entries(ctx, ids)
		if err != nil {
			return err
		}
		err = each(ctx, batch, func(ctx context.Context, s *suspect) (err error) {
			entry, known := entries[s.id]
			s.cases, err = a.examine(ctx, s, entry, known)
			return err
		})
		if err != nil {
			return err
		}
		var cases []*diagnosis
		for _, s := range batch {
			cases = append(cases, s.cases...)
		}
		if err := a.treat(ctx, cases); err != nil {
			return err
		}
	}
	a.suspects = nil
	return nil
}

// seen is what is known of one requirement at the second look.
type seen struct {
	*suspect
	entry ledger.Entry
	// workflow is what Temporal knows of its latest run.
	workflow *workflowservice.DescribeWorkflowExecutionResponse
	// view is what the workflow itself says; nil when it does not answer.
	view *requirement.View
}

// examine finds out what is wrong with a suspect: nothing, mostly.
func (a *audit) examine(ctx context.Context, s *suspect, entry ledger.Entry, known bool) ([]*diagnosis, error) {
	look := seen{suspect: s, entry: entry}
	var err error
	if look.workflow, err = a.describe(ctx, s.id); err != nil {
		return nil, err
	}
	running := look.workflow.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	switch {
	case !known && !running, known && entry.ClosedAt != nil && !running:
		return nil, nil
	case !known:
		return a.unrecorded(look), nil
	case !running:
		return a.orphaned(ctx, look)
	}
	if look.view, err = a.ask(ctx, s.id); err != nil {
		return nil, err
	}
	found := a.drifted(look)
	if len(found) == 0 {
		found = a.overdue(look)
	}
	lost, err := a.escalationsLost(ctx, look)
	return slices.Concat(found, lost, a.longHistory(look)), err
}

func (a *audit) unrecorded(look seen) []*diagnosis {
	return []*diagnosis{a.diagnose(look, contract.Unrecorded, look.started(), nil, a.retelling(look))}
}

// orphaned tells a workflow that was ended from outside, and could not write
// that itself, from one of which nothing is known.
func (a *audit) orphaned(ctx context.Context, look seen) ([]*diagnosis, error) {
	info := look.workflow.GetWorkflowExecutionInfo()
	d := a.diagnose(look, contract.Orphaned, look.entry.UpdatedAt, map[string]string{"status": nameOf(info.GetStatus())}, treatment{})
	d.Obstacle = contract.NoWorkflow
	if info == nil {
		return []*diagnosis{d}, nil
	}
	receipt, err := a.Ledger.Receipt(ctx, look.id)
	if err != nil {
		return nil, err
	}
	if first := info.GetFirstRunId(); receipt.Origin != "" && first != "" && receipt.Origin != first {
		// It was submitted again after its own workflow had been forgotten, and turned
		// away.
		d.Details["status"] = nameOf(enumspb.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED)
		return []*diagnosis{d}, nil
	}
	d.Since = info.GetCloseTime().AsTime()
	if info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED {
		d.Obstacle = contract.EndedByItself
		return []*diagnosis{d}, nil
	}
	d.Obstacle, d.Repair, d.treatment = "", contract.Close, a.closing(look)
	return []*diagnosis{d}, nil
}

// drifted compares what the ledger has with what the workflow says.
func (a *audit) drifted(look seen) []*diagnosis {
	details := map[string]string{
		"ledger_stage": string(look.entry.Stage), "ledger_seq": strconv.Itoa(look.entry.Seq),
	}
	if look.view == nil {
		attributes := look.workflow.GetWorkflowExecutionInfo().GetSearchAttributes()
		if !unlike(look.entry, attributes) || !a.old(look.entry.UpdatedAt) {
			return nil
		}
		details["stage"], details["seq"] = attributeText(attributes, contract.AttrStage), "?"
		d := a.diagnose(look, contract.Drifted, look.entry.UpdatedAt, details, treatment{})
		d.Obstacle = contract.Stuck
		return []*diagnosis{d}
	}
	if same(look.entry, *look.view) || !a.old(look.view.UpdatedAt) {
		return nil
	}
	details["stage"], details["seq"] = string(look.view.Stage), strconv.Itoa(look.view.Seq)
	how := a.nudging(look, func(now ledger.Entry) bool {
		return now.Standing() != look.entry.Standing() || same(now, *look.view)
	})
	if look.entry.Seq < look.view.Seq {
		how = a.retelling(look)
	}
	return []*diagnosis{a.diagnose(look, contract.Drifted, look.view.UpdatedAt, details, how)}
}

// same reports whether the ledger has what the workflow says.
func same(e ledger.Entry, v requirement.View) bool {
	return e.Seq == v.Seq && e.Stage == v.Stage && (e.ClosedAt == nil) == (v.ClosedAt == nil) &&
		e.Owner == v.Owner && e.OnHold == v.OnHold && e.Breached == v.Breached && sameInstant(e.NextDeadline, v.NextDeadline)
}

// overdue finds what should have happened by itself.
func (a *audit) overdue(look seen) []*diagnosis {
	late := func(e ledger.Entry) bool { return e.ClosedAt == nil && e.NextMarkAt != nil && a.old(*e.NextMarkAt) }
	// While facts are on their way to the ledger, it does not know what is next.
	if !late(look.entry) || look.view != nil && look.view.Seq != look.entry.Seq {
		return nil
	}
	how := a.nudging(look, func(now ledger.Entry) bool { return !late(now) })
	return []*diagnosis{a.diagnose(look, contract.Overdue, *look.entry.NextMarkAt, nil, how)}
}

// escalationsLost finds the escalations that the requirement counts on and that
// do not run.
func (a *audit) escalationsLost(ctx context.Context, look seen) ([]*diagnosis, error) {
	if look.view == nil {
		return nil, nil
	}
	var found []*diagnosis
	var ids []string
	for _, e := range look.view.Escalations {
		counted := e.State == requirement.EscalationClimbs || e.State == requirement.EscalationAcked || e.State == requirement.EscalationAlarmed
		if !counted || !a.req.Deep && !slices.Contains(look.escalations, e.ID) {
			continue
		}
		child, err := a.describe(ctx, contract.EscalationID(look.id, e.ID))
		if err != nil {
			return nil, err
		}
		if child.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
			continue
		}
		since := e.StartedAt
		if closed := child.GetWorkflowExecutionInfo().GetCloseTime(); closed != nil {
			since = closed.AsTime()
		}
		ids = append(ids, e.ID)
		found = append(found, a.diagnose(look, contract.EscalationLost, since,
			map[string]string{"escalation": e.ID, "state": string(e.State)}, treatment{}))
	}
	restart := a.restarting(look, ids)
	for _, d := range found {
		d.Repair, d.treatment = contract.Restart, restart(d.Details["escalation"])
	}
	return found, nil
}

func (a *audit) longHistory(look seen) []*diagnosis {
	events := look.workflow.GetWorkflowExecutionInfo().GetHistoryLength()
	if events <= int64(orElse(a.LongHistory, 10_000)) {
		return nil
	}
	return []*diagnosis{a.diagnose(look, contract.LongHistory, look.started(),
		map[string]string{"events": strconv.FormatInt(events, 10)}, a.renewing(look))}
}

// started is when the latest run began.
func (s seen) started() time.Time {
	return s.workflow.GetWorkflowExecutionInfo().GetStartTime().AsTime()
}

// waits reports whether the workflow has a task that nobody has done: one more
// message would only wait with it.
func (a *audit) waits(look seen) bool {
	task := look.workflow.GetPendingWorkflowTask()
	return task != nil && (task.GetAttempt() > 1 || time.Since(task.GetScheduledTime().AsTime()) > a.patience())
}

// describe returns what Temporal knows of the latest run of a workflow, without
// any worker; an empty answer when there is none.
func (a *audit) describe(ctx context.Context, id string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	answer, err := a.Temporal.DescribeWorkflowExecution(ctx, id, "")
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return &workflowservice.DescribeWorkflowExecutionResponse{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", id, err)
	}
	return answer, nil
}

// ask asks the workflow itself how it stands. Nil is no answer: its task fails,
// or no worker is there.
func (a *audit) ask(ctx context.Context, id string) (*requirement.View, error) {
	if a.silent.Load() >= maxSilent {
		return nil, nil
	}
	limited, cancel := context.WithTimeout(ctx, a.patience())
	defer cancel()
	var view requirement.View
	answer, err := a.Temporal.QueryWorkflow(limited, id, "", contract.QueryState)
	if err == nil {
		err = answer.Get(&view)
	}
	switch {
	case err == nil:
		a.silent.Store(0)
		return &view, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	default: // what does not answer is a finding, not a failure of the audit
		a.silent.Add(1)
		return nil, nil
	}
}
