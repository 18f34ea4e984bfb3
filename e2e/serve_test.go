package e2e_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestServe runs the built program's gateway and takes a requirement through its
// life over HTTP.
func TestServe(t *testing.T) {
	t.Parallel()
	o := shared
	made := o.run(t, "token", "create", "e2e "+stamp(), "--person", "li.na", "--expires", "1h")
	token, ok := made["token"].(string)
	require.True(t, ok, made)

	gateway := exec.Command(os.Getenv("CLOSELOOP_BIN"), "serve", "--listen", "127.0.0.1:0")
	gateway.Env = o.environ()
	stderr, err := gateway.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, gateway.Start())
	ended := false
	t.Cleanup(func() {
		if !ended {
			_ = gateway.Process.Kill()
			_ = gateway.Wait()
		}
	})
	// The log says where it listens.
	var log strings.Builder
	lines := bufio.NewScanner(stderr)
	address := ""
	for address == "" && lines.Scan() {
		var line struct{ Msg, Address string }
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line), lines.Text())
		address = line.Address
		log.WriteString(lines.Text())
	}
	require.NotEmpty(t, address, log.String())
	rest := make(chan string, 1)
	go func() {
		for lines.Scan() {
			log.WriteString(lines.Text())
		}
		rest <- log.String()
	}()

	call := func(method, path, body string, status int) map[string]any {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		if body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, status, resp.StatusCode, string(text))
		var answer map[string]any
		if strings.Contains(resp.Header.Get("Content-Type"), "json") {
			require.NoError(t, json.Unmarshal(text, &answer), string(text))
		}
		return answer
	}
	call("GET", "/healthz", "", http.StatusOK)
	require.Contains(t, call("GET", "/openapi.json", "", http.StatusOK), "paths")
	customer := "Acme " + stamp()
	id := call("POST", "/v1/requirements", `{"title":"扫码失败","customer":"`+customer+`","ref":"crm:http`+stamp()+`"}`, http.StatusCreated)["id"].(string)
	require.Equal(t, "analysing", call("POST", "/v1/requirements/"+id+"/triage", `{"department":"technology"}`, http.StatusOK)["stage"])
	require.Equal(t, "wrong_stage", call("POST", "/v1/requirements/"+id+"/confirm", `{"rating":5}`, http.StatusConflict)["code"])
	call("POST", "/v1/requirements/"+id+"/withdraw", `{"reason":"不要了"}`, http.StatusOK)
	o.untilStage(t, id, "withdrawn")
	page := call("GET", "/v1/requirements?customer="+strings.ReplaceAll(customer, " ", "%20"), "", http.StatusOK)
	require.Len(t, page["rows"], 1)
	for _, e := range o.history(t, id) {
		if e["kind"] == "submitted" {
			require.Equal(t, "li.na", e["actor"])
		}
	}

	require.NoError(t, gateway.Process.Signal(syscall.SIGTERM))
	said := <-rest
	require.NoError(t, gateway.Wait(), "it ends well: %s", said)
	ended = true
	require.Contains(t, said, "The gateway has stopped")
	require.NotContains(t, said, token)
}
