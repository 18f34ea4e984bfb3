package main

import (
	"slices"

	"closeloop/requirement"
)

// commands are the exact calls that move a requirement on: those for who is
// waited for, and for an escalation that climbs.
func (a *app) commands(v requirement.View) []string {
	var calls []string
	for _, e := range v.Escalations {
		if e.State == requirement.EscalationClimbs {
			calls = append(calls, requirement.AckCommand(v.ID, e.ID)+as(e.Called))
		}
	}
	for _, act := range v.WaitingFor.Acts {
		calls = append(calls, requirement.Command(act, v.ID)+as(v.WaitingFor.Who))
	}
	return calls
}

// as names the person to act as: the first of several; nobody where only a role
// is known.
func as(who []string) string {
	roles := []string{string(requirement.Operator), string(requirement.Agent), string(requirement.Manager)}
	if len(who) == 0 || slices.Contains(roles, who[0]) {
		return ""
	}
	return " --as " + who[0]
}
