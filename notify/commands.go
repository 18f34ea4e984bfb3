package notify

import (
	"slices"

	"closeloop/requirement"
)

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
		list = append(list, requirement.AckCommand(r.ID, p.ID)+" --as "+n.Recipient)
	}
	for _, act := range actsNow(r) {
		list = append(list, requirement.Command(act, r.ID)+as)
	}
	return append(list, "closeloop show "+r.ID)
}
