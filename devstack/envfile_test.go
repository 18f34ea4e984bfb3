package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestEnvFileIsReadBackByAShell(t *testing.T) {
	path := filepath.Join(t.TempDir(), "env")
	if err := writeEnv(path, []variable{{"DEVSTACK_A", "it's a $TEST"}, {"DEVSTACK_B", ""}, {"DEVSTACK_C", "x=y"}}); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sh", "-c", `. "$0" && sh -c 'echo "$DEVSTACK_A|${DEVSTACK_B-unset}|$DEVSTACK_C"'`, path).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(out), "it's a $TEST||x=y\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v; the file holds a password and is nobody else's", info.Mode())
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".env-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
