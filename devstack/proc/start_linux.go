package proc

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// The kernel sends the parent-death signal when the *thread* that started the
// process ends, not when the whole parent does, and the Go runtime ends
// threads as it pleases. So every helper is started from one thread that is
// locked and never ends.
var (
	launcherOnce sync.Once
	launches     chan func()
)

func start(cmd *exec.Cmd, deathSignal syscall.Signal) error {
	launcherOnce.Do(func() {
		launches = make(chan func())
		go func() {
			runtime.LockOSThread()
			for launch := range launches {
				launch()
			}
		}()
	})
	attr(cmd).Pdeathsig = deathSignal
	result := make(chan error, 1)
	launches <- func() { result <- cmd.Start() }
	return <-result
}
