// Package migrations holds the SQL files that bring a database to the ledger's
// schema, in the order of their numbers. They only go forward, and each is safe
// while a worker of the release before still runs.
package migrations

import "embed"

// Files are the migrations, named NUMBER_subject.sql.
//
//go:embed *.sql
var Files embed.FS
