package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"closeloop/ledger"
	"closeloop/requirement"
	"closeloop/sla"
	"closeloop/starter"
)

// The exit statuses are a contract with scripts.
const (
	exitDone        = 0
	exitFailure     = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitRefused     = 4
	exitUnreachable = 5
)

// failure is an error as the program ends with it: one message, what to do
// about it, and the codes for scripts.
type failure struct {
	status  int
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

func (f *failure) Error() string { return f.Message }

// failureOf finds the words and the status for an error.
func (a *app) failureOf(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	if refused, ok := errors.AsType[*requirement.Error](err); ok {
		status := exitRefused
		if refused.Code == requirement.CodeInvalid {
			// A field is wrong: that is how the command was called, not where the
			// requirement stands.
			status = exitUsage
		}
		params := a.inWords(refused.Params)
		return &failure{
			status, string(refused.Code),
			a.text.Error(string(refused.Code), refused.Message, params),
			a.text.Hint(string(refused.Code), refused.Hint, params),
		}
	}
	if unknown, ok := errors.AsType[*sla.UnknownYearError](err); ok {
		return &failure{
			exitFailure, "unknown_year", a.lacks(sla.Lack{Calendar: unknown.Calendar, Year: unknown.Year}),
			a.say("cli.hint.unknown_year", map[string]any{"Year": unknown.Year}),
		}
	}
	id := requirementIn.FindString(err.Error())
	say := func(status int, code string) *failure {
		f := &failure{status, code, err.Error(), ""}
		params := map[string]any{"ID": id, "Reason": err.Error()}
		if message := "cli.error." + code; a.text.Has(message) && (id != "" || code != "not_found") {
			f.Message = a.say(message, params)
		}
		if hint := "cli.hint." + code; a.text.Has(hint) {
			f.Hint = a.say(hint, params)
		}
		return f
	}
	switch {
	case errors.Is(err, starter.ErrNotFound), errors.Is(err, ledger.ErrNotFound):
		return say(exitNotFound, "not_found")
	case errors.Is(err, starter.ErrOver):
		return say(exitRefused, string(requirement.CodeOver))
	case errors.Is(err, starter.ErrNoWorker):
		return say(exitUnreachable, "no_worker")
	case errors.Is(err, starter.ErrUnfinished):
		return say(exitFailure, "unfinished")
	case errors.Is(err, starter.ErrUnreachable):
		return say(exitUnreachable, "unreachable")
	case errors.Is(err, ledger.ErrUnreachable):
		return say(exitUnreachable, "ledger_unreachable")
	case errors.Is(err, ledger.ErrSchema):
		return say(exitFailure, "schema")
	case errors.Is(err, ledger.ErrCursor):
		return say(exitUsage, "cursor")
	case errors.Is(err, context.Canceled):
		return say(exitFailure, "interrupted")
	default:
		return &failure{exitFailure, "failure", err.Error(), ""}
	}
}

// requirementIn finds the id that an error is about.
var requirementIn = regexp.MustCompile(`REQ-[0-9A-HJKMNP-TV-Z]{8}`)

// inWords puts the values in a refusal's parameters into the reader's language.
// Acts stay as they are: their names are the commands.
func (a *app) inWords(params map[string]string) map[string]string {
	words := map[string]string{}
	for name, value := range params {
		kind := map[string]string{"stage": "stage", "stages": "stage", "roles": "role"}[name]
		if kind != "" {
			value = a.names(kind, strings.Split(value, ", "))
		}
		words[name] = value
	}
	return words
}

// tell prints an error where it belongs and returns the exit status: an object
// for programs, lines for people.
func (a *app) tell(err error) int {
	f := a.failureOf(err)
	if a.output == formatJSON || a.output == formatNDJSON {
		encoder := json.NewEncoder(a.err)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(map[string]*failure{"error": f})
		return f.status
	}
	s := a.screen(a.err)
	for i, line := range strings.Split(f.Message, "\n") {
		if line = clean(line); i == 0 {
			line = a.say("cli.error.title", map[string]any{"Message": line})
		}
		s.line(s.bad.Render(line))
	}
	for line := range strings.Lines(strings.TrimSpace(f.Hint)) {
		s.line(s.faint.Render("  → ") + clean(line))
	}
	return f.status
}

// misused is the error of a wrong call of the command.
func (a *app) misused(cmd *cobra.Command, key string, params map[string]any) error {
	return &failure{exitUsage, "usage", a.say("cli.usage."+key, params), a.seeHelp(cmd)}
}

// wrong is the error of a wrong call, in words that are there already.
func (a *app) wrong(cmd *cobra.Command, format string, args ...any) error {
	return &failure{exitUsage, "usage", fmt.Sprintf(format, args...), a.seeHelp(cmd)}
}

func (a *app) seeHelp(cmd *cobra.Command) string {
	if cmd == nil {
		return ""
	}
	return a.say("cli.usage.see_help", map[string]any{"Command": cmd.CommandPath()})
}

// flagOf are the flags of fields that have another name on the command line.
var flagOf = map[string]string{
	"steps": "step", "done_steps": "done", "options": "option", "attachments": "attachment",
	"submitted_by": "as",
}

// missing is the domain's word on a field that is needed and empty.
const missing = "missing"

// invalid turns the domain's word on a field into one about the flag. It is for
// what is checked before anything is sent; other errors are passed on.
func (a *app) invalid(cmd *cobra.Command, err error) error {
	refused, ok := errors.AsType[*requirement.Error](err)
	if !ok || refused.Code != requirement.CodeInvalid {
		return err
	}
	field := refused.Params["field"]
	name, ok := flagOf[field]
	if !ok {
		name = strings.ReplaceAll(field, "_", "-")
	}
	text, params := "invalid", map[string]any{"Flag": name, "Reason": a.text.Problem(refused.Message, refused.Params)}
	if refused.Params["problem"] == missing {
		text = "missing"
	}
	return &failure{exitUsage, string(refused.Code), a.say("cli.usage."+text, params), a.seeHelp(cmd)}
}

// unreadable puts pflag's errors into the reader's language.
func (a *app) unreadable(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		value   *pflag.ValueRequiredError
		wrong   *pflag.InvalidValueError
		number  *strconv.NumError
	)
	switch {
	case errors.As(err, &unknown):
		return a.misused(cmd, "unknown_flag", map[string]any{"Flag": unknown.GetSpecifiedName()})
	case errors.As(err, &value):
		return a.misused(cmd, "needs_value", map[string]any{"Flag": value.GetSpecifiedName()})
	case errors.As(err, &wrong) && errors.As(err, &number):
		return a.misused(cmd, "not_a_number", map[string]any{"Flag": wrong.GetFlag().Name, "Value": wrong.GetValue()})
	case errors.As(err, &wrong):
		return a.misused(cmd, "invalid", map[string]any{
			"Flag": wrong.GetFlag().Name, "Reason": fmt.Sprintf("%q: %v", wrong.GetValue(), errors.Unwrap(wrong)),
		})
	default:
		return a.wrong(cmd, "%v", err)
	}
}

// say returns a text of the catalogue.
func (a *app) say(key string, params map[string]any) string { return a.text.Text(key, params) }
