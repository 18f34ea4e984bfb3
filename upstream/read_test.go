package upstream

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/policy"
	"closeloop/requirement"
)

// read is what a body of that kind says, which is one item.
func read(t *testing.T, kind policy.UpstreamKind, body string) Item {
	t.Helper()
	d, err := Read(policy.Upstream{Name: string(kind), Kind: kind}, "", []byte(body))
	require.NoError(t, err)
	require.Len(t, d.Items, 1, body)
	return d.Items[0]
}

const (
	githubIssue = `"repository": {"full_name": "acme/shop"}, "issue": {"number": 7, "title": "Slow", "state": "open", "user": {"login": "li"}, "updated_at": "2026-03-02T09:30:00Z"`
	jiraIssue   = `"issue": {"key": "OPS-1", "self": "https://acme.atlassian.net/rest/api/2/issue/1", "fields": {"summary": "Slow", "reporter": {"accountId": "u1", "displayName": "Li"}, "updated": "2026-03-02T17:30:00.000+0800"`
)

func TestComments(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		kind policy.UpstreamKind
		body string
		want Comment
	}{
		"GitHub, the author":                   {policy.GitHub, `{"action": "created", ` + githubIssue + `}, "comment": {"id": 5, "body": "again", "user": {"login": "li"}}}`, Comment{ID: "5", Text: "again", Author: "li", Name: "li", By: Customer}},
		"GitHub, another":                      {policy.GitHub, `{"action": "created", ` + githubIssue + `}, "comment": {"id": 5, "body": "again", "user": {"login": "wu"}}}`, Comment{ID: "5", Text: "again", Author: "wu", Name: "wu", By: Colleague}},
		"GitHub, a program":                    {policy.GitHub, `{"action": "created", ` + githubIssue + `}, "comment": {"id": 5, "body": "again", "user": {"login": "li", "type": "Bot"}}}`, Comment{ID: "5", Text: "again", Author: "li", Name: "li", By: Colleague}},
		"Jira, the reporter":                   {policy.Jira, `{"webhookEvent": "comment_created", ` + jiraIssue + `}}, "comment": {"id": "5", "body": "again", "author": {"accountId": "u1", "displayName": "Li"}}}`, Comment{ID: "5", Text: "again", Author: "u1", Name: "Li", By: Customer}},
		"Jira, a customer of the service desk": {policy.Jira, `{"webhookEvent": "comment_created", ` + jiraIssue + `}}, "comment": {"id": "5", "body": "again", "author": {"accountId": "u9", "accountType": "customer", "displayName": "Xu"}}}`, Comment{ID: "5", Text: "again", Author: "u9", Name: "Xu", By: Customer}},
		"Jira, not public":                     {policy.Jira, `{"webhookEvent": "comment_created", ` + jiraIssue + `}}, "comment": {"id": "5", "body": "again", "jsdPublic": false, "author": {"accountId": "u1", "displayName": "Li"}}}`, Comment{ID: "5", Text: "again", Author: "u1", Name: "Li", By: Colleague}},
		"Jira, a document":                     {policy.Jira, `{"webhookEvent": "comment_created", ` + jiraIssue + `}}, "comment": {"id": "5", "body": {"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "again"}]}]}, "author": {"accountId": "u1"}}}`, Comment{ID: "5", Text: "again", Author: "u1", By: Customer}},
		"Zendesk, an event":                    {policy.Zendesk, `{"type": "zen:event-type:ticket.comment_added", "time": "2026-03-02T09:30:00Z", "detail": {"id": "35", "subject": "Slow", "status": "OPEN", "requester_id": "8"}, "event": {"comment": {"id": "5", "body": "again", "is_public": true, "author": {"id": "8", "is_staff": false, "name": "Li"}}}}`, Comment{ID: "5", Text: "again", Author: "8", Name: "Li", By: Customer}},
		"Zendesk, staff":                       {policy.Zendesk, `{"type": "zen:event-type:ticket.comment_added", "detail": {"id": "35", "subject": "Slow", "status": "OPEN", "requester_id": "8"}, "event": {"comment": {"id": "5", "body": "again", "is_public": true, "author": {"id": "9", "is_staff": true}}}}`, Comment{ID: "5", Text: "again", Author: "9", By: Colleague}},
		"Zendesk, a trigger":                   {policy.Zendesk, `{"ticket": {"id": 35, "subject": "Slow", "status": "open", "requester_id": 8}, "comment": {"id": 5, "html_body": "<p>again</p>", "author_id": 8}}`, Comment{ID: "5", Text: "again", Author: "8", By: Customer}},
		"Freshdesk, incoming":                  {policy.Freshdesk, `{"id": 5, "ticket_id": 1, "body": "<div>again</div>", "incoming": true, "user_id": 8}`, Comment{ID: "5", Text: "again", Author: "8", By: Customer}},
		"ServiceNow":                           {policy.ServiceNow, `{"number": "INC1", "state": "2", "short_description": "Slow", "comments": "again", "work_notes": "secret", "sys_updated_by": "li", "caller_id": {"value": "8", "user_name": "li"}}`, Comment{ID: digestOf("again"), Text: "again", Author: "li", Name: "li", By: Customer}},
		"our own":                              {policy.StandardWebhooks, string(told("commented", "Slow", "open", 0, "c5")), Comment{ID: "c5", Text: "says c5", By: Customer}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := read(t, tc.kind, tc.body)
			require.Len(t, i.Comments, 1)
			got := i.Comments[0]
			if got.By == Somebody {
				got.By = sameSide(got.Author, i.Customer)
			}
			require.Equal(t, tc.want, got)
		})
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	jira := func(event, rest string) string {
		return `{"webhookEvent": "jira:` + event + `", ` + jiraIssue + rest + `}}}`
	}
	freshdesk := `{"freshdesk_webhook": {"ticket_id": "INC-17", "ticket_subject": "Slow", "ticket_status": "%s"}}`
	for name, tc := range map[string]struct {
		kind policy.UpstreamKind
		body string
		want State
	}{
		"GitHub, closed":             {policy.GitHub, strings.Replace(`{"action": "closed", `+githubIssue+`}}`, `"state": "open"`, `"state": "closed"`, 1), Closed},
		"GitHub, deleted":            {policy.GitHub, `{"action": "deleted", ` + githubIssue + `}}`, Deleted},
		"GitHub, moved":              {policy.GitHub, `{"action": "transferred", ` + githubIssue + `}, "changes": {"new_issue": {"html_url": "https://github.com/acme/x/issues/1"}}}`, Deleted},
		"Jira, done":                 {policy.Jira, jira("issue_updated", `, "status": {"statusCategory": {"key": "done"}}`), Closed},
		"Jira, at work":              {policy.Jira, jira("issue_updated", `, "status": {"statusCategory": {"key": "indeterminate"}}`), Open},
		"Jira, resolved":             {policy.Jira, jira("issue_updated", `, "resolution": {"name": "Fixed"}`), Closed},
		"Jira, a status of its own":  {policy.Jira, jira("issue_updated", `, "status": {"name": "Triaging"}`), Open},
		"Jira, nothing said":         {policy.Jira, jira("issue_updated", ``), Unknown},
		"Jira, deleted":              {policy.Jira, jira("issue_deleted", `, "status": {"name": "Open"}`), Deleted},
		"Zendesk, solved":            {policy.Zendesk, `{"type": "zen:event-type:ticket.status_changed", "detail": {"id": "1", "subject": "Slow", "status": "SOLVED"}}`, Closed},
		"Zendesk, deleted":           {policy.Zendesk, `{"type": "zen:event-type:ticket.soft_deleted", "detail": {"id": "1", "subject": "Slow", "status": "DELETED"}}`, Deleted},
		"Freshdesk, resolved":        {policy.Freshdesk, fmt.Sprintf(freshdesk, "Resolved"), Closed},
		"Freshdesk, its own status":  {policy.Freshdesk, fmt.Sprintf(freshdesk, "Waiting on us"), Open},
		"Freshdesk, deleted":         {policy.Freshdesk, `{"id": 1, "subject": "Slow", "status": 2, "deleted": true}`, Deleted},
		"ServiceNow, resolved":       {policy.ServiceNow, `{"number": "INC1", "state": {"value": "6", "display_value": "Resolved"}}`, Closed},
		"ServiceNow, on hold":        {policy.ServiceNow, `{"result": [{"number": "INC1", "state": "3"}]}`, Open},
		"ServiceNow, deleted":        {policy.ServiceNow, `{"operation": "delete", "record": {"number": "INC1", "state": "3"}}`, Deleted},
		"our own, closed":            {policy.StandardWebhooks, string(told("closed", "Slow", "", 0, "")), Closed},
		"our own, said by the state": {policy.StandardWebhooks, string(told("updated", "Slow", "resolved", 0, "")), Closed},
		"our own, deleted":           {policy.StandardWebhooks, string(told("deleted", "Slow", "open", 0, "")), Deleted},
		"our own, nothing said":      {policy.StandardWebhooks, string(told("updated", "Slow", "", 0, "")), Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, read(t, tc.kind, tc.body).State)
		})
	}
}

func TestWhatMeansNothing(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		for _, body := range []string{
			`{}`, `[]`, `null`, `1`, `"text"`, `[[[]]]`, `{"ticket": 1}`, `{"ticket": {}}`, `{"issue": {"key": "A-1"}}`, `{"result": []}`, `{"freshdesk_webhook": {}}`,
			`{"action": "created", "label": {"name": "bug"}, "repository": {"full_name": "a/b"}}`,
			`{"action": "created", "repository": {"full_name": "a/b"}, "issue": {"number": 1, "title": "x", "pull_request": {"url": "u"}}}`,
		} {
			d, err := Read(policy.Upstream{Name: "x", Kind: kind}, "", []byte(body))
			require.NoError(t, err)
			require.Empty(t, d.Items, "%s: %s", kind, body)
		}
	}
}

func TestSubmissionsOfEachKind(t *testing.T) {
	t.Parallel()
	rules := policy.Default().Process
	i := read(t, policy.GitHub, `{"action": "opened", `+githubIssue+`, "body": "It takes minutes", "html_url": "https://github.com/acme/shop/issues/7", "labels": [{"name": "ui"}, {"name": "Priority: High"}, {"name": "Bug"}]}}`)
	require.Equal(t, requirement.Submission{
		Title: "Slow", Description: "It takes minutes", Customer: "li", Ref: "github:acme/shop#7", Attachments: []string{"https://github.com/acme/shop/issues/7"},
		Attributes: policy.Attributes{Priority: "high", Type: "fault"},
	}, Submission(policy.Upstream{Name: "github"}, i, rules))

	u := policy.Upstream{Name: "fd", Kind: policy.Freshdesk, Fields: policy.FieldSources{
		{Field: "tier", Column: "freshdesk_webhook.plan", Values: map[string]string{"Gold": "P1"}},
		{Field: "background", Template: "plan {freshdesk_webhook.plan}"},
		{Field: "type", Column: "freshdesk_webhook.nothing", Default: "complaint"},
	}}
	i = read(t, policy.Freshdesk, `{"freshdesk_webhook": {"ticket_id": 17, "ticket_subject": "Slow", "ticket_description": "<p>a &amp; b</p>", "plan": "gold", "ticket_requester_email": "li@acme.example", "ticket_priority": "Urgent", "ticket_type": "Question"}}`)
	require.Equal(t, requirement.Submission{
		Title: "Slow", Description: "a & b", Customer: "li@acme.example", Contact: "li@acme.example", Ref: "fd:17", Background: "plan gold",
		Attributes: policy.Attributes{Priority: "high", Urgency: "urgent", Tier: "P1", Type: "complaint"},
	}, Submission(u, i, rules))
}

// Whatever a ticket says, a requirement can be made of it.
func TestEverySubmissionIsValid(t *testing.T) {
	t.Parallel()
	p := policy.Default()
	rapid.Check(t, func(t *rapid.T) {
		odd := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
			"", " ", "\x00\x1b", strings.Repeat("需", 12_000), "<script>alert(1)</script>", "'; DROP TABLE requirement; --", "🙂\u202Etxt", "\uFFFD", "https://x", "urgent",
		}))
		ticket := map[string]string{}
		for _, field := range []string{"title", "description", "customer", "contact", "priority", "type", "url", "state", "updated_at", "language"} {
			ticket[field] = odd.Draw(t, field)
		}
		ticket["id"] = rapid.StringN(1, -1, 400).Draw(t, "id")
		body, err := json.Marshal(map[string]any{"data": map[string]any{"ticket": ticket}})
		require.NoError(t, err)
		u := policy.Upstream{Name: "shop", Kind: policy.StandardWebhooks, Fields: policy.FieldSources{
			{Field: "channel", Column: "data.ticket.title"},
			{Field: "pain", Template: "{data.ticket.title} {data.ticket.url}"},
			{Field: "language", Column: "data.ticket.language"},
			{Field: "tier", Column: "data.ticket.type"},
		}}
		d, err := Read(u, "", body)
		require.NoError(t, err)
		for _, i := range d.Items {
			s := Submission(u, i, p.Process)
			require.NoError(t, s.Fill(p.Defaults).Valid(p.Process))
			require.True(t, strings.HasPrefix(s.Ref, "shop:"))
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"action": "created", ` + githubIssue + `}}`))
	f.Add([]byte(`{"webhookEvent": "jira:issue_created", ` + jiraIssue + `}}}`))
	f.Add([]byte(`{"ticket": {"id": 1, "subject": "x", "status": "open"}, "audit": {"events": [{"type": "Comment"}]}}`))
	f.Add([]byte(`{"freshdesk_webhook": {"ticket_id": 1, "ticket_subject": "x"}}`))
	f.Add([]byte(`{"result": {"number": "INC1", "state": "1"}}`))
	f.Add(told("created", "x", "open", 0, "c"))
	p := policy.Default()
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, kind := range kinds {
			u := policy.Upstream{Name: "shop", Kind: kind}
			d, err := Read(u, "", body)
			if err != nil {
				require.ErrorIs(t, err, ErrNotJSON)
				continue
			}
			for _, i := range d.Items {
				require.NoError(t, Submission(u, i, p.Process).Fill(p.Defaults).Valid(p.Process))
			}
		}
	})
}

func TestMoments(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	for _, text := range []string{
		"2026-03-02T09:30:00Z", "2026-03-02T17:30:00+08:00", "2026-03-02T17:30:00.000+0800", "2026-03-02 09:30:00", "2026-03-02T09:30:00.0000001Z",
	} {
		require.Equal(t, want, moment(text), text)
	}
	for _, text := range []string{"", "yesterday", "2026-13-01T00:00:00Z"} {
		require.True(t, moment(text).IsZero(), text)
	}
}

// A body that tells no time is another event when it comes back later.
func TestUntimedBodies(t *testing.T) {
	t.Parallel()
	u := policy.Upstream{Name: "fd", Kind: policy.Freshdesk}
	body := []byte(`{"freshdesk_webhook": {"ticket_id": 17, "ticket_subject": "Slow", "ticket_status": "Open"}}`)
	keep := func(body []byte, at time.Time) Kept {
		p, err := Verify(u, []string{"s"}, signedBy(u.Kind, "s", "", at, body), body, at)
		require.NoError(t, err)
		return Keep(u, p, "", body, at)
	}
	first := keep(body, noon)
	require.Equal(t, first.ID, keep(body, noon.Add(9*time.Minute)).ID)
	later := keep(body, noon.Add(10*time.Minute))
	require.NotEqual(t, first.ID, later.ID)
	require.NotEqual(t, first.Signed, later.Signed)
	timed := []byte(`{"id": 17, "subject": "Slow", "status": 2, "updated_at": "2026-03-02T09:30:00Z"}`)
	require.Equal(t, keep(timed, noon).ID, keep(timed, noon.Add(time.Hour)).ID)
}
