package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// asDevstack makes the test binary be devstack itself, so that nothing has to
// be built for the tests that kill it.
const asDevstack = "DEVSTACK_TEST_AS_DEVSTACK"

func TestMain(m *testing.M) {
	if os.Getenv(asDevstack) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// devstack prepares the program.
func devstack(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asDevstack+"=1")
	return cmd
}

// running is a started stack.
type running struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has
}

// up starts a stack on dir and waits until it is ready; it gives its
// environment.
func up(t *testing.T, dir string, more ...string) (stack *running, env map[string]string) {
	t.Helper()
	var output bytes.Buffer
	cmd := devstack(t, append([]string{"up", "--fresh-ports", "--dir", dir}, more...)...)
	cmd.Stdout, cmd.Stderr = &output, &output
	_ = os.Remove(filepath.Join(dir, "env"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stack = &running{cmd: cmd, ended: make(chan struct{})}
	go func() { _ = cmd.Wait(); close(stack.ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-stack.ended
	})
	for {
		text, err := os.ReadFile(filepath.Join(dir, "env"))
		if err == nil {
			return stack, readEnv(t, string(text))
		}
		select {
		case <-stack.ended:
			t.Fatalf("devstack up ended (%v):\n%s", cmd.ProcessState, output.String())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func readEnv(t *testing.T, text string) map[string]string {
	t.Helper()
	env := map[string]string{}
	for line := range strings.Lines(text) {
		words, err := splitWords(line)
		if err != nil {
			t.Fatal(err)
		}
		if len(words) == 2 && words[0] == "export" {
			name, value, _ := strings.Cut(words[1], "=")
			env[name] = value
		}
	}
	return env
}

// freshDir is a directory that PostgreSQL's user can get to (t.TempDir is not
// one under root).
func freshDir(t *testing.T) string {
	t.Helper()
	d, err := newTemporaryStateDir()
	if err != nil {
		t.Fatal(err)
	}
	_ = d.lock.Close() // the stack that is started will lock it
	t.Cleanup(func() {
		lock, err := waitLock(d.path)
		if err != nil {
			t.Error(err)
			return
		}
		d.lock = lock
		if err := d.close(); err != nil {
			t.Error(err)
		}
	})
	return d.path
}

func TestStackKeepsItsStateThroughKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a real stack")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	dir := freshDir(t)

	first, env := up(t, dir,
		"--before", "sh -c 'echo $TEMPORAL_ADDRESS > "+dir+"/before'", "--child", "sleep 1000", "--export", "GREETING=it's fine",
		"--listen", "DOOR=8480", "--secret", "KEYS=dev:", "--export", "URL=http://${DOOR}/$x")
	if !strings.HasPrefix(env["DOOR"], "127.0.0.1:") || env["URL"] != "http://"+env["DOOR"]+"/$x" {
		t.Errorf("environment %v", env)
	}
	keys := env["KEYS"]
	if secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(keys, "dev:")); err != nil || len(secret) != 32 {
		t.Errorf("the secret is %q: %v", keys, err)
	}
	if env["GREETING"] != "it's fine" || env["TEMPORAL_NAMESPACE"] != "default" {
		t.Errorf("environment %v", env)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "before")); strings.TrimSpace(string(text)) != env["TEMPORAL_ADDRESS"] {
		t.Errorf("the --before command saw %q", text)
	}
	child, err := os.ReadFile(filepath.Join(dir, "sleep-1000.pid"))
	if err != nil {
		t.Error(err)
	}
	checkUI(ctx, t, env["CLOSELOOP_TEMPORAL_UI"])
	checkRetention(ctx, t, env["TEMPORAL_ADDRESS"])
	query(ctx, t, env, "create table marker as select 'still here' as word")
	startWorkflow(ctx, t, env["TEMPORAL_ADDRESS"])

	out, err := devstack(t, "up", "--fresh-ports", "--dir", dir).CombinedOutput()
	if err == nil || !strings.Contains(string(out), fmt.Sprintf("another devstack (process %d)", first.cmd.Process.Pid)) {
		t.Errorf("a second stack on the same directory: %v\n%s", err, out)
	}

	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	second, env := up(t, dir, "--secret", "KEYS=dev:")
	if env["KEYS"] != keys {
		t.Errorf("the secret is another one after the kill")
	}
	if got := query(ctx, t, env, "select word from marker"); got != "still here" {
		t.Errorf("the marker is %q after the kill", got)
	}
	checkWorkflow(ctx, t, env["TEMPORAL_ADDRESS"])
	if cmdline, err := os.ReadFile("/proc/" + strings.TrimSpace(string(child)) + "/cmdline"); err == nil && strings.HasPrefix(string(cmdline), "sleep") {
		t.Errorf("the child %s outlived the killed devstack", child)
	}

	if err := second.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-second.ended:
	case <-ctx.Done():
		t.Fatal("devstack does not end after SIGTERM")
	}
	if !second.cmd.ProcessState.Success() {
		t.Errorf("after SIGTERM: %v", second.cmd.ProcessState)
	}
	if _, err := os.Stat(filepath.Join(dir, "env")); !os.IsNotExist(err) {
		t.Errorf("the env file is still there after the stop: %v", err)
	}
}

func TestRunGivesTheStatusOfTheCommandAndLeavesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a real stack")
	}
	temp := t.TempDir()
	cmd := devstack(t, "run", "--", "sh", "-c", `echo "$CLOSELOOP_DATABASE_URL"; exit 7`)
	cmd.Env = append(cmd.Env, "TMPDIR="+temp) // below a directory that lets nobody pass, when we are root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("exit status %v, want that of the command, 7:\n%s", err, stderr.String())
	}
	if !strings.HasPrefix(string(out), "postgres://") {
		t.Errorf("standard output %q, want the command's alone", out)
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	cmd = devstack(t, "run", "--before", "sh -c 'echo no luck; exit 1'", "--", "echo", "not reached")
	cmd.Env = append(cmd.Env, "TMPDIR="+temp)
	out, _ = cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "no luck") || strings.Contains(string(out), "not reached") {
		t.Errorf("a failing --before: %v\n%s", cmd.ProcessState, out)
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func checkUI(ctx context.Context, t *testing.T, url string) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("Web UI: %s", response.Status)
	}
}

func dial(ctx context.Context, t *testing.T, address string) client.Client {
	t.Helper()
	c, err := client.DialContext(ctx, client.Options{HostPort: address, Namespace: namespace, Logger: silentLogger{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func checkRetention(ctx context.Context, t *testing.T, address string) {
	t.Helper()
	got, err := dial(ctx, t, address).WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	if err != nil {
		t.Fatal(err)
	}
	if ttl := got.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(); ttl != 30*24*time.Hour {
		t.Errorf("retention %s, want 30 days", ttl)
	}
}

const workflowID = "survivor"

func startWorkflow(ctx context.Context, t *testing.T, address string) {
	t.Helper()
	// No worker serves this queue: the workflow just has to be kept.
	_, err := dial(ctx, t, address).ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: workflowID, TaskQueue: "nobody"}, "Anything")
	if err != nil {
		t.Fatal(err)
	}
}

func checkWorkflow(ctx context.Context, t *testing.T, address string) {
	t.Helper()
	got, err := dial(ctx, t, address).DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil {
		t.Fatal(err)
	}
	if status := got.GetWorkflowExecutionInfo().GetStatus(); status != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		t.Errorf("the workflow is %s after the kill", status)
	}
}

// query runs one statement and gives its first value, "" when it has none.
func query(ctx context.Context, t *testing.T, env map[string]string, statement string) string {
	t.Helper()
	conn, err := pgx.Connect(ctx, env["CLOSELOOP_DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, statement)
	if err != nil {
		t.Fatal(err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
