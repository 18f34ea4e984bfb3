package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flags defines the flags of a command. What each is for is said by the
// catalogue: `cli.COMMAND.flag.NAME`, or `cli.flag.NAME` where it is the same
// for all.
type flags struct {
	app *app
	cmd *cobra.Command
	set *pflag.FlagSet
}

func (a *app) flags(cmd *cobra.Command) flags { return flags{a, cmd, cmd.Flags()} }

func (f flags) usage(name string) string {
	own := "cli." + f.cmd.Annotations[place] + ".flag." + name
	if f.app.text.Has(own) {
		return f.app.say(own, nil)
	}
	return f.app.say("cli.flag."+name, nil)
}

func (f flags) text(p *string, name string) { f.set.StringVar(p, name, "", f.usage(name)) }

func (f flags) textShort(p *string, name, short string) {
	f.set.StringVarP(p, name, short, "", f.usage(name))
}

// texts may be given several times; commas mean nothing.
func (f flags) texts(p *[]string, name string) { f.set.StringArrayVar(p, name, nil, f.usage(name)) }

func (f flags) number(p *int, name string) { f.set.IntVar(p, name, 0, f.usage(name)) }

func (f flags) numbers(p *[]int, name string) { f.set.IntSliceVar(p, name, nil, f.usage(name)) }

func (f flags) truth(p *bool, name string) { f.set.BoolVar(p, name, false, f.usage(name)) }

// choice is a text that the shell completes from the words.
func (f flags) choice(p *string, name string, words []string) {
	f.text(p, name)
	f.complete(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// person is the id of somebody of the policy.
func (f flags) person(p *string, name string) {
	f.text(p, name)
	f.complete(name, f.app.completePeople)
}

func (f flags) department(p *string, name string) {
	f.text(p, name)
	f.complete(name, f.app.completeDepartments)
}

func (f flags) file(p *string, name string, endings ...string) {
	f.text(p, name)
	f.complete(name, cobra.FixedCompletions(endings, cobra.ShellCompDirectiveFilterFileExt))
}

func (f flags) complete(name string, by cobra.CompletionFunc) {
	if err := f.cmd.RegisterFlagCompletionFunc(name, by); err != nil {
		// Two completions of one flag are a mistake in the program.
		panic("closeloop: " + err.Error())
	}
}

// choices may be given several times, or with commas, from the words.
func (f flags) choices(p *[]string, name string, words []string) {
	f.set.StringSliceVar(p, name, nil, f.usage(name))
	f.complete(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}
