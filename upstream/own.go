package upstream

import (
	"strings"
)

// own reads tickets in our own form, for systems that can be told what to send:
//
//	{"type": "ticket.updated", "timestamp": "2026-03-02T09:30:00Z", "data": {
//	  "ticket": {"id": "A-17", "title": "…", "customer": "…", "state": "open", "updated_at": "…"},
//	  "comment": {"id": "9", "text": "…", "by_customer": true}}}
func own(root node) Delivery {
	d := Delivery{Event: root.first("type", "event")}
	data := root.at("data")
	if !data.object() {
		data = root
	}
	n := data.at("ticket")
	id := n.first("id")
	if id == "" {
		return d
	}
	t := ticket{
		id: id, title: n.first("title", "subject"), description: n.at("description").text(),
		customer: n.first("customer", "customer.name"), contact: n.first("contact", "customer.email", "email"),
		customerID: n.first("customer_id", "contact", "customer.id"), priority: n.first("priority"), kind: n.first("type"), url: n.first("url"),
		at: moment(n.first("updated_at")),
	}
	if t.at.IsZero() {
		t.at = moment(root.first("timestamp"))
	}
	switch strings.ToLower(n.first("state", "status")) {
	case "open", "new", "reopened", "pending":
		t.state = Open
	case "closed", "solved", "resolved", "done":
		t.state = Closed
	case "deleted":
		t.state = Deleted
	}
	// What the event is called counts where the ticket does not say.
	switch event := d.Event[strings.LastIndexByte(d.Event, '.')+1:]; {
	case event == "deleted":
		t.state = Deleted
	case t.state != Unknown:
	case event == "closed":
		t.state = Closed
	case event == "created", event == "reopened":
		t.state = Open
	}
	i := t.item(flatten(root.v))
	i.Whole = t.title != ""
	i.By = byCustomer(data)
	if c := data.at("comment"); c.first("text", "body") != "" {
		said := Comment{
			ID: c.first("id"), Text: clean(c.first("text", "body")), By: byCustomer(c),
			Author: c.first("author_id", "author"), Name: c.first("author"),
		}
		if said.ID == "" {
			said.ID = digestOf(said.Text)
		}
		i.Comments = []Comment{said}
	}
	d.Items = []Item{i}
	return d
}

func byCustomer(n node) Author {
	switch n.at("by_customer").text() {
	case "true":
		return Customer
	case "false":
		return Colleague
	default:
		return Somebody
	}
}
