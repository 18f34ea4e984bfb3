package ledger_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/ledger"
	"closeloop/requirement"
)

func TestRevokeLinks(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	write(t, l, submit(t, "REQ-1", nil))
	version := func(id, recipient string) int {
		t.Helper()
		v, err := l.LinkVersion(t.Context(), id, recipient)
		require.NoError(t, err)
		return v
	}
	require.Equal(t, 1, version("REQ-1", "customer"))
	require.Equal(t, 1, version("REQ-404", "customer"), "where nothing is, nothing was revoked")

	first, err := l.RevokeLinks(t.Context(), "REQ-1", "customer", "li.na")
	require.NoError(t, err)
	require.Equal(t, 1, first.Version)
	require.Equal(t, "li.na", first.By)
	require.WithinDuration(t, time.Now(), first.At, time.Minute)
	require.Equal(t, 2, version("REQ-1", "customer"))
	require.Equal(t, 1, version("REQ-1", "wang.fang"), "other recipients keep theirs")
	second, err := l.RevokeLinks(t.Context(), "REQ-1", "customer", "wang.fang")
	require.NoError(t, err)
	require.Equal(t, 2, second.Version)
	require.Len(t, table(t, conn, "SELECT * FROM link"), 2)

	_, err = l.RevokeLinks(t.Context(), "REQ-404", "customer", "li.na")
	require.ErrorIs(t, err, ledger.ErrNotFound)

	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			_, err := l.RevokeLinks(t.Context(), "REQ-1", "chen", "li.na")
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	require.Greater(t, version("REQ-1", "chen"), 1)
}

func TestLatestOf(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	r := submit(t, "REQ-1", nil)
	for _, words := range []string{"one", "two", "three"} {
		do(t, r, time.Minute, requirement.Respond{Header: as("li"), Method: "phone", Message: words}, requirement.Comment{Header: as("li"), Message: words})
	}
	write(t, l, r)
	found, err := l.LatestOf(t.Context(), "REQ-1", []requirement.Kind{requirement.Responded, requirement.Resolved}, 2)
	require.NoError(t, err)
	require.Len(t, found, 2)
	for i, words := range []string{"two", "three"} {
		require.Equal(t, requirement.Responded, found[i].Kind)
		require.Contains(t, string(found[i].Data), words)
	}
	found, err = l.LatestOf(t.Context(), "REQ-404", []requirement.Kind{requirement.Responded}, 2)
	require.NoError(t, err)
	require.Empty(t, found)
}
