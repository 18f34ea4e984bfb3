package contract

// Workflow types.
const (
	RequirementWorkflow = "Requirement"
	EscalationWorkflow  = "Escalation"
	AuditWorkflow       = "Audit"
	RedeliverWorkflow   = "Redeliver"
)

// Messages of the Requirement workflow besides the acts, each of which is an
// Update and a Signal under its own name, as is [requirement.ActAdopt].
const (
	// UpdateSubmit answers an intake with its [Receipt].
	UpdateSubmit = "submit"
	// QueryState returns the requirement's view.
	QueryState = "state"
	// SignalAbsorb tells the survivor of a merge what was merged into it.
	SignalAbsorb = "absorb"
	// SignalMergeAnswer is the survivor's answer to it.
	SignalMergeAnswer = "merge-answer"
	// SignalReport is what an escalation tells its requirement.
	SignalReport = "escalation-report"
	// SignalContinueAsNew makes a workflow continue as new at its next quiet
	// point: the operator's door for upgrades.
	SignalContinueAsNew = "force-continue-as-new"
	// SignalTick has a requirement let happen what is due; see [Tick].
	SignalTick = "tick"
	// SignalEscalationsLost has a requirement start escalations anew whose workflow
	// is gone; see [LostEscalations].
	SignalEscalationsLost = "escalations-lost"
)

// Messages of the Escalation workflow.
const (
	// ActAcknowledge is an Update and a Signal.
	ActAcknowledge = "acknowledge"
	// SignalStandDown says that the cause of the escalation is gone.
	SignalStandDown = "stand-down"
	// SignalProgress says that somebody is at work.
	SignalProgress = "progress"
	// QueryLadder returns the escalation's ladder.
	QueryLadder = "ladder"
)

// Activities.
const (
	ActivityOpen       = "Open"
	ActivityPersist    = "Persist"
	ActivityNotify     = "Notify"
	ActivityFindPeople = "FindPeople"
	ActivityFillSeats  = "FillSeats"
	ActivityFindOwner  = "FindOwner"
	ActivityStaffChain = "StaffChain"
	ActivityAudit      = "Audit"
	ActivityReopen     = "Reopen"
)

// Search attributes. They are stored unencrypted, so none carries what a
// customer wrote or who the customer is.
const (
	AttrStage        = "CloseloopStage"
	AttrStatus       = "CloseloopStatus"
	AttrType         = "CloseloopType"
	AttrPriority     = "CloseloopPriority"
	AttrDepartment   = "CloseloopDepartment"
	AttrOwner        = "CloseloopOwner"
	AttrWaitingFor   = "CloseloopWaitingFor"
	AttrNextDeadline = "CloseloopNextDeadline"
	AttrBreached     = "CloseloopBreached"
	AttrOnHold       = "CloseloopOnHold"
)

// DefaultTaskQueue is the task queue when none is configured.
const DefaultTaskQueue = "closeloop"

// auditPrefix begins the ids of audits and of their schedules.
const auditPrefix = "closeloop-audit"
