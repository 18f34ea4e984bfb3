package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"
)

// patience bounds every wait of these tests.
const patience = 60 * time.Second

// shared is the worker that most tests use: the fast policy, and people may
// have any name.
var shared *office

// temporal is a connection of the tests' own.
var temporal client.Client

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (int, error) {
	flag.Parse()
	if testing.Short() {
		// Without a stack there is nothing to look at.
		return 0, nil
	}
	if os.Getenv("TEMPORAL_ADDRESS") == "" || os.Getenv("CLOSELOOP_DATABASE_URL") == "" || os.Getenv("CLOSELOOP_BIN") == "" {
		return 1, errors.New("the end-to-end tests need the stack: run make test")
	}
	options := envconfig.MustLoadDefaultClientOptions()
	options.Logger = log.NewStructuredLogger(slog.New(slog.DiscardHandler))
	var err error
	if temporal, err = client.Dial(options); err != nil {
		return 1, err
	}
	defer temporal.Close()
	shared = &office{queue: "e2e-shared", policy: repoFile("examples", "policy-fast.yaml")}
	if err := shared.open(); err != nil {
		return 1, err
	}
	defer shared.kill()
	return m.Run(), nil
}

func repoFile(path ...string) string {
	abs, err := filepath.Abs(filepath.Join(append([]string{".."}, path...)...))
	if err != nil {
		panic(err)
	}
	return abs
}

// office is a worker and the environment in which commands reach it.
type office struct {
	queue, policy string
	env           []string
	worker        *exec.Cmd
	log           lockedBuffer
}

func (o *office) environ() []string {
	return append(append(os.Environ(), "CLOSELOOP_TASK_QUEUE="+o.queue, "CLOSELOOP_POLICY="+o.policy, "LANG=en_US.UTF-8", "NO_COLOR=1"), o.env...)
}

// open starts a worker and waits until it takes tasks.
func (o *office) open() error {
	o.worker = exec.Command(os.Getenv("CLOSELOOP_BIN"), "worker")
	o.worker.Env = o.environ()
	stderr, err := o.worker.StderrPipe()
	if err != nil {
		return err
	}
	if err := o.worker.Start(); err != nil {
		return err
	}
	ready := make(chan struct{})
	go func() {
		lines := bufio.NewScanner(stderr)
		once := sync.OnceFunc(func() { close(ready) })
		for lines.Scan() {
			fmt.Fprintln(&o.log, lines.Text())
			if strings.Contains(lines.Text(), "takes tasks") {
				once()
			}
		}
	}()
	select {
	case <-ready:
		return nil
	case <-time.After(patience):
		o.kill()
		return fmt.Errorf("the worker did not become ready:\n%s", o.log.String())
	}
}

// kill ends the worker at once, as a crash would.
func (o *office) kill() {
	if o.worker != nil && o.worker.Process != nil {
		_ = o.worker.Process.Kill()
		_ = o.worker.Wait()
	}
}

// newOffice starts a worker of the test's own.
func newOffice(t *testing.T, change ...func(*office)) *office {
	t.Helper()
	o := &office{queue: "e2e-" + t.Name(), policy: repoFile("examples", "policy-fast.yaml")}
	for _, c := range change {
		c(o)
	}
	require.NoError(t, o.open())
	t.Cleanup(o.kill)
	return o
}

// answer is what a command said.
type answer struct {
	status         int
	stdout, stderr string
}

// try runs a command.
func (o *office) try(t *testing.T, args ...string) answer {
	t.Helper()
	return o.tryWith(t, nil, args...)
}

func (o *office) tryWith(t *testing.T, stdin io.Reader, args ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Getenv("CLOSELOOP_BIN"), args...)
	cmd.Env, cmd.Stdin = o.environ(), stdin
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return answer{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// run runs a command that must succeed, with -o json, and returns its answer.
func (o *office) run(t *testing.T, args ...string) map[string]any {
	t.Helper()
	a := o.try(t, append(args, "-o", "json")...)
	require.Zero(t, a.status, "%v\n%s%s", args, a.stdout, a.stderr)
	var body map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.stdout), &body), a.stdout)
	return body
}

// submit takes in a requirement and returns its id.
func (o *office) submit(t *testing.T, args ...string) string {
	t.Helper()
	body := o.run(t, append([]string{"submit", "--title", "导出报表", "--customer", "Acme", "--contact", "li@acme.example"}, args...)...)
	return body["id"].(string)
}

// show returns a requirement as the ledger has it.
func (o *office) show(t *testing.T, id string) map[string]any {
	t.Helper()
	return o.run(t, "show", id)
}

// history returns a requirement's events.
func (o *office) history(t *testing.T, id string) []map[string]any {
	t.Helper()
	a := o.try(t, "history", id, "-o", "json")
	require.Zero(t, a.status, a.stderr)
	var events []map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.stdout), &events))
	return events
}

func (o *office) kinds(t *testing.T, id string) []string {
	t.Helper()
	var kinds []string
	for _, e := range o.history(t, id) {
		kinds = append(kinds, e["kind"].(string))
	}
	return kinds
}

// until waits until a requirement is as wanted and returns it.
func (o *office) until(t *testing.T, id, what string, wanted func(map[string]any) bool) map[string]any {
	t.Helper()
	var seen map[string]any
	eventually(t, func() bool {
		seen = o.show(t, id)
		return wanted(seen)
	}, "%s becomes %s", id, what)
	return seen
}

func (o *office) untilStage(t *testing.T, id, stage string) map[string]any {
	t.Helper()
	return o.until(t, id, stage, func(v map[string]any) bool { return v["stage"] == stage })
}

// eventually waits for a condition that something outside this process brings
// about.
func eventually(t *testing.T, condition func() bool, format string, args ...any) {
	t.Helper()
	eventuallyWithin(t, patience, condition, format, args...)
}

func eventuallyWithin(t *testing.T, most time.Duration, condition func() bool, format string, args ...any) {
	t.Helper()
	deadline := time.Now().Add(most)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		require.True(t, time.Now().Before(deadline), "waited too long: "+format, args)
		<-tick.C
	}
}

// lockedBuffer is a buffer that several write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
