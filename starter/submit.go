package starter

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"closeloop/contract"
	"closeloop/requirement"
)

// maxProbes bounds the search for an id that no other key has: with 40 bits of
// id, the fourth try is never seen.
const maxProbes = 8

// KeyOf returns what the id of a submission is made from: its external
// reference when it has one (row I5), otherwise the key that the caller gives,
// otherwise something new each time.
func KeyOf(s requirement.Submission, key string) string {
	switch {
	case s.Ref != "":
		return "ref:" + s.Ref
	case key != "":
		return key
	default:
		return "new:" + rand.Text()
	}
}

// Submit takes in a requirement, or finds the one that the same key has started
// before: the same reference never starts a second one, not even when two
// arrive at the same instant or after the first has been archived. Without a
// reference, key makes the intake happen once; an empty key is a new
// requirement each time.
//
// A call that failed with [ErrUnreachable] or [ErrNoWorker] may have started
// the requirement; repeating it with the same key is safe.
func (c *Client) Submit(ctx context.Context, s requirement.Submission, key string) (contract.Receipt, error) {
	key, attempt := KeyOf(s, key), rand.Text()
	for probe := range maxProbes {
		id := contract.RequirementID(key, probe)
		receipt, err := c.intake(ctx, id, key, attempt, s)
		if err != nil {
			return contract.Receipt{}, c.explain(ctx, id, err)
		}
		if receipt.Key == key || receipt.Key == "" {
			return receipt, nil
		}
	}
	return contract.Receipt{}, fmt.Errorf("no free id was found for %s in %d tries", key, maxProbes)
}

// intake starts the workflow of that id, or asks the one that runs.
func (c *Client) intake(parent context.Context, id, key, attempt string, s requirement.Submission) (contract.Receipt, error) {
	// The id of the Update comes from the key, so that a repetition is answered by
	// Temporal and leaves no trace in the history.
	update := contract.UpdateSubmit + "/" + key
	receipt, err := c.start(parent, id, key, attempt, update, s)
	if _, refused := contract.RefusalOf(err); refused {
		// It may be the answer to an earlier submission, which was turned away and
		// has been corrected since; Temporal repeats that as well. Asked under
		// another id, it has to look anew.
		receipt, err = c.start(parent, id, key, attempt, update+"/"+attempt, s)
	}
	var taken *serviceerror.WorkflowExecutionAlreadyStarted
	switch {
	case errors.As(err, &taken), err != nil && kindOf(err) == kindOver:
		return c.existing(parent, contract.Receipt{ID: id, Ref: s.Ref})
	case err != nil:
		return contract.Receipt{}, err
	case receipt.Attempt == attempt, receipt.Attempt == "", receipt.Key != key:
		// Without an attempt the answer is the ledger's, of a requirement that
		// Temporal has forgotten.
		return receipt, nil
	default:
		// Temporal repeated the answer that an earlier call was given.
		return c.existing(parent, receipt)
	}
}

// start is one update-with-start.
func (c *Client) start(parent context.Context, id, key, attempt, update string, s requirement.Submission) (contract.Receipt, error) {
	ctx, cancel := c.bounded(parent)
	defer cancel()
	start := c.temporal.NewWithStartWorkflowOperation(c.startOptions(id, key, s), contract.RequirementWorkflow,
		contract.Input{Submission: s, Key: key, Attempt: attempt})
	handle, err := c.temporal.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{
			UpdateID: update, UpdateName: contract.UpdateSubmit,
			Args:         []any{contract.SubmitRequest{Key: key, Attempt: attempt}},
			WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
	var receipt contract.Receipt
	if err == nil {
		err = handle.Get(ctx, &receipt)
	}
	return receipt, err
}

// existing brings the receipt of a requirement that was there before up to date.
func (c *Client) existing(parent context.Context, receipt contract.Receipt) (contract.Receipt, error) {
	seen, err := c.describe(parent, receipt.ID)
	if err != nil {
		return contract.Receipt{}, err
	}
	receipt.Created = false
	if seen.key != "" {
		receipt.Key = seen.key
	}
	if seen.stage != "" {
		receipt.Stage = seen.stage
	}
	if seen.running {
		return receipt, nil
	}
	outcome, err := c.outcome(parent, receipt.ID)
	switch {
	case seen.failed && err != nil:
		// The intake was turned away, and this is why.
		return contract.Receipt{}, err
	case err == nil && outcome.Stage != "":
		receipt.Stage = outcome.Stage
	}
	return receipt, nil
}

// outcome returns what a workflow that has ended returned.
func (c *Client) outcome(parent context.Context, id string) (contract.Outcome, error) {
	ctx, cancel := c.bounded(parent)
	defer cancel()
	var outcome contract.Outcome
	err := c.temporal.GetWorkflow(ctx, id, "").Get(ctx, &outcome)
	return outcome, err
}

// taskTimeout is how long a worker may take for one step. It is also how long a
// requirement waits when its worker is killed in the middle of one.
const taskTimeout = 5 * time.Second

func (c *Client) startOptions(id, key string, s requirement.Submission) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID: id, TaskQueue: c.taskQueue, WorkflowTaskTimeout: taskTimeout,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		// What failed was turned away and never became a requirement: it may be
		// submitted again, corrected. What was ended from outside is in the ledger,
		// which the new run asks first.
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		Memo:                  map[string]any{memoKey: key},
		TypedSearchAttributes: attributes(s),
		StaticSummary:         summary(s),
		StaticDetails:         details(s),
		Priority:              temporal.Priority{PriorityKey: priorityKey(s.Priority)},
	}
}

// attributes make the requirement findable from its first event on. What the
// intake left to the policy's defaults follows with the first transition.
func attributes(s requirement.Submission) temporal.SearchAttributes {
	updates := []temporal.SearchAttributeUpdate{
		contract.Stage.ValueSet(string(requirement.Received)),
		contract.Status.ValueSet(string(requirement.Received.Status())),
	}
	if s.Type != "" {
		updates = append(updates, contract.Type.ValueSet(s.Type))
	}
	if s.Priority != "" {
		updates = append(updates, contract.Priority.ValueSet(s.Priority))
	}
	return temporal.NewSearchAttributes(updates...)
}

// priorityKey orders the tasks of a busy queue: 1 comes first.
func priorityKey(priority string) int {
	switch priority {
	case "high":
		return 1
	case "low":
		return 3
	default:
		return 2
	}
}
