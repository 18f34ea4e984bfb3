package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"closeloop/access"
	"closeloop/contract"
	"closeloop/locale"
	"closeloop/requirement"
)

// maxSubmission bounds the file of a submission: its longest texts in full, and
// some.
const maxSubmission = 1 << 20

func (a *app) submitCommand() *cobra.Command {
	var (
		file  string
		given requirement.Submission
	)
	c := a.command("submit", "submit",
		"closeloop submit --title 导出报表太慢 --customer 云栖科技 --contact li@example.com --priority high\n"+
			"closeloop submit --title 登录失败 --customer 远山集团 --ref jira:OPS-17\n"+
			"closeloop submit -f requirement.json\n"+
			`echo '{"title":"导出报表太慢","customer":"云栖科技"}' | closeloop submit -f - --urgency urgent`)
	c.Args = a.takes(0)
	f := a.flags(c)
	f.textShort(&file, "file", "f")
	f.complete("file", cobra.FixedCompletions([]string{"json"}, cobra.ShellCompDirectiveFilterFileExt))
	f.text(&given.Title, "title")
	f.text(&given.Customer, "customer")
	f.text(&given.Description, "description")
	f.text(&given.Contact, "contact")
	f.choice(&given.Tier, "tier", requirement.Tiers)
	f.choice(&given.Channel, "channel", a.channels())
	f.choice(&given.Type, "type", a.types())
	f.choice(&given.Priority, "priority", requirement.Priorities)
	f.choice(&given.Urgency, "urgency", requirement.Urgencies)
	f.text(&given.Ref, "ref")
	f.text(&given.Background, "background")
	f.text(&given.Scenario, "scenario")
	f.text(&given.Outcome, "outcome")
	f.text(&given.Pain, "pain")
	f.texts(&given.Attachments, "attachment")
	f.choice(&given.Language, "language", locale.Languages)
	f.text(&given.OnHold, "on-hold")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		s := requirement.Submission{}
		if file != "" {
			var err error
			if s, err = a.readSubmission(cmd, file); err != nil {
				return err
			}
		}
		override(&s, given)
		s.Via = access.ViaCLI
		if a.as != "" {
			s.SubmittedBy = a.as
		}
		if err := a.checkSubmission(cmd, s); err != nil {
			return err
		}
		return a.submit(cmd.Context(), cmd, s)
	}
	return c
}

// override puts what was given by flags over what the file says.
func override(s *requirement.Submission, given requirement.Submission) {
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&s.Title, given.Title},
		{&s.Customer, given.Customer},
		{&s.Description, given.Description},
		{&s.Contact, given.Contact},
		{&s.Tier, given.Tier},
		{&s.Channel, given.Channel},
		{&s.Type, given.Type},
		{&s.Priority, given.Priority},
		{&s.Urgency, given.Urgency},
		{&s.Ref, given.Ref},
		{&s.Background, given.Background},
		{&s.Scenario, given.Scenario},
		{&s.Outcome, given.Outcome},
		{&s.Pain, given.Pain},
		{&s.Language, given.Language},
		{&s.OnHold, given.OnHold},
	} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	if len(given.Attachments) > 0 {
		s.Attachments = given.Attachments
	}
}

// readSubmission reads a submission in JSON from a file, or from standard input
// for `-`. A field that is not known is an error: it would be lost in silence.
func (a *app) readSubmission(cmd *cobra.Command, file string) (requirement.Submission, error) {
	var s requirement.Submission
	in := a.in
	if file != "-" {
		f, err := os.Open(file)
		if errors.Is(err, os.ErrNotExist) {
			return s, &failure{exitNotFound, "not_found", err.Error(), a.seeHelp(cmd)}
		}
		if err != nil {
			return s, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxSubmission+1))
	if err != nil {
		return s, fmt.Errorf("%s: %w", file, err)
	}
	if len(text) > maxSubmission {
		return s, a.wrong(cmd, "%s: %s", file, a.say("cli.usage.file_too_large", map[string]any{"Limit": maxSubmission >> 10}))
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err = decoder.Decode(&s); err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return s, nil
		}
		err = errors.New(a.say("cli.usage.one_object", nil))
	}
	line, column := position(text, decoder.InputOffset(), err)
	return s, a.wrong(cmd, "%s:%d:%d: %s", file, line, column, strings.TrimPrefix(err.Error(), "json: "))
}

// position returns where a JSON error is, counted from 1.
func position(text []byte, offset int64, err error) (line, column int) {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = syntax.Offset
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset = wrong.Offset
	}
	before := text[:min(int(offset), len(text))]
	if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
		if i := bytes.LastIndex(before, []byte(name)); i >= 0 {
			before = before[:i]
		}
	}
	line = 1 + bytes.Count(before, []byte("\n"))
	return line, 1 + len([]rune(string(before[bytes.LastIndexByte(before, '\n')+1:])))
}

// checkSubmission finds what is wrong before anything is sent. Types and
// channels are the company's own: without a policy named in the environment
// only the worker knows them.
func (a *app) checkSubmission(cmd *cobra.Command, s requirement.Submission) error {
	p, err := a.policy()
	if err != nil {
		// The worker has the last word anyway, and it has a policy.
		return nil //nolint:nilerr // see above
	}
	rules := p.Process
	filled := s.Fill(rules.Defaults)
	if a.env[envPolicy] == "" {
		rules.Types, rules.Channels = []string{filled.Type}, []string{filled.Channel}
	}
	if err := filled.Valid(rules); err != nil {
		return a.invalid(cmd, err)
	}
	return nil
}

// created answers an intake.
type created struct {
	ID      string            `json:"id"`
	Created bool              `json:"created"`
	Stage   requirement.Stage `json:"stage"`
	Ref     string            `json:"ref,omitempty"`
}

func (a *app) submit(ctx context.Context, cmd *cobra.Command, s requirement.Submission) error {
	d, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	receipt, err := d.Submit(ctx, s, submissionKey(a.actID))
	if err != nil {
		return a.invalid(cmd, err)
	}
	return a.print(answerOf(receipt, s), func(sc *screen) {
		if a.quiet {
			sc.line(receipt.ID)
			return
		}
		said := a.say("cli.submit.created", nil)
		if !receipt.Created {
			said = a.say("cli.submit.existing", nil)
		}
		sc.line(sc.facts(
			sc.good.Render(said), sc.strong.Render(receipt.ID), a.text.Name("stage", string(receipt.Stage)),
			a.next(ctx, d, sc, receipt.ID),
		))
	})
}

func answerOf(r contract.Receipt, s requirement.Submission) created {
	return created{ID: r.ID, Created: r.Created, Stage: r.Stage, Ref: s.Ref}
}

// submissionKey makes an intake with an act id happen once. It cannot be mixed
// up with an external reference.
func submissionKey(actID string) string {
	if actID == "" {
		return ""
	}
	return "act:" + actID
}
