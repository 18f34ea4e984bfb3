package main

import (
	"github.com/spf13/cobra"

	"closeloop/requirement"
)

// customerCommands are the customer's own words, or what others record of them
// (C1, C3).
func (a *app) customerCommands() []*cobra.Command {
	return []*cobra.Command{a.confirmCommand(), a.disputeCommand()}
}

func (a *app) confirmCommand() *cobra.Command {
	var act requirement.Confirm
	return a.actCommand(requirement.ActConfirm, "closeloop confirm REQ-7K2M9QXA --rating 5 --comment 很快 --as customer",
		func(f flags) {
			f.number(&act.Rating, "rating")
			f.text(&act.Comment, "comment")
		},
		func() requirement.Act { act.Header = a.header(); return act })
}

func (a *app) disputeCommand() *cobra.Command {
	var act requirement.Dispute
	return a.actCommand(requirement.ActDispute, "closeloop dispute REQ-7K2M9QXA --reason 大文件仍然超时 --as customer",
		func(f flags) { f.text(&act.Reason, "reason") },
		func() requirement.Act { act.Header = a.header(); return act })
}
