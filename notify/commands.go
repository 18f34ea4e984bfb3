package notify

import (
	"slices"

	"closeloop/requirement"
)

// arguments are what an act's command needs besides the requirement's id.
var arguments = map[requirement.Name]string{
	requirement.ActTriage:       "",
	requirement.ActApprove:      "",
	requirement.ActDecline:      ` --reason "…"`,
	requirement.ActDelegate:     ` --to …`,
	requirement.ActAssign:       ` --to …`,
	requirement.ActAccept:       "",
	requirement.ActHandBack:     ` --reason "…"`,
	requirement.ActRespond:      ` --method phone --message "…"`,
	requirement.ActPlan:         ` --step "…;…;…"`,
	requirement.ActProgress:     ` --message "…"`,
	requirement.ActHold:         ` --reason "…"`,
	requirement.ActResume:       ` --message "…"`,
	requirement.ActResolve:      ` --solution "…"`,
	requirement.ActConfirm:      ` --rating 5`,
	requirement.ActDispute:      ` --reason "…"`,
	requirement.ActAmend:        ` --description "…"`,
	requirement.ActReprioritise: ` --priority high --reason "…"`,
	requirement.ActMerge:        ` --into …`,
	requirement.ActWithdraw:     ` --reason "…"`,
	requirement.ActAppeal:       ` --reason "…"`,
	requirement.ActComment:      ` -m "…"`,
}

// commands returns what the recipient may type to move the requirement on.
func commands(n Notice, r *requirement.Requirement, p particulars) []string {
	waiting := r.Waiting()
	as := ""
	switch {
	case slices.Contains(waiting.Who, n.Recipient):
		as = " --as " + n.Recipient
	case slices.Contains(waiting.Who, requirement.CustomerActor):
		as = " --as " + requirement.CustomerActor
	}
	var list []string
	if n.Event == requirement.EscalationRaised {
		list = append(list, "closeloop ack "+r.ID+" --escalation "+p.ID+" --as "+n.Recipient)
	}
	for _, act := range actsNow(r) {
		list = append(list, "closeloop "+string(act)+" "+r.ID+arguments[act]+as)
	}
	return append(list, "closeloop show "+r.ID)
}
