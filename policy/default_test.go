package policy

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/sla"
)

// ordinary is what a requirement is by default.
var ordinary = Attributes{Type: "other", Channel: "customer_service", Priority: "medium", Urgency: "general", Tier: "P3"}

func TestDefaultPolicyHasNoDoubts(t *testing.T) {
	t.Parallel()
	p, err := Load("default.yaml")
	require.NoError(t, err)
	require.Empty(t, p.Warnings())
	require.Equal(t, Default().Process, p.Process)
	text, err := os.ReadFile("default.yaml")
	require.NoError(t, err)
	require.Equal(t, text, DefaultYAML())
}

func TestDefaultPolicyFillsAnIntake(t *testing.T) {
	t.Parallel()
	require.Equal(t, Defaults{
		Type: ordinary.Type, Channel: ordinary.Channel, Priority: ordinary.Priority,
		Urgency: ordinary.Urgency, Tier: ordinary.Tier, Language: "zh-CN",
	}, Default().Defaults)
	require.Equal(t, RefuseUnknown, Default().UnknownPeople)
}

func TestDefaultTargets(t *testing.T) {
	t.Parallel()
	p := Default()
	with := func(change func(*Attributes)) Attributes {
		a := ordinary
		change(&a)
		return a
	}
	for _, c := range []struct {
		name  string
		clock sla.Name
		a     Attributes
		want  string
	}{
		{"first response E1", sla.Response, ordinary, "2h"},
		{"urgent first response", sla.Response, with(func(a *Attributes) { a.Urgency = "urgent" }), "1h"},
		{"complaint E7", sla.Response, with(func(a *Attributes) { a.Type = "complaint" }), "30m"},
		{"high priority at most 4h E1", sla.Response, with(func(a *Attributes) { a.Priority = "high" }), "2h"},
		{"resolution E6", sla.Resolution, ordinary, "24h"},
		{"resolution of high priority", sla.Resolution, with(func(a *Attributes) { a.Priority = "high" }), "8h"},
		{"resolution of low priority", sla.Resolution, with(func(a *Attributes) { a.Priority = "low" }), "72h"},
		{"update E4", sla.Update, ordinary, "24h"},
		{"update of high priority", sla.Update, with(func(a *Attributes) { a.Priority = "high" }), "4h"},
		{"approval R2", sla.Approval, ordinary, "8h"},
		{"acceptance T1", sla.Acceptance, ordinary, "30m"},
		{"ownership L1", sla.Ownership, ordinary, "16h"},
		{"answer to a message", sla.NextResponse, ordinary, "4h"},
		{"plan step E3", sla.PlanStep, ordinary, "1wd"},
		{"confirmation C2", sla.Confirmation, ordinary, "72h"},
		{"appeal R3", sla.Appeal, ordinary, "168h"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rule, ok := p.Clock(c.clock)
			require.True(t, ok)
			require.Equal(t, c.want, rule.Terms(c.a).Target.String())
		})
	}
	require.Len(t, p.Clocks, len(sla.Names), "every clock has a rule")
}

func TestDefaultCapHoldsWhateverTheTargets(t *testing.T) {
	t.Parallel()
	rule, _ := Default().Clock(sla.Response)
	rule.Target, rule.Targets = sla.Duration{WorkingDays: 3}, nil
	urgent := ordinary
	urgent.Priority = "high"
	require.Equal(t, sla.Exactly(4*time.Hour), rule.Terms(urgent).Target)
	require.Equal(t, sla.Duration{WorkingDays: 3}, rule.Terms(ordinary).Target)
}

func TestDefaultApprovals(t *testing.T) {
	t.Parallel()
	p := Default()
	for _, c := range []struct {
		name  string
		a     Attributes
		asked bool
		rule  string
		need  int
	}{
		{"ordinary", ordinary, false, "", 0},
		{"ordinary, asked for", ordinary, true, "review", 2},
		{"price of high priority", Attributes{Priority: "high", Type: "price", Tier: "P3"}, false, "consensus_commercial", 2},
		{"price of medium priority", Attributes{Priority: "medium", Type: "price", Tier: "P1"}, false, "", 0},
		{"complaint of P1", Attributes{Priority: "low", Type: "complaint", Tier: "P1"}, true, "consensus_complaint", 2},
		{"complaint of P2", Attributes{Priority: "high", Type: "complaint", Tier: "P2"}, false, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rule, ok := p.Approval(c.a, c.asked)
			require.Equal(t, c.rule != "", ok)
			require.Equal(t, c.rule, rule.Name)
			require.Equal(t, c.need, rule.Need.Of(len(rule.Seats)))
		})
	}
}

func TestDefaultRouting(t *testing.T) {
	t.Parallel()
	p := Default()
	want := map[string]string{
		"functional": "product", "experience": "product", "wish": "product",
		"performance": "technology", "fault": "technology", "commercial": "sales", "price": "sales",
		"service": "service", "complaint": "service", "other": "service",
	}
	for _, kind := range p.Types {
		rule, ok := p.Route(Attributes{Type: kind, Channel: "phone"})
		require.True(t, ok, kind)
		require.Equal(t, want[kind], rule.Department, kind)
		require.NotEmpty(t, p.Agents(rule.Department), kind)
	}
	rule, _ := p.Route(Attributes{Type: "service", Channel: "behaviour"})
	require.Equal(t, "operations", rule.Department)
}

func TestDefaultNoticesOfAHappyPath(t *testing.T) {
	t.Parallel()
	// The budget of the design allows six notices on the way from submission to
	// archive; these are the transitions of that way with their events.
	told := 0
	for _, transition := range [][]string{
		{"submitted", "clock_started"},
		{"triaged"},
		{"round_opened"},
		{"approved"},
		{"approved", "round_decided"},
		{"assigned"},
		{"accepted"},
		{"responded", "clock_stopped"},
		{"resolved"},
		{"confirmed", "archived"},
	} {
		audience := 0
		for _, event := range transition {
			audience += len(Default().Audience(event, ""))
		}
		if audience > 0 {
			told++
		}
	}
	require.Equal(t, 6, told)
}
