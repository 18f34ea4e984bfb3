package nexus

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// submitTime bounds a submission, repetitions included. The service answers
// within milliseconds; this is how long it may be away.
const submitTime = time.Hour

// Desk calls the service from a workflow.
type Desk struct{ client workflow.NexusClient }

// At returns the desk behind a Nexus endpoint.
func At(endpoint string) Desk { return Desk{workflow.NewNexusClient(endpoint, Service)} }

// Submit takes a requirement in, or finds it. It is tried again for up to an
// hour while closeloop is away; a refusal is final, see [RefusalOf].
func (d Desk) Submit(ctx workflow.Context, s Submission) (Receipt, error) {
	var receipt Receipt
	err := d.client.ExecuteOperation(ctx, Submit, s, workflow.NexusOperationOptions{
		ScheduleToCloseTimeout: submitTime, Summary: "submit " + s.Ref,
	}).Get(ctx, &receipt)
	return receipt, err
}

// AwaitOutcome waits for the end of a requirement, for as long as it takes: its
// context ends the wait earlier. That leaves the requirement alone; only the act
// withdraw takes it back.
//
// A requirement whose workflow somebody cancels or terminates in Temporal ends
// the wait with an error that says so. Asked again, the answer is that it was
// withdrawn.
func (d Desk) AwaitOutcome(ctx workflow.Context, id string) (Outcome, error) {
	return await(ctx, d.client.ExecuteOperation(ctx, AwaitOutcome, OutcomeRequest{ID: id}, waiting("outcome of "+id)))
}

// SubmitAndAwait is [Desk.Submit] and [Desk.AwaitOutcome] in one operation.
func (d Desk) SubmitAndAwait(ctx workflow.Context, s Submission) (Outcome, error) {
	return await(ctx, d.client.ExecuteOperation(ctx, SubmitAndAwait, s, waiting("outcome of "+s.Ref)))
}

func await(ctx workflow.Context, f workflow.NexusOperationFuture) (Outcome, error) {
	var outcome Outcome
	err := f.Get(ctx, &outcome)
	return outcome, err
}

// waiting are the options of an operation that waits. Whoever stops waiting tells
// nobody: the requirement goes on all the same.
func waiting(summary string) workflow.NexusOperationOptions {
	return workflow.NexusOperationOptions{CancellationType: workflow.NexusOperationCancellationTypeAbandon, Summary: summary}
}
