package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"closeloop/contract"
	"closeloop/requirement"
)

// actCommand is a command that does one act on one requirement. The act's
// builder is called when the flags have been read.
func (a *app) actCommand(name requirement.Name, example string, define func(flags), build func() requirement.Act) *cobra.Command {
	c := a.command(string(name), string(name)+" ID", example)
	c.Args = a.takes(1, "ID")
	c.ValidArgsFunction = a.completeIDs(name)
	define(a.flags(c))
	c.RunE = func(cmd *cobra.Command, args []string) error {
		id, err := a.requirementID(args[0])
		if err != nil {
			return err
		}
		act := build()
		if err := act.Valid(); err != nil {
			return a.invalid(cmd, err)
		}
		return a.do(cmd.Context(), id, act)
	}
	return c
}

// do does the act and prints what came of it.
func (a *app) do(ctx context.Context, id string, act requirement.Act) error {
	d, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	verdict, err := d.Do(ctx, id, act)
	if err != nil {
		return a.refused(ctx, d, id, err)
	}
	return a.print(verdict, func(s *screen) {
		if a.quiet {
			return
		}
		s.line(s.facts(
			s.good.Render(a.say("cli.done", map[string]any{"Act": a.text.Name("act", string(verdict.Act))})),
			s.strong.Render(verdict.ID), a.text.Name("stage", string(verdict.Stage)),
			a.next(ctx, d, s, verdict.ID),
		))
	})
}

// next says what falls due next, when that can be asked. The act has happened
// either way.
func (a *app) next(ctx context.Context, d desk, s *screen, id string) string {
	v, err := d.View(ctx, id)
	if err != nil {
		return ""
	}
	clock, ok := nextClock(v)
	if !ok {
		return ""
	}
	return a.text.Name("clock", string(clock.Name)) + " " + a.left(s, clock)
}

// refused adds to a refusal what is possible instead.
func (a *app) refused(ctx context.Context, d desk, id string, err error) error {
	refused, ok := errors.AsType[*requirement.Error](err)
	if !ok || a.output != formatTable {
		return err
	}
	switch refused.Code {
	case requirement.CodeStage, requirement.CodeOnHold, requirement.CodeNotOnHold, requirement.CodeRole:
	default:
		return err
	}
	f := a.failureOf(err)
	v, err := d.View(ctx, id)
	if err != nil {
		return f
	}
	if refused.Code != requirement.CodeRole && len(v.Can) > 0 {
		f.Hint = a.say("cli.possible", map[string]any{"Acts": joined(v.Can)})
	}
	for _, command := range a.commands(v) {
		f.Hint += "\n" + command
	}
	return f
}

// requirementID reads an id as people type it. What cannot be one is not found.
func (a *app) requirementID(typed string) (string, error) {
	id := contract.NormalID(typed)
	if requirementIn.FindString(id) != id {
		return "", &failure{
			exitNotFound, "not_found", a.say("cli.error.no_id", map[string]any{"ID": typed}),
			a.say("cli.hint.not_found", nil),
		}
	}
	return id, nil
}
