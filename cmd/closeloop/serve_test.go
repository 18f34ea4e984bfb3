package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestServeReadsItsRate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args, env []string
		fine      bool
	}{
		"not a number":       {args: []string{"--rate", "many"}},
		"below nothing":      {args: []string{"--rate", "-1"}},
		"no number at all":   {args: []string{"--rate", "NaN"}},
		"without end":        {args: []string{"--rate", "Inf"}},
		"of the environment": {env: []string{"CLOSELOOP_RATE=x"}},
		"none":               {args: []string{"--rate", "0"}, fine: true},
		"the flag first":     {args: []string{"--rate", "2.5"}, env: []string{"CLOSELOOP_RATE=x"}, fine: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := append([]string{"CLOSELOOP_DATABASE_URL=postgres://nobody@127.0.0.1:9/none"}, c.env...)
			got := calling{args: append([]string{"serve"}, c.args...), env: env}.run(t)
			if c.fine {
				require.Equal(t, exitUnreachable, got.status, "it goes on to the ledger: %s", got.err)
				return
			}
			require.Equal(t, exitUsage, got.status, got.err)
			require.Contains(t, got.err, "--rate")
		})
	}
}
