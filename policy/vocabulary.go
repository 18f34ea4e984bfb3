package policy

import (
	"slices"

	"closeloop/sla"
)

// The words that a policy may use for things that the process fixes. They are
// those of the domain, which this package cannot import; a test holds the two
// together.
var (
	// Stages are where a requirement can stand, in the order of the process.
	Stages = []string{
		"received", "analysing", "reviewing", "assigned", "executing", "confirming",
		"archived", "rejected", "withdrawn", "merged",
	}
	// Events are the kinds of facts that somebody can be told of: all but
	// notice_parked, because that telling failed is not to be told in turn.
	Events = []string{
		"submitted", "triaged", "round_opened", "vote_asked", "approved", "declined", "delegated",
		"round_decided", "rejected", "appealed", "assigned", "routing_failed", "accepted",
		"handed_back", "responded", "planned", "progressed", "held", "resumed", "resolved",
		"confirmed", "disputed", "amended", "reprioritised", "merged", "merge_taken", "merge_undone",
		"absorbed", "withdrawn", "commented", "refused", "archived", "policy_adopted",
		"cancelled", "terminated",
		"clock_started", "clock_paused", "clock_resumed", "clock_retargeted",
		"clock_stopped", "clock_marked", "clock_breached", "clock_repeated", "clock_lapsed",
		"clock_undated",
		"escalation_started", "escalation_raised", "escalation_acknowledged",
		"escalation_alarm", "escalation_ended",
	}
	// Priorities, Urgencies and Tiers are fixed by rows I3 and I4; types and
	// channels of intake are the policy's own.
	Priorities = []string{"high", "medium", "low"}
	Urgencies  = []string{"urgent", "important", "general"}
	Tiers      = []string{"P1", "P2", "P3"}
	// Languages are those in which people are written to (N2).
	Languages = []string{"zh-CN", "en"}
	// Channels are the ways in which a person can be told something.
	Channels = []string{ChannelEmail, ChannelLog}
	// Standings are the values of unknown_people.
	Standings = []UnknownPeople{RefuseUnknown, UnknownAreAgents}
	// Reopenings are the values of on_reopen.
	Reopenings = []Reopening{NewCycle, ResumeRemaining}
	// Timeouts are the values of on_timeout.
	Timeouts = []Timeout{TimeoutEscalates, TimeoutApproves, TimeoutRejects}
	// Picks are the values of pick.
	Picks = []Pick{PickByHand, PickLeastLoaded, PickRoundRobin}
	// UpstreamKinds are the kinds of systems whose webhooks are understood.
	UpstreamKinds = []UpstreamKind{Jira, Zendesk, GitHub, Freshdesk, ServiceNow, StandardWebhooks}
	// ReactionsTo are what each event of an upstream system may do; the first is
	// what it does when the policy does not say.
	ReactionsTo = map[string][]Reaction{
		"commented": {ReactResume, ReactComment, ReactIgnore},
		"reopened":  {ReactDispute, ReactComment, ReactIgnore},
		"closed":    {ReactResolve, ReactWithdraw, ReactConfirm, ReactComment, ReactIgnore},
		"deleted":   {ReactWithdraw, ReactIgnore},
		"updated":   {ReactAmend, ReactIgnore},
	}
)

// The channels of people.
const (
	ChannelEmail = "email"
	ChannelLog   = "log" // the worker's log, for trying out
	// ChannelWebhook tells upstream systems; people have no such channel.
	ChannelWebhook = "webhook"
)

// working are the stages in which somebody still has to find or do something.
var working = Stages[:5]

// possibleIn returns the stages in which a clock can exist at all. A clock that
// runs in none of them would never run.
func possibleIn(name sla.Name) []string {
	switch name {
	case sla.Approval:
		return []string{"reviewing"}
	case sla.Acceptance:
		return []string{"assigned"}
	case sla.Confirmation:
		return []string{"confirming"}
	case sla.Appeal:
		return []string{"rejected"}
	default:
		return working
	}
}

// lapses reports whether the end of the clock is an agreed outcome and no
// breach, whatever the policy says.
func lapses(name sla.Name) bool { return name == sla.Confirmation || name == sla.Appeal }

// aboutClock reports whether events of that kind are about one clock.
func aboutClock(event string) bool {
	i := slices.Index(Events, "clock_started")
	return slices.Contains(Events[i:], event)
}

// aboutEscalation reports whether events of that kind say whom a chain calls.
func aboutEscalation(event string) bool {
	i := slices.Index(Events, "escalation_started")
	return slices.Contains(Events[i:], event)
}
