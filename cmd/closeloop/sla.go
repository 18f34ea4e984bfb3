package main

import "github.com/spf13/cobra"

// slaCommand holds what is asked about clocks: rows L1 to L4.
func (a *app) slaCommand() *cobra.Command {
	c := a.command("sla", "sla", "closeloop sla calc questions.jsonl")
	a.parent(c)
	c.AddCommand(a.slaCalcCommand())
	return c
}
