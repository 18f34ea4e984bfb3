package ledger_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/access"
	"closeloop/ledger"
	"closeloop/requirement"
)

var everybody = access.Reader("audit", "")

// settled waits until the horizon is reached and returns its last position.
func settled(t *testing.T, l *ledger.Ledger) int64 {
	t.Helper()
	h, err := l.Horizon(t.Context())
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		reached, err := l.Reached(t.Context(), h)
		require.NoError(t, err)
		return reached
	}, 30*time.Second, time.Millisecond)
	return h.Last
}

// TestFeedLosesNothing follows the ledger while many write to it: each event is
// told once, and those of one requirement in their order.
func TestFeedLosesNothing(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	require.Zero(t, settled(t, l), "an empty ledger is at the beginning")
	const lives = 12
	want := 0
	var all [][]requirement.Transition
	for i := range lives {
		all = append(all, life(t, fmt.Sprintf("REQ-%d", i)))
		want += all[i][len(all[i])-1].State.Seq
	}
	var writers sync.WaitGroup
	for _, one := range all {
		writers.Go(func() {
			for _, transition := range one {
				if _, err := l.Write(t.Context(), transition, nil); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { writers.Wait(); close(written) }()

	last, told, position := map[string]int{}, 0, int64(0)
	for ended := false; told < want; {
		until := settled(t, l)
		some, err := l.Feed(t.Context(), ledger.FeedFilter{After: position, Until: until, Reader: everybody, Limit: 50})
		require.NoError(t, err)
		for _, e := range some {
			require.Greater(t, e.Position, position)
			position = e.Position
			require.Equal(t, last[e.ID]+1, e.Seq, "%s is told in order, each once", e.ID)
			last[e.ID] = e.Seq
			told++
		}
		if len(some) == 0 {
			require.False(t, ended, "%d of %d events were told", told, want)
		}
		select {
		case <-written:
			ended = len(some) == 0
		default:
		}
	}
}

// TestFeedWaitsForWhoIsUnderWay has a writer that is slow to commit: nothing
// after it is final before it is done.
func TestFeedWaitsForWhoIsUnderWay(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	write(t, l, submit(t, "REQ-A", func(*requirement.Submission) {}))
	write(t, l, submit(t, "REQ-B", func(*requirement.Submission) {}))
	start := settled(t, l)

	slow, err := conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = slow.Exec(t.Context(), `INSERT INTO event (requirement_id, seq, at, kind, actor) VALUES ('REQ-A', 1000, now(), 'commented', 'li')`)
	require.NoError(t, err)
	newest, err := l.Horizon(t.Context())
	require.NoError(t, err)
	reached, err := l.Reached(t.Context(), newest)
	require.NoError(t, err)
	require.False(t, reached, "the newest transaction counts, too")
	b := submit(t, "REQ-C", func(*requirement.Submission) {})
	write(t, l, b)

	h, err := l.Horizon(t.Context())
	require.NoError(t, err)
	reached, err = l.Reached(t.Context(), h)
	require.NoError(t, err)
	require.False(t, reached)
	require.NoError(t, slow.Commit(t.Context()))
	require.Equal(t, h.Last, settled(t, l))
	told, err := l.Feed(t.Context(), ledger.FeedFilter{After: start, Until: h.Last, Reader: everybody})
	require.NoError(t, err)
	require.Equal(t, "REQ-A", told[0].ID, "who began first is told first, although it ended last")
	require.Equal(t, 1000, told[0].Seq)
	require.Equal(t, "REQ-C", told[1].ID)

	one, err := l.Feed(t.Context(), ledger.FeedFilter{Until: h.Last, Reader: everybody, Requirement: "REQ-B"})
	require.NoError(t, err)
	require.NotEmpty(t, one)
	for _, e := range one {
		require.Equal(t, "REQ-B", e.ID)
	}
	none, err := l.Feed(t.Context(), ledger.FeedFilter{After: h.Last, Until: h.Last, Reader: everybody})
	require.NoError(t, err)
	require.Empty(t, none)
}
