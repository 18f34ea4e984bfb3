// Package service answers the operations of package nexus: it takes submissions
// in through the starter, like every other way in, and lets callers wait for the
// end of a requirement's workflow.
//
// Nobody has to keep a caller's wait in mind. Temporal itself does: the
// completion callback of the caller's operation is attached to the workflow that
// runs, travels with it when it continues as new, and is delivered with the
// workflow's result. What has ended before is answered from the ledger.
//
// It must not import workflows, activities or worker.
package service
