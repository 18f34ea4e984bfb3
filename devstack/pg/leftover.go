package pg

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"closeloop/devstack/proc"
)

// stopLeftover stops a server that still runs on dataDir because its devstack
// was killed, and clears its postmaster.pid away. Usually the server is on its
// way down already (it gets a signal when its parent dies), so it is given a
// moment first. The caller holds the lock on the state directory, so no living
// devstack owns that server.
func stopLeftover(dataDir string) error {
	for _, step := range []struct {
		signal syscall.Signal // 0: only wait
		wait   time.Duration
	}{{0, 2 * time.Second}, {syscall.SIGINT, 8 * time.Second}, {syscall.SIGQUIT, 5 * time.Second}} {
		if pid := serverOn(dataDir); pid != 0 && step.signal != 0 {
			_ = syscall.Kill(pid, step.signal)
		}
		for end := time.Now().Add(step.wait); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if serverOn(dataDir) == 0 && len(processesIn(dataDir)) == 0 {
				return removeStalePid(dataDir)
			}
		}
	}
	return fmt.Errorf("a PostgreSQL server still runs on %s and does not stop (processes %v); end it with kill -QUIT",
		dataDir, append(processesIn(dataDir), serverOn(dataDir)))
}

// removeStalePid removes the postmaster.pid of a server that was killed. A
// new server would refuse to start if its process id had gone to another
// process of the same user since. Without /proc we cannot see whether a
// forgotten backend is still at work, so there PostgreSQL judges by itself.
func removeStalePid(dataDir string) error {
	if !canSeeProcesses() {
		return nil
	}
	err := os.Remove(filepath.Join(dataDir, pidName))
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// canSeeProcesses tells whether processesIn works here.
func canSeeProcesses() bool {
	_, err := os.Stat("/proc/self/cwd")
	return err == nil
}

const pidName = "postmaster.pid"

// serverOn gives the id of the server process on dataDir, or 0. The id in
// postmaster.pid alone proves nothing, since ids are used again: the process
// has to be a PostgreSQL server in that very directory.
func serverOn(dataDir string) int {
	text, err := os.ReadFile(filepath.Join(dataDir, pidName))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 1 || !proc.Alive(pid) {
		return 0
	}
	if canSeeProcesses() {
		if slices.Contains(processesIn(dataDir), pid) {
			return pid
		}
		return 0
	}
	out, err := exec.Command("ps", "-p", strconv.Itoa(pid), "-o", "command=").Output()
	if err == nil && strings.Contains(string(out), "postgres") && strings.Contains(string(out), dataDir) {
		return pid
	}
	return 0
}

// processesIn lists the PostgreSQL processes, the server and its backends,
// whose working directory is dataDir. Only Linux can tell.
func processesIn(dataDir string) []int {
	resolved, err := filepath.EvalSymlinks(dataDir)
	if err != nil {
		return nil
	}
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	var pids []int
	for _, link := range links {
		// Reading the link of a process that has ended fails, also while it is
		// still listed as a zombie.
		if cwd, err := os.Readlink(link); err != nil || cwd != resolved {
			continue
		}
		// Not a shell that somebody left in this directory.
		name, err := os.ReadFile(filepath.Join(filepath.Dir(link), "comm"))
		if err != nil || !strings.HasPrefix(string(name), "postgres") {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
