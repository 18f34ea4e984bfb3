package requirement

import "slices"

// Stage is where a requirement stands in the response process. The names are a
// contract with scripts.
type Stage string

// The stages, in the order of the process.
const (
	Received   Stage = "received"   // 已接收: waits for triage
	Analysing  Stage = "analysing"  // 需求分析: triaged, waits for an owner
	Reviewing  Stage = "reviewing"  // 评审: waits for approvals
	Assigned   Stage = "assigned"   // 已分配: waits for the owner to accept
	Executing  Stage = "executing"  // 执行中: being worked on
	Confirming Stage = "confirming" // 待确认: resolved, waits for the customer
	Archived   Stage = "archived"   // 已归档: confirmed and closed
	Rejected   Stage = "rejected"   // 已驳回: the review said no
	Withdrawn  Stage = "withdrawn"  // 已撤回
	Merged     Stage = "merged"     // 已合并: lives on in another requirement
)

// Stages lists all stages in the order of the process.
var Stages = []Stage{
	Received, Analysing, Reviewing, Assigned, Executing, Confirming,
	Archived, Rejected, Withdrawn, Merged,
}

// working are the stages in which somebody still has to find or do something.
var working = []Stage{Received, Analysing, Reviewing, Assigned, Executing}

// Working reports whether the requirement is not yet resolved nor ended.
func (s Stage) Working() bool { return slices.Contains(working, s) }

// Ended reports whether the process is over. A rejected requirement has not
// ended while it may be appealed; see [Requirement.Over].
func (s Stage) Ended() bool {
	return s == Archived || s == Rejected || s == Withdrawn || s == Merged
}

// Status is the four-valued status of the tracking ledger, derived from the
// stage (row T4).
type Status string

// The statuses.
const (
	Pending    Status = "pending"     // 待处理
	InProgress Status = "in_progress" // 处理中
	Done       Status = "done"        // 已完成
	Refused    Status = "rejected"    // 已驳回
)

// Statuses lists all statuses.
var Statuses = []Status{Pending, InProgress, Done, Refused}

// Status returns the status that the stage means.
func (s Stage) Status() Status {
	switch s {
	case Received, Analysing, Reviewing:
		return Pending
	case Assigned, Executing, Confirming:
		return InProgress
	case Rejected:
		return Refused
	default:
		return Done
	}
}
