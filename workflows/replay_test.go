package workflows_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
	"closeloop/workflows"
)

// recorded are the histories that every version must have, so that none is
// forgotten: the end-to-end tests record them with -update.
var recorded = []string{
	"appealed", "audited", "breach", "cancelled", "continued", "escalation", "escalation-again", "escalation-lost",
	"happy-path", "merged", "on-hold", "other-rules", "signals", "survivor",
}

// TestReplay replays the histories that released versions left behind. A change
// of the workflows that running requirements would not survive fails here.
func TestReplay(t *testing.T) {
	t.Parallel()
	versions, err := filepath.Glob("testdata/v*")
	require.NoError(t, err)
	require.NotEmpty(t, versions)
	for _, version := range versions {
		files, err := filepath.Glob(filepath.Join(version, "*.json.gz"))
		require.NoError(t, err)
		var names []string
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".json.gz")
			names = append(names, name)
			t.Run(filepath.Base(version)+"/"+name, func(t *testing.T) {
				t.Parallel()
				require.NoError(t, replay(load(t, file)))
			})
		}
		require.Subset(t, names, recorded, version)
	}
}

// TestReplayNoticesAChange makes sure that the test above can fail.
func TestReplayNoticesAChange(t *testing.T) {
	t.Parallel()
	h := load(t, "testdata/v1/happy-path.json.gz")
	var kept []*historypb.HistoryEvent
	for _, e := range h.Events {
		if a := e.GetMarkerRecordedEventAttributes(); a != nil && len(kept) > 30 {
			// As if the workflow had not run this local activity.
			a.MarkerName = "SideEffect"
		}
		kept = append(kept, e)
	}
	h.Events = kept
	require.Error(t, replay(h))
}

// replay runs a history through today's code.
func replay(h *historypb.History) error {
	r := worker.NewWorkflowReplayer()
	flows := &workflows.Workflows{}
	r.RegisterWorkflowWithOptions(flows.Requirement, workflow.RegisterOptions{Name: contract.RequirementWorkflow})
	r.RegisterWorkflowWithOptions(flows.Escalation, workflow.RegisterOptions{Name: contract.EscalationWorkflow})
	started := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
	return r.ReplayWorkflowHistoryWithOptions(log.NewStructuredLogger(slog.New(slog.DiscardHandler)), h, worker.ReplayWorkflowHistoryOptions{
		// The ids of escalations are made from it.
		OriginalExecution: workflow.Execution{ID: started.GetWorkflowId(), RunID: started.GetOriginalExecutionRunId()},
	})
}

func load(t *testing.T, file string) *historypb.History {
	t.Helper()
	packed, err := os.ReadFile(file)
	require.NoError(t, err)
	z, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	text, err := io.ReadAll(z)
	require.NoError(t, err)
	h := &historypb.History{}
	require.NoError(t, temporalproto.CustomJSONUnmarshalOptions{DiscardUnknown: true}.Unmarshal(text, h))
	return h
}
