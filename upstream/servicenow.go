package upstream

import (
	"strings"

	"closeloop/policy"
)

// serviceNow reads records of the incident table, as business rules send them and
// as the table interface answers: bare, or behind result or incident.
func serviceNow(u policy.Upstream, root node) Delivery {
	d := Delivery{Event: root.first("event", "operation")}
	record := root
	for _, name := range []string{"result", "incident", "record"} {
		if n := root.at(name); n.is() {
			record = n
			break
		}
	}
	list := record.list()
	if record.object() {
		list = []node{record}
	}
	for _, n := range list {
		if i, ok := serviceNowRecord(u, n, strings.ToLower(root.first("operation"))); ok {
			d.Items = append(d.Items, i)
			d.Event = or(d.Event, or(n.at("sys_class_name").text(), "incident"))
		}
	}
	return d
}

func serviceNowRecord(u policy.Upstream, n node, operation string) (Item, bool) {
	number := n.first("number")
	if number == "" || !(n.at("state").is() || n.at("short_description").is()) {
		return Item{}, false
	}
	t := ticket{
		id: number, title: n.at("short_description").text(), description: n.at("description").text(),
		customer: reference(n, "company"), customerID: n.first("caller_id.value", "caller_id"),
		contact:  n.first("caller_id.email", "caller_email", "u_caller_email"),
		priority: serviceNowPriority(display(n, "priority")), kind: display(n, "category"), url: n.first("url"),
		at: moment(display(n, "sys_updated_on")),
	}
	if t.customer == "" {
		t.customer = reference(n, "caller_id")
	}
	if t.customer == "" {
		t.customer = or(reference(n, "opened_by"), u.Name)
	}
	if t.title == "" {
		t.title = or(firstLine(t.description), number)
	}
	switch strings.ToLower(display(n, "state")) {
	case "6", "7", "8", "resolved", "closed", "canceled", "cancelled":
		t.state = Closed
	default:
		t.state = Open
	}
	if operation == "delete" || operation == "deleted" {
		t.state = Deleted
	}
	body := flatten(n.v)
	i := t.item(body)
	i.By = sameSide(n.first("sys_updated_by"), n.first("caller_id.user_name", "caller_user_name"))
	// Work notes are for colleagues and stay over there.
	if said := clean(n.at("comments").text()); said != "" {
		i.Comments = []Comment{{ID: digestOf(said), Text: said, By: i.By, Author: n.first("sys_updated_by"), Name: n.first("sys_updated_by")}}
	}
	return i, true
}

// display is a field as people see it, where both are sent.
func display(n node, field string) string {
	return n.first(field+".display_value", field+".value", field)
}

// reference is the name of what a field refers to.
func reference(n node, field string) string {
	return n.first(field+".display_value", field+".name", field+".value", field)
}

func serviceNowPriority(p string) string {
	// 1 - Critical when people's words are sent.
	number, _, _ := strings.Cut(p, " ")
	switch number {
	case "1":
		return "critical"
	case "2":
		return "high"
	case "3":
		return "moderate"
	case "4":
		return "low"
	case "5":
		return "planning"
	default:
		return p
	}
}

func firstLine(s string) string {
	first, _, _ := strings.Cut(clean(s), "\n")
	return first
}
