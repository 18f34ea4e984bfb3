package starter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"closeloop/contract"
)

// auditTime is how long an audit that was started by hand may run. One that no
// worker has taken by then is forgotten.
const auditTime = time.Hour

// AuditWaiting tells who waits for an audit how it goes. Functions may be nil.
type AuditWaiting struct {
	// Joined is called when an audit was under way already. It may be another than
	// was asked for; its report says which.
	Joined func()
	// Still is called from time to time. taken is false while no worker has begun
	// with it.
	Still func(taken bool)
	// Every is how often that is. Default: five seconds.
	Every time.Duration
}

// Audit compares the ledger with the workflows and returns the report. Where
// another is under way that was started by hand, it is joined.
//
// It waits as long as the context lets it. When that has a deadline, the error
// is [ErrNoWorker] or [ErrUnfinished] after it.
func (c *Client) Audit(ctx context.Context, req contract.AuditRequest, waiting AuditWaiting) (contract.AuditReport, error) {
	id := contract.AuditID(c.taskQueue)
	run, err := c.startAudit(ctx, id, req)
	var there *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &there) {
		if waiting.Joined != nil {
			waiting.Joined()
		}
		run, err = c.temporal.GetWorkflow(ctx, id, there.RunId), nil
	}
	if err != nil {
		return contract.AuditReport{}, c.explain(ctx, "the audit", err)
	}
	type result struct {
		report contract.AuditReport
		err    error
	}
	results := make(chan result, 1)
	go func() {
		var r result
		r.err = run.Get(ctx, &r.report)
		results <- r
	}()
	every := waiting.Every
	if every <= 0 {
		every = 5 * time.Second
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case r := <-results:
			if r.err != nil && overdue(ctx, r.err) {
				r.err = c.unfinished(ctx, id, run.GetRunID())
			}
			return r.report, r.err
		case <-ticker.C:
			if taken, err := c.auditTaken(ctx, id, run.GetRunID()); err == nil && waiting.Still != nil {
				waiting.Still(taken)
			}
		}
	}
}

// overdue reports whether the call has failed because its time was up. The server
// knows the time, too, and may be the first to say so.
func overdue(ctx context.Context, err error) bool {
	var server *serviceerror.DeadlineExceeded
	return errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &server)
}

func (c *Client) startAudit(parent context.Context, id string, req contract.AuditRequest) (client.WorkflowRun, error) {
	ctx, cancel := c.bounded(parent)
	defer cancel()
	return c.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: id, TaskQueue: c.taskQueue, WorkflowRunTimeout: auditTime,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            "Compares the ledger with the workflows, started by hand",
	}, contract.AuditWorkflow, req)
}

// unfinished says why there is no report yet.
func (c *Client) unfinished(parent context.Context, id, run string) error {
	taken, err := c.auditTaken(context.WithoutCancel(parent), id, run)
	switch {
	case err != nil:
		return &Unreachable{Service: "Temporal", Cause: err}
	case !taken:
		return fmt.Errorf("the audit waits: %w", ErrNoWorker)
	default:
		return ErrUnfinished
	}
}

// auditTaken reports whether a worker has begun with the audit.
func (c *Client) auditTaken(parent context.Context, id, run string) (bool, error) {
	ctx, cancel := context.WithTimeout(parent, probeTimeout)
	defer cancel()
	d, err := c.temporal.DescribeWorkflowExecution(ctx, id, run)
	if err != nil {
		return false, err
	}
	// Its start, and the task that waits to be taken.
	const untouched = 2
	return d.GetWorkflowExecutionInfo().GetHistoryLength() > untouched || d.GetPendingWorkflowTask().GetStartedTime() != nil, nil
}
