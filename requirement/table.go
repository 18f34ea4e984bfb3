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
	// Roles are who may do it; empty means everybody who is known.
	Roles []Role
	// About says what the act does, for hints and the Web UI's dialogs.
	About string
	// Needs are the flags that its command cannot do without, to be filled in.
	Needs string
}

// Command returns what to type to do the act on a requirement.
func Command(act Name, id string) string {
	text := "closeloop " + string(act) + " " + id
	if needs := ruleOf(act).Needs; needs != "" {
		text += " " + needs
	}
	return text
}

// AckCommand returns what to type to acknowledge an escalation.
func AckCommand(id, escalation string) string {
	return "closeloop ack " + id + " --escalation " + escalation
}

// Table is the stage × act table. State diagram, hints and dialogs are made
// from it.
var Table = []Rule{
	{
		Act:   ActTriage,
		In:    []Stage{Received, Analysing},
		To:    []Stage{Analysing, Reviewing},
		Roles: []Role{Operator, Manager, System},
		About: "classify it and decide whether it needs approval",
	},
	{
		Act:   ActApprove,
		In:    []Stage{Reviewing},
		To:    []Stage{Analysing, Assigned, Executing},
		Roles: []Role{Voter},
		About: "vote yes in the open round",
	},
	{
		Act:   ActDecline,
		In:    []Stage{Reviewing},
		To:    []Stage{Rejected, Analysing, Assigned, Executing},
		Roles: []Role{Voter},
		About: "vote no in the open round, with the reason",
		Needs: `--reason "…"`,
	},
	{
		Act:   ActDelegate,
		In:    []Stage{Reviewing},
		Roles: []Role{Voter},
		About: "give your vote to somebody else",
		Needs: `--to …`,
	},
	{
		Act:   ActAssign,
		In:    []Stage{Analysing, Assigned, Executing},
		To:    []Stage{Assigned},
		Roles: []Role{Operator, Agent, Manager, System},
		About: "give it to a person, with clocks and history kept",
		Needs: `--to …`,
	},
	{
		Act:   ActAccept,
		In:    []Stage{Assigned},
		To:    []Stage{Executing},
		Roles: []Role{Owner, Operator, System},
		About: "take on what was assigned to you",
	},
	{
		Act:   ActHandBack,
		In:    []Stage{Assigned, Executing},
		To:    []Stage{Analysing},
		Roles: []Role{Owner, Operator, Manager, System},
		About: "give it back, with the reason",
		Needs: `--reason "…"`,
	},
	{
		Act:   ActRespond,
		In:    working,
		To:    []Stage{Executing},
		Roles: []Role{Operator, Agent, Manager, System},
		About: "answer the customer; the first answer stops the response clock",
		Needs: `--method phone --message "…"`,
	},
	{
		Act:   ActPlan,
		In:    []Stage{Assigned, Executing},
		To:    []Stage{Executing},
		Roles: []Role{Operator, Agent, Manager, System},
		About: "record the steps of the solution with owner and due date",
		Needs: `--step "…;…;4h"`,
	},
	{
		Act:   ActProgress,
		In:    []Stage{Assigned, Executing},
		To:    []Stage{Executing},
		Roles: []Role{Operator, Agent, Manager, System},
		About: "tell the customer how far it is",
		Needs: `--message "…"`,
	},
	{
		Act:   ActHold,
		In:    working,
		Roles: []Role{Operator, Agent, Manager, System},
		About: "wait for the customer, or for somebody else; the clocks pause",
		Needs: `--reason "…"`,
	},
	{
		Act:   ActResume,
		In:    working,
		Roles: []Role{Operator, Agent, Manager, Customer, System},
		About: "go on after the reply that was waited for",
	},
	{
		Act:   ActResolve,
		In:    []Stage{Assigned, Executing},
		To:    []Stage{Confirming},
		Roles: []Role{Operator, Agent, Manager, System},
		About: "say what solved it and ask the customer to confirm",
		Needs: `--solution "…"`,
	},
	{
		Act:   ActConfirm,
		In:    []Stage{Confirming},
		To:    []Stage{Archived},
		Roles: []Role{Customer, Operator, System},
		About: "the customer's yes, with rating 1 to 5 and comment",
	},
	{
		Act:   ActDispute,
		In:    []Stage{Confirming},
		To:    []Stage{Executing},
		Roles: []Role{Customer, Operator, System},
		About: "the customer's no, with the reason; it is reopened",
		Needs: `--reason "…"`,
	},
	{
		Act:   ActAmend,
		In:    append(slices.Clone(working), Confirming),
		To:    []Stage{Reviewing},
		Roles: []Role{Customer, Operator, Agent, Manager, System},
		About: "change what is asked for; makes a new version",
		Needs: `--description "…"`,
	},
	{
		Act:   ActReprioritise,
		In:    append(slices.Clone(working), Confirming),
		Roles: []Role{Operator, Manager, System},
		About: "change the priority, with the reason; the clocks are retargeted",
		Needs: `--priority high --reason "…"`,
	},
	{
		Act:   ActMerge,
		In:    append(slices.Clone(working), Confirming),
		To:    []Stage{Merged},
		Roles: []Role{Operator, Manager, System},
		About: "end it as a duplicate of another requirement",
		Needs: `--into …`,
	},
	{
		Act:   ActWithdraw,
		In:    append(slices.Clone(working), Confirming),
		To:    []Stage{Withdrawn},
		Roles: []Role{Customer, Operator, Manager, System},
		About: "end it because it is no longer wanted",
		Needs: `--reason "…"`,
	},
	{
		Act:   ActAppeal,
		In:    []Stage{Rejected},
		To:    []Stage{Reviewing},
		Roles: []Role{Customer, Operator, Manager, System},
		About: "ask for another review of a rejection, once",
		Needs: `--reason "…"`,
	},
	{
		Act:   ActComment,
		In:    append(slices.Clone(working), Confirming, Rejected),
		About: "say something; the customer's words resume what is on hold",
		Needs: `--message "…"`,
	},
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
