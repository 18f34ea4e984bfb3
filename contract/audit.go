package contract

import (
	"time"

	"closeloop/requirement"
)

// FindingKind says what is wrong with a requirement. The names are a contract
// with scripts.
type FindingKind string

// The kinds of findings.
const (
	// Orphaned: open in the ledger, and no workflow runs.
	Orphaned FindingKind = "orphaned"
	// Unrecorded: its workflow runs, and the ledger does not have it.
	Unrecorded FindingKind = "unrecorded"
	// Drifted: the ledger and the workflow tell different stories.
	Drifted FindingKind = "drifted"
	// Overdue: something fell due and did not happen.
	Overdue FindingKind = "overdue"
	// LongHistory: the workflow should have continued as new.
	LongHistory FindingKind = "long_history"
	// EscalationLost: an escalation is open, and its workflow does not run.
	EscalationLost FindingKind = "escalation_lost"
	// Undated: a clock ticks whose deadline nobody can compute.
	Undated FindingKind = "undated"
)

// FindingKinds lists all kinds in the order in which people are shown them.
var FindingKinds = []FindingKind{Orphaned, Unrecorded, Drifted, Overdue, EscalationLost, LongHistory, Undated}

// Repair is what the audit does about a finding.
type Repair string

// The repairs.
const (
	// Close ends the requirement in the ledger, and its escalations.
	Close Repair = "close"
	// Retell writes again what the workflow's history says was written.
	Retell Repair = "retell"
	// Nudge has the workflow let happen what is due and tell its state anew.
	Nudge Repair = "nudge"
	// Restart has the workflow start the escalation anew.
	Restart Repair = "restart"
	// Renew has the workflow continue as new.
	Renew Repair = "renew"
)

// Obstacle is why a finding was not repaired.
type Obstacle string

// The obstacles.
const (
	// NoWorkflow: Temporal has no workflow of it, or none that took it in. That
	// may be the whole namespace, so nothing is closed.
	NoWorkflow Obstacle = "no_workflow"
	// EndedByItself: the workflow had nothing left to do, and the ledger has not
	// heard of its end.
	EndedByItself Obstacle = "ended_by_itself"
	// NoHistory: a part of the history that is needed is no longer kept, or
	// cannot be replayed.
	NoHistory Obstacle = "no_history"
	// Stuck: the workflow's task waits or fails; another message would wait too.
	Stuck Obstacle = "stuck"
	// NoEffect: the repair was tried and has not shown an effect yet.
	NoEffect Obstacle = "no_effect"
	// Writing: the workflow itself is still writing what is missing.
	Writing Obstacle = "writing"
	// NextRun: there were too many for one run.
	NextRun Obstacle = "next_run"
	// ByHand: only people can put it right.
	ByHand Obstacle = "by_hand"
	// Failed: the repair failed.
	Failed Obstacle = "failed"
)

// Finding is something that the audit found wrong.
type Finding struct {
	Kind FindingKind `json:"kind"`
	// ID of the requirement.
	ID string `json:"id"`
	// Since is how long it has been so, as far as that is known.
	Since time.Time `json:"since"`
	// Details are the words for the finding's sentence; which there are depends on
	// the kind.
	Details map[string]string `json:"details,omitempty"`
	// Repair is what the audit does about it; empty when it can do nothing. A dry
	// run names it and does not do it.
	Repair   Repair `json:"repair,omitempty"`
	Repaired bool   `json:"repaired"`
	// Obstacle is why it is not repaired.
	Obstacle Obstacle `json:"obstacle,omitempty"`
	// Error is the error behind the obstacle, where there is one.
	Error string `json:"error,omitempty"`
}

// AuditRequest starts an Audit workflow.
type AuditRequest struct {
	// DryRun repairs nothing.
	DryRun bool `json:"dry_run,omitempty"`
	// Deep asks every workflow, not only those that look suspicious.
	Deep bool `json:"deep,omitempty"`
}

// AuditPartRequest asks for the part of an audit that begins after an id.
type AuditPartRequest struct {
	AuditRequest
	After string `json:"after,omitempty"`
}

// AuditCount counts the findings of one kind.
type AuditCount struct {
	Found    int `json:"found"`
	Repaired int `json:"repaired"`
}

// Audited is what was found.
type Audited struct {
	// Open is the number of requirements that are open in the ledger, Running that
	// of the workflows of requirements that run.
	Open    int `json:"open"`
	Running int `json:"running"`
	AuditCount
	// Kinds has all kinds, found or not.
	Kinds map[FindingKind]AuditCount `json:"kinds"`
	// Findings are the first [MaxFindings] of them.
	Findings []Finding `json:"findings"`
}

// MaxFindings is how many findings a report has at most; the counts are those of
// all.
const MaxFindings = 1_000

// AuditPart is a part of an audit.
type AuditPart struct {
	Audited
	// Next is the id after which the next part begins; empty when there is none.
	Next string `json:"next,omitempty"`
}

// AuditReport is what an Audit workflow returns.
type AuditReport struct {
	AuditRequest
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at"`
	Audited
}

// NewAudited returns the result of an audit that has not looked at anything.
func NewAudited() Audited {
	a := Audited{Kinds: map[FindingKind]AuditCount{}, Findings: []Finding{}}
	for _, kind := range FindingKinds {
		a.Kinds[kind] = AuditCount{}
	}
	return a
}

// Note adds a finding.
func (a *Audited) Note(f Finding) {
	one := AuditCount{Found: 1}
	if f.Repaired {
		one.Repaired = 1
	}
	a.AuditCount = a.plus(one)
	a.Kinds[f.Kind] = a.Kinds[f.Kind].plus(one)
	if len(a.Findings) < MaxFindings {
		a.Findings = append(a.Findings, f)
	}
}

// Add adds what another part has found.
func (a *Audited) Add(part Audited) {
	a.Open, a.Running = a.Open+part.Open, a.Running+part.Running
	a.AuditCount = a.plus(part.AuditCount)
	for _, kind := range FindingKinds {
		a.Kinds[kind] = a.Kinds[kind].plus(part.Kinds[kind])
	}
	room := MaxFindings - len(a.Findings)
	a.Findings = append(a.Findings, part.Findings[:min(room, len(part.Findings))]...)
}

func (c AuditCount) plus(d AuditCount) AuditCount {
	return AuditCount{Found: c.Found + d.Found, Repaired: c.Repaired + d.Repaired}
}

// Tick tells a requirement to let happen what is due.
type Tick struct {
	// Instead is what the ledger was seen to have. With it the requirement tells
	// its state anew, in the place of that.
	Instead *requirement.Standing `json:"instead,omitempty"`
}

// LostEscalations tells a requirement which escalations have lost their workflow.
type LostEscalations struct {
	IDs []string `json:"ids"`
	// Seq is the latest fact of the requirement that the sender knew of; a
	// requirement that has moved on does nothing.
	Seq int `json:"seq"`
}
