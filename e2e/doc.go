// Package e2e has the end-to-end tests: they drive the built binary as a person
// or a script would, against a real Temporal server and a real PostgreSQL, and
// look at what Temporal and the ledger then say. `make test` provides both.
package e2e
