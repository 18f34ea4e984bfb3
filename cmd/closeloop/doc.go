// Command closeloop is the product's one binary: the operators' commands, the
// worker and the database's migrations. What its commands print is a contract
// with scripts; see the help of each command.
//
// Commands are thin: they read flags, ask starter, ledger or intake, and print.
// Input, output, arguments and environment are injected, so that tests run
// commands in-process. Every text that people read is in locale/cli.*.toml.
package main
