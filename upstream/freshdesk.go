package upstream

import (
	"strings"

	"closeloop/policy"
)

// freshdesk reads what automation rules send, and what the interface answers: one
// ticket or several, or conversations.
func freshdesk(u policy.Upstream, root node) Delivery {
	if hook := root.at("freshdesk_webhook"); hook.object() {
		d := Delivery{Event: or(hook.first("triggered_event"), "freshdesk_webhook")}
		if i, ok := freshdeskRule(u, hook, flatten(root.v)); ok {
			d.Items = []Item{i}
		}
		return d
	}
	var d Delivery
	list, single := root.list(), !root.at("0").is()
	if single {
		list = []node{root}
		if root.at("ticket").object() {
			list = []node{root.at("ticket")}
		}
	}
	for _, n := range list {
		i, event, ok := freshdeskItem(u, n)
		if !ok {
			continue
		}
		d.Items, d.Event = append(d.Items, i), event
	}
	if !single && d.Event != "" {
		d.Event += "s"
	}
	return d
}

// freshdeskItem reads a ticket or a conversation; false when it is neither.
func freshdeskItem(u policy.Upstream, n node) (Item, string, bool) {
	if id := n.first("ticket_id"); id != "" && n.first("body_text", "body") != "" {
		return Item{
			Ticket: identifier(id), At: moment(n.at("updated_at").text()), Comments: []Comment{freshdeskConversation(n)},
		}, "conversation", true
	}
	id := n.first("id")
	if id == "" || !n.at("status").is() || n.first("subject", "description_text", "description") == "" {
		return Item{}, "", false
	}
	t := ticket{
		id: id, title: n.at("subject").text(), description: n.at("description_text").text(),
		customer:   n.first("company.name", "requester.company", "requester.name", "name", "requester.email", "email"),
		customerID: n.at("requester_id").text(), contact: n.first("requester.email", "email"),
		priority: freshdeskPriority(n), kind: n.at("type").text(), url: n.first("url", "ticket_url"),
		state: freshdeskState(n.at("status").text()), at: moment(n.at("updated_at").text()),
	}
	if t.description == "" {
		t.description = fromHTML(n.at("description").text())
	}
	if t.customer == "" && t.customerID != "" {
		t.customer = u.Name + ":" + t.customerID
	}
	if n.at("deleted").text() == "true" {
		t.state = Deleted
	}
	return t.item(flatten(n.v)), "ticket", true
}

// freshdeskRule is the body that automation rules send: single properties of the
// ticket, chosen by whoever made the rule.
func freshdeskRule(u policy.Upstream, hook node, body map[string]string) (Item, bool) {
	id := hook.first("ticket_id", "ticket_public_url")
	if id == "" {
		return Item{}, false
	}
	t := ticket{
		// Some send it as INC-17.
		id: id[strings.LastIndexByte(id, '-')+1:], title: hook.at("ticket_subject").text(), description: fromHTML(hook.at("ticket_description").text()),
		customer: hook.first("ticket_company_name", "ticket_requester_name", "ticket_requester_email", "ticket_contact_name"),
		contact:  hook.first("ticket_requester_email", "ticket_contact_email"), customerID: hook.first("ticket_requester_email"),
		priority: hook.first("ticket_priority"), kind: hook.first("ticket_type"), url: hook.first("ticket_url"),
		at: moment(hook.first("ticket_updated_at", "updated_at")),
	}
	if t.customer == "" {
		t.customer = u.Name
	}
	if s := hook.first("ticket_status"); s != "" {
		t.state = freshdeskState(s)
	}
	i := t.item(body)
	i.Whole = t.title != ""
	if said := fromHTML(hook.first("ticket_latest_public_comment", "ticket_latest_comment")); said != "" {
		c := Comment{ID: digestOf(said), Text: said}
		if by := hook.first("ticket_latest_comment_by", "by_customer"); by == "false" || by == "agent" {
			c.By = Colleague
		}
		i.Comments = []Comment{c}
	}
	return i, true
}

func freshdeskConversation(n node) Comment {
	c := Comment{ID: n.first("id"), Text: clean(n.at("body_text").text()), Author: n.at("user_id").text(), Name: n.first("from_email"), By: Colleague}
	if c.Text == "" {
		c.Text = fromHTML(n.at("body").text())
	}
	if n.at("incoming").text() == "true" && n.at("private").text() != "true" {
		c.By = Customer
	}
	return c
}

func freshdeskState(status string) State {
	switch strings.ToLower(status) {
	case "4", "5", "resolved", "closed":
		return Closed
	default:
		return Open
	}
}

func freshdeskPriority(n node) string {
	if name := n.first("priority_name"); name != "" {
		return name
	}
	switch p := n.at("priority").text(); p {
	case "1":
		return "low"
	case "2":
		return "medium"
	case "3":
		return "high"
	case "4":
		return "urgent"
	default:
		return p
	}
}
