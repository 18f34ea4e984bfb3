package main

import (
	"github.com/spf13/cobra"

	"closeloop/requirement"
)

// reviewCommands are the acts of a review (R1 to R3).
func (a *app) reviewCommands() []*cobra.Command {
	return []*cobra.Command{a.approveCommand(), a.declineCommand(), a.delegateCommand(), a.appealCommand()}
}

func (a *app) approveCommand() *cobra.Command {
	var act requirement.Approve
	return a.actCommand(requirement.ActApprove, "closeloop approve REQ-7K2M9QXA --comment 同意排期 --as zhang.wei",
		func(f flags) { f.text(&act.Comment, "comment") },
		func() requirement.Act { act.Header = a.header(); return act })
}

func (a *app) declineCommand() *cobra.Command {
	var act requirement.Decline
	return a.actCommand(requirement.ActDecline, "closeloop decline REQ-7K2M9QXA --reason 与现有功能重复 --as zhang.wei",
		func(f flags) { f.text(&act.Reason, "reason") },
		func() requirement.Act { act.Header = a.header(); return act })
}

func (a *app) delegateCommand() *cobra.Command {
	var act requirement.Delegate
	return a.actCommand(requirement.ActDelegate, "closeloop delegate REQ-7K2M9QXA --to liu.yang --as zhang.wei",
		func(f flags) { f.person(&act.To, "to") },
		func() requirement.Act { act.Header = a.header(); return act })
}

func (a *app) appealCommand() *cobra.Command {
	var act requirement.Appeal
	return a.actCommand(requirement.ActAppeal, "closeloop appeal REQ-7K2M9QXA --reason 合同中已承诺 --as customer",
		func(f flags) { f.text(&act.Reason, "reason") },
		func() requirement.Act { act.Header = a.header(); return act })
}
