package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// showHelp prints the help of a command in the reader's language; cobra's own
// is English only.
func (a *app) showHelp(cmd *cobra.Command) {
	s := a.screen(a.out)
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	for line := range strings.Lines(strings.TrimSpace(text)) {
		s.line(strings.TrimRight(line, "\n"))
	}
	use := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		use = cmd.CommandPath() + " COMMAND"
	}
	s.title(a.say("cli.help.usage", nil))
	s.line("  ", use, " [--…]")
	s.title(a.say("cli.help.examples", nil))
	for line := range strings.Lines(cmd.Example) {
		s.line("  ", strings.TrimRight(line, "\n"))
	}
	a.listCommands(s, cmd)
	if cmd.HasAvailableLocalFlags() && cmd.HasParent() {
		s.title(a.say("cli.help.flags", nil))
		s.line(strings.TrimRight(cmd.LocalNonPersistentFlags().FlagUsages(), "\n"))
	}
	s.title(a.say("cli.help.global_flags", nil))
	s.line(strings.TrimRight(cmd.Root().PersistentFlags().FlagUsages(), "\n"))
	if cmd.HasAvailableSubCommands() {
		s.line()
		s.line(s.faint.Render(a.say("cli.help.more", map[string]any{"Command": cmd.CommandPath()})))
	}
}

func (a *app) listCommands(s *screen, cmd *cobra.Command) {
	list := func(title, group string) {
		first := true
		for _, c := range cmd.Commands() {
			if c.GroupID != group || !c.IsAvailableCommand() {
				continue
			}
			if first {
				s.title(title)
				first = false
			}
			s.line("  ", s.strong.Render(c.Name()), strings.Repeat(" ", max(1, 14-len(c.Name()))), c.Short)
		}
	}
	for _, g := range cmd.Groups() {
		list(g.Title, g.ID)
	}
	list(a.say("cli.help.commands", nil), "")
}

func (a *app) helpCommand() *cobra.Command {
	c := a.command("help", "help [COMMAND]", "closeloop help submit")
	c.GroupID = groupOperation
	c.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		var names []string
		if found, _, err := cmd.Root().Find(args); err == nil {
			for _, sub := range found.Commands() {
				names = append(names, sub.Name()+"\t"+sub.Short)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		found, rest, err := cmd.Root().Find(args)
		if err != nil || len(rest) > 0 {
			return a.misused(cmd.Root(), "unknown_command", map[string]any{"Command": strings.Join(args, " "), "Meant": ""})
		}
		a.showHelp(found)
		return nil
	}
	return c
}
