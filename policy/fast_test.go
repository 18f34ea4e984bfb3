package policy

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/sla"
)

//go:generate go test -run TestFastPolicyIsMade -update .

var update = flag.Bool("update", false, "write the files that are made from others")

const (
	fastPath = "../examples/policy-fast.yaml"
	fastHead = `# yaml-language-server: $schema=../policy/policy.schema.json
#
# The default policy with hours turned into seconds, for trying out and for
# scripts: first response 2s, resolution 24s, half an hour 500ms, a working day
# 8s. And any name may act, as an agent.
#
# Made from policy/default.yaml by ` + "`go generate ./policy`" + `; do not edit. Figures in
# comments are those of the default policy.
`
)

// fast makes an hour a second, and a working day eight.
func fast(d sla.Duration) sla.Duration {
	return sla.Exactly(d.Time/3600 + time.Duration(d.WorkingDays)*8*time.Second)
}

var (
	lengthField = regexp.MustCompile(`\b(target|every|acknowledge_within|acknowledged_for): (\w+)`)
	offsetMark  = regexp.MustCompile(`marks: \[[^\]]*[+-]\d`)
)

// fastText turns the text of the default policy into that of the fast one.
func fastText(t *testing.T, text string) string {
	_, body, ok := strings.Cut(text, "\n\n")
	require.True(t, ok, "the default policy begins with a comment and an empty line")
	require.False(t, offsetMark.MatchString(body), "marks at a distance from the deadline have to be turned as well")
	lines := strings.Split(body, "\n")
	for i, line := range lines {
		value, comment, commented := strings.Cut(line, "#")
		value = lengthField.ReplaceAllStringFunc(value, func(found string) string {
			parts := lengthField.FindStringSubmatch(found)
			d, err := sla.ParseDuration(parts[2])
			require.NoError(t, err, "line %q", line)
			return parts[1] + ": " + fast(d).String()
		})
		if commented {
			value += "#" + comment
		}
		lines[i] = value
	}
	body = strings.Join(lines, "\n")
	require.Contains(t, body, "\nunknown_people: refuse\n")
	return fastHead + "\n" + strings.Replace(body, "\nunknown_people: refuse\n", "\nunknown_people: agent\n", 1)
}

// fastProcess turns rules as values, without looking at any text.
func fastProcess(p Process) Process {
	targets := func(rules []TargetRule) {
		for i := range rules {
			rules[i].Target = fast(rules[i].Target)
		}
	}
	for i := range p.Clocks {
		c := &p.Clocks[i]
		c.Target, c.Repeat.Every = fast(c.Target), fast(c.Repeat.Every)
		targets(c.Targets)
		targets(c.Caps)
	}
	for i := range p.Chains {
		c := &p.Chains[i]
		c.AcknowledgedFor = fast(c.AcknowledgedFor)
		for j := range c.Levels {
			c.Levels[j].AcknowledgeWithin = fast(c.Levels[j].AcknowledgeWithin)
		}
	}
	return p
}

func TestFastPolicyIsMadeFromTheDefault(t *testing.T) {
	t.Parallel()
	want := fastText(t, string(DefaultYAML()))
	if *update {
		require.NoError(t, os.WriteFile(fastPath, []byte(want), 0o644))
	}
	got, err := os.ReadFile(fastPath)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "run go generate ./policy")
}

func TestFastPolicyIsTheDefaultInSeconds(t *testing.T) {
	t.Parallel()
	quick, err := Load(fastPath)
	require.NoError(t, err)
	require.Empty(t, quick.Warnings())
	require.Equal(t, UnknownAreAgents, quick.UnknownPeople)

	want := Default()
	require.Equal(t, want.Directory, quick.Directory)
	want.Process = fastProcess(want.Process)
	want.UnknownPeople, want.Digest = UnknownAreAgents, quick.Digest
	require.Equal(t, want.Process, quick.Process)

	// What scripts rely on.
	ordinary := Attributes{Type: "other", Channel: "customer_service", Priority: "medium", Urgency: "general", Tier: "P3"}
	for name, target := range map[sla.Name]time.Duration{
		sla.Response: 2 * time.Second, sla.Resolution: 24 * time.Second, sla.Approval: 8 * time.Second,
		sla.Acceptance: 500 * time.Millisecond, sla.Confirmation: 72 * time.Second, sla.PlanStep: 8 * time.Second,
	} {
		rule, ok := quick.Clock(name)
		require.True(t, ok, name)
		require.Equal(t, sla.Exactly(target), rule.Terms(ordinary).Target, name)
	}
}
