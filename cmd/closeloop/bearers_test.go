package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestServeRefusesHalfAProvider: before it connects to anything.
func TestServeRefusesHalfAProvider(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  []string
		said string
	}{
		"no audience": {[]string{"CLOSELOOP_OIDC_ISSUER=https://login.example.com"}, "the OIDC audience is missing"},
		"no issuer":   {[]string{"CLOSELOOP_OIDC_AUDIENCE=closeloop"}, "CLOSELOOP_OIDC_ISSUER is not"},
		"no URL":      {[]string{"CLOSELOOP_OIDC_ISSUER=login", "CLOSELOOP_OIDC_AUDIENCE=closeloop"}, "no URL like https://"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := append([]string{"CLOSELOOP_DATABASE_URL=postgres://nobody@127.0.0.1:9/none"}, c.env...)
			got := calling{args: []string{"serve"}, env: env}.run(t)
			require.Equal(t, exitUsage, got.status, got.err)
			require.Contains(t, got.err, c.said)
		})
	}
}
