package notify

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"closeloop/access"
	"closeloop/policy"
	"closeloop/requirement"
)

// The recipients that are no person of the directory.
const (
	// ToCustomer is the customer of the requirement.
	ToCustomer = policy.SeatCustomer
	// ToCustomerOf, before a requirement's id, is the customer of that
	// requirement, which was merged into this one.
	ToCustomerOf = ToCustomer + ":"
	// ToUpstream, before its name, is the system whose ticket the requirement came
	// from.
	ToUpstream = access.SystemPrefix
)

// Plan returns the notices that tell an event to its audience, and to the system
// that the requirement came from where the policy has it told, one for each
// recipient: seats are filled by the directory as it stands at the instant, who
// is away is represented by their substitute, nobody is told twice, and nobody
// is told what they did themselves. The first channel that a recipient can be
// reached over makes the notice, the others its Rest. A recipient who cannot be
// reached at all gets a notice in the log, so that this is on record.
func Plan(state requirement.State, e requirement.Event, d policy.Directory, at time.Time) []Notice {
	p := planner{state: state, event: e, directory: d, at: at, escalation: escalationOf(e)}
	for _, seat := range e.To {
		switch seat {
		case policy.SeatCustomer:
			p.customer(ToCustomer, state.Contact, state.Language)
		case policy.SeatDuplicates:
			for _, a := range state.Absorbed {
				p.customer(ToCustomerOf+a.ID, a.Contact, a.Language)
			}
		default:
			for _, id := range d.Candidates(seat, policy.Cast{Department: state.Department}) {
				p.person(id)
			}
		}
	}
	p.upstream()
	return p.notices
}

type planner struct {
	state      requirement.State
	event      requirement.Event
	directory  policy.Directory
	at         time.Time
	escalation string
	notices    []Notice
}

// person plans a notice to a person or who stands in for them.
func (p *planner) person(id string) {
	if id == p.event.Actor || id == "" || id == requirement.SystemActor {
		return
	}
	person, err := p.directory.Standing(id, p.at)
	if err != nil {
		// Nobody stands in: then they read it when they are back. Somebody whom
		// the directory does not know has no channel at all.
		if person, _ = p.directory.Person(id); person.ID == "" {
			person.ID = id
		}
	}
	if person.ID == p.event.Actor {
		return
	}
	language := person.Language
	if language == "" {
		language = p.state.Language
	}
	p.add(person.ID, language, routes(person))
}

// customer plans a notice to a customer, whom we reach by e-mail.
func (p *planner) customer(recipient, contact, language string) {
	if p.actedAs(recipient) {
		return
	}
	if language == "" {
		language = p.state.Language
	}
	var reach []Route
	if contact != "" {
		reach = append(reach, Route{Channel: policy.ChannelEmail, Address: contact})
	}
	p.add(recipient, language, reach)
}

// actedAs reports whether the customer did it: by role, or by their name or
// address.
func (p *planner) actedAs(recipient string) bool {
	if recipient != ToCustomer {
		return false
	}
	switch p.event.Actor {
	case "":
		return false
	case requirement.CustomerActor, p.state.Contact, p.state.Customer:
		return true
	default:
		return false
	}
}

// upstream plans a notice to the system whose ticket the requirement came from.
func (p *planner) upstream() {
	u, ok := p.directory.UpstreamOf(p.state.Ref)
	if !ok || !u.WriteBack.Tells(string(p.event.Kind)) || !concernsUpstream(u.Name, p.event) {
		return
	}
	p.add(ToUpstream+u.Name, "", []Route{{Channel: policy.ChannelWebhook, Address: u.Name}})
}

func (p *planner) add(recipient, language string, reach []Route) {
	if slices.ContainsFunc(p.notices, func(n Notice) bool { return n.Recipient == recipient }) {
		return
	}
	if len(reach) == 0 {
		reach = []Route{logRoute(recipient)}
	}
	p.notices = append(p.notices, Notice{
		Key: Key{
			Requirement: p.state.ID, Seq: p.event.Seq, Recipient: recipient, Channel: reach[0].Channel,
		},
		Event: p.event.Kind, Address: reach[0].Address, Language: language,
		Escalation: p.escalation, Rest: reach[1:], State: Pending,
	})
}

// routes returns how a person can be reached, in the order of their channels;
// by e-mail when they name no channel. Channels other than e-mail know people
// by their ids.
func routes(p policy.Person) []Route {
	names := p.Channels
	if len(names) == 0 {
		names = []string{policy.ChannelEmail}
	}
	var reach []Route
	for _, name := range names {
		r := Route{Channel: name, Address: p.ID}
		if name == policy.ChannelEmail {
			r.Address = p.Email
		}
		known := slices.ContainsFunc(reach, func(have Route) bool { return have.Channel == name })
		if r.Address != "" && !known {
			reach = append(reach, r)
		}
	}
	return reach
}

func logRoute(recipient string) Route {
	return Route{Channel: policy.ChannelLog, Address: recipient}
}

// escalationOf returns the escalation whose calls an acknowledgement takes back.
func escalationOf(e requirement.Event) string {
	if e.Kind != requirement.EscalationRaised && e.Kind != requirement.EscalationAlarm {
		return ""
	}
	var fact struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(e.Data, &fact) != nil {
		return ""
	}
	return fact.ID
}

// mergedFrom returns the requirement whose customer a recipient is, when it is
// not the one that the notice is about.
func mergedFrom(recipient string) (id string, ok bool) {
	return strings.CutPrefix(recipient, ToCustomerOf)
}

// toSystem reports whether the recipient is a program.
func toSystem(recipient string) bool { return strings.HasPrefix(recipient, ToUpstream) }
