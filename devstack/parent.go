package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// watchParent sends a signal when the parent is gone, or has itself received
// SIGINT. It is for being started by make: a make that is killed leaves what
// it runs behind, and one that is interrupted by a signal to it alone (not
// Ctrl-C, which reaches both) waits for what it runs without passing the
// signal on.
func watchParent(parent int, signals chan<- os.Signal) {
	for {
		time.Sleep(100 * time.Millisecond)
		if os.Getppid() != parent {
			signals <- syscall.SIGTERM
			return
		}
		if handlesInterrupt(parent) {
			signals <- syscall.SIGINT
			return
		}
	}
}

// handlesInterrupt tells whether the process is inside its handler for
// SIGINT: the signal is blocked for exactly that long. Only Linux can tell.
func handlesInterrupt(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(status)) {
		mask, ok := strings.CutPrefix(line, "SigBlk:")
		if !ok {
			continue
		}
		blocked, err := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
		return err == nil && blocked&(1<<(uint(syscall.SIGINT)-1)) != 0
	}
	return false
}
