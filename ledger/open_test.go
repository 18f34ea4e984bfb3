package ledger_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/ledger"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// others are the rules of a requirement, with another target for its response.
func others(t *testing.T, r *requirement.Requirement, digest string, response time.Duration) policy.Process {
	t.Helper()
	text, err := json.Marshal(r.Process())
	require.NoError(t, err)
	var p policy.Process
	require.NoError(t, json.Unmarshal(text, &p))
	p.Digest = digest
	for i := range p.Clocks {
		if p.Clocks[i].Name == sla.Response {
			p.Clocks[i].Target, p.Clocks[i].Targets = sla.Exactly(response), nil
		}
	}
	return p
}

func ids(list []*requirement.Requirement) []string {
	found := []string{}
	for _, r := range list {
		found = append(found, r.ID)
	}
	return found
}

func TestOpenRequirements(t *testing.T) {
	t.Parallel()
	l := shelf(t) // REQ-6 is archived and REQ-7 withdrawn
	all, err := l.OpenRequirements(t.Context(), "", 0)
	require.NoError(t, err)
	require.Equal(t, []string{"REQ-1", "REQ-2", "REQ-3", "REQ-4", "REQ-5", "REQ-8"}, ids(all))
	require.NotEmpty(t, all[0].Process().Clocks, "with the rules they live by")
	var paged []string
	for after := ""; ; {
		page, err := l.OpenRequirements(t.Context(), after, 4)
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		paged = append(paged, ids(page)...)
		after = paged[len(paged)-1]
	}
	require.Equal(t, ids(all), paged)
}

// TestOtherRulesInTheLedger: a second run of a chain has a row of its own, and the
// breach stays.
func TestOtherRulesInTheLedger(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	r := submit(t, "REQ-1", func(*requirement.Submission) {})
	r.Tick(start.Add(3 * time.Hour))
	r.EscalationStarted(start.Add(3*time.Hour), "response-1")
	write(t, l, r)
	before, err := l.RulesOf(t.Context(), []string{"REQ-1", "REQ-NONE"})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"REQ-1": r.Policy}, before)

	longer := others(t, r, "longer", 5*time.Hour)
	require.NoError(t, l.KeepProcess(t.Context(), longer))
	r.Adopt(start.Add(4*time.Hour), longer, "zhou")
	r.EscalationTold("response-1")
	r.Tick(start.Add(6 * time.Hour))
	r.EscalationStarted(start.Add(6*time.Hour), "response-1-2")
	write(t, l, r)
	after, err := l.RulesOf(t.Context(), []string{"REQ-1"})
	require.NoError(t, err)
	require.Equal(t, "longer", after["REQ-1"])
	rows := table(t, conn, `SELECT id, state FROM escalation WHERE requirement_id = 'REQ-1' AND clock = 'response' ORDER BY id`)
	require.Equal(t, []map[string]any{
		{"id": "response-1", "state": "ended"}, {"id": "response-1-2", "state": "climbing"},
	}, rows)
	clocks := table(t, conn, `SELECT breached_at, deadline FROM clock WHERE requirement_id = 'REQ-1' AND name = 'response'`)
	require.WithinDuration(t, start.Add(2*time.Hour), clocks[0]["breached_at"].(time.Time), time.Microsecond)
	require.WithinDuration(t, start.Add(5*time.Hour), clocks[0]["deadline"].(time.Time), time.Microsecond)

	open, err := l.OpenRequirements(t.Context(), "", 0)
	require.NoError(t, err)
	require.Equal(t, "longer", open[0].Process().Digest)
	require.False(t, requirement.Foresee(open[0].State, open[0].Process(), longer, start.Add(7*time.Hour)).Changes())
	_, err = l.Process(t.Context(), "unheard of")
	require.ErrorIs(t, err, ledger.ErrNotFound)
}
