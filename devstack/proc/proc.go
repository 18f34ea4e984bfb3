// Package proc starts helper processes that do not outlive this one.
package proc

import (
	"context"
	"errors"
	"os/exec"
	"syscall"
	"time"
)

// Start starts cmd. Where the operating system allows it (Linux), the process
// receives deathSignal when this process ends in any way, kill -9 included.
// Elsewhere it is an ordinary start.
func Start(cmd *exec.Cmd, deathSignal syscall.Signal) error {
	return start(cmd, deathSignal)
}

// OwnGroup puts cmd into a process group of its own, so that signals for it
// reach its children too, and so that a Ctrl-C in the terminal goes to
// devstack alone, which then stops things in the right order.
func OwnGroup(cmd *exec.Cmd) {
	attr(cmd).Setpgid = true
}

// attr gives the process attributes of cmd, made when there are none yet.
func attr(cmd *exec.Cmd) *syscall.SysProcAttr {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	return cmd.SysProcAttr
}

// Signal sends sig to the started cmd, and to its whole process group when it
// has one of its own. A process that is gone already is not an error.
func Signal(cmd *exec.Cmd, sig syscall.Signal) error {
	if cmd.Process == nil {
		return nil
	}
	pid := cmd.Process.Pid
	if cmd.SysProcAttr != nil && cmd.SysProcAttr.Setpgid {
		pid = -pid
	}
	if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

// Wait waits for the started cmd. When ctx ends first, it sends SIGTERM, and
// SIGKILL after grace.
func Wait(ctx context.Context, cmd *exec.Cmd, grace time.Duration) error {
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	_ = Signal(cmd, syscall.SIGTERM)
	select {
	case err := <-done:
		return err
	case <-time.After(grace):
	}
	_ = Signal(cmd, syscall.SIGKILL)
	return <-done
}

// Alive tells whether a process with this id exists, no matter whose it is.
func Alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
