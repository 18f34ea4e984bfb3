package main

import "github.com/spf13/cobra"

// slaCommand holds what is asked about clocks: rows L1 to L4.
func (a *app) slaCommand() *cobra.Command {
	c := a.command("sla", "sla", "closeloop sla calc questions.jsonl\ncloseloop sla explain REQ-7K2M9QXA")
	a.parent(c)
	c.AddCommand(a.slaExplainCommand(), a.slaCalcCommand(), a.slaWhatIfCommand())
	return c
}
