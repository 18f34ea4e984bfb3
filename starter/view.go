package starter

import (
	"context"

	"closeloop/contract"
	"closeloop/requirement"
)

// View returns a requirement as it stands now. It asks the workflow itself, so
// it needs a worker; one that has ended answers as long as Temporal keeps it.
func (c *Client) View(parent context.Context, id string) (requirement.View, error) {
	ctx, cancel := c.bounded(parent)
	defer cancel()
	var view requirement.View
	value, err := c.temporal.QueryWorkflow(ctx, id, "", contract.QueryState)
	if err == nil {
		err = value.Get(&view)
	}
	return view, c.explain(parent, id, err)
}
