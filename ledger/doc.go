// Package ledger keeps requirements in PostgreSQL, for lists, reports and
// everybody who must not ask a workflow: the tracking ledger 跟踪台账 (K1), the
// notices that are to be sent, and the knowledge base 知识库 (C4).
//
// The ledger is a projection. A requirement's workflow alone changes the
// requirement, and every change arrives here as one [requirement.Transition]
// through [Ledger.Write], as often as it takes: writing it again changes
// nothing, and a late one moves nothing back. The only exception is
// [Ledger.Terminate], for a requirement whose workflow is no more.
//
// Instants are kept to the microsecond, durations as seconds of working time;
// the state of a requirement, as JSON, keeps both exactly.
//
// The package imports pgx, goose and the domain. It must not import Temporal,
// the contract, or anything that sends: whoever needs both stands above.
package ledger
