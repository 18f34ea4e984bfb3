package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"closeloop/devstack/proc"
)

// stopGrace is how long a command has to end after SIGTERM.
const stopGrace = 10 * time.Second

// prepared gives the command, ready to be started in a group of its own.
func (c command) prepared(env []string, output io.Writer) *exec.Cmd {
	cmd := exec.Command(c.args[0], c.args[1:]...)
	cmd.Env = env
	cmd.Stdout, cmd.Stderr = output, output
	// What the command itself left running must not hold us up through the
	// pipe it inherited.
	cmd.WaitDelay = 2 * time.Second
	proc.OwnGroup(cmd)
	return cmd
}

// runBefore runs a command to its end.
func runBefore(ctx context.Context, c command, env []string, output io.Writer) error {
	cmd := c.prepared(env, output)
	if err := proc.Start(cmd, syscall.SIGKILL); err != nil {
		return fmt.Errorf("--before %s: %w", c.name, err)
	}
	if err := proc.Wait(ctx, cmd, stopGrace); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("--before %s failed: %w", c.name, err)
	}
	return nil
}

// children are the commands that run beside the stack.
type children struct {
	env     []string
	pidFile func(name string) string
	say     func(string, ...any)

	ctx    context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup
}

func newChildren(env []string, pidFile func(string) string, say func(string, ...any)) *children {
	ctx, cancel := context.WithCancel(context.Background())
	return &children{env: env, pidFile: pidFile, say: say, ctx: ctx, cancel: cancel}
}

// start starts a child and keeps it running until stop. The first start has
// to succeed; a program that is not there should be told at once.
func (s *children) start(c command, output io.Writer) error {
	cmd, err := s.launch(c, output)
	if err != nil {
		return fmt.Errorf("--child %s: %w", c.name, err)
	}
	s.wait.Add(1)
	go func() {
		defer s.wait.Done()
		s.keep(c, cmd, output)
	}()
	return nil
}

func (s *children) launch(c command, output io.Writer) (*exec.Cmd, error) {
	cmd := c.prepared(s.env, output)
	// SIGKILL: without its stack a child has nothing left to finish.
	if err := proc.Start(cmd, syscall.SIGKILL); err != nil {
		return nil, err
	}
	// For scripts that want to kill the child and see what happens.
	_ = os.WriteFile(s.pidFile(c.name), fmt.Appendf(nil, "%d\n", cmd.Process.Pid), 0o600)
	s.say("%s runs (process %d)", c.name, cmd.Process.Pid)
	return cmd, nil
}

// keep waits for the child and starts it again whenever it ends, with growing
// pauses while it does not stay up.
func (s *children) keep(c command, cmd *exec.Cmd, output io.Writer) {
	const shortest, longest = 500 * time.Millisecond, 10 * time.Second
	pause := shortest
	for {
		started := time.Now()
		if cmd != nil {
			err := proc.Wait(s.ctx, cmd, stopGrace)
			_ = os.Remove(s.pidFile(c.name))
			if s.ctx.Err() != nil {
				return
			}
			// What it may have left behind in its group goes with it.
			_ = proc.Signal(cmd, syscall.SIGKILL)
			if time.Since(started) > longest {
				pause = shortest
			}
			s.say("%s ended (%s); starting it again in %s", c.name, describeExit(err), pause)
		}
		select {
		case <-s.ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, longest)
		var err error
		if cmd, err = s.launch(c, output); err != nil {
			s.say("%s could not be started: %v; trying again in %s", c.name, err, pause)
		}
	}
}

// stop ends all children: SIGTERM, and SIGKILL for those that take too long.
func (s *children) stop() {
	s.cancel()
	s.wait.Wait()
}

// describeExit says how a process ended.
func describeExit(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// exitStatus gives the status a shell would give for a command that ended
// with err.
func exitStatus(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return 128 + int(status.Signal())
		}
		return exit.ExitCode()
	default:
		return 1
	}
}

// prefixWriter writes every line to a log file, and with the name before it
// to the terminal, if there is one to write to.
type prefixWriter struct {
	mu       sync.Mutex
	prefix   string
	terminal io.Writer // nil: only the log
	log      io.Writer
	rest     []byte // of a line that has not ended yet
}

func (w *prefixWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.log.Write(p); err != nil {
		return 0, err
	}
	if w.terminal == nil {
		return len(p), nil
	}
	w.rest = append(w.rest, p...)
	end := bytes.LastIndexByte(w.rest, '\n')
	if end < 0 {
		return len(p), nil
	}
	var out bytes.Buffer
	for line := range bytes.Lines(w.rest[:end+1]) {
		out.WriteString(w.prefix)
		out.Write(line)
	}
	w.rest = append(w.rest[:0], w.rest[end+1:]...)
	// One write for all of them, so that lines of several children mix only
	// at their ends. A terminal that is gone is no reason to stop the child.
	_, _ = w.terminal.Write(out.Bytes())
	return len(p), nil
}
