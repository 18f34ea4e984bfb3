package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"closeloop/policy"
	"closeloop/requirement"
)

// applyFlags are the flags of `policy apply`.
type applyFlags struct {
	yes, dryRun bool
	ids         []string
	limit       int
}

func (a *app) policyApplyCommand() *cobra.Command {
	var f applyFlags
	c := a.command("policy.apply", "apply FILE",
		"closeloop policy apply policy.yaml --dry-run\n"+
			"closeloop policy apply policy.yaml --as zhou.tao\n"+
			"closeloop policy apply policy.yaml --yes --id REQ-7K2M9QXA -o json")
	c.Args = a.takes(1, "FILE")
	c.ValidArgsFunction = cobra.FixedCompletions([]string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt)
	fs := a.flags(c)
	fs.truth(&f.yes, "yes")
	fs.truth(&f.dryRun, "dry-run")
	fs.texts(&f.ids, "id")
	fs.complete("id", a.completeIDs(""))
	fs.number(&f.limit, "limit")
	c.RunE = func(cmd *cobra.Command, args []string) error { return a.applyPolicy(cmd, args[0], f) }
	return c
}

// applied answers `policy apply`.
type applied struct {
	// Policy is the digest of the rules that are applied.
	Policy string `json:"policy"`
	DryRun bool   `json:"dry_run"`
	// Open are the requirements that were looked at, Already those of them that
	// live by these rules, Changed those of the rest for which more changes than the
	// name of the rules.
	Open    int `json:"open"`
	Already int `json:"already"`
	Changed int `json:"changed"`
	// What happens to clocks and escalations.
	Retargeted       int `json:"clocks_retargeted"`
	Breaching        int `json:"clocks_breaching"`
	Relieved         int `json:"clocks_relieved"`
	Appearing        int `json:"clocks_appearing"`
	Vanishing        int `json:"clocks_vanishing"`
	EscalationsEnd   int `json:"escalations_ending"`
	EscalationsStart int `json:"escalations_starting"`
	// Requirements are the first that change.
	Requirements []requirement.Adoption `json:"requirements"`
	// Applied are those that the ledger shows under these rules now, Ended those
	// that ended meanwhile, Failed those that could not be reached.
	Applied int         `json:"applied"`
	Ended   int         `json:"ended"`
	Failed  []unreached `json:"failed"`
}

// unreached is a requirement that still lives by its former rules.
type unreached struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// applyShown is how many requirements a preview shows on the screen.
const applyShown = 20

func (a *app) applyPolicy(cmd *cobra.Command, path string, f applyFlags) error {
	switch {
	case f.limit < 0:
		return a.misused(cmd, "invalid", map[string]any{"Flag": "limit", "Reason": fmt.Sprint(f.limit)})
	case f.limit == 0 && a.output == formatTable:
		f.limit = applyShown
	}
	found, rules, err := lint(path)
	if err != nil {
		return err
	}
	if !found.Valid {
		return a.tellFindings(found)
	}
	asks := a.output == formatTable && a.asks()
	if !f.yes && !f.dryRun && !asks {
		return &failure{exitUsage, "usage", a.say("cli.policy.apply.needs_yes", nil), a.say("cli.policy.apply.hint_yes", map[string]any{"File": path})}
	}
	ctx := cmd.Context()
	books, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer books.Close()
	answer := applied{Policy: rules.Digest, DryRun: f.dryRun, Requirements: []requirement.Adoption{}, Failed: []unreached{}}
	ids, err := a.foresee(ctx, books, rules.Process, f, &answer)
	if err != nil {
		return err
	}
	if a.output == formatTable {
		a.previewAdoption(a.screen(a.out), answer)
	}
	if len(ids) == 0 || f.dryRun {
		return a.print(answer, func(*screen) {})
	}
	if !f.yes && !a.confirmed(a.say("cli.policy.apply.question", map[string]any{"Count": len(ids)})) {
		return &failure{exitFailure, "declined", a.say("cli.policy.apply.declined", nil), ""}
	}
	if err := a.adopt(ctx, books, rules.Process, ids, &answer); err != nil {
		return err
	}
	if err := a.print(answer, func(s *screen) { a.showApplied(s, answer, path) }); err != nil || len(answer.Failed) == 0 {
		return err
	}
	return &failure{
		exitFailure, "not_applied", a.say("cli.policy.apply.unreached", map[string]any{"Count": len(answer.Failed)}),
		a.say("cli.policy.apply.again", nil),
	}
}

// foresee fills in what the rules would change, and returns the ids of those
// that live by others.
func (a *app) foresee(ctx context.Context, books archive, rules policy.Process, f applyFlags, answer *applied) ([]string, error) {
	var ids []string
	look := func(r *requirement.Requirement) {
		if r.Over() {
			answer.Ended++
			return
		}
		answer.Open++
		if r.Policy == rules.Digest {
			answer.Already++
			return
		}
		ids = append(ids, r.ID)
		adoption := requirement.Foresee(r.State, r.Process(), rules, a.now().UTC())
		if answer.count(adoption); adoption.Changes() && (f.limit == 0 || len(answer.Requirements) < f.limit) {
			answer.Requirements = append(answer.Requirements, adoption)
		}
	}
	if len(f.ids) > 0 {
		for _, typed := range f.ids {
			id, err := a.requirementID(typed)
			if err != nil {
				return nil, err
			}
			r, err := books.Get(ctx, id)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(ids, id) {
				look(r)
			}
		}
		return ids, nil
	}
	for after := ""; ; {
		page, err := books.OpenRequirements(ctx, after, 0)
		if err != nil || len(page) == 0 {
			return ids, err
		}
		for _, r := range page {
			look(r)
			after = r.ID
		}
	}
}

// count adds up what changes.
func (answer *applied) count(a requirement.Adoption) {
	if a.Changes() {
		answer.Changed++
	}
	answer.EscalationsEnd += len(a.Ends)
	answer.EscalationsStart += len(a.Starts)
	for _, c := range a.Clocks {
		switch c.Change {
		case requirement.ClockAppears:
			answer.Appearing++
		case requirement.ClockVanishes:
			answer.Vanishing++
		case requirement.ClockRetargets, requirement.ClockRepaces:
			answer.Retargeted++
		}
		if c.Breaches {
			answer.Breaching++
		}
		if c.Relieved {
			answer.Relieved++
		}
	}
}

// atTerminal reports whether standard input and standard error are a terminal.
func (a *app) atTerminal() bool {
	in, readable := a.in.(*os.File)
	out, writable := a.err.(*os.File)
	return readable && writable && isatty.IsTerminal(in.Fd()) && isatty.IsTerminal(out.Fd())
}

// confirmed asks the person at the terminal.
func (a *app) confirmed(question string) bool {
	_, _ = fmt.Fprint(a.err, question+" [y/N] ")
	line, _ := bufio.NewReader(a.in).ReadString('\n')
	return slices.Contains([]string{"y", "yes", "是", "好"}, strings.ToLower(strings.TrimSpace(line)))
}
