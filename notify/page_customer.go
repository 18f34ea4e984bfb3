package notify

import (
	"closeloop/requirement"
	"closeloop/sla"
)

// customerPage is what a customer is told. What is not in it no template can
// tell: no people of ours, no clocks but the promises made to the customer, no
// reasons of delays, no root causes.
type customerPage struct {
	ID, Title string
	Status    string
	Greeting  string
	Reference string
	// Merged: the recipient asked for the same in a requirement that was merged
	// into this one; they learn the outcome and are asked for nothing.
	Merged bool
	// ResponseBy … are promises that are still open; empty otherwise.
	ResponseBy, UpdateBy, ConfirmBy, AppealBy string
	// Options: the customer is offered several ways out (E7).
	Options bool
	// Reason: a reason is quoted.
	Reason bool
	// Automatic and Rating are how it was closed; the rating is the customer's
	// own.
	Automatic bool
	Rating    int
	Version   int
}

func (p *pages) customer() customerPage {
	page := customerPage{
		ID: p.id, Title: p.title, Merged: p.merged,
		Status:     p.l.Name("status", string(p.r.Stage.Status())),
		Greeting:   p.text("message.greeting", map[string]any{"Name": p.asker}),
		Reference:  p.text("message.reference", map[string]any{"ID": p.id, "Title": p.title}),
		ResponseBy: p.openUntil(sla.Response), UpdateBy: p.openUntil(sla.Update),
		ConfirmBy: p.openUntil(sla.Confirmation), AppealBy: p.openUntil(sla.Appeal),
		Options: len(p.said.Options) > 0, Reason: p.said.Reason != "", Version: p.r.Version,
	}
	if p.r.Closing != nil {
		page.Automatic = p.r.Closing.Automatic
		if !p.merged {
			page.Rating = p.r.Closing.Rating
		}
	}
	return page
}

// customerQuotes are the words that are meant for the customer: answers,
// questions, solutions and why a requirement was rejected (R3).
func (p *pages) customerQuotes() []quoted {
	var list []quoted
	add := func(text string) {
		if text = quote(text); text != "" {
			list = append(list, quoted{Text: text})
		}
	}
	switch p.event.Kind {
	case requirement.Responded:
		add(p.said.Message)
		add(p.options())
	case requirement.Progressed:
		add(p.said.Message)
	case requirement.WasHeld, requirement.RequestDenied:
		add(p.said.Reason)
	case requirement.Resolved:
		add(p.said.Solution)
	case requirement.ClockMarked:
		if p.said.Clock == sla.Confirmation && p.r.Resolution != nil {
			add(p.r.Resolution.Solution)
		}
	default: // what was said is not for the customer
	}
	return list
}
