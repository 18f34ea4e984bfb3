package requirement

import "slices"

// The acts. Each name is that of an Update, a Signal and a command.
const (
	ActTriage       Name = "triage"
	ActApprove      Name = "approve"
	ActDecline      Name = "decline"
	ActDelegate     Name = "delegate"
	ActAssign       Name = "assign"
	ActAccept       Name = "accept"
	ActHandBack     Name = "hand-back"
	ActRespond      Name = "respond"
	ActPlan         Name = "plan"
	ActProgress     Name = "progress"
	ActHold         Name = "hold"
	ActResume       Name = "resume"
	ActResolve      Name = "resolve"
	ActConfirm      Name = "confirm"
	ActDispute      Name = "dispute"
	ActAmend        Name = "amend"
	ActReprioritise Name = "reprioritise"
	ActMerge        Name = "merge"
	ActWithdraw     Name = "withdraw"
	ActAppeal       Name = "appeal"
	ActComment      Name = "comment"
)

// Rule is a row of the stage × act table.
type Rule struct {
	Act Name
	// In are the stages in which the act is possible.
	In []Stage
	// To are the stages it may lead to, besides staying.
	To []Stage
	// Roles are who may do it; empty means anybody.
	Roles []Role
	// About says what the act does, for hints and the Web UI's dialogs.
	About string
}

// Table is the stage × act table. State diagram, hints and dialogs are made
// from it.
var Table = []Rule{
	{ActTriage, []Stage{Received, Analysing}, []Stage{Analysing, Reviewing}, []Role{Operator, Manager, System},
		"classify it and decide whether it needs approval"},
	{ActApprove, []Stage{Reviewing}, []Stage{Analysing, Assigned, Executing}, []Role{Voter},
		"vote yes in the open round"},
	{ActDecline, []Stage{Reviewing}, []Stage{Rejected, Analysing, Assigned, Executing}, []Role{Voter},
		"vote no in the open round, with the reason"},
	{ActDelegate, []Stage{Reviewing}, nil, []Role{Voter},
		"give your vote to somebody else"},
	{ActAssign, []Stage{Analysing, Assigned, Executing}, []Stage{Assigned}, []Role{Operator, Agent, Manager, System},
		"give it to a person, with clocks and history kept"},
	{ActAccept, []Stage{Assigned}, []Stage{Executing}, []Role{Owner, Operator, System},
		"take on what was assigned to you"},
	{ActHandBack, []Stage{Assigned, Executing}, []Stage{Analysing}, []Role{Owner, Operator, Manager, System},
		"give it back, with the reason"},
	{ActRespond, working, []Stage{Executing}, []Role{Operator, Agent, Manager, System},
		"answer the customer; the first answer stops the response clock"},
	{ActPlan, []Stage{Assigned, Executing}, []Stage{Executing}, []Role{Operator, Agent, Manager, System},
		"record the steps of the solution with owner and due date"},
	{ActProgress, []Stage{Assigned, Executing}, []Stage{Executing}, []Role{Operator, Agent, Manager, System},
		"tell the customer how far it is"},
	{ActHold, working, nil, []Role{Operator, Agent, Manager, System},
		"wait for the customer; the clocks pause"},
	{ActResume, working, nil, []Role{Operator, Agent, Manager, Customer, System},
		"go on after the customer's reply"},
	{ActResolve, []Stage{Assigned, Executing}, []Stage{Confirming}, []Role{Operator, Agent, Manager, System},
		"say what solved it and ask the customer to confirm"},
	{ActConfirm, []Stage{Confirming}, []Stage{Archived}, []Role{Customer, Operator, System},
		"the customer's yes, with rating 1 to 5 and comment"},
	{ActDispute, []Stage{Confirming}, []Stage{Executing}, []Role{Customer, Operator, System},
		"the customer's no, with the reason; it is reopened"},
	{ActAmend, append(slices.Clone(working), Confirming), []Stage{Reviewing}, []Role{Customer, Operator, Agent, Manager, System},
		"change what is asked for; makes a new version"},
	{ActReprioritise, append(slices.Clone(working), Confirming), nil, []Role{Operator, Manager, System},
		"change the priority, with the reason; the clocks are retargeted"},
	{ActMerge, append(slices.Clone(working), Confirming), []Stage{Merged}, []Role{Operator, Manager, System},
		"end it as a duplicate of another requirement"},
	{ActWithdraw, append(slices.Clone(working), Confirming), []Stage{Withdrawn}, []Role{Customer, Operator, Manager, System},
		"end it because it is no longer wanted"},
	{ActAppeal, []Stage{Rejected}, []Stage{Reviewing}, []Role{Customer, Operator, Manager, System},
		"ask for another review of a rejection, once"},
	{ActComment, append(slices.Clone(working), Confirming, Rejected), nil, nil,
		"say something; the customer's words resume what is on hold"},
}

func ruleOf(name Name) Rule {
	i := slices.IndexFunc(Table, func(r Rule) bool { return r.Act == name })
	if i < 0 {
		panic("closeloop: the table has no row for the act " + string(name))
	}
	return Table[i]
}

// hint names the acts that are possible now.
func (r *Requirement) hint() string {
	can := r.Can()
	if len(can) == 0 {
		return "it has ended; nothing more can be done to it"
	}
	return "possible now: " + join(can)
}

// Can returns the acts that are possible in the present stage and state,
// whoever does them.
func (r *Requirement) Can() []Name {
	can := []Name{}
	for _, rule := range Table {
		if r.Over() || !slices.Contains(rule.In, r.Stage) {
			continue
		}
		switch rule.Act {
		case ActResume:
			if r.Hold == nil {
				continue
			}
		case ActHold:
			if r.Hold != nil {
				continue
			}
		case ActApprove, ActDecline, ActDelegate:
			if r.Approval == nil || r.Approval.State != RoundOpen {
				continue
			}
		case ActAppeal:
			if r.Appealed {
				continue
			}
		}
		can = append(can, rule.Act)
	}
	return can
}
