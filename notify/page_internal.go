package notify

import (
	"slices"
	"strings"

	"closeloop/requirement"
	"closeloop/sla"
)

// internalPage is what people of the company are told. Templates may use all of
// it; names are in the recipient's language.
type internalPage struct {
	ID, Title, Customer string
	// What names the kind of the event, Actor who did it.
	What, Actor string
	// E are the particulars of the event as they were recorded.
	E particulars
	// To, Before … are particulars in words. ToYou: it is the recipient to whom
	// it was given.
	To, Before, Act, Method, AcknowledgedBy string
	ToYou                                   bool
	Channel, Type, Priority, Urgency        string
	Department, Owner                       string
	// Clock that the event is about, Deadline it had, Left until then; Step of
	// the plan.
	Clock, ClockState, Deadline, Left, Step string
	// MissingYear is the one whose holidays are not known; zero when that is not
	// what a clock without a deadline lacks.
	MissingYear int
	// Until is how long the customer may confirm or appeal.
	Until string
	// Automatic and Rating are how it was closed.
	Automatic bool
	Rating    int

	Facts    []fact
	Clocks   []clockLine
	Waiting  string
	Commands []string
}

type fact struct{ Label, Value string }

type clockLine struct {
	Name, Says string
	Late       bool
}

func (p *pages) internal() internalPage {
	r, said := p.r, p.said
	page := internalPage{
		ID: p.id, Title: p.title, Customer: p.asker,
		What: p.l.Name("event", string(p.event.Kind)), Actor: p.person(p.event.Actor), E: said,
		To: p.person(said.To), ToYou: said.To != "" && said.To == p.notice.Recipient,
		Before: p.l.Name("priority", said.Before), Act: p.l.Name("act", said.Act),
		Method: p.l.Name("method", said.Method), AcknowledgedBy: p.person(said.AcknowledgedBy),
		Channel: line(p.l.Name("channel", r.Channel), maxLine), Type: line(p.l.Name("type", r.Type), maxLine),
		Priority: p.l.Name("priority", r.Priority), Urgency: p.l.Name("urgency", r.Urgency),
		Department: p.department(r.Department), Owner: p.person(r.Owner),
		Clock: p.l.Name("clock", string(said.Clock)), ClockState: p.l.Name("clock_state", said.State),
		Deadline: p.whenever(said.Deadline),
		Clocks:   p.clocks(), Waiting: p.waiting(), Commands: commands(p.notice, r, said),
	}
	if said.Priority != "" {
		page.Priority = p.l.Name("priority", said.Priority)
	}
	if said.Department != "" {
		page.Department = p.department(said.Department)
	}
	if said.Owner != "" {
		page.Owner = p.person(said.Owner)
	}
	if said.Lacks != nil {
		page.MissingYear = said.Lacks.Year
	}
	if c := p.aboutClock(); c != nil {
		page.Left, _ = p.left(c)
	}
	if i := said.Cycle - 1; said.Clock == sla.PlanStep && i >= 0 && i < len(r.Plan) {
		page.Step = line(r.Plan[i].What, maxLine)
	}
	switch p.event.Kind {
	case requirement.Resolved:
		page.Until = p.openUntil(sla.Confirmation)
	case requirement.RequestDenied:
		page.Until = p.openUntil(sla.Appeal)
	default: // nothing is asked of the customer
	}
	if r.Closing != nil {
		page.Automatic, page.Rating = r.Closing.Automatic, r.Closing.Rating
	}
	page.Facts = p.facts(page)
	return page
}

// facts are what the requirement is and where it stands.
func (p *pages) facts(page internalPage) []fact {
	var list []fact
	add := func(field, value string) {
		if value != "" {
			list = append(list, fact{p.label(field), value})
		}
	}
	stage := p.l.Name("stage", string(p.r.Stage))
	if p.r.Hold != nil {
		stage += p.text("message.comma", nil) + p.l.Name("field", "on_hold")
	}
	add("stage", stage)
	add("customer", p.asker)
	add("priority", p.l.Name("priority", p.r.Priority)+p.text("message.comma", nil)+page.Urgency)
	add("department", p.department(p.r.Department))
	add("owner", p.person(p.r.Owner))
	add("tracker", p.person(p.r.Tracker))
	return list
}

// clocks are those that are open, in the order in which people are shown them.
func (p *pages) clocks() []clockLine {
	var list []clockLine
	for _, name := range sla.Names {
		for i := range p.r.Clocks {
			c := &p.r.Clocks[i]
			if c.Name != name || !c.Open() {
				continue
			}
			shown := clockLine{Name: capital(p.l.Name("clock", string(name)))}
			if name == sla.PlanStep && c.Cycle <= len(p.r.Plan) {
				shown.Name += " " + line(p.r.Plan[c.Cycle-1].What, maxStep)
			}
			shown.Says, shown.Late = p.clockSays(c)
			list = append(list, shown)
		}
	}
	return list
}

func (p *pages) clockSays(c *sla.Clock) (says string, late bool) {
	if !c.Ticking() {
		reason := line(p.l.Name("stage", c.Pauses[len(c.Pauses)-1].Reason), maxLine)
		if reason == "" {
			return p.text("message.clock_paused", nil), false
		}
		return p.text("message.clock_paused_why", map[string]any{"Reason": reason}), false
	}
	at, known := c.Deadline(p.r.CalendarOf(c))
	if !known {
		return p.text("message.clock_undated", nil), false
	}
	left, late := p.left(c)
	return p.text("message.clock_due", map[string]any{"Left": left, "Deadline": p.when(at)}), late
}

// waiting says who must do what.
func (p *pages) waiting() string {
	waiting := p.r.Waiting()
	if len(waiting.Acts) == 0 {
		return p.text("message.over", nil)
	}
	var who, acts []string
	for _, id := range waiting.Who {
		who = append(who, p.person(id))
	}
	if len(who) == 0 {
		who = append(who, p.l.Name("role", string(requirement.Operator)))
	}
	for _, act := range actsNow(p.r) {
		acts = append(acts, p.l.Name("act", string(act)))
	}
	comma := p.text("message.comma", nil)
	return p.text("message.waiting", map[string]any{"Who": strings.Join(who, comma), "Acts": strings.Join(acts, comma)})
}

// internalQuotes are what people wrote about the event.
func (p *pages) internalQuotes() []quoted {
	var list []quoted
	said := p.said
	if p.event.Kind == requirement.WasArchived && p.r.Closing != nil {
		said.Comment = p.r.Closing.Comment
	}
	list = p.labelled(list, "description", said.Description)
	list = p.labelled(list, "message", said.Message)
	list = p.labelled(list, "options", p.options())
	list = p.labelled(list, "steps", p.steps())
	list = p.labelled(list, "solution", said.Solution)
	list = p.labelled(list, "root_cause", said.RootCause)
	list = p.labelled(list, "reason", said.Reason)
	return p.labelled(list, "comment", said.Comment)
}

// steps are those of a handling plan, one a line.
func (p *pages) steps() string {
	var lines []string
	for i, s := range p.said.Steps {
		params := map[string]any{"N": i + 1, "What": line(s.What, maxLine), "Due": p.when(s.Due)}
		key := "message.step_open"
		if s.Owner != "" {
			key, params["Owner"] = "message.step", p.person(s.Owner)
		}
		lines = append(lines, p.text(key, params))
	}
	return strings.Join(lines, "\n")
}

// actsNow are the acts that move the requirement on, the most urgent first:
// what the customer wrote waits for an answer before anything else.
func actsNow(r *requirement.Requirement) []requirement.Name {
	acts := r.Waiting().Acts
	if r.Unanswered != nil && r.Stage == requirement.Executing && !slices.Contains(acts, requirement.ActRespond) {
		acts = append([]requirement.Name{requirement.ActRespond}, acts...)
	}
	return acts
}
