package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/internal/trial"
	"closeloop/locale"
)

// explaining calls sla explain for the life over the National Day.
func explaining(args ...string) calling {
	return calling{
		args:  append([]string{"sla", "explain", someID}, args...),
		books: &fakeArchive{account: trial.NationalDay(someID)}, now: trial.AfterNationalDay, zone: time.FixedZone("", 8*60*60),
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	for _, lang := range locale.Languages {
		for name, args := range map[string][]string{"": nil, ".unfolded": {"--unfolded", "--all"}} {
			t.Run(lang+name, func(t *testing.T) {
				t.Parallel()
				got := explaining(append(args, "--lang", lang)...).run(t)
				require.Zero(t, got.status, got.err)
				require.NotContains(t, got.out, "\x1b", "no styles outside a terminal")
				require.NotContains(t, got.out, "cli.")
				golden(t, "sla.explain"+name+"."+lang, got.out)
			})
		}
	}
}
