package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/contract"
)

// TestBreachIsExactAndEscalates lets a response run out in two seconds.
func TestBreachIsExactAndEscalates(t *testing.T) {
	t.Parallel()
	id := shared.submit(t)
	v := shared.until(t, id, "escalated", func(v map[string]any) bool {
		e := v["escalations"].([]any)
		return len(e) > 0 && e[0].(map[string]any)["level"].(float64) >= 1
	})
	response := clockOf(v, "response")
	require.Equal(t, "breached", response["state"])
	require.Equal(t, response["deadline"], response["breached_at"], "the breach is the deadline")
	late := instant(t, response["detected_at"]).Sub(instant(t, response["breached_at"]))
	// Within a second on a machine that has nothing else to do; here all other
	// tests run beside it.
	require.Less(t, late, 5*time.Second, "and is noticed at once")
	require.Positive(t, late)

	escalation := v["escalations"].([]any)[0].(map[string]any)
	called := escalation["called"].([]any)
	require.NotEmpty(t, called)
	eid := escalation["id"].(string)
	ack := shared.run(t, "ack", id, "--escalation", eid, "--as", called[0].(string))
	require.NotEmpty(t, ack)
	shared.until(t, id, "acknowledged", func(v map[string]any) bool {
		e := v["escalations"].([]any)[0].(map[string]any)
		return e["state"] == "acknowledged" && e["acknowledged_by"] == called[0]
	})

	shared.run(t, "respond", id, "--method", "phone", "--message", "抱歉")
	shared.until(t, id, "calmed", func(v map[string]any) bool {
		return v["escalations"].([]any)[0].(map[string]any)["state"] == "ended"
	})
	settled(t, contract.EscalationID(id, eid))
	shared.run(t, "withdraw", id, "--reason", "end of the test")
	settled(t, id)
	record(t, "breach", historyOf(t, id))
	record(t, "escalation", historyOf(t, contract.EscalationID(id, eid)))
}

func clockOf(v map[string]any, name string) map[string]any {
	for _, c := range v["clocks"].([]any) {
		if clock := c.(map[string]any); clock["name"] == name {
			return clock
		}
	}
	return nil
}

func instant(t *testing.T, text any) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text.(string))
	require.NoError(t, err)
	return at
}
