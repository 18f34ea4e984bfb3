package upstream

import (
	"net/mail"
	"slices"
	"strings"

	"closeloop/intake"
	"closeloop/policy"
	"closeloop/requirement"
)

// priorities are the words that systems have for priorities, in small letters.
var priorities = map[string]string{
	"blocker": "high", "critical": "high", "highest": "high", "urgent": "high", "high": "high", "major": "high",
	"medium": "medium", "moderate": "medium", "normal": "medium",
	"minor": "low", "low": "low", "lowest": "low", "trivial": "low", "planning": "low",
}

// builtIn is where the fields of a requirement come from when the policy does
// not say otherwise. A value that the policy does not have becomes its default.
var builtIn = policy.FieldSources{
	{Field: "title", Column: fieldTitle},
	{Field: "description", Column: fieldDescription},
	{Field: "customer", Column: fieldCustomer},
	{Field: "contact", Column: fieldContact},
	{Field: "attachments", Column: fieldURL},
	{Field: "priority", Column: fieldPriority, Values: priorities},
	{Field: "urgency", Column: fieldPriority, Values: map[string]string{
		"blocker": "urgent", "critical": "urgent", "highest": "urgent", "urgent": "urgent",
	}},
	{Field: "type", Column: fieldType, Values: map[string]string{
		"bug": "fault", "incident": "fault", "problem": "fault", "defect": "fault", "hardware": "fault", "network": "fault", "software": "fault",
		"story": "functional", "feature": "functional", "new feature": "functional", "epic": "functional",
		"improvement": "wish", "enhancement": "wish", "feature request": "wish", "suggestion": "wish",
		"question": "service", "service request": "service", "inquiry": "service", "task": "service",
		"complaint": "complaint", "billing": "price",
	}},
}

// sourcesOf are those of the policy, and the built-in ones for the rest.
func sourcesOf(u policy.Upstream) policy.FieldSources {
	all := slices.Clone(u.Fields)
	for _, s := range builtIn {
		if !slices.ContainsFunc(u.Fields, func(own policy.FieldSource) bool { return own.Field == s.Field }) {
			all = append(all, s)
		}
	}
	return all
}

// Submission makes the intake record of a ticket. It is valid under the rules
// whatever the ticket says: texts are bounded, and what the rules do not have is
// left to their defaults. A ticket is never lost for what somebody wrote into it.
func Submission(u policy.Upstream, i Item, rules policy.Process) requirement.Submission {
	s := intake.FromSources(sourcesOf(u)).Record(func(column string) string { return i.Fields[column] }, rules)
	s.Ref = i.Ref(u)
	s.Description = cut(clean(s.Description), requirement.MaxText)
	s.Title = line(s.Title)
	if s.Title == "" {
		s.Title = line(firstLine(s.Description))
	}
	if s.Title == "" {
		s.Title = s.Ref
	}
	s.Title = cut(s.Title, requirement.MaxTitle)
	s.Customer = cut(line(s.Customer), requirement.MaxName)
	if s.Customer == "" {
		s.Customer = u.Name
	}
	for _, t := range []*string{&s.Background, &s.Scenario, &s.Outcome, &s.Pain} {
		*t = cut(clean(*t), requirement.MaxText)
	}
	s.Contact = strings.TrimSpace(s.Contact)
	if a, err := mail.ParseAddress(s.Contact); err != nil || a.Address != s.Contact {
		s.Contact = ""
	}
	for _, c := range []struct {
		value   *string
		allowed []string
	}{
		{&s.Type, rules.Types},
		{&s.Channel, rules.Channels},
		{&s.Priority, policy.Priorities},
		{&s.Urgency, policy.Urgencies},
		{&s.Tier, policy.Tiers},
		{&s.Language, policy.Languages},
	} {
		if !slices.Contains(c.allowed, *c.value) {
			*c.value = ""
		}
	}
	s.Attachments = linksOf(s.Attachments)
	return s
}

// Bounds of the attachments.
const (
	maxLinks = 20
	maxLink  = 2_000
)

// linksOf are the web addresses among the texts.
func linksOf(texts []string) []string {
	var links []string
	for _, t := range texts {
		t = line(t)
		web := strings.HasPrefix(t, "https://") || strings.HasPrefix(t, "http://")
		if web && len(t) <= maxLink && len(links) < maxLinks && !slices.Contains(links, t) {
			links = append(links, t)
		}
	}
	return links
}
