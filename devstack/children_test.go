package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestPrefixWriterPrefixesWholeLines(t *testing.T) {
	var terminal, log bytes.Buffer
	w := &prefixWriter{prefix: "x | ", terminal: &terminal, log: &log}
	for _, part := range []string{"one\ntw", "o\n", "", "three\nfour\nfi"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	if got, want := terminal.String(), "x | one\nx | two\nx | three\nx | four\n"; got != want {
		t.Errorf("terminal %q, want %q", got, want)
	}
	if got, want := log.String(), "one\ntwo\nthree\nfour\nfi"; got != want {
		t.Errorf("log %q, want %q", got, want)
	}
}

func TestACrashedChildIsStartedAgainAndStopEndsIt(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	var said []string
	s := newChildren(os.Environ(), func(name string) string { return filepath.Join(dir, name+".pid") }, func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, fmt.Sprintf(format, args...))
	})
	runs := filepath.Join(dir, "runs")
	script := fmt.Sprintf("echo run >> %s; [ $(wc -l < %s) -gt 1 ] || exit 3; exec sleep 100", runs, runs)
	if err := s.start(command{"sh", []string{"sh", "-c", script}}, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	tooLate := time.After(10 * time.Second)
	for runsSeen := 0; runsSeen < 2; {
		select {
		case <-look.C:
			text, _ := os.ReadFile(runs)
			runsSeen = strings.Count(string(text), "run")
		case <-tooLate:
			t.Fatal("the child was not started again")
		}
	}
	began := time.Now()
	s.stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stop took %s", took)
	}
	mu.Lock()
	defer mu.Unlock()
	if all := strings.Join(said, "\n"); !strings.Contains(all, "sh ended (exit status 3); starting it again in 500ms") {
		t.Errorf("said:\n%s", all)
	}
	if _, err := os.Stat(filepath.Join(dir, "sh.pid")); !os.IsNotExist(err) {
		t.Errorf("the pid file is still there: %v", err)
	}
}

func TestAChildThatIsNotThereIsToldAtOnce(t *testing.T) {
	s := newChildren(nil, func(string) string { return filepath.Join(t.TempDir(), "pid") }, t.Logf)
	err := s.start(command{"nothing", []string{"/no/such/program"}}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "--child nothing") {
		t.Errorf("error %v", err)
	}
	s.stop()
}
