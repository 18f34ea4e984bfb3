// Package activities is what workflows ask of the outside: write the ledger,
// send notifications, look people up, compare the ledger with Temporal. Each
// may run again after a crash, so each is idempotent.
//
// The package may import the domain, contract, ledger, notify and the Temporal
// SDK; it does not know the workflows.
package activities
