package notify_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/notify"
	"closeloop/policy"
	"closeloop/requirement"
)

var noon = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

// office is a small company: one of each kind of person that matters for who is
// told over which channel.
func office() policy.Directory {
	leave := []policy.Absence{{From: noon.Add(-time.Hour), To: noon.Add(time.Hour)}}
	return policy.Directory{
		Departments: []policy.Department{{ID: "service", Name: "客服部", NameEN: "Customer service", Head: "chen"}},
		People: []policy.Person{
			{ID: "chen", Name: "陈静", NameEN: "Chen Jing", Roles: []string{"manager"}, Email: "chen@example.com", Channels: []string{"email", "log"}, Language: "zh-CN"},
			{ID: "li", Name: "李娜", NameEN: "Li Na", Roles: []string{"operator"}, Email: "li@example.com", Channels: []string{"pager", "email", "log", "email"}, Language: "en"},
			{ID: "wang", Name: "王芳", NameEN: "Wang Fang", Roles: []string{"operator"}, Email: "wang@example.com"},
			{ID: "away", Roles: []string{"agent"}, Email: "away@example.com", Away: leave, Substitute: "li"},
			{ID: "alone", Roles: []string{"agent"}, Email: "alone@example.com", Away: leave},
			{ID: "deaf", Roles: []string{"agent"}, Channels: []string{"email"}},
		},
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	state := requirement.State{ID: "REQ-1", Department: "service"}
	state.Customer, state.Contact, state.Language = "Acme", "buyer@acme.example", "en"
	state.Absorbed = []requirement.Absorbed{
		{ID: "REQ-2", Contact: "second@example.com", Language: "zh-CN"},
		{ID: "REQ-3"},
	}
	type told struct{ to, channel, address, language string }
	for _, c := range []struct {
		name  string
		actor string
		to    []string
		want  []told
	}{
		{"nobody", "system", nil, nil},
		{"a person over their first channel", "system", []string{"chen"}, []told{{"chen", "email", "chen@example.com", "zh-CN"}}},
		{"channels other than e-mail know people by id", "system", []string{"li"}, []told{{"li", "pager", "li", "en"}}},
		{"e-mail when no channel is named, in the customer's language", "system", []string{"wang"}, []told{{"wang", "email", "wang@example.com", "en"}}},
		{"the head of the department", "system", []string{"head"}, []told{{"chen", "email", "chen@example.com", "zh-CN"}}},
		{"everybody with a role", "system", []string{"role:operator"}, []told{{"li", "pager", "li", "en"}, {"wang", "email", "wang@example.com", "en"}}},
		{"nobody twice", "system", []string{"chen", "head", "role:manager", "chen"}, []told{{"chen", "email", "chen@example.com", "zh-CN"}}},
		{"nobody of what they did", "li", []string{"role:operator"}, []told{{"wang", "email", "wang@example.com", "en"}}},
		{"the substitute of who is away", "system", []string{"away"}, []told{{"li", "pager", "li", "en"}}},
		{"a substitute is told once", "system", []string{"away", "li"}, []told{{"li", "pager", "li", "en"}}},
		{"not the substitute who did it", "li", []string{"away"}, nil},
		{"who is away without a substitute reads it later", "system", []string{"alone"}, []told{{"alone", "email", "alone@example.com", "en"}}},
		{"without an address the log", "system", []string{"deaf"}, []told{{"deaf", "log", "deaf", "en"}}},
		{"unknown people: the log", "system", []string{"stranger"}, []told{{"stranger", "log", "stranger", "en"}}},
		{"a role that nobody has", "system", []string{"role:none"}, nil},
		{"the customer by e-mail", "li", []string{"customer"}, []told{{"customer", "email", "buyer@acme.example", "en"}}},
		{"not the customer who did it", "customer", []string{"customer"}, nil},
		{"not the customer by their address", "buyer@acme.example", []string{"customer"}, nil},
		{"customers of merged requirements", "customer", []string{"duplicates"}, []told{
			{"customer:REQ-2", "email", "second@example.com", "zh-CN"}, {"customer:REQ-3", "log", "customer:REQ-3", "en"},
		}},
		{"in the order of the audience", "system", []string{"customer", "chen", "wang"}, []told{
			{"customer", "email", "buyer@acme.example", "en"}, {"chen", "email", "chen@example.com", "zh-CN"}, {"wang", "email", "wang@example.com", "en"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := requirement.Event{Seq: 7, Kind: requirement.Resolved, Actor: c.actor, To: c.to}
			var got []told
			for _, n := range notify.Plan(state, e, office(), noon) {
				got = append(got, told{n.Recipient, n.Channel, n.Address, n.Language})
				require.Equal(t, "REQ-1", n.Requirement)
				require.Equal(t, 7, n.Seq)
				require.Equal(t, requirement.Resolved, n.Event)
				require.Equal(t, notify.Pending, n.State)
				require.Empty(t, n.Escalation)
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestPlanKeepsTheOtherChannels(t *testing.T) {
	t.Parallel()
	e := requirement.Event{Seq: 1, Kind: requirement.Submitted, Actor: "system", To: []string{"li"}}
	notices := notify.Plan(requirement.State{ID: "REQ-1"}, e, office(), noon)
	require.Equal(t, []notify.Route{{Channel: "email", Address: "li@example.com"}, {Channel: "log", Address: "li"}}, notices[0].Rest)
}

func TestPlanNamesTheEscalation(t *testing.T) {
	t.Parallel()
	for kind, want := range map[requirement.Kind]string{
		requirement.EscalationRaised:       "response-1",
		requirement.EscalationAlarm:        "response-1",
		requirement.EscalationAcknowledged: "", // else it would take itself back
	} {
		e := requirement.Event{Seq: 1, Kind: kind, Actor: "system", To: []string{"li"}, Data: json.RawMessage(`{"id":"response-1","level":1}`)}
		require.Equal(t, want, notify.Plan(requirement.State{ID: "REQ-1"}, e, office(), noon)[0].Escalation, kind)
	}
}

func TestPlanWithoutContactIsOnRecord(t *testing.T) {
	t.Parallel()
	e := requirement.Event{Seq: 1, Kind: requirement.Submitted, Actor: "system", To: []string{"customer"}}
	notices := notify.Plan(requirement.State{ID: "REQ-1"}, e, office(), noon)
	require.Len(t, notices, 1)
	require.Equal(t, policy.ChannelLog, notices[0].Channel)
	require.Equal(t, "customer", notices[0].Recipient)
}
