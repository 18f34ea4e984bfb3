package worker

import (
	"flag"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/contract"
	"closeloop/requirement"
)

// crowd is how many open requirements the benchmark audits.
var crowd = flag.Int("crowd", 1_000, "open requirements of BenchmarkAuditOfWhatIsWell")

// BenchmarkAuditOfWhatIsWell is what an audit costs when nothing is wrong. The
// requirements need some time to be submitted:
// go test ./worker -run - -bench Audit -crowd 10000.
func BenchmarkAuditOfWhatIsWell(b *testing.B) {
	s := newSite(b)
	slots := make(chan struct{}, 32)
	var group sync.WaitGroup
	for range *crowd {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			_, err := s.desk.Submit(b.Context(), requirement.Submission{Title: "t", Customer: "c"}, "")
			require.NoError(b, err)
		})
	}
	group.Wait()
	s.until(func() bool {
		entries, err := s.ledger.OpenEntries(b.Context(), "", 10_000)
		require.NoError(b, err)
		return len(entries) == *crowd
	}, "the ledger has them all")
	for b.Loop() {
		part := s.audit(contract.AuditRequest{})
		require.Equal(b, *crowd, part.Running)
		require.Empty(b, part.Findings)
	}
}
