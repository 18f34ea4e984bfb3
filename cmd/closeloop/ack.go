package main

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"closeloop/contract"
	"closeloop/requirement"
	"closeloop/starter"
)

// acknowledged answers an acknowledgement, in the fields of an act.
type acknowledged struct {
	ID         string            `json:"id"`
	Act        string            `json:"act"`
	Accepted   bool              `json:"accepted"`
	Stage      requirement.Stage `json:"stage"`
	Seq        int               `json:"seq"`
	Escalation string            `json:"escalation"`
	// Escalations are all that were acknowledged: without a name, every one that
	// calls somebody.
	Escalations []string `json:"escalations"`
	By          string   `json:"by"`
	Level       int      `json:"level"`
}

func (a *app) ackCommand() *cobra.Command {
	var escalation, comment string
	c := a.command("ack", "ack ID",
		"closeloop ack REQ-7K2M9QXA --as zhou.tao\ncloseloop ack REQ-7K2M9QXA --escalation resolution-1 --as zhou.tao")
	c.Args = a.takes(1, "ID")
	c.ValidArgsFunction = a.completeIDs("")
	f := a.flags(c)
	f.text(&escalation, "escalation")
	f.complete("escalation", a.completeEscalations)
	f.text(&comment, "comment")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		id, err := a.requirementID(args[0])
		if err != nil {
			return err
		}
		d, err := a.connect(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		v, err := d.View(ctx, id)
		if err != nil {
			return err
		}
		meant, err := a.escalations(v, escalation)
		if err != nil {
			return err
		}
		answer := acknowledged{ID: id, Act: "ack", Accepted: true, Stage: v.Stage, Seq: v.Seq, Escalation: meant[0]}
		for _, e := range meant {
			done, err := d.Acknowledge(ctx, id, e, contract.Acknowledge{Header: a.header(), Comment: comment})
			if errors.Is(err, starter.ErrOver) {
				return a.noEscalation("cli.ack.over", id, e)
			}
			if err != nil {
				return err
			}
			answer.Escalations = append(answer.Escalations, e)
			answer.By, answer.Level = done.By, max(answer.Level, done.Level)
		}
		return a.print(answer, func(s *screen) {
			if !a.quiet {
				s.line(s.facts(
					s.good.Render(a.say("cli.done", map[string]any{"Act": a.text.Name("act", contract.ActAcknowledge)})),
					s.strong.Render(id), joined(answer.Escalations), a.withName(a.people(), answer.By),
				))
			}
		})
	}
	return c
}

// noEscalation: nobody has to be stopped from being called.
func (a *app) noEscalation(key, id, escalation string) error {
	return &failure{
		exitRefused, "no_escalation", a.say(key, map[string]any{"ID": id, "Escalation": escalation}), "closeloop show " + id,
	}
}

// escalations finds the ones that are meant: the one that is named, or all that
// call somebody or have raised the alarm.
func (a *app) escalations(v requirement.View, named string) ([]string, error) {
	var all, calling []string
	for _, e := range v.Escalations {
		all = append(all, e.ID)
		if e.State == requirement.EscalationClimbs || e.State == requirement.EscalationAlarmed {
			calling = append(calling, e.ID)
		}
	}
	switch {
	case named != "" && slices.Contains(all, named):
		return []string{named}, nil
	case named != "":
		return nil, &failure{
			exitNotFound, "not_found", a.say("cli.ack.unknown", map[string]any{"ID": v.ID, "Escalation": named}),
			a.say("cli.ack.there_are", map[string]any{"Escalations": joined(all)}),
		}
	case len(calling) == 0:
		return nil, a.noEscalation("cli.ack.none", v.ID, "")
	default:
		return calling, nil
	}
}

// completeEscalations offers the escalations of the requirement that is typed
// already.
func (a *app) completeEscalations(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	if len(args) == 0 {
		return nil, none
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completeTimeout)
	defer cancel()
	books, err := a.open(ctx)
	if err != nil {
		return nil, none
	}
	defer books.Close()
	r, err := books.Get(ctx, contract.NormalID(args[0]))
	if err != nil {
		return nil, none
	}
	var found []cobra.Completion
	for _, e := range r.Escalations {
		if e.Open() {
			found = append(found, cobra.CompletionWithDesc(e.ID, a.text.Name("clock", string(e.Clock))))
		}
	}
	return found, none
}
