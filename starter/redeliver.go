package starter

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/client"

	"closeloop/contract"
)

// Redeliver has a worker send notices again. It returns once Temporal has taken
// the order, which outlives everybody who might be away now.
func (c *Client) Redeliver(parent context.Context, req contract.RedeliverRequest) error {
	ctx, cancel := c.bounded(parent)
	defer cancel()
	_, err := c.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: req.WorkflowID(), TaskQueue: c.taskQueue,
		StaticSummary: fmt.Sprintf("Sends %d notices of %s again", len(req.Numbers), req.ID),
	}, contract.RedeliverWorkflow, req)
	if err != nil {
		return c.explain(parent, req.ID, err)
	}
	return nil
}
