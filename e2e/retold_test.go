package e2e_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"

	"closeloop/requirement"
	"closeloop/worker"
)

// retold is what the history of a requirement says should be in the ledger.
func retold(t *testing.T, h *historypb.History) []requirement.Event {
	t.Helper()
	told, err := worker.Retell(h)
	require.NoError(t, err)
	var events []requirement.Event
	for _, tr := range told {
		events = append(events, tr.Events...)
	}
	return events
}

// sameAsHistory checks that the ledger has exactly what the history says, fact
// by fact, with times and particulars.
func (o *office) sameAsHistory(t *testing.T, id string) {
	t.Helper()
	want := retold(t, historyOf(t, id))
	got := o.ledgerEvents(t, id)
	require.Equal(t, len(want), len(got), "%s: number of facts", id)
	for i := range want {
		require.Equal(t, factText(t, want[i]), factText(t, got[i]), id)
	}
}

// factText is a fact as the database keeps it: it knows microseconds.
func factText(t *testing.T, e requirement.Event) string {
	t.Helper()
	e.At = e.At.UTC().Truncate(1000)
	if len(e.To) == 0 {
		e.To = nil
	}
	var data any
	if len(e.Data) > 0 {
		require.NoError(t, json.Unmarshal(e.Data, &data))
	}
	e.Data = nil
	text, err := json.Marshal(struct {
		requirement.Event
		Data any `json:"data"`
	}{e, data})
	require.NoError(t, err)
	return string(text)
}
