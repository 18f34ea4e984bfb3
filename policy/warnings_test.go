package policy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDoubtsAreWarnings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, old, new, want string
	}{
		{"target above its cap", "    chain: front", "    chain: front\n    caps: [{when: {}, target: 1h}]", "7:13: $.clocks[0].target: 2h never holds, because caps[0] in line 10 allows at most 1h"},
		{"entry above its cap", "    chain: front", "    chain: front\n    targets: [{when: {priority: [high], tier: [P1]}, target: 9h}]\n    caps: [{when: {priority: [high]}, target: 4h}]", "10:62: $.clocks[0].targets[0].target: 9h never holds, because caps[0] in line 11 allows at most 4h"},
		{"entry that is never reached", "    chain: front", "    chain: front\n    targets:\n      - {when: {priority: [high, low]}, target: 1h}\n      - {when: {priority: [low]}, target: 3h}", "12:9: $.clocks[0].targets[1]: it never holds, because targets[0] in line 11 matches first"},
		{"stage in which the clock is not", "runs_in: [received, analysing]", "runs_in: [received, archived]", "8:25: $.clocks[0].runs_in[1]: the clock response does not exist in archived; it exists in received, analysing, reviewing, assigned, executing"},
		{"mark before the start", "    chain: front", "    chain: front\n    marks: [-3h]", "10:13: $.clocks[0].marks[0]: -3h lies before the start of a target of 2h and is never reached then"},
		{"chain of a clock that never breaches", "approvals:", "  - {name: appeal, calendar: 24x7, target: 1h, runs_in: [rejected], chain: front}\napprovals:", "10:76: $.clocks[1].chain: the end of appeal is an agreed outcome and no breach: the chain never starts"},
		{"repetitions of a clock that never breaches", "approvals:", "  - {name: appeal, calendar: 24x7, target: 1h, runs_in: [rejected], repeat: {every: 1h, times: 1}}\napprovals:", "10:77: $.clocks[1].repeat: the end of appeal is an agreed outcome and no breach: nothing is repeated"},
		{"approval without a clock", "", "", "15:17: $.approvals[0].on_timeout: there is no approval clock, so no round ever times out"},
		{"approval clock without a chain", "approvals:", "  - {name: approval, calendar: 24x7, target: 1h, runs_in: [reviewing]}\napprovals:", "16:17: $.approvals[0].on_timeout: the approval clock has no chain, so nobody is called"},
		{"approval that is never reached", "routing:", "  - {name: again, on_request: true, seats: [head], need: all, on_timeout: approve}\nrouting:", "16:5: $.approvals[1]: it never holds, because approvals[0] in line 11 matches first"},
		{"seat that one person fills", "    roles: [product]", "    roles: [watcher]", "13:13: $.approvals[0].seats[0]: only one person can fill role:product; name a fallback for when they are away or asked for it themselves"},
		{"route that is never reached", "chains:\n", "  - {when: {type: [price]}, department: service, pick: by_hand}\nchains:\n", "19:5: $.routing[1]: it never holds, because routing[0] in line 17 matches first"},
		{"type without a route", "  - department: service", "  - when: {type: [fault]}\n    department: service", "2:16: $.types[1]: requirements of the type price may match no routing rule and then wait for somebody to assign them; end routing with a rule without when"},
		{"chain that nobody starts", "    chain: front\n", "", "19:11: $.chains[0].name: no clock starts the chain front"},
		{"notice about a clock without a rule", "  - event: resolved", "  - event: clock_breached\n    clock: resolution", "27:12: $.notices[0].clock: the clock resolution has no rule, so nobody is told"},
		{"called where nobody is", "to: [customer]", "to: [customer, called]", "27:20: $.notices[0].to[1]: resolved calls nobody; only events about escalations do"},
		{"person without a channel", "    channels: [log]\n", "", "37:5: $.people[1]: wang.fang has no channel and is never told anything"},
		{"agent of no department", "    roles: [product]", "    roles: [product, agent]", "39:22: $.people[1].roles[1]: wang.fang is an agent of no department and is never picked"},
		{"absence without a substitute", "    channels: [log]", "    channels: [log]\n    away: [{from: 2026-01-01T00:00:00Z, to: 2026-01-02T00:00:00Z}]", "41:11: $.people[1].away: nobody stands in for wang.fang; name a substitute"},
		{"circle of substitutes", "channels: [email, log]\n  - id: wang.fang", "channels: [email, log]\n    substitute: wang.fang\n  - id: wang.fang\n    substitute: li.na", "37:17: $.people[0].substitute: li.na, wang.fang stand in for each other; when all are away, nobody does"},
		{"comments that go round", "departments:", "upstreams: [{name: shop, kind: jira, write_back: {url: 'https://example.com', events: [commented]}}]\ndepartments:", "28:88: $.upstreams[0].write_back.events[0]: comments of shop become ours and ours are written back: they may go round and round"},
		{"nobody at the desk", "manager", "leader", "31:3: $.people: nobody has the role operator or manager, so only the system can triage"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := small
			if c.old != "" {
				require.Contains(t, small, c.old)
				text = strings.ReplaceAll(small, c.old, c.new)
			}
			p, err := Parse("w.yaml", []byte(text))
			require.NoError(t, err)
			var got []string
			for _, w := range p.Warnings() {
				// The small policy has no approval clock, which is told each time.
				if text == small || !strings.Contains(w.Message, "there is no approval clock") {
					got = append(got, strings.TrimPrefix(w.Error(), "w.yaml:"))
				}
			}
			require.Equal(t, []string{c.want}, got)
		})
	}
}
