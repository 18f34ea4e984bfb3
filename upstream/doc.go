// Package upstream turns webhooks of other systems into requirements and acts
// (row M3): tickets of Jira, Zendesk, GitHub, Freshdesk, ServiceNow, and of
// anything that signs by the Standard Webhooks specification.
//
// [Verify] tells who sent a body before anything in it is read. [Read] finds in
// it what a [Delivery] says of tickets. [Submission] makes the intake record of
// one, through the mappings of intake. A [Clerk] does what follows from a
// delivery to the requirement: once, and with the same end in whichever order
// deliveries come.
//
// The package is pure: no Temporal, no SQL, no HTTP server, no wall clock. The
// desk that acts and the register that remembers are interfaces.
package upstream
