package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"closeloop/devstack/pg"
)

// temporaryPrefix marks the state directories of devstack run.
const temporaryPrefix = "closeloop-devstack-"

// The lock file holds the id of the process that has the lock, and a second
// line once that process is about to end.
const (
	lockName = "lock"
	stopping = "stopping"
)

// stateDir is the directory that holds the state of one stack, locked by us.
type stateDir struct {
	path      string
	lock      *os.File
	temporary bool
}

// openStateDir makes and locks the directory. Two stacks on one directory
// would fight over its database, so the second is refused.
func openStateDir(path string) (*stateDir, error) {
	_, statErr := os.Stat(path)
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	if os.IsNotExist(statErr) {
		// Also under a strict umask.
		if err := os.Chmod(path, 0o755); err != nil {
			return nil, err
		}
	}
	// The directory is known by its real path, however it was spelled.
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	lock, err := waitLock(path)
	if err != nil {
		return nil, err
	}
	// What a killed devstack said of its children is not true any more.
	stale, _ := filepath.Glob(filepath.Join(path, "*.pid"))
	for _, file := range stale {
		_ = os.Remove(file)
	}
	return &stateDir{path: path, lock: lock}, nil
}

// waitLock takes the lock, and waits for one that is being given up: whoever
// ends a stack and starts it again at once should not be refused. A stack that
// is up and stays up is told after a moment.
func waitLock(path string) (*os.File, error) {
	began := time.Now()
	for {
		lock, err := tryLock(path)
		if !errors.Is(err, errLocked) {
			return lock, err
		}
		patience := 500 * time.Millisecond
		if text, _ := os.ReadFile(filepath.Join(path, lockName)); strings.Contains(string(text), stopping) {
			patience = time.Minute
		}
		if time.Since(began) > patience {
			return nil, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// markStopping tells a devstack that wants to start here to wait a little.
func (d *stateDir) markStopping() {
	_, _ = fmt.Fprintln(d.lock, stopping)
}

// newTemporaryStateDir makes a fresh directory, and clears away those whose
// devstack was killed.
func newTemporaryStateDir() (*stateDir, error) {
	sweepTemporary(os.TempDir())
	path, err := os.MkdirTemp("", temporaryPrefix)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o711); err != nil {
		return nil, err
	}
	d, err := openStateDir(path)
	if err != nil {
		return nil, err
	}
	d.temporary = true
	return d, nil
}

// errLocked says that a living process holds the lock.
var errLocked = errors.New("the state directory is in use")

// tryLock takes the lock of the state directory. The kernel gives it up when
// the process ends in any way, so a stale one does not exist.
func tryLock(path string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(path, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot lock the state directory (was it made by another user?): %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		text, _ := os.ReadFile(file.Name())
		holder, _, _ := strings.Cut(string(text), "\n")
		_ = file.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("locking %s: %w", file.Name(), err)
		}
		return nil, fmt.Errorf("another devstack (process %s) runs on %s: stop it, or choose another directory with --dir: %w",
			holder, path, errLocked)
	}
	_ = file.Truncate(0)
	_, _ = fmt.Fprintf(file, "%d\n", os.Getpid())
	return file, nil
}

func (d *stateDir) file(name string) string { return filepath.Join(d.path, name) }

// openLog opens a log file to append to. One that has grown large is set
// aside first; the one set aside before it goes.
func (d *stateDir) openLog(name string) (*os.File, error) {
	path := d.file(name)
	if info, err := os.Stat(path); err == nil && info.Size() > 20<<20 {
		if err := os.Rename(path, path+".old"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// close gives the directory up, and removes it if it is a temporary one.
func (d *stateDir) close() error {
	var err error
	if d.temporary {
		err = errors.Join(pg.Remove(d.path), os.RemoveAll(d.path))
	}
	_ = d.lock.Close()
	return err
}

// sweepTemporary removes temporary state directories whose owner is dead.
func sweepTemporary(base string) {
	dirs, _ := filepath.Glob(filepath.Join(base, temporaryPrefix+"*"))
	for _, path := range dirs {
		// A young one may be between being made and being locked.
		info, err := os.Stat(path)
		if err != nil || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		lock, err := tryLock(path)
		if err != nil {
			continue
		}
		_ = pg.Remove(path)
		_ = os.RemoveAll(path)
		_ = lock.Close()
	}
}
