package policy

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/sla"
)

// withUpstreams is the default policy with upstream systems.
func withUpstreams(t *testing.T, section string) *Policy {
	t.Helper()
	p, err := Parse("p.yaml", []byte(string(DefaultYAML())+"\nupstreams:\n"+section))
	require.NoError(t, err)
	return p
}

func TestUpstreamsAreCompleted(t *testing.T) {
	t.Parallel()
	p := withUpstreams(t, `  - name: shop-eu.de
    kind: jira
    write_back: {url: "https://example.com/hook"}
  - name: code
    kind: github
    max_age: 90s
    on: {commented: comment, reopened: ignore, closed: withdraw, deleted: ignore, updated: ignore}
    write_back: {url: "http://127.0.0.1:9000/hook", events: [resolved]}
`)
	require.Empty(t, p.Warnings())
	shop, ok := p.Upstream("shop-eu.de")
	require.True(t, ok)
	require.Equal(t, Reactions{Commented: "resume", Reopened: "dispute", Closed: "resolve", Deleted: "withdraw", Updated: "amend"}, shop.On)
	require.Equal(t, sla.Exactly(5*time.Minute), shop.MaxAge)
	require.Equal(t, "CLOSELOOP_UPSTREAM_SHOP_EU_DE_SECRETS", shop.SecretsEnv())
	require.Equal(t, "CLOSELOOP_WRITEBACK_SHOP_EU_DE_SECRETS", shop.WriteBackSecretsEnv())
	require.True(t, shop.WriteBack.Tells("resolved"))
	require.False(t, shop.WriteBack.Tells("commented"))
	code, ok := p.UpstreamOf("code:acme/shop#7")
	require.True(t, ok)
	require.Equal(t, Reactions{Commented: "comment", Reopened: "ignore", Closed: "withdraw", Deleted: "ignore", Updated: "ignore"}, code.On)
	require.Equal(t, sla.Exactly(90*time.Second), code.MaxAge)
	require.Equal(t, []string{"resolved"}, code.WriteBack.Events)
	for _, ref := range []string{"", "code", "other:1"} {
		_, ok := p.UpstreamOf(ref)
		require.False(t, ok, ref)
	}
	require.False(t, (*WriteBack)(nil).Tells("resolved"))
}

// The rules that requirements live by are the same whatever systems they come
// from: adding one moves no running requirement to other rules.
func TestUpstreamsAreNoRules(t *testing.T) {
	t.Parallel()
	p := withUpstreams(t, "  - {name: shop, kind: jira}\n")
	require.Equal(t, Default().Digest, p.Digest)
	rules, err := json.Marshal(p.Process)
	require.NoError(t, err)
	require.NotContains(t, string(rules), "upstreams")
}

func TestFieldsOfUpstreams(t *testing.T) {
	t.Parallel()
	p := withUpstreams(t, `  - name: shop
    kind: standard
    fields:
      priority: {column: data.prio, values: {1: high, "2": low}, otherwise: medium, default: low}
      title: data.subject
      background: {template: "{data.plan} since {data.since}"}
      channel: {constant: system}
`)
	text := func(s string) *string { return &s }
	want := FieldSources{
		{Field: "title", Column: "data.subject"},
		{Field: "background", Template: "{data.plan} since {data.since}"},
		{Field: "channel", Constant: text("system")},
		{Field: "priority", Column: "data.prio", Values: map[string]string{"1": "high", "2": "low"}, Otherwise: text("medium"), Default: "low"},
	}
	require.Equal(t, want, p.Upstreams[0].Fields)

	// What is printed can be read again.
	printed, err := json.Marshal(p)
	require.NoError(t, err)
	var again Policy
	require.NoError(t, json.Unmarshal(printed, &again))
	require.Equal(t, p.Upstreams, again.Upstreams)
}

func TestReactionsOfEveryEvent(t *testing.T) {
	t.Parallel()
	for event, reactions := range ReactionsTo {
		for _, r := range reactions {
			p := withUpstreams(t, "  - {name: shop, kind: jira, on: {"+event+": "+string(r)+"}}\n")
			on, err := json.Marshal(p.Upstreams[0].On)
			require.NoError(t, err)
			require.Contains(t, string(on), `"`+event+`":"`+string(r)+`"`)
		}
	}
}

func TestDefaultWriteBackIsOfKnownEvents(t *testing.T) {
	t.Parallel()
	require.Subset(t, Events, DefaultWriteBack)
}

//go:generate go test -run TestUpstreamsExampleIsMade -update .

const upstreamsPath = "../examples/policy-upstreams.yaml"

// The example is the default policy with a section on upstream systems, which is
// written by hand.
func TestUpstreamsExampleIsMadeFromTheDefault(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(upstreamsPath)
	require.NoError(t, err)
	const mark = "\n# Upstream systems "
	head, section, ok := strings.Cut(string(text), mark)
	require.True(t, ok)
	top, _, ok := strings.Cut(head, "\n\n")
	require.True(t, ok)
	_, body, _ := strings.Cut(string(DefaultYAML()), "\n\n")
	made := top + "\n\n" + body + mark + section
	if *update {
		require.NoError(t, os.WriteFile(upstreamsPath, []byte(made), 0o644))
	}
	require.True(t, made == string(text), "make it anew with go generate ./policy")
	p, err := Parse(upstreamsPath, []byte(made))
	require.NoError(t, err)
	require.Empty(t, p.Warnings())
	require.Equal(t, Default().Digest, p.Digest)
	kinds := map[UpstreamKind]bool{}
	for _, u := range p.Upstreams {
		kinds[u.Kind] = true
	}
	require.Len(t, kinds, len(UpstreamKinds), "the example shows every kind")
}
