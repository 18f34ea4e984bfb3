package gateway

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	l := newLimits(2, 3, func() time.Time { return now })
	for range 3 {
		_, ok := l.take("a")
		require.True(t, ok)
	}
	wait, ok := l.take("a")
	require.False(t, ok)
	require.Equal(t, 500*time.Millisecond, wait)
	_, ok = l.take("a")
	require.False(t, ok, "asking too often makes nobody wait longer")
	_, ok = l.take("b")
	require.True(t, ok, "each has their own")
	now = now.Add(wait)
	_, ok = l.take("a")
	require.True(t, ok)
	_, ok = l.take("a")
	require.False(t, ok)

	for i := range 2 * maxLimited {
		l.take(fmt.Sprint(i))
	}
	require.Len(t, l.known, maxLimited)
	require.Equal(t, maxLimited, l.latest.Len())
	_, ok = l.take("a")
	require.True(t, ok, "who was silent for long is forgotten")

	none := newLimits(0, 1, time.Now)
	for range 100 {
		_, ok = none.take("a")
		require.True(t, ok)
	}
	require.Empty(t, none.known)
}

func TestTooManyRequests(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	s := newSite(t, func(c *Config) { c.Rate, c.Now = 0.5, func() time.Time { return now } })
	s.get("reader:a", "/v1/requirements").is(http.StatusOK)
	got := s.get("reader:a", "/v1/requirements")
	got.refused(http.StatusTooManyRequests, "rate_limited")
	seconds, err := strconv.Atoi(got.header.Get("Retry-After"))
	require.NoError(t, err)
	require.Equal(t, 2, seconds)
	s.get("reader:b", "/v1/requirements").is(http.StatusOK)
	now = now.Add(2 * time.Second)
	s.get("reader:a", "/v1/requirements").is(http.StatusOK)
}
