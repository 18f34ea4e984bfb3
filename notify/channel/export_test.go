package channel

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/policy"
)

// Sign signs a body with one secret, as webhooks are signed.
func Sign(t *testing.T, secret, id, timestamp, body string) string {
	t.Helper()
	keys, err := (&webhook{getenv: func(string) string { return secret }}).secrets(policy.Upstream{Name: "test"})
	require.NoError(t, err)
	return signatures(keys, id, timestamp, []byte(body))
}

// Allowed says whether webhooks may go to an address.
func Allowed(t *testing.T, address string, loopbackMeant bool) error {
	t.Helper()
	a, err := netip.ParseAddr(address)
	require.NoError(t, err)
	return allowed(a.Unmap(), loopbackMeant)
}
