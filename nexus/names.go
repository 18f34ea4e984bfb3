package nexus

import "github.com/nexus-rpc/sdk-go/nexus"

// Service is the name of the Nexus service.
const Service = "closeloop"

// The operations.
const (
	// OpSubmit takes a [Submission] in, or finds the requirement that the same
	// reference has started before, and answers with its [Receipt] at once.
	OpSubmit = "submit"
	// OpAwaitOutcome waits for the end of the requirement that an
	// [OutcomeRequest] names, and answers with its [Outcome].
	OpAwaitOutcome = "await-outcome"
	// OpSubmitAndAwait is both in one: a [Submission] is answered with the
	// [Outcome].
	OpSubmitAndAwait = "submit-and-await"
)

// The operations with the types of their messages.
var (
	Submit         = nexus.NewOperationReference[Submission, Receipt](OpSubmit)
	AwaitOutcome   = nexus.NewOperationReference[OutcomeRequest, Outcome](OpAwaitOutcome)
	SubmitAndAwait = nexus.NewOperationReference[Submission, Outcome](OpSubmitAndAwait)
)
