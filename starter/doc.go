// Package starter is the client side of the workflows, typed: submit, act,
// acknowledge, look. The command line and the gateway use it; besides the
// worker nothing else talks to Temporal.
//
// Every call is bounded in time, and every error is one of five things: a
// refusal of the process ([*requirement.Error]), [ErrNotFound], [ErrOver],
// [ErrUnreachable] or [ErrNoWorker]; anything else is passed on as it is.
//
// It imports the domain, contract and the Temporal client. It must not import
// ledger, notify, workflows, activities or worker.
package starter
