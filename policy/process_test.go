package policy

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/sla"
)

func hours(n int) sla.Duration { return sla.Exactly(time.Duration(n) * time.Hour) }

func TestTerms(t *testing.T) {
	t.Parallel()
	high, urgent, p1 := When{Priority: []string{"high"}}, When{Urgency: []string{"urgent"}}, When{Tier: []string{"P1"}}
	a := Attributes{Priority: "high", Urgency: "urgent", Tier: "P1"}
	for _, c := range []struct {
		name string
		rule ClockRule
		a    Attributes
		want sla.Duration
	}{
		{"the target without entries", ClockRule{Target: hours(2)}, a, hours(2)},
		{"the target when no entry matches", ClockRule{Target: hours(2), Targets: []TargetRule{{high, hours(1)}}}, Attributes{}, hours(2)},
		{"the first entry that matches", ClockRule{Target: hours(2), Targets: []TargetRule{{urgent, hours(5)}, {high, hours(1)}}}, a, hours(5)},
		{"an entry may be longer than the target", ClockRule{Target: hours(2), Targets: []TargetRule{{high, hours(9)}}}, a, hours(9)},
		{"a cap below the target", ClockRule{Target: hours(9), Caps: []TargetRule{{high, hours(4)}}}, a, hours(4)},
		{"a cap above the target", ClockRule{Target: hours(2), Caps: []TargetRule{{high, hours(4)}}}, a, hours(2)},
		{"a cap that does not match", ClockRule{Target: hours(9), Caps: []TargetRule{{high, hours(4)}}}, Attributes{Priority: "low"}, hours(9)},
		{"a cap on an entry", ClockRule{Target: hours(1), Targets: []TargetRule{{p1, hours(9)}}, Caps: []TargetRule{{high, hours(4)}}}, a, hours(4)},
		{"the shortest of several caps", ClockRule{Target: hours(9), Caps: []TargetRule{{high, hours(4)}, {p1, hours(3)}, {urgent, hours(5)}}}, a, hours(3)},
		{"a cap in hours on working days", ClockRule{Target: sla.Duration{WorkingDays: 1}, Caps: []TargetRule{{high, hours(4)}}}, a, hours(4)},
		{"a cap in working days on hours", ClockRule{Target: hours(30), Caps: []TargetRule{{high, sla.Duration{WorkingDays: 1}}}}, a, sla.Duration{WorkingDays: 1}},
		{"a cap of the same length changes nothing", ClockRule{Target: hours(24), Caps: []TargetRule{{high, sla.Duration{WorkingDays: 1}}}}, a, hours(24)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.rule.Calendar, c.rule.Marks, c.rule.Repeat = "24x7", []sla.Mark{{Percent: 50}}, sla.Repeat{Every: hours(1), Times: 2}
			require.Equal(t, sla.Terms{
				Target: c.want, Calendar: "24x7", Marks: c.rule.Marks, Repeat: c.rule.Repeat,
			}, c.rule.Terms(c.a))
		})
	}
}

func TestApproval(t *testing.T) {
	t.Parallel()
	p := Process{Approvals: []ApprovalRule{
		{Name: "asked_price", OnRequest: true, When: When{Type: []string{"price"}}},
		{Name: "high", When: When{Priority: []string{"high"}}},
		{Name: "high_price", When: When{Priority: []string{"high"}, Type: []string{"price"}}},
		{Name: "asked", OnRequest: true},
	}}
	for _, c := range []struct {
		name  string
		a     Attributes
		asked bool
		want  string
	}{
		{"no rule", Attributes{Priority: "low"}, false, ""},
		{"on request only", Attributes{Priority: "low"}, true, "asked"},
		{"the first on request", Attributes{Priority: "low", Type: "price"}, true, "asked_price"},
		{"by itself", Attributes{Priority: "high"}, false, "high"},
		{"the first by itself", Attributes{Priority: "high", Type: "price"}, false, "high"},
		{"by itself also when asked", Attributes{Priority: "high", Type: "price"}, true, "high"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rule, ok := p.Approval(c.a, c.asked)
			require.Equal(t, c.want != "", ok)
			require.Equal(t, c.want, rule.Name)
		})
	}
}

func TestRoute(t *testing.T) {
	t.Parallel()
	p := Process{Routing: []RoutingRule{
		{When: When{Type: []string{"fault"}, Channel: []string{"system"}}, Department: "operations", Pick: PickByHand},
		{When: When{Type: []string{"fault", "performance"}}, Department: "technology", Pick: PickRoundRobin},
		{When: When{Tier: []string{"P1"}}, Department: "sales", Pick: PickLeastLoaded},
	}}
	for _, c := range []struct {
		name string
		a    Attributes
		want string
	}{
		{"both conditions", Attributes{Type: "fault", Channel: "system", Tier: "P1"}, "operations"},
		{"one of several types", Attributes{Type: "performance", Channel: "system"}, "technology"},
		{"another attribute", Attributes{Type: "price", Tier: "P1"}, "sales"},
		{"none", Attributes{Type: "price", Tier: "P2"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rule, ok := p.Route(c.a)
			require.Equal(t, c.want != "", ok)
			require.Equal(t, c.want, rule.Department)
		})
	}
}

func TestAudience(t *testing.T) {
	t.Parallel()
	p := Process{Notices: []NoticeRule{
		{Event: "clock_breached", To: []string{"owner"}},
		{Event: "resolved", To: []string{"customer", "duplicates"}},
		{Event: "clock_breached", Clock: sla.Response, To: []string{"role:operator", "owner"}},
		{Event: "resolved", To: []string{"tracker", "customer"}},
	}}
	for _, c := range []struct {
		name, event string
		clock       sla.Name
		want        []string
	}{
		{"rules add up, each audience once", "resolved", "", []string{"customer", "duplicates", "tracker"}},
		{"a rule for every clock", "clock_breached", sla.Resolution, []string{"owner"}},
		{"a rule for one clock", "clock_breached", sla.Response, []string{"owner", "role:operator"}},
		{"no rule", "archived", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, p.Audience(c.event, c.clock))
		})
	}
}

func TestRulesAreFoundByName(t *testing.T) {
	t.Parallel()
	p := Default()
	chain, ok := p.Chain("resolution")
	require.True(t, ok)
	require.Len(t, chain.Levels, 3)
	_, ok = p.Chain("nowhere")
	require.False(t, ok)
	_, ok = Process{}.Clock(sla.Response)
	require.False(t, ok)
}

func TestNeed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		need  Need
		seats int
		want  int
	}{
		{NeedAll, 3, 3},
		{NeedAll, 0, 0},
		{NeedAny, 3, 1},
		{NeedAny, 0, 0},
		{"2", 3, 2},
		// Seats for which nobody was found are left out of a round.
		{"3", 2, 2},
		{"nonsense", 3, 3},
	} {
		t.Run(string(c.need), func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, c.need.Of(c.seats))
		})
	}
}

func TestNeedIsReadFromWordsAndNumbers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Need{`"all"`: NeedAll, `"any"`: NeedAny, `2`: "2", `"2"`: "2", `"02"`: "2", `null`: ""} {
		var n Need
		require.NoError(t, n.UnmarshalJSON([]byte(text)), text)
		require.Equal(t, want, n, text)
	}
	for _, text := range []string{`0`, `-1`, `1.5`, `"most"`, `""`, `true`, `[]`, `"\x"`} {
		var n Need
		require.Error(t, n.UnmarshalJSON([]byte(text)), text)
	}
}

func drawWhen(t *rapid.T, label string) When {
	list := func(field string, values ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(values), 0, len(values), rapid.ID[string]).Draw(t, label+field)
	}
	return When{
		Priority: list("priority", Priorities...), Urgency: list("urgency", Urgencies...), Tier: list("tier", Tiers...),
		Type: list("type", "fault", "price"), Channel: list("channel", "phone", "email"),
	}
}

func drawAttributes(t *rapid.T) Attributes {
	one := func(field string, values ...string) string { return rapid.SampledFrom(values).Draw(t, field) }
	return Attributes{
		Priority: one("priority", Priorities...), Urgency: one("urgency", Urgencies...), Tier: one("tier", Tiers...),
		Type: one("type", "fault", "price"), Channel: one("channel", "phone", "email"),
	}
}

func TestConditionsAreListsThatAllHold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, a := drawWhen(t, ""), drawAttributes(t)
		want := true
		for _, pair := range []struct {
			list  []string
			value string
		}{{w.Priority, a.Priority}, {w.Urgency, a.Urgency}, {w.Tier, a.Tier}, {w.Type, a.Type}, {w.Channel, a.Channel}} {
			if len(pair.list) > 0 && !slices.Contains(pair.list, pair.value) {
				want = false
			}
		}
		if w.Matches(a) != want {
			t.Fatalf("%+v matches %+v: %v", w, a, !want)
		}
		if !(When{}).Matches(a) {
			t.Fatalf("an empty condition does not match %+v", a)
		}
		// Asking for one thing more never lets more through.
		narrower := w
		narrower.Tier = []string{"P1"}
		if len(w.Tier) == 0 && narrower.Matches(a) && !w.Matches(a) {
			t.Fatalf("%+v matches %+v, but %+v does not", narrower, a, w)
		}
	})
}

func TestFirstRuleThatMatchesHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := drawAttributes(t)
		rule := ClockRule{Target: hours(1000)}
		var p Process
		first := -1
		for i := range rapid.IntRange(0, 6).Draw(t, "rules") {
			w := drawWhen(t, string(rune('a'+i)))
			rule.Targets = append(rule.Targets, TargetRule{When: w, Target: hours(i + 1)})
			p.Routing = append(p.Routing, RoutingRule{When: w, Department: string(rune('a' + i))})
			p.Approvals = append(p.Approvals, ApprovalRule{When: w, Name: string(rune('a' + i))})
			if first < 0 && w.Matches(a) {
				first = i
			}
		}
		route, routed := p.Route(a)
		approval, needed := p.Approval(a, false)
		if routed != (first >= 0) || needed != (first >= 0) {
			t.Fatalf("first is %d, but routed %v and approval needed %v", first, routed, needed)
		}
		want := hours(1000)
		if first >= 0 {
			want = hours(first + 1)
			if name := string(rune('a' + first)); route.Department != name || approval.Name != name {
				t.Fatalf("first is %s, but routed by %s and approved by %s", name, route.Department, approval.Name)
			}
		}
		if got := rule.Terms(a).Target; got != want {
			t.Fatalf("target is %s, want %s", got, want)
		}
	})
}

func TestCoveringConditionMatchesMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		wide, narrow, a := drawWhen(t, "wide "), drawWhen(t, "narrow "), drawAttributes(t)
		if wide.covers(narrow) && narrow.Matches(a) && !wide.Matches(a) {
			t.Fatalf("%+v covers %+v but does not match %+v", wide, narrow, a)
		}
		if !wide.covers(wide) || !(When{}).covers(wide) {
			t.Fatalf("%+v is not covered by itself or by the empty condition", wide)
		}
	})
}
