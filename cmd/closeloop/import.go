package main

import "github.com/spf13/cobra"

func (a *app) importCommand() *cobra.Command {
	return a.command("import", "import FILE", "closeloop import")
}
