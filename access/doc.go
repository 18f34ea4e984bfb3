// Package access says who somebody is who comes in from outside, and what they
// may do (row N1): principals, their roles, and one table of roles and
// operations that [Allow] reads.
//
// It decides at the edge, before the process is asked: the process has its own
// rules of who may do an act in which stage, which hold for everybody, also for
// those who need no permission here because they sit at the command line.
//
// The package knows the domain's names of acts and the policy's directory. It
// must not import Temporal, SQL or HTTP.
package access
