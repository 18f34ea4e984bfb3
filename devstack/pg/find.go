package pg

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldest is the first PostgreSQL version we run on.
const oldest = 15

// binEnv names the directory with PostgreSQL's programs; "npm" stands for the
// npm package (see install.go) even where PostgreSQL is installed.
const binEnv = "CLOSELOOP_PG_BIN"

// binaries is a directory with PostgreSQL's programs.
type binaries struct {
	dir   string
	major int
}

func (b binaries) path(program string) string { return filepath.Join(b.dir, program) }

// candidates are the places to look in, in order.
func candidates() []string {
	var dirs []string
	if path, err := exec.LookPath("initdb"); err == nil {
		if resolved, err := filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(resolved))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",       // Debian, Ubuntu
		"/usr/pgsql-*/bin",                // PostgreSQL's own RPMs
		"/usr/local/pgsql/bin",            // built from source
		"/opt/homebrew/opt/postgres*/bin", // Homebrew, ARM
		"/usr/local/opt/postgres*/bin",    // Homebrew, Intel
	} {
		found, _ := filepath.Glob(pattern)
		slices.Reverse(found) // the newest version first
		dirs = append(dirs, found...)
	}
	return append(dirs, npmBin())
}

// find looks for PostgreSQL's programs that user u can run. wantMajor is the
// version an existing cluster was made with, 0 for any: a cluster runs only
// on its own major version. It returns a zero binaries when there are none.
func find(ctx context.Context, u runUser, wantMajor int) (binaries, error) {
	if dir := os.Getenv(binEnv); dir != "" && dir != "npm" {
		b, err := inspect(ctx, dir, u)
		switch {
		case err != nil:
			return binaries{}, fmt.Errorf("%s=%s: %w", binEnv, dir, err)
		case wantMajor != 0 && b.major != wantMajor:
			return binaries{}, fmt.Errorf("%s=%s is PostgreSQL %d, but the cluster was made by %d", binEnv, dir, b.major, wantMajor)
		}
		return b, nil
	}
	dirs := candidates()
	if os.Getenv(binEnv) == "npm" {
		dirs = []string{npmBin()}
	}
	var others []string
	for _, dir := range dirs {
		b, err := inspect(ctx, dir, u)
		if err != nil {
			continue
		}
		if wantMajor == 0 || b.major == wantMajor {
			return b, nil
		}
		others = append(others, fmt.Sprintf("%d in %s", b.major, b.dir))
	}
	if wantMajor != 0 && len(others) > 0 {
		return binaries{}, fmt.Errorf("the cluster was made by PostgreSQL %d, but this machine has only %s: install %d, or delete the state directory to start anew",
			wantMajor, strings.Join(others, ", "), wantMajor)
	}
	return binaries{}, nil
}

var versionPattern = regexp.MustCompile(`PostgreSQL\) (\d+)`)

// inspect tells whether dir has the programs, new enough and reachable for u.
func inspect(ctx context.Context, dir string, u runUser) (binaries, error) {
	for _, program := range []string{"initdb", "postgres"} {
		if info, err := os.Stat(filepath.Join(dir, program)); err != nil || info.IsDir() {
			return binaries{}, fmt.Errorf("there is no program %s in it", program)
		}
	}
	if blocker := u.obstacle(dir); blocker != "" {
		return binaries{}, fmt.Errorf("user %s, who runs PostgreSQL, may not pass %s", u.name, blocker)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version")
	cmd.Dir = "/"
	u.become(cmd)
	out, err := cmd.Output()
	if err != nil {
		return binaries{}, fmt.Errorf("postgres --version: %w", err)
	}
	match := versionPattern.FindStringSubmatch(string(out))
	if match == nil {
		return binaries{}, fmt.Errorf("postgres --version says %q", strings.TrimSpace(string(out)))
	}
	major, err := strconv.Atoi(match[1])
	if err != nil {
		return binaries{}, err
	}
	if major < oldest {
		return binaries{}, fmt.Errorf("PostgreSQL %d is too old, %d or newer is needed", major, oldest)
	}
	return binaries{dir: dir, major: major}, nil
}
