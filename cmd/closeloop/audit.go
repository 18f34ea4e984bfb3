package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"closeloop/contract"
	"closeloop/sla"
	"closeloop/starter"
)

// auditTimeout is how long to wait for an audit when nobody says.
const auditTimeout = "10m"

func (a *app) auditCommand() *cobra.Command {
	var req contract.AuditRequest
	var timeout string
	c := a.command("audit", "audit", "closeloop audit\ncloseloop audit --dry-run -o json\ncloseloop audit --deep --timeout 30m")
	c.Args = a.takes(0)
	f := a.flags(c)
	f.truth(&req.DryRun, "dry-run")
	f.truth(&req.Deep, "deep")
	f.set.StringVar(&timeout, "timeout", auditTimeout, f.usage("timeout"))
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		wait, err := sla.ParseDuration(timeout)
		if err == nil && (wait.WorkingDays != 0 || wait.Time <= 0) {
			err = errors.New(a.say("cli.audit.timeout", nil))
		}
		if err != nil {
			return a.misused(cmd, "invalid", map[string]any{"Flag": "timeout", "Reason": err.Error()})
		}
		return a.audit(cmd.Context(), req, wait.Time)
	}
	return c
}

// audited answers an audit: the report, and a sentence for each finding.
type audited struct {
	contract.AuditReport
	Findings []worded `json:"findings"`
}

type worded struct {
	contract.Finding
	// Message says in words what is wrong.
	Message string `json:"message"`
}

// audit has a worker audit, and waits for the report.
func (a *app) audit(ctx context.Context, req contract.AuditRequest, wait time.Duration) error {
	d, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	a.remark("cli.audit.running", nil)
	report, err := d.Audit(ctx, req, starter.AuditWaiting{
		Joined: func() { a.remark("cli.audit.joined", nil) },
		Still:  a.auditGoesOn(),
	})
	if err != nil {
		return err
	}
	answer := audited{AuditReport: report, Findings: []worded{}}
	for _, f := range report.Findings {
		answer.Findings = append(answer.Findings, worded{f, a.findingText(f)})
	}
	if err := a.print(answer, func(s *screen) { a.showAudit(s, answer) }); err != nil {
		return err
	}
	if open := report.Found - report.Repaired; open > 0 {
		hint := a.say("cli.audit.look", nil)
		if report.DryRun {
			hint = a.say("cli.audit.without_dry_run", nil)
		}
		return &failure{exitFailure, "unrepaired", a.say("cli.audit.unrepaired", map[string]any{"Count": open}), hint}
	}
	return nil
}

// remark tells people on the side what goes on.
func (a *app) remark(key string, params map[string]any) {
	if a.quiet || a.output != formatTable {
		return
	}
	s := a.screen(a.err)
	s.line(s.faint.Render(a.say(key, params)))
}

// auditGoesOn says once that no worker has taken the audit, and once that one is
// at work on it after all.
func (a *app) auditGoesOn() func(bool) {
	last := ""
	return func(taken bool) {
		key := "cli.audit.no_worker"
		if taken {
			key = "cli.audit.still"
		}
		if key != last {
			last = key
			a.remark(key, nil)
		}
	}
}

func (a *app) showAudit(s *screen, answer audited) {
	if len(answer.Findings) > 0 {
		var rows [][]string
		for _, f := range answer.Findings {
			rows = append(rows, []string{
				clean(f.ID), a.text.Name("finding", string(f.Kind)), f.Since.In(a.zone).Format("2006-01-02 15:04:05"),
				clean(f.Message), clean(a.repairText(f.Finding, answer.DryRun)),
			})
		}
		s.table(a.headers("id", "finding", "since", "what", "repair"), rows, 3, 4)
		if more := answer.Found - len(answer.Findings); more > 0 {
			s.line(a.say("cli.audit.more", map[string]any{"Count": more}))
		}
	}
	if a.quiet {
		return
	}
	summary := a.say("cli.audit.summary", map[string]any{
		"Open": answer.Open, "Running": answer.Running, "Found": answer.Found, "Repaired": answer.Repaired,
	})
	style := s.good
	if answer.Found > answer.Repaired {
		style = s.warn
	}
	s.line(style.Render(summary))
}

// findingText says what is wrong.
func (a *app) findingText(f contract.Finding) string {
	params := map[string]any{}
	for _, name := range []string{"status", "stage", "seq", "ledger_stage", "ledger_seq", "escalation", "state", "events", "clock", "calendar", "year"} {
		params[name] = f.Details[name]
	}
	for name, kind := range map[string]string{
		"status": "workflow_status", "stage": "stage", "ledger_stage": "stage", "state": "escalation_state", "clock": "clock",
	} {
		params[name] = a.text.Name(kind, f.Details[name])
	}
	return a.say("cli.audit.finding."+string(f.Kind), params)
}

// repairText says what was done about it, what can be done, or why nothing is.
func (a *app) repairText(f contract.Finding, dry bool) string {
	repair := a.text.Name("repair", string(f.Repair))
	switch {
	case f.Repaired:
		return repair
	case dry && f.Repair != "":
		return a.say("cli.audit.possible", map[string]any{"Repair": repair})
	case f.Error != "":
		return a.text.Name("obstacle", string(f.Obstacle)) + ": " + f.Error
	default:
		return a.text.Name("obstacle", string(f.Obstacle))
	}
}
