// Package whatif answers what would have become of promises under other rules:
// how many would have been met and how many missed, beside what became of them.
//
// It folds the facts of real lives with [requirement.Fold], many at a time. What
// people did stands; only the clocks are other ones. The answer is the same
// whichever life is folded first.
//
// The package imports the domain. It knows no SQL and no wall clock: the lives
// come to it from the ledger, which stands above.
package whatif
