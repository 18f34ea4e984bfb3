package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/requirement"
)

func TestActs(t *testing.T) {
	t.Parallel()
	h := requirement.Header{ActID: "k1", Actor: "li.na", Via: "cli"}
	for call, want := range map[string]requirement.Act{
		"triage ID --type price --priority high --urgency urgent --department product --need-approval": requirement.Triage{
			Header: h, Type: "price", Priority: "high", Urgency: "urgent", Department: "product", NeedApproval: true,
		},
		"triage ID":                                   requirement.Triage{Header: h},
		"approve ID --comment fine":                   requirement.Approve{Header: h, Comment: "fine"},
		"decline ID --reason no":                      requirement.Decline{Header: h, Reason: "no"},
		"delegate ID --to liu.yang":                   requirement.Delegate{Header: h, To: "liu.yang"},
		"assign ID --to wu.lei --department tech":     requirement.Assign{Header: h, To: "wu.lei", Department: "tech"},
		"accept ID":                                   requirement.Accept{Header: h},
		"hand-back ID --reason no":                    requirement.HandBack{Header: h, Reason: "no"},
		"respond ID --method phone --message called":  requirement.Respond{Header: h, Method: "phone", Message: "called"},
		"progress ID -m half --done 1 --done 3":       requirement.Progress{Header: h, Message: "half", DoneSteps: []int{1, 3}},
		"hold ID --reason parts --for supplier":       requirement.PutOnHold{Header: h, Reason: "parts", For: "supplier"},
		"hold ID --reason logs":                       requirement.PutOnHold{Header: h, Reason: "logs"},
		"resume ID":                                   requirement.Resume{Header: h},
		"resume ID --message here":                    requirement.Resume{Header: h, Message: "here"},
		"resolve ID --solution done --root-cause bug": requirement.Resolve{Header: h, Solution: "done", RootCause: "bug"},
		"confirm ID --rating 5 --comment good":        requirement.Confirm{Header: h, Rating: 5, Comment: "good"},
		"confirm ID":                                  requirement.Confirm{Header: h},
		"dispute ID --reason no":                      requirement.Dispute{Header: h, Reason: "no"},
		"amend ID --title other":                      requirement.Amend{Header: h, Title: "other"},
		"reprioritise ID --priority low --reason no":  requirement.Reprioritise{Header: h, Priority: "low", Reason: "no"},
		"merge ID --into 3f8tz0wc":                    requirement.Merge{Header: h, Into: "REQ-3F8TZ0WC"},
		"withdraw ID --reason no":                     requirement.Withdraw{Header: h, Reason: "no"},
		"appeal ID --reason yes":                      requirement.Appeal{Header: h, Reason: "yes"},
		"comment ID -m hello":                         requirement.Comment{Header: h, Message: "hello"},
		"plan ID --step look;wu.lei;2h --step a;b;;2026-12-01T18:00:00+08:00": requirement.Plan{Header: h, Steps: []requirement.PlanStep{
			{What: "look", Owner: "wu.lei", Due: noon.Add(2 * time.Hour)},
			{What: "a;b", Due: time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)},
		}},
	} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			// Ids are typed as people like.
			args := strings.Fields(strings.Replace(call, "ID", "7k2m9qxa", 1))
			d := &fakeDesk{}
			got := calling{args: append(args, "--as", "li.na", "--act-id", "k1", "-o", "json"), desk: d}.run(t)
			require.Zero(t, got.status, got.err)
			require.Equal(t, []string{someID}, d.ids)
			require.Equal(t, []requirement.Act{want}, d.acts)
			require.Empty(t, got.err)
			var answer map[string]any
			require.NoError(t, json.Unmarshal([]byte(got.out), &answer))
			require.Equal(t, map[string]any{
				"id": someID, "act": string(want.Name()), "accepted": true, "stage": "executing", "seq": 7.0,
			}, answer)
		})
	}
}

func TestEveryActHasItsCommand(t *testing.T) {
	t.Parallel()
	root := newApp(nil, nil, nil, nil, nil).root()
	for _, rule := range requirement.Table {
		c, _, err := root.Find([]string{string(rule.Act)})
		require.NoError(t, err)
		require.Equal(t, string(rule.Act), c.Name())
	}
}

func TestActForPeople(t *testing.T) {
	t.Parallel()
	deadline := noon.Add(90 * time.Minute)
	d := &fakeDesk{view: requirement.View{
		ID: someID, NextDeadline: &deadline,
		Clocks: []requirement.ClockView{{Name: "resolution", State: "running", TargetSeconds: 86400, Deadline: &deadline}},
	}}
	args := []string{"accept", someID, "--as", "wu.lei"}
	require.Equal(t, "Done: accept · REQ-7K2M9QXA · being worked on · resolution 1 h 30 min left\n", calling{args: args, desk: d}.run(t).out)
	require.Equal(t, "已完成：接受任务 · REQ-7K2M9QXA · 执行中 · 需求解决 还剩 1 小时 30 分\n",
		calling{args: append(args, "--lang", "zh-CN"), desk: d}.run(t).out)
	require.Empty(t, calling{args: append(args, "-q"), desk: d}.run(t).out)
}

func TestSubmit(t *testing.T) {
	t.Parallel()
	d := &fakeDesk{}
	got := calling{
		args: []string{
			"submit", "-f", "-", "--urgency", "urgent", "--attachment", "https://a", "--attachment", "https://b,c",
			"--as", "li.na", "--act-id", "k1", "-o", "json",
		},
		in:   "\ufeff" + `{"title":"导出报表太慢","customer":"云栖科技","urgency":"general","priority":"high"}`,
		desk: d,
	}.run(t)
	require.Zero(t, got.status, got.err)
	require.JSONEq(t, `{"id":"REQ-7K2M9QXA","created":true,"stage":"received"}`, got.out)
	want := requirement.Submission{Title: "导出报表太慢", Customer: "云栖科技", SubmittedBy: "li.na", Via: "cli", Attachments: []string{"https://a", "https://b,c"}}
	want.Urgency, want.Priority = "urgent", "high"
	require.Equal(t, []requirement.Submission{want}, d.submitted, "flags override the file; defaults are the worker's")
	require.Equal(t, []string{"act:k1"}, d.keys)
	require.Equal(t, someID+"\n", calling{args: []string{"submit", "--title", "x", "--customer", "y", "-q"}, desk: d}.run(t).out)
}

func TestAcknowledge(t *testing.T) {
	t.Parallel()
	climbing := func(ids ...string) *fakeDesk {
		d := &fakeDesk{}
		d.view.Escalations = []requirement.EscalationView{{ID: "old-1", State: requirement.EscalationOver}}
		for _, id := range ids {
			d.view.Escalations = append(d.view.Escalations, requirement.EscalationView{ID: id, State: requirement.EscalationClimbs})
		}
		return d
	}
	for name, tc := range map[string]struct {
		desk   *fakeDesk
		args   []string
		status int
		acked  []string
		said   string
	}{
		"the only one":       {climbing("response-1"), nil, 0, []string{someID + " response-1 zhou.tao"}, "acknowledge"},
		"the one named":      {climbing("response-1", "resolution-1"), []string{"--escalation", "resolution-1"}, 0, []string{someID + " resolution-1 zhou.tao"}, "resolution-1"},
		"all that call":      {climbing("response-1", "resolution-1"), nil, 0, []string{someID + " response-1 zhou.tao", someID + " resolution-1 zhou.tao"}, "response-1, resolution-1"},
		"none":               {climbing(), nil, 4, nil, "no escalation of " + someID},
		"one that is not it": {climbing("response-1"), []string{"--escalation", "x"}, 3, nil, "old-1, response-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := calling{args: append([]string{"ack", someID, "--as", "zhou.tao"}, tc.args...), desk: tc.desk}.run(t)
			require.Equal(t, tc.status, got.status, got.err)
			require.Equal(t, tc.acked, tc.desk.acked)
			require.Contains(t, got.out+got.err, tc.said)
		})
	}
}
