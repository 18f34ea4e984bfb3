package ledger_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkWrite measures the write of a transition of an ordinary length.
func BenchmarkWrite(b *testing.B) {
	l, _ := open(b)
	n := 0
	for b.Loop() {
		b.StopTimer()
		n++
		all := life(b, fmt.Sprintf("REQ-%d", n))
		b.StartTimer()
		for _, tr := range all {
			_, err := l.Write(b.Context(), tr, nil)
			require.NoError(b, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n*len(life(b, "REQ"))), "µs/transition")
}
