package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"closeloop/ledger"
	"closeloop/locale"
	"closeloop/requirement"
)

// completeTimeout bounds a completion: whoever presses Tab does not wait.
const completeTimeout = 2 * time.Second

// completeLimit is how many ids a completion offers.
const completeLimit = 50

// completeIDs offers the open requirements in which the act is possible, soonest
// deadline first; all open ones when the act is empty.
func (a *app) completeIDs(act requirement.Name) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		const none = cobra.ShellCompDirectiveNoFileComp
		if len(args) > 0 && cmd.Flags().Lookup("into") == nil {
			return nil, none
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completeTimeout)
		defer cancel()
		books, err := a.open(ctx)
		if err != nil {
			return nil, none
		}
		defer books.Close()
		filter := ledger.Filter{Limit: completeLimit, Open: true}
		for _, rule := range requirement.Table {
			if rule.Act == act {
				filter.Stages = rule.In
			}
		}
		page, err := books.List(ctx, filter)
		if err != nil {
			return nil, none
		}
		var found []cobra.Completion
		for _, r := range page.Rows {
			found = append(found, cobra.CompletionWithDesc(r.ID, clean(r.Title)))
		}
		return found, none | cobra.ShellCompDirectiveKeepOrder
	}
}

// completeHolds offers the kinds of holds of the policy.
func (a *app) completeHolds(_ *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	p, err := a.policy()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return p.HoldKinds(), cobra.ShellCompDirectiveNoFileComp
}

// completePeople offers the people of the policy, and the customer.
func (a *app) completePeople(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	p, err := a.policy()
	if err != nil {
		return nil, none
	}
	var found []cobra.Completion
	for _, person := range p.People {
		found = append(found, cobra.CompletionWithDesc(person.ID, a.pick(person.Name, person.NameEN)))
	}
	return append(found, cobra.CompletionWithDesc(requirement.CustomerActor, a.text.Name("role", string(requirement.Customer)))), none
}

func (a *app) completeDepartments(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	p, err := a.policy()
	if err != nil {
		return nil, none
	}
	var found []cobra.Completion
	for _, d := range p.Departments {
		found = append(found, cobra.CompletionWithDesc(d.ID, a.pick(d.Name, d.NameEN)))
	}
	return found, none
}

// pick returns the name in the reader's language, the other one when it is
// missing.
func (a *app) pick(chinese, english string) string {
	if english == "" || a.text.Language() == locale.Chinese && chinese != "" {
		return chinese
	}
	return english
}

var shells = []string{"bash", "zsh", "fish", "powershell"}

func (a *app) completionCommand() *cobra.Command {
	c := a.command("completion", "completion SHELL",
		"source <(closeloop completion bash)\n"+
			`closeloop completion zsh > "${fpath[1]}/_closeloop"`)
	c.Args = a.takes(1, "SHELL")
	c.ValidArgs = shells
	c.RunE = func(cmd *cobra.Command, args []string) error {
		root := cmd.Root()
		switch args[0] {
		case "bash":
			return root.GenBashCompletionV2(a.out, true)
		case "zsh":
			return root.GenZshCompletion(a.out)
		case "fish":
			return root.GenFishCompletion(a.out, true)
		case "powershell":
			return root.GenPowerShellCompletionWithDesc(a.out)
		default:
			return a.misused(cmd, "unknown_shell", map[string]any{"Shell": args[0], "Shells": joined(shells)})
		}
	}
	return c
}

// withName returns an id with the name of the person behind it, when the policy
// at hand knows one.
func (a *app) withName(p []person, id string) string {
	i := slices.IndexFunc(p, func(x person) bool { return x.id == id })
	if i < 0 || p[i].name == "" {
		return id
	}
	return p[i].name + " (" + id + ")"
}

// person is somebody as people are shown them.
type person struct{ id, name string }
