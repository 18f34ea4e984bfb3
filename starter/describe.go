package starter

import (
	"context"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/converter"

	"closeloop/contract"
	"closeloop/requirement"
)

// memoKey is the field of the memo that keeps an intake's key, so that it can
// be read of a workflow that has ended.
const memoKey = "key"

// execution is what Temporal itself knows of a requirement's workflow; no
// worker is needed to tell.
type execution struct {
	running bool
	failed  bool
	// key of the intake; empty when the workflow was started by other means.
	key   string
	stage requirement.Stage
}

func (c *Client) describe(parent context.Context, id string) (execution, error) {
	ctx, cancel := c.bounded(parent)
	defer cancel()
	d, err := c.temporal.DescribeWorkflow(ctx, id, "")
	if err != nil {
		return execution{}, err
	}
	e := execution{
		running: d.Status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING,
		failed:  d.Status == enumspb.WORKFLOW_EXECUTION_STATUS_FAILED,
	}
	if stage, ok := d.TypedSearchAttributes.GetKeyword(contract.Stage); ok {
		e.stage = requirement.Stage(stage)
	}
	if p, ok := d.Memo.GetFields()[memoKey]; ok {
		// A memo that cannot be read was not written by us: then the id alone counts.
		_ = converter.GetDefaultDataConverter().FromPayload(p, &e.key)
	}
	return e, nil
}

// Running reports whether the workflow of a requirement runs. It asks Temporal
// alone, so no worker is needed; the error is [ErrNotFound] when Temporal does
// not know of it (any more).
func (c *Client) Running(parent context.Context, id string) (bool, error) {
	seen, err := c.describe(parent, id)
	return seen.running, c.explain(parent, id, err)
}
