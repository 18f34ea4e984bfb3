package gateway

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/ledger"
	"closeloop/notify"
	"closeloop/requirement"
)

func TestSubmitAndShow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	jira := ref("jira")
	body := map[string]any{"title": "导出报表", "customer": "Acme", "ref": jira}
	first := s.post("wang.fang", "/v1/requirements", body).is(http.StatusCreated)
	id := first.text("id")
	require.Equal(t, "/v1/requirements/"+id, first.header.Get("Location"))
	require.JSONEq(t, `{"id":"`+id+`","created":true,"stage":"received","ref":"`+jira+`"}`, first.body)
	again := s.post("wang.fang", "/v1/requirements", body).is(http.StatusOK)
	require.JSONEq(t, `{"id":"`+id+`","created":false,"stage":"received","ref":"`+jira+`"}`, again.body)

	// It is readable at once, also while the ledger does not have it yet.
	shown := s.get("wang.fang", first.header.Get("Location")).is(http.StatusOK)
	require.Equal(t, "导出报表", shown.text("title"))
	require.Equal(t, "wang.fang", shown.text("submitted_by"))
	s.settled(id)
	require.Equal(t, "received", s.get("wang.fang", "/v1/requirements/"+id).is(http.StatusOK).text("stage"))
}

// TestEmptyIsLeftOut: programs with types send what they do not set as an empty
// text. Where a value is needed, an empty one is none.
func TestEmptyIsLeftOut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.post("wang.fang", "/v1/requirements", map[string]any{
		"title": "a", "customer": "b", "priority": "", "urgency": "", "tier": "", "language": "", "type": "", "channel": "",
		"contact": "", "ref": "", "description": "", "on_hold": "", "attachments": []string{},
	}).is(http.StatusCreated)
	id := s.submit()
	s.does("wang.fang", id, "triage", map[string]any{"priority": "", "urgency": "", "type": "", "department": ""})
	for path, body := range map[string]map[string]any{
		"reprioritise": {"priority": "", "reason": "x"},
		"respond":      {"method": "", "message": "x"},
	} {
		p := s.post("wang.fang", "/v1/requirements/"+id+"/"+path, body).refused(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, "not_one_of", p.Errors[0].Problem, path)
	}
	p := s.post("wang.fang", "/v1/requirements", map[string]any{"title": "a", "customer": "b", "tier": "P9"}).refused(http.StatusUnprocessableEntity, "invalid")
	require.Equal(t, "it is not one of P1, P2, P3", p.Errors[0].Message)
}

// TestASystemRecordsUnderItsOwnName: what a system submits was recorded by it and
// not by its customer, who is told that it was received.
func TestASystemRecordsUnderItsOwnName(t *testing.T) {
	t.Parallel()
	shop := systemNamed("shop")
	s := newSite(t, withUpstreams(t, fmt.Sprintf("  - {name: %s, kind: standard}\n", shop)))
	u, known := s.gate.Policy.Current().Upstream(shop)
	require.True(t, known)
	var hooked accepted
	s.hook(u, "d1", []byte(`{"type":"ticket.created","data":{"ticket":{"id":"2","title":"a","customer":"Acme","contact":"li@acme.example"}}}`)).
		is(http.StatusAccepted).into(&hooked)
	require.Len(t, hooked.Requirements, 1)
	for id, via := range map[string]string{
		s.post("upstream:"+shop, "/v1/requirements", map[string]any{
			"title": "a", "customer": "Acme", "contact": "li@acme.example", "ref": shop + ":1",
		}).is(http.StatusCreated).text("id"): "token:" + shop,
		hooked.Requirements[0]: "webhook:" + shop,
	} {
		s.settled(id)
		var facts []Fact
		s.get("wang.fang", "/v1/requirements/"+id+"/events").is(http.StatusOK).into(&facts)
		require.Equal(t, requirement.Submitted, facts[0].Kind)
		require.Equal(t, "upstream:"+shop, facts[0].Actor)
		require.Equal(t, via, facts[0].Via)
		told, err := s.books.Notices(t.Context(), ledger.NoticeFilter{
			Requirement: id, Events: []requirement.Kind{requirement.Submitted}, Recipient: notify.ToCustomer,
		})
		require.NoError(t, err)
		require.NotEmpty(t, told.Notices, "the customer hears that it was received")
	}
}
