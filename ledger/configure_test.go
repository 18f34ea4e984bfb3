package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestConnectingIsBounded(t *testing.T) {
	for url, want := range map[string]time.Duration{
		"postgres://x@127.0.0.1/x":                    connectWithin,
		"postgres://x@127.0.0.1/x?connect_timeout=45": 45 * time.Second,
	} {
		config, err := configure(url)
		require.NoError(t, err)
		require.Equal(t, want, config.ConnConfig.ConnectTimeout, url)
	}
}
