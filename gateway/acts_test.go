package gateway

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/requirement"
)

// TestActs takes requirements through all acts over HTTP, each by somebody whose
// it is to do.
func TestActs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	done := map[string]bool{}
	does := func(who, id, act string, body any) {
		t.Helper()
		s.does(who, id, act, body)
		done[act] = true
	}
	type fields = map[string]any
	// From intake to archive, with a hold, a dispute and a hand-back.
	jira := ref("jira")
	id := s.submit(fields{"ref": jira})
	system := "upstream:jira"
	does("wang.fang", id, "triage", fields{"department": "technology", "priority": "high"})
	does("wang.fang", id, "assign", fields{"to": "zhang.wei"})
	does("zhang.wei", id, "accept", nil)
	does("zhang.wei", id, "hand-back", fields{"reason": "not mine"})
	does("wang.fang", id, "assign", fields{"to": "zhang.wei", "reason": "it is"})
	does("zhang.wei", id, "respond", fields{"method": "phone", "message": "we see it"})
	does("zhang.wei", id, "plan", fields{"steps": []fields{{"what": "index", "owner": "zhang.wei", "due": "2099-01-01T00:00:00Z"}}})
	does("zhang.wei", id, "progress", fields{"message": "half way", "done_steps": []int{1}})
	does("zhang.wei", id, "hold", fields{"reason": "the log, please"})
	does(system, id, "resume", fields{"message": "here it is"})
	does(system, id, "comment", fields{"message": "hurry"})
	does(system, id, "amend", fields{"title": "导出报表太慢"})
	does("wang.fang", id, "reprioritise", fields{"priority": "low", "reason": "a workaround"})
	does("zhang.wei", id, "resolve", fields{"solution": "index added", "root_cause": "a scan"})
	does(system, id, "dispute", fields{"reason": "still slow"})
	does("zhang.wei", id, "resolve", fields{"solution": "asynchronous"})
	does(system, id, "confirm", fields{"rating": 5, "comment": "fast"})
	v := s.get(system, "/v1/requirements/"+id).is(http.StatusOK)
	require.Equal(t, "archived", v.text("stage"))
	s.post("wang.fang", "/v1/requirements/"+id+"/comment", fields{"message": "x"}).refused(http.StatusConflict, "over")

	// Two rounds of approval.
	id = s.submit(fields{"type": "commercial"})
	does("wang.fang", id, "triage", nil)
	var asked requirement.View
	s.get("wang.fang", "/v1/requirements/"+id).into(&asked)
	require.Equal(t, requirement.Reviewing, asked.Stage)
	require.Eventually(t, func() bool {
		s.get("wang.fang", "/v1/requirements/"+id).into(&asked)
		return len(asked.Approval.Votes) == 3
	}, waitFor, tick)
	does("zhao.lei", id, "delegate", fields{"to": "zhang.wei"})
	does("zhang.wei", id, "decline", fields{"reason": "too cheap"})
	does("liu.yang", id, "decline", fields{"reason": "no"})
	s.post("wang.fang", "/v1/requirements/"+id+"/resolve", fields{"solution": "x"}).refused(http.StatusConflict, "wrong_stage")
	does("wang.fang", id, "appeal", fields{"reason": "they pay more"})
	require.Eventually(t, func() bool {
		s.get("wang.fang", "/v1/requirements/"+id).into(&asked)
		return len(asked.Approval.Votes) == 3
	}, waitFor, tick)
	does("liu.yang", id, "approve", fields{"comment": "well"})
	s.post("liu.yang", "/v1/requirements/"+id+"/approve", nil).refused(http.StatusConflict, "already_decided")

	// The ways out.
	other := s.submit()
	does("wang.fang", other, "merge", fields{"into": id})
	gone := s.submit()
	does("wang.fang", gone, "withdraw", fields{"reason": "not wanted"})
	s.post("wang.fang", "/v1/requirements/"+id+"/merge", fields{"into": id}).refused(http.StatusConflict, "merge_cycle")

	for _, rule := range requirement.Table {
		require.True(t, done[string(rule.Act)], rule.Act)
	}
	// Who did it, and how they were known, is on record.
	var facts []Fact
	s.get("wang.fang", "/v1/requirements/"+gone+"/events?after=1").is(http.StatusOK).into(&facts)
	withdrawn := 0
	for _, f := range facts {
		if f.Kind == requirement.WasWithdrawn {
			withdrawn++
			require.Equal(t, "wang.fang", f.Actor)
			require.Equal(t, "token:t1", f.Via)
		}
		require.Greater(t, f.Seq, 1)
	}
	require.Equal(t, 1, withdrawn)
	var one []Fact
	s.get("wang.fang", "/v1/requirements/"+gone+"/events?limit=1").is(http.StatusOK).into(&one)
	require.Len(t, one, 1)
	require.Equal(t, requirement.Submitted, one[0].Kind)

	require.Equal(t, gone, s.get("wang.fang", "/v1/requirements/"+strings.ToLower(gone)+"/explain?all=true").is(http.StatusOK).text("id"))
}

// TestWhoMay: what is out of reach is not there, what may be read and not done is
// refused.
func TestWhoMay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.submit(map[string]any{"ref": ref("jira")})
	s.does("wang.fang", id, "triage", map[string]any{"department": "technology"})
	path := "/v1/requirements/" + id
	hold := map[string]any{"reason": "x"}
	for who, want := range map[string]struct{ read, hold, withdraw int }{
		"wang.fang":        {200, 200, 200},
		"zhang.wei":        {200, 200, 403}, // an agent of the department
		"li.na":            {404, 404, 404}, // an agent of another
		"sun.li":           {200, 200, 200},
		"reader:audit":     {200, 403, 403},
		"upstream:jira":    {200, 403, 200},
		"upstream:jira2":   {404, 404, 404},
		"wang.fang/read":   {200, 403, 403},
		"wang.fang/submit": {403, 403, 403}, // a token that reads nothing is told so
		"nobody":           {401, 401, 401},
		"":                 {401, 401, 401},
	} {
		t.Run(who, func(t *testing.T) {
			code := map[int]string{403: "not_your_role", 404: "not_found", 401: "unauthenticated"}
			check := func(r reply, want int) {
				t.Helper()
				r.t = t
				if want < 400 {
					// What the process says to it is another matter.
					require.NotContains(t, []int{401, 403, 404}, r.status, r.body)
					return
				}
				r.refused(want, code[want])
			}
			check(s.get(who, path), want.read)
			check(s.get(who, path+"/events"), want.read)
			check(s.get(who, path+"/explain"), want.read)
			check(s.post(who, path+"/hold", hold), want.hold)
			// A body that is wrong, so that nothing happens where it is allowed.
			if want.withdraw >= 400 {
				check(s.post(who, path+"/withdraw", hold), want.withdraw)
			}
		})
	}
	answer := s.get("", path)
	require.Equal(t, `Bearer realm="closeloop"`, answer.header.Get("WWW-Authenticate"))

	for who, want := range map[string]int{"upstream:jira": 1, "upstream:x": 0, "li.na": 0, "zhang.wei": 1, "reader:a": 1} {
		var page struct {
			Rows  []struct{ ID string }
			Total int
		}
		s.get(who, "/v1/requirements?count=true").is(http.StatusOK).into(&page)
		require.Len(t, page.Rows, want, who)
		require.Equal(t, want, page.Total, who)
	}
	// An empty list would say that there is nothing.
	for _, all := range []string{"/v1/requirements", "/v1/events"} {
		s.get("wang.fang/submit", all).refused(http.StatusForbidden, "not_your_role")
	}
	// A system takes in what is its own.
	s.post("upstream:jira", "/v1/requirements", map[string]any{"title": "a", "customer": "b", "ref": ref("jira")}).is(http.StatusCreated)
	s.post("upstream:jira", "/v1/requirements", map[string]any{"title": "a", "customer": "b", "ref": ref("crm")}).refused(http.StatusForbidden, "not_your_role")
	s.post("upstream:jira", "/v1/requirements", map[string]any{"title": "a", "customer": "b"}).refused(http.StatusForbidden, "not_your_role")
	require.Contains(t, s.post("upstream:jira", "/v1/requirements", map[string]any{"title": "a", "customer": "b"}).text("detail"), "begins with jira:")
	s.post("reader:a", "/v1/requirements", map[string]any{"title": "a", "customer": "b"}).refused(http.StatusForbidden, "not_your_role")
}
