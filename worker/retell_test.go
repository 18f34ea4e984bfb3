package worker

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"google.golang.org/protobuf/proto"

	"closeloop/requirement"
)

// recorded returns a history that the end-to-end tests recorded.
func recorded(t *testing.T, name string) *historypb.History {
	t.Helper()
	packed, err := os.ReadFile(filepath.Join("..", "workflows", "testdata", "v1", name+".json.gz"))
	require.NoError(t, err)
	z, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	text, err := io.ReadAll(z)
	require.NoError(t, err)
	h := &historypb.History{}
	require.NoError(t, temporalproto.CustomJSONUnmarshalOptions{DiscardUnknown: true}.Unmarshal(text, h))
	return h
}

// TestHistoriesRetellWhatWasWritten replays recorded lives up to each of their
// events: they say what the ledger had by then, and never anything else.
func TestHistoriesRetellWhatWasWritten(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"happy-path", "on-hold", "signals", "appealed", "breach"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := recorded(t, name)
			upTo := func(n int) *historypb.History {
				// The replayer changes what it is given.
				part := proto.Clone(h).(*historypb.History)
				part.Events = part.Events[:n]
				return part
			}
			whole, err := replay(upTo(len(h.Events)))
			require.NoError(t, err)
			last := whole.transitions[len(whole.transitions)-1].State
			require.Equal(t, last.Seq, dense(t, whole.transitions))
			require.NotNil(t, last.ClosedAt)
			require.Equal(t, last.Policy, whole.process.Digest)

			told := 0
			for n := 1; n < len(h.Events); n++ {
				part, err := replay(upTo(n))
				require.NoError(t, err, "up to event %d, %s", n, h.Events[n-1].GetEventType())
				require.GreaterOrEqual(t, len(part.transitions), told, "up to event %d", n)
				if told = len(part.transitions); told > 0 {
					require.JSONEq(t, text(t, whole.transitions[told-1]), text(t, part.transitions[told-1]))
				}
			}
			require.Equal(t, len(whole.transitions), told, "the end writes nothing")
		})
	}
}

// TestCarriedOverRunBeginsWhereTheOneBeforeEnded tells a history that does not
// begin with the first fact.
func TestCarriedOverRunBeginsWhereTheOneBeforeEnded(t *testing.T) {
	t.Parallel()
	h := recorded(t, "continued")
	require.NotEmpty(t, h.Events[0].GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId())
	account, err := replay(h)
	require.NoError(t, err)
	require.Positive(t, account.from)
	require.Equal(t, account.from+1, account.transitions[0].Events[0].Seq)
	require.NotEmpty(t, account.process.Digest)
}

// TestAChangedHistoryIsNotRetold: better nothing than what never happened.
func TestAChangedHistoryIsNotRetold(t *testing.T) {
	t.Parallel()
	h := recorded(t, "happy-path")
	for _, e := range h.Events {
		if e.GetEventType() == enumspb.EVENT_TYPE_TIMER_STARTED {
			e.GetTimerStartedEventAttributes().TimerId = "9999"
			break
		}
	}
	_, err := replay(h)
	require.Error(t, err)
}

// dense checks that the facts are numbered without a gap, and returns the last
// number.
func dense(t *testing.T, told []requirement.Transition) int {
	t.Helper()
	seq := 0
	for _, tr := range told {
		for _, e := range tr.Events {
			seq++
			require.Equal(t, seq, e.Seq)
		}
		require.Equal(t, seq, tr.State.Seq)
	}
	return seq
}

func text(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}
