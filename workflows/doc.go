// Package workflows is the response process as durable functions: [Workflows]
// has one method for each workflow. Requirement reads from top to bottom like
// the process itself; Escalation climbs the ladder that a breach starts;
// Audit compares the ledger with the workflows.
//
// The functions are thin: they wait, ask the domain what follows, and carry out
// what the world must learn. Handlers of updates and signals only change the
// state and never block. Three coroutines do everything else: one keeps the
// single timer, one writes the ledger, one starts and ends escalations.
//
// The package imports the domain, contract and the Temporal SDK. No wall clock,
// randomness, environment, goroutine or ranging over a map: the code is
// replayed.
package workflows
