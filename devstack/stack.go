package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	"go.temporal.io/server/temporal"

	"closeloop/devstack/pg"
	"closeloop/devstack/ports"
)

// The usual ports, so that bookmarks and habits work.
const (
	usualTemporalPort = 7233
	usualUIPort       = 8233
	usualPostgresPort = 15432
)

const (
	productRole     = "closeloop"
	productDatabase = "closeloop"
)

// stack is everything that runs. Its zero parts have not been started.
type stack struct {
	opts options
	dir  *stateDir
	say  func(string, ...any)

	postgres *pg.Cluster
	temporal temporal.Server
	ui       *uiserver.Server
	children *children
	logs     []*os.File

	variables []variable
	envFile   string // once it has been written
}

// startStack brings everything up, in order. On an error nothing is left
// running.
func startStack(ctx context.Context, opts options, say func(string, ...any)) (*stack, error) {
	s := &stack{opts: opts, say: say}
	var err error
	if opts.dir == "" {
		s.dir, err = newTemporaryStateDir()
	} else {
		s.dir, err = openStateDir(opts.dir)
	}
	if err != nil {
		return nil, err
	}
	if err := s.bringUp(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// bringUp does what startStack says, once the state directory is ours.
func (s *stack) bringUp(ctx context.Context) error {
	// One of an earlier stack that was killed says nothing true any more.
	envFile := s.opts.env
	if envFile == "" {
		envFile = s.dir.file("env")
	}
	_ = os.Remove(envFile)

	picker := ports.NewPicker()
	postgresPort, err := s.port(picker, "PostgreSQL", usualPostgresPort)
	if err != nil {
		return err
	}
	temporalPort, err := s.port(picker, "Temporal", usualTemporalPort)
	if err != nil {
		return err
	}
	uiPort, err := s.port(picker, "the Web UI", usualUIPort)
	if err != nil {
		return err
	}
	inner, err := pickTemporalPorts(picker, temporalPort)
	if err != nil {
		return err
	}
	own, err := s.ownVariables(picker)
	if err != nil {
		return err
	}

	postgresLog, err := s.openLog("postgres.log")
	if err != nil {
		return err
	}
	s.postgres, err = pg.Start(ctx, pg.Options{
		StateDir: s.dir.path,
		LogFile:  postgresLog.Name(),
		Port:     postgresPort,
		Durable:  s.opts.mode == "up",
		Say:      s.say,
		Output:   os.Stderr,
	})
	if err != nil {
		return err
	}
	for _, database := range []struct{ role, name string }{
		{temporalRole, temporalDatabase},
		{temporalRole, visibilityDatabase},
		{productRole, productDatabase},
	} {
		if err := s.postgres.EnsureDatabase(ctx, database.role, database.name); err != nil {
			return err
		}
	}

	temporalLog, err := s.openLog("temporal.log")
	if err != nil {
		return err
	}
	s.temporal, err = startTemporal(ctx, inner, postgresPort, s.postgres.Password(), temporalLog.Name())
	if err != nil {
		return err
	}
	s.ui, err = startUI(ctx, uiPort, ports.Address(temporalPort))
	if err != nil {
		return err
	}

	s.variables = append([]variable{
		{"TEMPORAL_ADDRESS", ports.Address(temporalPort)},
		{"TEMPORAL_NAMESPACE", namespace},
		{"CLOSELOOP_DATABASE_URL", s.postgres.URL(productRole, s.postgres.Password(), productDatabase)},
		{"CLOSELOOP_TEMPORAL_UI", "http://" + ports.Address(uiPort)},
		{"CLOSELOOP_STACK_DIR", s.dir.path},
	}, own...)
	if err := s.startCommands(ctx); err != nil {
		return err
	}
	if err := writeEnv(envFile, s.variables); err != nil {
		return err
	}
	s.envFile = envFile
	return nil
}

// port takes the usual port or a free one, and says so when the usual one is
// taken.
func (s *stack) port(picker *ports.Picker, what string, usual int) (int, error) {
	if s.opts.freshPorts {
		return picker.Free()
	}
	port, err := picker.Prefer(usual)
	if err == nil && port != usual {
		s.say("port %d is taken; %s listens on %d", usual, what, port)
	}
	return port, err
}

// startCommands runs the --before commands, one after the other, and then
// starts the --child commands.
func (s *stack) startCommands(ctx context.Context) error {
	env := environ(s.variables)
	for _, c := range s.opts.before {
		output, err := s.output(c)
		if err != nil {
			return err
		}
		if err := runBefore(ctx, c, env, output); err != nil {
			if ctx.Err() == nil && output.terminal == nil {
				s.showLog(c)
			}
			return err
		}
	}
	s.children = newChildren(env, func(name string) string { return s.dir.file(name + ".pid") }, s.say)
	for _, c := range s.opts.children {
		output, err := s.output(c)
		if err != nil {
			return err
		}
		if err := s.children.start(c, output); err != nil {
			return err
		}
	}
	return nil
}

// output is where a command's output goes: its log and, unless it would mix
// with that of the run command, the terminal.
func (s *stack) output(c command) (*prefixWriter, error) {
	log, err := s.openLog(c.name + ".log")
	if err != nil {
		return nil, err
	}
	w := &prefixWriter{prefix: c.name + " | ", log: log}
	if s.opts.mode == "up" || s.opts.verbose {
		w.terminal = os.Stderr
	}
	return w, nil
}

// showLog prints the end of a command's log, which was not shown so far.
func (s *stack) showLog(c command) {
	const most = 4000
	text, err := os.ReadFile(s.dir.file(c.name + ".log"))
	if err != nil {
		return
	}
	if len(text) > most {
		text = text[len(text)-most:]
	}
	w := &prefixWriter{prefix: c.name + " | ", log: io.Discard, terminal: os.Stderr}
	_, _ = fmt.Fprintf(w, "%s\n", text)
}

func (s *stack) openLog(name string) (*os.File, error) {
	log, err := s.dir.openLog(name)
	if err == nil {
		s.logs = append(s.logs, log)
	}
	return log, err
}

// stop ends everything, in the opposite order of the start, and is bounded in
// every step.
func (s *stack) stop() {
	s.dir.markStopping()
	if s.envFile != "" {
		_ = os.Remove(s.envFile)
	}
	if s.children != nil {
		s.children.stop()
	}
	if s.ui != nil {
		s.ui.Stop()
	}
	if s.temporal != nil {
		stopTemporal(s.temporal)
	}
	if s.postgres != nil {
		s.postgres.Stop()
	}
	for _, log := range s.logs {
		_ = log.Close()
	}
	if err := s.dir.close(); err != nil {
		s.say("could not clear %s away: %v", s.dir.path, err)
	}
}

// describe tells where everything is.
func (s *stack) describe(w io.Writer, took time.Duration) {
	value := func(name string) string {
		for _, v := range s.variables {
			if v.name == name {
				return v.value
			}
		}
		return ""
	}
	fmt.Fprintln(w)
	if url := value("CLOSELOOP_PUBLIC_URL"); url != "" {
		fmt.Fprintf(w, "  Gateway          %s\n", url)
	}
	fmt.Fprintf(w, `  Temporal Web UI  %s
  Temporal         %s  (namespace %s, closed workflows stay %d days)
  Database         %s
                   %s
  Logs             %s/*.log
  In a shell       . %s

devstack: ready after %.1f s; Ctrl-C ends it
`, value("CLOSELOOP_TEMPORAL_UI"), value("TEMPORAL_ADDRESS"), namespace, int(retention.Hours()/24),
		value("CLOSELOOP_DATABASE_URL"), s.postgres.Describe(), s.dir.path, quoteWord(s.envFile), took.Seconds())
}
