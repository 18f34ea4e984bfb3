package upstream

import (
	"strings"

	"closeloop/policy"
)

// zendeskTickets reads events of tickets, what triggers send, and what the
// interface answers: one ticket or several, with audits or comments.
func zendeskTickets(u policy.Upstream, root node) Delivery {
	d := Delivery{Event: strings.TrimPrefix(root.at("type").text(), "zen:event-type:")}
	if detail := root.at("detail"); strings.HasPrefix(d.Event, "ticket.") && detail.object() {
		d.Items = []Item{zendeskEvent(u, root, detail, d.Event)}
		return d
	}
	switch {
	case root.at("ticket").object():
		i, ok := zendeskTicket(u, root.at("ticket"), flatten(root.v))
		if !ok {
			return d
		}
		i.Comments = zendeskAudit(root.at("audit"), i)
		if c := root.at("comment"); c.object() {
			i.Comments = append(i.Comments, zendeskComment(c, i.Customer))
		}
		i.By = sameSide(root.first("audit.author_id", "current_user.id"), i.Customer)
		d.Items = []Item{i}
		d.Event = or(d.Event, "ticket")
	case root.at("audit").object():
		d.Items = zendeskAudits([]node{root.at("audit")})
		d.Event = or(d.Event, "audit")
	case root.at("audits").is():
		d.Items = zendeskAudits(root.at("audits").list())
		d.Event = or(d.Event, "audits")
	default:
		list := append(append(root.at("tickets").list(), root.at("results").list()...), root.list()...)
		for _, n := range list {
			if i, ok := zendeskTicket(u, n, flatten(map[string]any{"ticket": n.v})); ok {
				d.Items = append(d.Items, i)
			}
		}
		if len(d.Items) > 0 {
			d.Event = or(d.Event, "tickets")
		}
	}
	return d
}

// zendeskEvent is a webhook that is subscribed to events of tickets.
func zendeskEvent(u policy.Upstream, root, detail node, event string) Item {
	i, ok := zendeskTicket(u, detail, flatten(root.v))
	if !ok {
		return Item{}
	}
	if i.At.IsZero() {
		i.At = moment(root.at("time").text())
	}
	switch event {
	case "ticket.soft_deleted", "ticket.permanently_deleted", "ticket.marked_as_spam":
		i.State = Deleted
	}
	i.By = sameSide(detail.at("actor_id").text(), i.Customer)
	if c := root.at("event.comment"); c.object() {
		i.Comments = []Comment{zendeskComment(c, i.Customer)}
	}
	return i
}

// zendeskTicket reads one ticket; false when it is none.
func zendeskTicket(u policy.Upstream, n node, body map[string]string) (Item, bool) {
	id := n.first("id")
	if id == "" || !n.at("status").is() || n.first("subject", "raw_subject", "description", "title") == "" {
		return Item{}, false
	}
	t := ticket{
		id: id, title: n.first("subject", "raw_subject", "title"), description: n.at("description").text(),
		customerID: n.at("requester_id").text(), contact: n.first("requester.email", "via.source.from.address"),
		priority: n.first("priority"), kind: n.first("type"), url: webURL(n.at("url").text()),
		at: moment(n.at("updated_at").text()),
	}
	t.customer = n.first("organization.name", "requester.name", "via.source.from.name", "requester.email")
	if t.customer == "" && t.customerID != "" {
		t.customer = u.Name + ":" + t.customerID
	}
	switch strings.ToLower(n.at("status").text()) {
	case "solved", "closed":
		t.state = Closed
	case "deleted":
		t.state = Deleted
	default:
		t.state = Open
	}
	return t.item(body), true
}

// zendeskAudits are changes of tickets of which nothing else is told.
func zendeskAudits(audits []node) []Item {
	var items []Item
	for _, a := range audits {
		id := a.first("ticket_id")
		if id == "" {
			continue
		}
		i := Item{Ticket: identifier(id), At: moment(a.at("created_at").text())}
		i.Comments = zendeskAudit(a, i)
		if len(i.Comments) > 0 {
			items = append(items, i)
		}
	}
	return items
}

// zendeskAudit are the comments of an audit, but for the first of a ticket, which
// is its description.
func zendeskAudit(audit node, i Item) []Comment {
	var comments []Comment
	for _, e := range audit.at("events").list() {
		if e.at("type").text() != "Comment" {
			continue
		}
		c := zendeskComment(e, i.Customer)
		if c.Author == "" {
			c.Author = audit.at("author_id").text()
		}
		if c.Text != "" && c.Text != i.Fields[fieldDescription] {
			comments = append(comments, c)
		}
	}
	return comments
}

func zendeskComment(n node, customer string) Comment {
	c := Comment{
		ID: n.first("id"), Text: clean(n.first("plain_body", "body", "value")),
		Author: n.first("author_id", "author.id"), Name: n.first("author.name", "author"),
	}
	if c.Text == "" {
		c.Text = fromHTML(n.first("html_body"))
	}
	public := n.first("public", "is_public")
	switch {
	case public == "false", n.at("author.is_staff").text() == "true", n.at("by_customer").text() == "false":
		c.By = Colleague
	case n.at("by_customer").text() == "true", c.Author != "" && c.Author == customer:
		c.By = Customer
	}
	if c.ID == "" {
		c.ID = digestOf(c.Text)
	}
	return c
}

// webURL is where people find the ticket, from where programs do.
func webURL(api string) string {
	site, id, ok := strings.Cut(api, "/api/v2/tickets/")
	if !ok {
		return api
	}
	return site + "/agent/tickets/" + strings.TrimSuffix(id, ".json")
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
