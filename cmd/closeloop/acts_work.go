package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// workCommands are the acts of who works on a requirement (E1 to E7).
func (a *app) workCommands() []*cobra.Command {
	return []*cobra.Command{
		a.acceptCommand(), a.handBackCommand(), a.respondCommand(), a.planCommand(), a.progressCommand(),
		a.holdCommand(), a.resumeCommand(), a.resolveCommand(), a.ackCommand(),
	}
}

func (a *app) acceptCommand() *cobra.Command {
	var act requirement.Accept
	return a.actCommand(requirement.ActAccept, "closeloop accept REQ-7K2M9QXA --as wu.lei",
		func(flags) {},
		func() requirement.Act { act.Header = a.header(); return act })
}

func (a *app) handBackCommand() *cobra.Command {
	var act requirement.HandBack
	return a.actCommand(requirement.ActHandBack, "closeloop hand-back REQ-7K2M9QXA --reason 属于产品部 --as wu.lei",
		func(f flags) { f.text(&act.Reason, "reason") },
		func() requirement.Act { act.Header = a.header(); return act })
}

func (a *app) respondCommand() *cobra.Command {
	var act requirement.Respond
	return a.actCommand(requirement.ActRespond,
		"closeloop respond REQ-7K2M9QXA --method phone --message 已电话联系，今天给出方案 --as wu.lei\n"+
			"closeloop respond REQ-7K2M9QXA --method email --message 两个方案供选择 --option 退款 --option 换货 --as wu.lei",
		func(f flags) {
			f.choice(&act.Method, "method", requirement.Methods)
			f.textShort(&act.Message, "message", "m")
			f.texts(&act.Options, "option")
		},
		func() requirement.Act { act.Header = a.header(); return act })
}

func (a *app) progressCommand() *cobra.Command {
	var act requirement.Progress
	return a.actCommand(requirement.ActProgress, "closeloop progress REQ-7K2M9QXA --message 已定位原因 --done 1 --as wu.lei",
		func(f flags) {
			f.textShort(&act.Message, "message", "m")
			f.numbers(&act.DoneSteps, "done")
		},
		func() requirement.Act { act.Header = a.header(); return act })
}

func (a *app) holdCommand() *cobra.Command {
	var act requirement.PutOnHold
	return a.actCommand(requirement.ActHold,
		"closeloop hold REQ-7K2M9QXA --reason 等客户提供日志 --as wu.lei\n"+
			"closeloop hold REQ-7K2M9QXA --reason 等备件到货 --for supplier --as wu.lei",
		func(f flags) {
			f.text(&act.Reason, "reason")
			f.text(&act.For, "for")
			f.complete("for", a.completeHolds)
		},
		func() requirement.Act { act.Header = a.header(); return act })
}

func (a *app) resumeCommand() *cobra.Command {
	var act requirement.Resume
	return a.actCommand(requirement.ActResume, "closeloop resume REQ-7K2M9QXA --message 日志已发 --as customer",
		func(f flags) { f.textShort(&act.Message, "message", "m") },
		func() requirement.Act { act.Header = a.header(); return act })
}

func (a *app) resolveCommand() *cobra.Command {
	var act requirement.Resolve
	return a.actCommand(requirement.ActResolve,
		"closeloop resolve REQ-7K2M9QXA --solution 改为分页导出 --root-cause 一次读入全部数据 --as wu.lei",
		func(f flags) {
			f.text(&act.Solution, "solution")
			f.text(&act.RootCause, "root-cause")
		},
		func() requirement.Act { act.Header = a.header(); return act })
}

func (a *app) planCommand() *cobra.Command {
	var (
		act   requirement.Plan
		steps []string
	)
	c := a.actCommand(requirement.ActPlan,
		`closeloop plan REQ-7K2M9QXA --step "复现问题;wu.lei;4h" --step "上线修复;wu.lei;2026-12-01T18:00:00+08:00" --as wu.lei`,
		func(f flags) { f.texts(&steps, "step") },
		func() requirement.Act { act.Header = a.header(); return act })
	c.PreRunE = func(cmd *cobra.Command, args []string) error {
		for _, text := range steps {
			step, err := a.planStep(text, func() (*sla.Calendar, error) { return a.planCalendar(cmd.Context(), args[0]) })
			if _, unknown := errors.AsType[*sla.UnknownYearError](err); unknown {
				return err
			}
			if err != nil {
				return a.misused(cmd, "invalid", map[string]any{"Flag": "step", "Reason": err.Error()})
			}
			act.Steps = append(act.Steps, step)
		}
		return nil
	}
	return c
}

// planStep reads `what;owner;due`. The owner may be empty; due is a length of
// time from now, or an instant. Semicolons in what stay where they are.
func (a *app) planStep(text string, calendar func() (*sla.Calendar, error)) (requirement.PlanStep, error) {
	parts := strings.Split(text, ";")
	if len(parts) < 3 {
		parts = strings.Split(text, "；")
	}
	if len(parts) < 3 {
		return requirement.PlanStep{}, &failure{exitUsage, "usage", a.say("cli.usage.step", map[string]any{"Step": text}), ""}
	}
	n := len(parts)
	step := requirement.PlanStep{
		What: strings.TrimSpace(strings.Join(parts[:n-2], ";")), Owner: strings.TrimSpace(parts[n-2]),
	}
	due, err := a.due(strings.TrimSpace(parts[n-1]), calendar)
	step.Due = due
	return step, err
}

// due reads an instant, or a length of time from now: working days count by the
// calendar, other lengths around the clock.
func (a *app) due(text string, calendar func() (*sla.Calendar, error)) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC(), nil
	}
	d, err := sla.ParseDuration(text)
	if err != nil {
		return time.Time{}, &failure{exitUsage, "usage", a.say("cli.usage.due", map[string]any{"Due": text, "Reason": err.Error()}), ""}
	}
	cal := sla.Always
	if d.WorkingDays != 0 {
		if cal, err = calendar(); err != nil {
			return time.Time{}, err
		}
	}
	at, err := cal.After(a.now(), d)
	return at.UTC(), err
}

// planCalendar returns the calendar by which the requirement counts the steps of
// its plan. Where the ledger cannot tell it, that of the policy at hand is taken,
// and said so.
func (a *app) planCalendar(ctx context.Context, typed string) (*sla.Calendar, error) {
	id, err := a.requirementID(typed)
	if err != nil {
		return nil, err
	}
	rules, err := a.rulesOf(ctx, id)
	if err != nil {
		p, failed := a.policy()
		if failed != nil {
			return nil, failed
		}
		rules = p.Process
		if !a.quiet {
			s := a.screen(a.err)
			s.line(s.warn.Render(a.say("cli.plan.calendar_of_policy", map[string]any{"Reason": clean(err.Error())})))
		}
	}
	rule, ok := rules.Clock(sla.PlanStep)
	if !ok {
		return sla.Always, nil
	}
	return rules.Calendar(rule.Calendar)
}

// rulesOf returns the rules by which a requirement lives.
func (a *app) rulesOf(ctx context.Context, id string) (policy.Process, error) {
	books, err := a.open(ctx)
	if err != nil {
		return policy.Process{}, err
	}
	defer books.Close()
	r, err := books.Get(ctx, id)
	if err != nil {
		return policy.Process{}, err
	}
	return r.Process(), nil
}
