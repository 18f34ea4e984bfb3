package upstream

import (
	"strconv"
	"strings"
	"time"
)

// jira reads the webhooks of issues and their comments, of Jira Cloud and of
// servers.
func jira(root node) Delivery {
	event := root.at("webhookEvent").text()
	d := Delivery{Event: event}
	if kind := root.at("issue_event_type_name").text(); kind != "" {
		d.Event += "/" + kind
	}
	issue := root.at("issue")
	fields := issue.at("fields")
	key := issue.first("key")
	if key == "" || !fields.object() {
		return d
	}
	t := ticket{
		id: key, title: fields.at("summary").text(), description: rich(fields.at("description")),
		customer:   fields.first("reporter.displayName", "creator.displayName", "reporter.name", "creator.name"),
		customerID: jiraPerson(fields.at("reporter")), contact: fields.first("reporter.emailAddress", "creator.emailAddress"),
		priority: fields.at("priority.name").text(), kind: fields.at("issuetype.name").text(),
		url: jiraURL(issue.at("self").text(), key), at: moment(fields.at("updated").text()),
	}
	if t.customerID == "" {
		t.customerID = jiraPerson(fields.at("creator"))
	}
	if t.at.IsZero() {
		t.at = milliseconds(root.at("timestamp").text())
	}
	switch category := fields.at("status.statusCategory.key").text(); {
	case category == "done":
		t.state = Closed
	case category != "":
		t.state = Open
	case fields.at("resolution").is():
		t.state = Closed
	case fields.at("status.name").is():
		t.state = Open
	}
	i := t.item(flatten(root.v))
	// Webhooks about comments have but a few fields of the issue, and not when it
	// was changed.
	i.Passing = strings.HasPrefix(event, "comment_") && !fields.at("updated").is()
	i.By = sameSide(jiraPerson(root.at("user")), t.customerID)
	if event == "jira:issue_deleted" {
		i.State = Deleted
	}
	if comment := root.at("comment"); comment.object() && event != "comment_deleted" {
		i.Comments = []Comment{jiraComment(comment, d.Event)}
	}
	d.Items = []Item{i}
	return d
}

func jiraComment(comment node, event string) Comment {
	author := comment.at("author")
	c := Comment{
		ID: comment.at("id").text(), Text: rich(comment.at("body")),
		Author: jiraPerson(author), Name: author.first("displayName", "name"),
	}
	switch {
	case author.at("accountType").text() == "customer":
		c.By = Customer
	case author.at("accountType").text() == "app", comment.at("jsdPublic").text() == "false":
		c.By = Colleague
	}
	if strings.Contains(event, "comment_updated") || strings.Contains(event, "comment_edited") {
		c.ID += "-" + digestOf(c.Text)
	}
	return c
}

// jiraPerson is the id of somebody: that of the cloud, or a server's.
func jiraPerson(n node) string { return n.first("accountId", "key", "name") }

// jiraURL is where people find the issue, from where programs do.
func jiraURL(self, key string) string {
	site, _, ok := strings.Cut(self, "/rest/")
	if !ok {
		return ""
	}
	return site + "/browse/" + key
}

// rich is a text, or a document of the newer interfaces.
func rich(n node) string {
	if n.object() {
		return fromDocument(n)
	}
	return clean(n.text())
}

// milliseconds since 1970.
func milliseconds(text string) time.Time {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ms <= 0 || ms > 1<<52 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
