package e2e_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
)

// update writes golden files and recorded histories anew; CONTRIBUTING.md has the
// command.
var update = flag.Bool("update", false, "write golden files and recorded histories anew")

// historyOf returns the events of a workflow's latest run.
func historyOf(t *testing.T, id string) *historypb.History {
	t.Helper()
	history := &historypb.History{}
	events := temporal.GetWorkflowHistory(context.Background(), id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		require.NoError(t, err)
		history.Events = append(history.Events, e)
	}
	return history
}

// readable is a history as a list that a person can read and compare: what
// happened, without when and by whom.
func readable(h *historypb.History) string {
	var b strings.Builder
	for i, e := range h.Events {
		name := strings.TrimPrefix(e.GetEventType().String(), "EVENT_TYPE_")
		fmt.Fprintf(&b, "%3d %s%s\n", i+1, name, particulars(e))
	}
	return b.String()
}

func particulars(e *historypb.HistoryEvent) string {
	switch {
	case e.GetMarkerRecordedEventAttributes() != nil:
		return " " + e.GetMarkerRecordedEventAttributes().GetMarkerName()
	case e.GetActivityTaskScheduledEventAttributes() != nil:
		return " " + e.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName()
	case e.GetWorkflowExecutionUpdateAcceptedEventAttributes() != nil:
		return " " + e.GetWorkflowExecutionUpdateAcceptedEventAttributes().GetAcceptedRequest().GetInput().GetName()
	case e.GetWorkflowExecutionSignaledEventAttributes() != nil:
		return " " + e.GetWorkflowExecutionSignaledEventAttributes().GetSignalName()
	default:
		return ""
	}
}

// size is the number of bytes of a history.
func size(h *historypb.History) int {
	n := 0
	for _, e := range h.Events {
		n += e.Size()
	}
	return n
}

// golden compares a text with a file, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update to make it")
	require.Equal(t, string(want), got)
}

// record keeps a history for the replay test of the workflows package.
func record(t *testing.T, name string, h *historypb.History) {
	t.Helper()
	if !*update {
		return
	}
	text, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(h)
	require.NoError(t, err)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err = z.Write(text)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	dir := repoFile("workflows", "testdata", "v1")
	require.NoError(t, os.MkdirAll(dir, 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+".json.gz"), packed.Bytes(), 0o600))
}
