// Package sla is time as promised to a customer: durations, working calendars
// and clocks, all pure values.
//
// A clock is a fold over what happened to it (started, paused, resumed,
// retargeted, stopped). It answers when it is due, what falls due next and how
// much of its target is used, always exactly and always from its facts, so the
// same code runs inside a workflow, in a table test and over last year's
// ledger. Rows L1 to L4 of the process; the Clocks part of the design.
//
// The package imports the standard library only. It never asks for the current
// time: every instant is a parameter.
package sla
