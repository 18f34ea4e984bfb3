package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"closeloop/locale"
)

// The groups of commands in the help, in their order.
const (
	groupIntake    = "intake"
	groupDesk      = "desk"
	groupReview    = "review"
	groupWork      = "work"
	groupCustomer  = "customer"
	groupLook      = "look"
	groupOperation = "operation"
)

var groups = []string{groupIntake, groupDesk, groupReview, groupWork, groupCustomer, groupLook, groupOperation}

// root builds the whole tree of commands.
func (a *app) root() *cobra.Command {
	root := a.command("root", "closeloop", "closeloop submit --title 导出报表太慢 --customer 云栖科技\n"+
		"closeloop list --due-within 2h\ncloseloop show REQ-7K2M9QXA")
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return a.checkGlobal(cmd) }
	root.SetFlagErrorFunc(a.unreadable)
	root.SetUsageFunc(func(cmd *cobra.Command) error { a.showHelp(cmd); return nil })
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { a.showHelp(cmd) })
	a.parent(root)
	for _, g := range groups {
		root.AddGroup(&cobra.Group{ID: g, Title: a.say("cli.group."+g, nil)})
	}

	f := flags{a, root, root.PersistentFlags()}
	output, lang := a.output, a.lang
	f.textShort(&a.output, "output", "o")
	f.complete("output", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return formatsOf(cmd), cobra.ShellCompDirectiveNoFileComp
	})
	f.choice(&a.lang, "lang", locale.Languages)
	f.person(&a.as, "as")
	f.text(&a.actID, "act-id")
	f.truth(&a.noColor, "no-color")
	f.set.BoolVarP(&a.quiet, "quiet", "q", false, f.usage("quiet"))
	f.set.BoolP("help", "h", false, f.usage("help"))
	// Defining the flags has emptied them, and they are needed should cobra stop
	// at a mistake before it comes to them.
	a.output, a.lang = output, lang

	a.add(root, groupIntake, a.submitCommand(), a.importCommand())
	a.add(root, groupDesk, a.deskCommands()...)
	a.add(root, groupReview, a.reviewCommands()...)
	a.add(root, groupWork, a.workCommands()...)
	a.add(root, groupCustomer, a.customerCommands()...)
	a.add(root, groupLook, a.showCommand(), a.historyCommand(), a.listCommand(), a.watchCommand(), a.exportCommand(), a.slaCommand())
	a.add(root, groupOperation, a.operationCommands()...)
	root.SetHelpCommand(a.helpCommand())
	return root
}

func (a *app) add(parent *cobra.Command, group string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = group
		parent.AddCommand(c)
	}
}

// place marks a command with its place in the catalogue.
const place = "place"

// command returns a command with the catalogue's words at that place. Every
// line of example is a call.
func (a *app) command(at, use, example string) *cobra.Command {
	c := &cobra.Command{
		Use: use, Example: example, DisableFlagsInUseLine: true,
		Short: a.say("cli."+at+".short", nil), Annotations: map[string]string{place: at},
	}
	if a.text.Has("cli." + at + ".long") {
		c.Long = a.say("cli."+at+".long", nil)
	}
	return c
}

// parent makes a command that only has others under it: called without one it
// shows them, and one that is not there is an error.
func (a *app) parent(c *cobra.Command) {
	c.Args = cobra.ArbitraryArgs
	c.SuggestionsMinimumDistance = 2
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			a.showHelp(cmd)
			return nil
		}
		return a.misused(cmd, "unknown_command", map[string]any{
			"Command": args[0], "Meant": strings.Join(cmd.SuggestionsFor(args[0]), ", "),
		})
	}
}

// takes checks the number of arguments; names are what they are, for people.
func (a *app) takes(least int, names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return a.misused(cmd, "missing_argument", map[string]any{"Argument": names[len(args)]})
		case len(args) > len(names):
			return a.misused(cmd, "too_many_arguments", map[string]any{"Argument": args[len(names)]})
		default:
			return nil
		}
	}
}

// checkGlobal checks the global flags.
func (a *app) checkGlobal(cmd *cobra.Command) error {
	if allowed := formatsOf(cmd); a.output == "" {
		a.output = formatTable
	} else if !slices.Contains(allowed, a.output) {
		return a.misused(cmd, "not_one_of", map[string]any{"Flag": "output", "Value": a.output, "Allowed": strings.Join(allowed, ", ")})
	}
	if a.lang != "" && !slices.Contains(locale.Languages, a.lang) {
		return a.misused(cmd, "not_one_of", map[string]any{"Flag": "lang", "Value": a.lang, "Allowed": strings.Join(locale.Languages, ", ")})
	}
	return nil
}
