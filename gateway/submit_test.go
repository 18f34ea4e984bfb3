package gateway

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
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
