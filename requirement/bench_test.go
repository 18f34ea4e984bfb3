package requirement_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/internal/trial"
	"closeloop/requirement"
)

// BenchmarkFold measures how many lives are folded in a second on one core, as
// `sla whatif` does it: under an office's calendar, without warnings.
//
//	go test ./requirement -run '^$' -bench Fold
func BenchmarkFold(b *testing.B) {
	office := trial.Office().Process
	var lives [][]requirement.Event
	for n := range 500 {
		r := trial.Life(n, office)
		lives = append(lives, told(b, r.Take().Events))
	}
	f, err := requirement.NewFold(office)
	require.NoError(b, err)
	f = f.Quiet()
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		_, err := f.Life(lives[n%len(lives)], now, nil)
		require.NoError(b, err)
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "lives/s")
}
