package contract

import "closeloop/requirement"

// flags are what an act's command cannot do without, ready to be filled in.
var flags = map[requirement.Name]string{
	requirement.ActDecline:      ` --reason "…"`,
	requirement.ActDelegate:     ` --to "…"`,
	requirement.ActAssign:       ` --to "…"`,
	requirement.ActHandBack:     ` --reason "…"`,
	requirement.ActRespond:      ` --method phone --message "…"`,
	requirement.ActPlan:         ` --step "…;…;4h"`,
	requirement.ActProgress:     ` --message "…"`,
	requirement.ActHold:         ` --reason "…"`,
	requirement.ActResolve:      ` --solution "…"`,
	requirement.ActDispute:      ` --reason "…"`,
	requirement.ActAmend:        ` --description "…"`,
	requirement.ActReprioritise: ` --priority high --reason "…"`,
	requirement.ActMerge:        ` --into "…"`,
	requirement.ActWithdraw:     ` --reason "…"`,
	requirement.ActAppeal:       ` --reason "…"`,
	requirement.ActComment:      ` --message "…"`,
}

// Command is the call of the command line that does the act to the requirement of
// that id, with everything it needs to be filled in. Whoever acts adds --as.
func Command(act requirement.Name, id string) string {
	return "closeloop " + string(act) + " " + id + flags[act]
}
