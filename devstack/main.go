package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"closeloop/devstack/proc"
)

func main() {
	opts, err := parseOptions(os.Args[1:])
	if errors.Is(err, errHelp) {
		fmt.Print(usage)
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "devstack:", err)
		os.Exit(2)
	}
	status, err := start(opts)
	if err != nil {
		fmt.Fprintln(os.Stderr, "devstack:", err)
	}
	os.Exit(status)
}

// say prints news for the user. Standard output is left to the run command.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "devstack: "+format+"\n", args...)
}

// start runs the stack as the options say and gives the exit status.
func start(opts options) (int, error) {
	began := time.Now()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)

	if opts.withParent {
		go watchParent(os.Getppid(), signals)
	}

	// A signal while things come up ends the start.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	up := make(chan struct{})
	interrupted := make(chan bool, 1)
	go func() {
		select {
		case <-signals:
			cancel()
			interrupted <- true
		case <-up:
			interrupted <- false
		}
	}()
	s, err := startStack(ctx, opts, say)
	close(up)
	if <-interrupted {
		if err == nil {
			s.stop()
		}
		if opts.mode == "up" {
			return 0, nil
		}
		return 130, errors.New("interrupted before the command could be started")
	}
	if err != nil {
		return 1, err
	}

	if opts.mode == "up" {
		s.describe(os.Stdout, time.Since(began))
		select {
		case sig := <-signals:
			say("%s: stopping", sig)
			s.stop()
			say("stopped")
			return 0, nil
		case err := <-s.postgres.Failed():
			s.stop()
			return 1, err
		}
	}

	say("ready after %.1f s; running %s", time.Since(began).Seconds(), opts.run[0])
	status, err := runCommand(opts.run, environ(s.variables), signals)
	s.stop()
	return status, err
}

// runCommand runs the command of devstack run with our standard streams and
// gives its exit status.
func runCommand(args, env []string, signals <-chan os.Signal) (int, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// At a terminal the command stays in our process group, for only the group
	// in the foreground may read from it, and Ctrl-C reaches all of it by
	// itself. Elsewhere it gets its own, so that a signal reaches its children.
	terminal := isTerminal(os.Stdin)
	if !terminal {
		proc.OwnGroup(cmd)
	}
	if err := proc.Start(cmd, syscall.SIGKILL); err != nil {
		return 127, fmt.Errorf("cannot run %s: %w", args[0], err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()

	var tooLong <-chan time.Time
	for {
		select {
		case err := <-done:
			return exitStatus(err), nil // what is wrong, if anything, it has said itself
		case sig := <-signals:
			if tooLong == nil {
				tooLong = time.After(2 * stopGrace)
			}
			if s, ok := sig.(syscall.Signal); ok && (!terminal || s != syscall.SIGINT) {
				_ = proc.Signal(cmd, s)
			}
		case <-tooLong:
			say("%s does not end; killing it", args[0])
			_ = proc.Signal(cmd, syscall.SIGKILL)
		}
	}
}

// isTerminal tells whether the file is a terminal (or another device that is
// read by people; /dev/null is none).
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
