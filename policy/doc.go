// Package policy is what a company decides about its response process: targets,
// calendars, approvals, routing, escalation chains, who is told of what, and
// the people and departments. All of it comes from one YAML file; no figure of
// the process lives in code.
//
// A [Policy] has two parts. The [Process] is the rules: a requirement keeps the
// one it was started with, so nothing in it may change under a running
// requirement. The [Directory] is the people: it is asked at the moment
// somebody is needed, because people come, go and are on leave.
//
// [Parse] is strict and tells everything that is wrong with a file at once, each
// with its line and column. What it reads is described by policy.schema.json,
// for editors; default.yaml is the policy that holds when none is given, and
// examples/policy-fast.yaml is made from it.
//
// The package may import sla and the YAML and schema libraries; no Temporal, no
// SQL, no wall clock.
package policy
