// Package worker wires one worker: it connects to PostgreSQL and Temporal,
// makes sure that the search attributes and the schedule are there, registers
// workflows and activities, and runs until its context ends.
package worker
