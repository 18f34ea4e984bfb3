package starter

import (
	"context"
	"crypto/rand"

	"go.temporal.io/sdk/client"

	"closeloop/contract"
	"closeloop/requirement"
)

// Do does an act on a requirement and waits for the answer. A refusal is a
// [*requirement.Error]; a requirement that has ended is [ErrOver].
//
// An act with an id happens once, however often it is sent.
func (c *Client) Do(ctx context.Context, id string, act requirement.Act) (requirement.Verdict, error) {
	if merge, ok := act.(requirement.Merge); ok {
		if err := c.mergeable(ctx, id, merge); err != nil {
			return requirement.Verdict{}, err
		}
	}
	var verdict requirement.Verdict
	err := c.update(ctx, id, string(act.Name()), act.ID(), act, &verdict)
	return verdict, err
}

// Adopt puts a requirement under other rules and waits for the answer. A refusal
// is a [*requirement.Error]; a requirement that has ended is [ErrOver]. Rules
// that it lives by already change nothing.
func (c *Client) Adopt(ctx context.Context, id string, a contract.Adopt) (requirement.Verdict, error) {
	var verdict requirement.Verdict
	err := c.update(ctx, id, string(requirement.ActAdopt), a.ID(), a, &verdict)
	return verdict, err
}

// Acknowledge stops the climbing of an escalation of the requirement.
func (c *Client) Acknowledge(ctx context.Context, id, escalation string, a contract.Acknowledge) (contract.Acknowledged, error) {
	var done contract.Acknowledged
	err := c.update(ctx, contract.EscalationID(id, escalation), contract.ActAcknowledge, a.ID(), a, &done)
	return done, err
}

func (c *Client) update(parent context.Context, id, name, actID string, arg, answer any) error {
	ctx, cancel := c.bounded(parent)
	defer cancel()
	if actID == "" {
		actID = rand.Text()
	}
	handle, err := c.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: id, UpdateName: name,
		// The name is part of it: the same id under another act is the domain's to
		// refuse, not Temporal's to answer with the first act's result.
		UpdateID:     name + "/" + actID,
		Args:         []any{arg},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, answer)
	}
	return c.explain(parent, id, err)
}

// Signal sends an act, or any other message, without waiting for an answer. One
// that is not allowed is on record as refused.
func (c *Client) Signal(parent context.Context, id, name string, arg any) error {
	ctx, cancel := c.bounded(parent)
	defer cancel()
	return c.explain(parent, id, c.temporal.SignalWorkflow(ctx, id, "", name, arg))
}

// mergeable checks that the survivor of a merge is there to take over. It is
// for an early and clear answer only: the requirement itself takes back a merge
// whose survivor cannot be reached.
func (c *Client) mergeable(ctx context.Context, id string, m requirement.Merge) error {
	if m.Into == "" || m.Into == id {
		// The domain has better words for these.
		return nil
	}
	refuse := func(code requirement.Code, message, hint string, params map[string]string) error {
		return &requirement.Error{Code: code, Message: message, Hint: hint, Params: params}
	}
	seen, err := c.describe(ctx, m.Into)
	if err != nil {
		return c.explain(ctx, m.Into, err)
	}
	switch {
	case seen.running && seen.stage != requirement.Merged:
		return nil
	case seen.stage == requirement.Merged:
		return refuse(requirement.CodeMergeCycle, m.Into+" was itself merged into another requirement",
			"merge into the one that lives on; closeloop show "+m.Into+" names it", map[string]string{"id": id, "into": m.Into})
	default:
		return refuse(requirement.CodeOver, m.Into+" has ended and takes nothing over", "name one that is open; see closeloop list",
			map[string]string{"id": m.Into, "stage": string(seen.stage), "act": string(requirement.ActMerge)})
	}
}
