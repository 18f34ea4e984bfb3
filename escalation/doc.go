// Package escalation is the ladder that is climbed when a clock breaches: who
// is called on which level, until when an acknowledgement is waited for, how
// often it all repeats, and when to give up and raise the alarm (row L5).
//
// A [Ladder] is a pure value like a clock: it says when it next has something
// to do and does what is due at an instant that it is given. It imports the
// standard library, sla and policy.
package escalation
