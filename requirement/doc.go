// Package requirement is the domain: what a customer requirement (客户需求) is,
// the stages of its life, the acts that people may do, the rules between them
// and the facts they yield.
//
// [Requirement.Check] says whether an act is allowed and changes nothing.
// [Requirement.Do] does it: it changes the state, appends facts with dense
// sequence numbers to the journal and retimes the clocks. [Table] is the stage ×
// act table as data; help texts, diagrams and the Web UI's hints are made from
// it.
//
// The package imports the standard library, sla and policy. It knows no
// Temporal, no SQL, no wall clock and no randomness: every instant is a
// parameter, so that a workflow may replay it.
package requirement
