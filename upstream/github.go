package upstream

import (
	"strings"
)

// github reads the webhooks of issues and their comments. Pull requests are no
// tickets, although their comments come the same way.
func github(root node, event string) Delivery {
	action := root.at("action").text()
	issue, comment := root.at("issue"), root.at("comment")
	if event == "" {
		switch {
		case issue.object() && comment.object():
			event = "issue_comment"
		case issue.object():
			event = "issues"
		case root.at("label").object():
			event = "label"
		case root.at("milestone").object():
			event = "milestone"
		case root.at("zen").is():
			event = "ping"
		}
	}
	d := Delivery{Event: event}
	if suffix := "." + action; action != "" && !strings.HasSuffix(event, suffix) {
		d.Event += suffix
	}
	repository, number := root.at("repository.full_name").text(), issue.at("number").text()
	if repository == "" || number == "" || issue.at("pull_request").is() {
		return d
	}
	t := ticket{
		id: repository + "#" + number, title: issue.at("title").text(), description: issue.at("body").text(),
		customer: issue.first("user.name", "user.login"), customerID: issue.at("user.login").text(),
		kind: issue.at("type.name").text(), url: issue.at("html_url").text(),
		at: moment(issue.at("updated_at").text()),
	}
	labels := labelsOf(issue)
	t.priority = priorityAmong(labels)
	if t.kind == "" {
		t.kind = strings.Join(labels, separator)
	}
	switch issue.at("state").text() {
	case "open":
		t.state = Open
	case "closed":
		t.state = Closed
	}
	i := t.item(flatten(root.v))
	i.By = sameSide(root.at("sender.login").text(), t.customerID)
	if comment.object() {
		if c, ok := githubComment(comment, action); ok {
			i.Comments = []Comment{c}
		}
	} else {
		switch action {
		case "deleted":
			i.State = Deleted
		case "transferred":
			i.State, i.Moved = Deleted, root.first("changes.new_issue.html_url")
		}
	}
	d.Items = []Item{i}
	return d
}

// githubComment is what was written; what was written before and is changed now
// is another text of the same comment.
func githubComment(comment node, action string) (Comment, bool) {
	c := Comment{
		ID: comment.at("id").text(), Text: clean(comment.at("body").text()),
		Author: comment.at("user.login").text(), Name: comment.at("user.login").text(),
	}
	if comment.at("user.type").text() == "Bot" || comment.at("performed_via_github_app").is() {
		c.By = Colleague
	}
	switch action {
	case "created", "":
	case "edited":
		c.ID += "-" + digestOf(c.Text)
	default:
		return c, false
	}
	return c, true
}

func labelsOf(issue node) []string {
	var labels []string
	for _, l := range issue.at("labels").list() {
		if name := l.first("name"); name != "" {
			labels = append(labels, name)
		} else if name := l.text(); name != "" {
			labels = append(labels, name)
		}
	}
	return labels
}

// priorityAmong finds the label that says a priority: high, priority: high,
// prio/high, P1.
func priorityAmong(labels []string) string {
	for _, label := range labels {
		words := strings.FieldsFunc(strings.ToLower(label), func(r rune) bool { return strings.ContainsRune(" :/-_", r) })
		if len(words) == 0 {
			continue
		}
		last := words[len(words)-1]
		named := len(words) > 1 && strings.HasPrefix(words[0], "prio") || len(words) > 1 && words[0] == "severity"
		if _, known := priorities[last]; known && (named || len(words) == 1) {
			return last
		}
	}
	return ""
}
