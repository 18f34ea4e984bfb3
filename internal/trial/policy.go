// Package trial is a small company for tests: rules with the process's default
// figures and a handful of people. Tests change a copy where they need to.
package trial

import (
	"time"

	"closeloop/policy"
	"closeloop/sla"
)

// Hours is a duration of n hours.
func Hours(n int) sla.Duration { return sla.Exactly(time.Duration(n) * time.Hour) }

// Minutes is a duration of n minutes.
func Minutes(n int) sla.Duration { return sla.Exactly(time.Duration(n) * time.Minute) }

var (
	open       = []string{"received", "analysing", "reviewing", "assigned", "executing"}
	percentage = []sla.Mark{{Percent: 50}, {Percent: 75}, {Percent: 90}}
)

// Policy returns a new copy of the company. Owners are assigned by hand.
func Policy() *policy.Policy {
	return &policy.Policy{Process: process(), Directory: directory()}
}

func process() policy.Process {
	return policy.Process{
		Digest: "trial",
		Defaults: policy.Defaults{
			Type: "other", Channel: "phone", Priority: "medium", Urgency: "general", Tier: "P3", Language: "zh-CN",
		},
		Types:    []string{"functional", "complaint", "fault", "commercial", "other"},
		Channels: []string{"phone", "email", "system"},
		Clocks: []policy.ClockRule{
			{
				Name: sla.Response, Calendar: sla.AlwaysOpen, Target: Hours(2), RunsIn: open, Marks: percentage, Chain: "breach",
				Targets: []policy.TargetRule{{When: policy.When{Type: []string{"complaint"}}, Target: Minutes(30)}},
				Caps:    []policy.TargetRule{{When: policy.When{Priority: []string{"high"}}, Target: Hours(4)}},
			},
			{
				Name: sla.Resolution, Calendar: sla.AlwaysOpen, Target: Hours(24), RunsIn: open, PausesOnHold: policy.AllHolds, Chain: "breach",
				Targets: []policy.TargetRule{{When: policy.When{Priority: []string{"high"}}, Target: Hours(8)}},
				Marks:   percentage, Repeat: sla.Repeat{Every: Hours(4), Times: 3}, OnReopen: policy.NewCycle,
			},
			{Name: sla.Update, Calendar: sla.AlwaysOpen, Target: Hours(72), RunsIn: []string{"assigned", "executing"}, PausesOnHold: policy.AllHolds},
			{Name: sla.NextResponse, Calendar: sla.AlwaysOpen, Target: Hours(4), RunsIn: open},
			{Name: sla.Approval, Calendar: sla.AlwaysOpen, Target: Hours(8), RunsIn: []string{"reviewing"}, Marks: []sla.Mark{{Percent: 50}}, Chain: "breach"},
			{Name: sla.Acceptance, Calendar: sla.AlwaysOpen, Target: Hours(1), RunsIn: []string{"assigned"}, PausesOnHold: policy.AllHolds, Chain: "breach"},
			{Name: sla.Ownership, Calendar: sla.AlwaysOpen, Target: Hours(48), RunsIn: []string{"assigned", "executing"}, PausesOnHold: policy.AllHolds},
			{Name: sla.PlanStep, Calendar: sla.AlwaysOpen, Target: Hours(8), RunsIn: []string{"assigned", "executing"}},
			{Name: sla.Confirmation, Calendar: sla.AlwaysOpen, Target: Hours(72), RunsIn: []string{"confirming"}, Marks: []sla.Mark{{Percent: 50}}},
			{Name: sla.Appeal, Calendar: sla.AlwaysOpen, Target: Hours(168), RunsIn: []string{"rejected"}},
		},
		Approvals: []policy.ApprovalRule{
			{
				Name: "money", When: policy.When{Type: []string{"commercial"}}, Seats: []string{"role:product", "role:management", "role:customer_service"},
				Need: "2", OnTimeout: policy.TimeoutEscalates, Fallback: "role:manager", AgainOnAmend: true,
			},
			{
				Name: "review", OnRequest: true, Seats: []string{"role:product", "role:management"},
				Need: policy.NeedAll, OnTimeout: policy.TimeoutEscalates, Fallback: "role:manager", AgainOnAmend: true,
			},
		},
		Routing: []policy.RoutingRule{{Department: "service", Pick: policy.PickByHand}},
		Chains: []policy.Chain{{
			Name: "breach", Rounds: 2, AcknowledgedFor: Minutes(30), Alarm: []string{"role:manager"},
			Levels: []policy.Level{
				{People: []string{"owner", "tracker"}, AcknowledgeWithin: Minutes(15)},
				{People: []string{"head"}, AcknowledgeWithin: Minutes(30)},
			},
		}},
		Notices: []policy.NoticeRule{
			{Event: "submitted", To: []string{"customer"}},
			{Event: "round_opened", To: []string{"voters"}},
			{Event: "vote_asked", To: []string{"voters"}},
			{Event: "assigned", To: []string{"owner"}},
			{Event: "responded", To: []string{"customer"}},
			{Event: "resolved", To: []string{"customer", "duplicates"}},
			{Event: "rejected", To: []string{"customer"}},
			{Event: "disputed", To: []string{"owner"}},
			{Event: "archived", To: []string{"owner", "duplicates"}},
			{Event: "clock_marked", Clock: sla.Confirmation, To: []string{"customer"}},
			{Event: "clock_breached", To: []string{"owner"}},
			{Event: "escalation_raised", To: []string{"called"}},
			{Event: "escalation_alarm", To: []string{"called"}},
		},
		UnknownPeople: policy.RefuseUnknown,
	}
}

func directory() policy.Directory {
	person := func(id, department string, roles ...string) policy.Person {
		return policy.Person{
			ID: id, Name: id, Department: department, Roles: roles,
			Email: id + "@example.com", Language: "zh-CN", Channels: []string{"email", "log"},
		}
	}
	return policy.Directory{
		Departments: []policy.Department{
			{ID: "service", Name: "客服部", NameEN: "Service", Head: "chen.jing"},
			{ID: "technology", Name: "技术部", NameEN: "Technology", Head: "zhao.lei"},
		},
		People: []policy.Person{
			person("wang.fang", "service", "operator"),
			person("li.na", "service", "agent"),
			person("zhang.wei", "technology", "agent"),
			person("chen.jing", "service", "agent", "customer_service"),
			person("zhao.lei", "technology", "agent", "product"),
			person("liu.yang", "", "management", "manager"),
			person("sun.li", "", "manager"),
		},
	}
}
