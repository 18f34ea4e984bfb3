package pg

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// externalBase holds the clusters that cannot live in their own state
// directory.
const externalBase = "/var/lib/closeloop-devstack"

const (
	insideName   = "pg"          // the cluster inside the state directory
	locationName = "pg-location" // or else this file, which says where it is
	ownerName    = "owner"       // beside an outside cluster: its state directory
)

// place decides where the cluster of the state directory stateDir lives:
// inside it, unless PostgreSQL's user cannot get there (a directory below
// /root, say). Then it gets a directory of its own in /var/lib, and a file in
// stateDir that names it, so that deleting stateDir still means a new start.
// note is what the user should be told about that, or "".
func place(stateDir string, u runUser) (dir, note string, err error) {
	inside := filepath.Join(stateDir, insideName)
	locationFile := filepath.Join(stateDir, locationName)

	if text, err := os.ReadFile(locationFile); err == nil {
		dir = strings.TrimSpace(string(text))
		if _, err := os.Stat(dir); err != nil {
			return "", "", fmt.Errorf("the database cluster of %s should be in %s (says %s), but is not there; "+
				"delete %s to start anew without it: %w", stateDir, dir, locationFile, locationFile, err)
		}
		return dir, "", nil
	}
	blocker := u.obstacle(stateDir)
	if blocker == "" {
		return inside, "", os.MkdirAll(inside, 0o755)
	}
	if _, err := os.Stat(filepath.Join(inside, dataName)); err == nil {
		return "", "", fmt.Errorf("user %s, who runs PostgreSQL, cannot get to the cluster in %s: %s does not let others pass; chmod o+x %s",
			u.name, inside, blocker, blocker)
	}

	sweepExternal()
	if err := os.MkdirAll(externalBase, 0o755); err != nil {
		return "", "", fmt.Errorf("%s does not let user %s pass, and no other place could be made: %w", blocker, u.name, err)
	}
	dir, err = os.MkdirTemp(externalBase, "pg-")
	if err != nil {
		return "", "", err
	}
	err = errors.Join(
		os.Chmod(dir, 0o755),
		os.WriteFile(filepath.Join(dir, ownerName), []byte(stateDir+"\n"), 0o600),
		os.WriteFile(locationFile, []byte(dir+"\n"), 0o600),
	)
	note = fmt.Sprintf("user %s, who runs PostgreSQL, may not pass %s; the database cluster is in %s instead", u.name, blocker, dir)
	return dir, note, err
}

// sweepExternal removes outside clusters whose state directory was deleted.
func sweepExternal() {
	dirs, _ := filepath.Glob(filepath.Join(externalBase, "pg-*"))
	for _, dir := range dirs {
		owner, err := os.ReadFile(filepath.Join(dir, ownerName))
		if err != nil {
			continue
		}
		location, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(owner)), locationName))
		if err == nil && strings.TrimSpace(string(location)) == dir {
			continue
		}
		if err != nil && !os.IsNotExist(err) {
			continue // cannot tell, so leave it
		}
		_ = removeCluster(dir)
	}
}

// Remove deletes the cluster that belongs to stateDir, wherever it lives,
// after stopping what may still run on it.
func Remove(stateDir string) error {
	inside := filepath.Join(stateDir, insideName)
	var errs []error
	if text, err := os.ReadFile(filepath.Join(stateDir, locationName)); err == nil {
		dir := strings.TrimSpace(string(text))
		if filepath.Dir(dir) == externalBase { // never follow an edited file elsewhere
			errs = append(errs, removeCluster(dir))
		}
	}
	errs = append(errs, removeCluster(inside))
	return errors.Join(errs...)
}

func removeCluster(dir string) error {
	if err := stopLeftover(filepath.Join(dir, dataName)); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}
