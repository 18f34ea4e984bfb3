package pg

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// runUser is the user that PostgreSQL runs as.
type runUser struct {
	name     string
	uid, gid int
	drop     bool // we are root and have to become this user first
}

// currentRunUser picks the user for PostgreSQL: ourselves, or, when we are
// root, postgres or nobody. It has to be a user with a passwd entry, for
// PostgreSQL looks its own name up there.
func currentRunUser() (runUser, error) {
	if os.Geteuid() != 0 {
		return runUser{name: "the current user", uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := lookupUser(user.Lookup(name)); err == nil {
			return u, nil
		}
	}
	return runUser{}, errors.New("PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody: " +
		"run as another user, or make one: useradd --system postgres")
}

// ownerOf gives the user that owns an existing cluster: if it was made by
// nobody and a user postgres has come since, it still has to run as nobody.
func ownerOf(dataDir string) (runUser, error) {
	info, err := os.Stat(dataDir)
	if err != nil {
		return runUser{}, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return currentRunUser()
	}
	return lookupUser(user.LookupId(strconv.Itoa(int(stat.Uid))))
}

func lookupUser(u *user.User, err error) (runUser, error) {
	if err != nil {
		return runUser{}, err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return runUser{}, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return runUser{}, err
	}
	if uid == 0 {
		return runUser{}, errors.New("user " + u.Username + " is root")
	}
	return runUser{name: u.Username, uid: uid, gid: gid, drop: os.Geteuid() == 0}, nil
}

// become makes cmd run as the user.
func (u runUser) become(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	if u.drop {
		cmd.SysProcAttr.Credential = &syscall.Credential{
			Uid:    uint32(u.uid),
			Gid:    uint32(u.gid),
			Groups: []uint32{}, // root's own groups must not come along
		}
	}
}

// own gives path to the user.
func (u runUser) own(path string) error {
	if !u.drop {
		return nil
	}
	return os.Chown(path, u.uid, u.gid)
}

// obstacle returns the first directory on the way to path (path itself
// included) that the user may not pass, or "". Directories that do not exist
// yet are passed over. Access lists beyond the mode bits are not looked at.
func (u runUser) obstacle(path string) string {
	if !u.drop {
		return ""
	}
	found := ""
	for dir := path; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() && !u.mayPass(info) {
			found = dir // keep walking: the one nearest the root explains most
		}
		if dir == filepath.Dir(dir) {
			return found
		}
	}
}

func (u runUser) mayPass(info os.FileInfo) bool {
	bit := os.FileMode(0o001)
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		switch {
		case int(stat.Uid) == u.uid:
			bit = 0o100
		case int(stat.Gid) == u.gid:
			bit = 0o010
		}
	}
	return info.Mode().Perm()&bit != 0
}
