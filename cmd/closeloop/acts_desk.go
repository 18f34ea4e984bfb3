package main

import (
	"github.com/spf13/cobra"

	"closeloop/contract"
	"closeloop/requirement"
)

// deskCommands are the acts of who runs the desk.
func (a *app) deskCommands() []*cobra.Command {
	return []*cobra.Command{
		a.triageCommand(), a.assignCommand(), a.amendCommand(), a.reprioritiseCommand(), a.mergeCommand(),
		a.withdrawCommand(), a.commentCommand(),
	}
}

func (a *app) triageCommand() *cobra.Command {
	var act requirement.Triage
	return a.actCommand(requirement.ActTriage,
		"closeloop triage REQ-7K2M9QXA --type functional --priority high --department product --as li.na",
		func(f flags) {
			f.choice(&act.Type, "type", a.types())
			f.choice(&act.Priority, "priority", requirement.Priorities)
			f.choice(&act.Urgency, "urgency", requirement.Urgencies)
			f.department(&act.Department, "department")
			f.truth(&act.NeedApproval, "need-approval")
		},
		func() requirement.Act { act.Header = a.header(); return act })
}

func (a *app) assignCommand() *cobra.Command {
	var act requirement.Assign
	return a.actCommand(requirement.ActAssign, "closeloop assign REQ-7K2M9QXA --to wu.lei --as li.na",
		func(f flags) {
			f.person(&act.To, "to")
			f.department(&act.Department, "department")
			f.text(&act.Reason, "reason")
		},
		func() requirement.Act { act.Header = a.header(); return act })
}

func (a *app) amendCommand() *cobra.Command {
	var act requirement.Amend
	return a.actCommand(requirement.ActAmend, "closeloop amend REQ-7K2M9QXA --title 导出报表超时 --as customer",
		func(f flags) {
			f.text(&act.Title, "title")
			f.text(&act.Description, "description")
		},
		func() requirement.Act { act.Header = a.header(); return act })
}

func (a *app) reprioritiseCommand() *cobra.Command {
	var act requirement.Reprioritise
	return a.actCommand(requirement.ActReprioritise,
		"closeloop reprioritise REQ-7K2M9QXA --priority high --reason 影响月结 --as li.na",
		func(f flags) {
			f.choice(&act.Priority, "priority", requirement.Priorities)
			f.text(&act.Reason, "reason")
		},
		func() requirement.Act { act.Header = a.header(); return act })
}

func (a *app) mergeCommand() *cobra.Command {
	var act requirement.Merge
	return a.actCommand(requirement.ActMerge, "closeloop merge REQ-7K2M9QXA --into REQ-3F8TZ0WC --as li.na",
		func(f flags) {
			f.text(&act.Into, "into")
			f.complete("into", a.completeIDs(requirement.ActMerge))
		},
		func() requirement.Act {
			act.Header, act.Into = a.header(), contract.NormalID(act.Into)
			return act
		})
}

func (a *app) withdrawCommand() *cobra.Command {
	var act requirement.Withdraw
	return a.actCommand(requirement.ActWithdraw, "closeloop withdraw REQ-7K2M9QXA --reason 已自行解决 --as customer",
		func(f flags) { f.text(&act.Reason, "reason") },
		func() requirement.Act { act.Header = a.header(); return act })
}

func (a *app) commentCommand() *cobra.Command {
	var act requirement.Comment
	return a.actCommand(requirement.ActComment, "closeloop comment REQ-7K2M9QXA -m 客户补充了日志 --as wu.lei",
		func(f flags) { f.textShort(&act.Message, "message", "m") },
		func() requirement.Act { act.Header = a.header(); return act })
}
