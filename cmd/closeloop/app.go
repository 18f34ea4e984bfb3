package main

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"closeloop/access"
	"closeloop/contract"
	"closeloop/locale"
	"closeloop/requirement"
	"closeloop/starter"
)

// app is one run of the program: what it reads and writes, the global flags,
// and the ways to the services, which tests replace.
type app struct {
	in       io.Reader
	out, err io.Writer
	env      environment
	text     *locale.Localizer
	// now and zone are for people's eyes only: what counts is decided elsewhere.
	now  func() time.Time
	zone *time.Location

	// The global flags.
	output  string
	lang    string
	as      string
	actID   string
	noColor bool
	quiet   bool

	// asks reports whether there is somebody at a terminal who can be asked.
	asks func() bool
	// patience bounds each call of Temporal; starter's default when zero.
	patience time.Duration

	connect func(context.Context) (desk, error)
	open    func(context.Context) (archive, error)
}

// desk is what commands ask of the requirements' workflows.
type desk interface {
	Submit(context.Context, requirement.Submission, string) (contract.Receipt, error)
	Do(context.Context, string, requirement.Act) (requirement.Verdict, error)
	Acknowledge(context.Context, string, string, contract.Acknowledge) (contract.Acknowledged, error)
	Adopt(context.Context, string, contract.Adopt) (requirement.Verdict, error)
	View(context.Context, string) (requirement.View, error)
	Audit(context.Context, contract.AuditRequest, starter.AuditWaiting) (contract.AuditReport, error)
	Redeliver(context.Context, contract.RedeliverRequest) error
	Close()
}

// run runs one command and returns its exit status.
func run(ctx context.Context, args []string, in io.Reader, out, err io.Writer, environ []string) int {
	return newApp(args, in, out, err, environ).run(ctx, args)
}

// newApp prepares a run. Language and output format are looked up in the
// arguments before cobra reads them: they are needed for the texts of the
// commands, and for telling that cobra could not read them.
func newApp(args []string, in io.Reader, out, err io.Writer, environ []string) *app {
	a := &app{in: in, out: out, err: err, env: variables(environ), now: time.Now, zone: time.Local}
	a.output = argument(args, "--output", "-o")
	a.lang = argument(args, "--lang", "")
	a.text = locale.For(a.language())
	a.connect, a.open, a.asks = a.dial, a.openLedger, a.atTerminal
	return a
}

func (a *app) run(ctx context.Context, args []string) int {
	root := a.root() //nolint:contextcheck // commands get theirs from cobra
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	if err := root.ExecuteContext(ctx); err != nil {
		return a.tell(err)
	}
	return exitDone
}

// language is the first that somebody asks for: the flag, then the environment
// as the C library reads it.
func (a *app) language() string {
	return locale.Match(a.lang, a.env["CLOSELOOP_LANG"], a.env["LC_ALL"], a.env["LC_MESSAGES"], a.env["LANG"])
}

// environment is the variables of this run.
type environment map[string]string

// LookupEnv returns a variable and whether it is set.
func (e environment) LookupEnv(name string) (string, bool) { v, ok := e[name]; return v, ok }

// Environ lists the variables as the operating system does.
func (e environment) Environ() []string {
	list := make([]string, 0, len(e))
	for name, value := range e {
		list = append(list, name+"="+value)
	}
	return list
}

func variables(environ []string) environment {
	env := environment{}
	for _, e := range environ {
		if name, value, ok := strings.Cut(e, "="); ok {
			env[name] = value
		}
	}
	return env
}

// argument returns the last value of a flag in unread arguments.
func argument(args []string, long, short string) string {
	value := ""
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	for i, arg := range args {
		switch {
		case strings.HasPrefix(arg, long+"="):
			value = strings.TrimPrefix(arg, long+"=")
		case arg == long, short != "" && arg == short:
			if i+1 < len(args) {
				value = args[i+1]
			}
		case short != "" && strings.HasPrefix(arg, short) && !strings.HasPrefix(arg, "--"):
			value = strings.TrimPrefix(strings.TrimPrefix(arg, short), "=")
		}
	}
	return value
}

// header is what every act carries.
func (a *app) header() requirement.Header {
	return requirement.Header{ActID: a.actID, Actor: a.as, Via: access.ViaCLI}
}
