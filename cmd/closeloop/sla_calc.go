package main

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"closeloop/sla"
)

func (a *app) slaCalcCommand() *cobra.Command {
	c := a.command("sla.calc", "calc [FILE|-]",
		`echo '{"calendar":"cn-office","start":"2026-09-25T18:00:00+08:00","target":"2h"}' | closeloop sla calc`+"\n"+
			"closeloop sla calc questions.jsonl")
	c.Annotations[jsonLines] = "yes"
	c.Args = a.takes(0, "FILE")
	c.ValidArgsFunction = cobra.FixedCompletions([]string{"jsonl", "ndjson", "json"}, cobra.ShellCompDirectiveFilterFileExt)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		in := a.in
		if len(args) > 0 && args[0] != "-" {
			file, err := os.Open(args[0])
			if errors.Is(err, os.ErrNotExist) {
				return &failure{exitNotFound, "not_found", err.Error(), a.seeHelp(cmd)}
			}
			if err != nil {
				return err
			}
			defer file.Close()
			in = file
		}
		return a.calc(in)
	}
	return c
}

// calc answers one question a line. Calendars are those of the policy.
func (a *app) calc(in io.Reader) error {
	rules, err := a.policy()
	if err != nil {
		return err
	}
	calculator := sla.Calculator{Find: rules.FindCalendar, Holidays: rules.HolidayYears}
	tally, err := calculator.Run(in, a.out)
	if err == nil && tally.Wrong > 0 {
		err = &failure{
			exitFailure, "lines",
			a.say("cli.sla.calc.wrong", map[string]any{"Wrong": tally.Wrong, "Lines": tally.Lines}),
			a.say("cli.hint.lines", nil),
		}
	}
	return err
}
