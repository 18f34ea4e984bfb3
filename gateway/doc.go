// Package gateway is the way in over HTTP: the API for intake and acts, the
// webhooks of upstream systems, and the pages of customers and approvers (rows
// M8, N1, C1 to C3).
//
// Every request is known before it is read: by a bearer token or a signature,
// or by the signed link that a page was opened with. What somebody may do is
// [access.Table]'s to say. Requirements are acted on through starter and read
// from the ledger; nothing is kept here that another process would miss.
//
// The package must not import the Temporal SDK, workflows or activities.
package gateway
