// Command devstack runs everything closeloop needs from the outside, in one
// process and on this machine only: a private PostgreSQL cluster, a real
// Temporal server that stores in it, and the Temporal Web UI.
//
//	devstack up                     # in the foreground, state kept in .closeloop
//	devstack run -- go test ./...   # only for as long as the command runs
//
// It is a Go module of its own, because the Temporal server does not build
// beside the OpenTelemetry version that the product uses, and because nobody
// who only wants the product should have to build a Temporal server. It knows
// nothing of the product: what is to run on the stack is told with --before
// and --child.
//
// It is made for trying out and for tests. One process with four history
// shards and one database is not how Temporal is run in production.
package main
