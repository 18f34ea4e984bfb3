package gateway

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/requirement"
)

// secret is in everything that is wrong, and must be in no answer and no log.
const secret = "S3CRET"

// TestBadInput: everything is answered with a problem that says what is wrong
// where, quotes nothing, and changes nothing.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.submit()
	s.does("wang.fang", id, "triage", nil)
	s.does("wang.fang", id, "assign", map[string]any{"to": "zhang.wei"})
	// done are the facts that people brought about; others are added by themselves.
	done := func() (facts []Fact) {
		s.get("reader:a", "/v1/requirements/"+id+"/events").is(http.StatusOK).into(&facts)
		return slices.DeleteFunc(facts, func(f Fact) bool { return f.Actor == requirement.SystemActor })
	}
	before := done()
	require.NotEmpty(t, before)
	intake, acts := "/v1/requirements", "/v1/requirements/"+id+"/"
	for name, c := range map[string]struct {
		path, body string
		header     []string
		status     int
		code       string
		// fields are LOCATION PROBLEM of those that must be named.
		fields []string
	}{
		"truncated":                {path: intake, body: `{"title":"` + secret, status: 400, code: "malformed"},
		"nothing but an opening":   {path: intake, body: `{`, status: 400, code: "malformed"},
		"two objects":              {path: intake, body: `{"title":"a","customer":"b"} {"x":"` + secret + `"}`, status: 400, code: "malformed"},
		"not JSON":                 {path: intake, body: secret, status: 400, code: "malformed"},
		"nested without end":       {path: intake, body: strings.Repeat("[", 500_000), status: 400, code: "malformed"},
		"not UTF-8":                {path: intake, body: "{\"title\":\"" + secret + "\xff\",\"customer\":\"b\"}", status: 400, code: "malformed"},
		"another character set":    {path: intake, body: "{\"title\":\"\xb5\xbc\xb3\xf6\",\"customer\":\"b\"}", header: []string{"Content-Type", "application/json; charset=gbk"}, status: 400, code: "malformed"},
		"10 MB":                    {path: intake, body: `{"title":"` + strings.Repeat(secret, 1_700_000) + `"}`, status: 413, code: "too_large"},
		"a byte too many":          {path: intake, body: strings.Repeat(" ", maxBody) + "1", status: 413, code: "too_large"},
		"a form":                   {path: intake, body: "title=" + secret, header: []string{"Content-Type", "application/x-www-form-urlencoded"}, status: 415, code: "unsupported_media_type"},
		"no content type":          {path: intake, body: `{"title":"a","customer":"b"}`, header: []string{"Content-Type", ""}, status: 415, code: "unsupported_media_type"},
		"compressed":               {path: intake, body: secret, header: []string{"Content-Encoding", "gzip"}, status: 415, code: "unsupported_media_type"},
		"nothing at all":           {path: intake, status: 422, code: "invalid", fields: []string{"body.customer missing", "body.title missing"}},
		"null":                     {path: intake, body: `null`, status: 422, code: "invalid", fields: []string{"body wrong_type"}},
		"a list":                   {path: intake, body: `[]`, status: 422, code: "invalid", fields: []string{"body wrong_type"}},
		"a text":                   {path: intake, body: `"` + secret + `"`, status: 422, code: "invalid", fields: []string{"body wrong_type"}},
		"empty fields":             {path: intake, body: `{"title":"  ","customer":""}`, status: 422, code: "invalid", fields: []string{"body.title missing"}},
		"wrong types":              {path: intake, body: `{"title":{"a":"` + secret + `"},"customer":17,"attachments":"x","contact":null}`, status: 422, code: "invalid", fields: []string{"body.attachments wrong_type", "body.customer wrong_type", "body.title wrong_type"}},
		"a title that is null":     {path: intake, body: `{"title":null,"customer":"b"}`, status: 422, code: "invalid", fields: []string{"body.title wrong_type"}},
		"an unknown field":         {path: intake, body: `{"title":"a","customer":"b","titel":"` + secret + `"}`, status: 422, code: "invalid", fields: []string{"body.titel unknown_field"}},
		"a field in capitals":      {path: intake, body: `{"Title":"a","customer":"b"}`, status: 422, code: "invalid", fields: []string{"body.Title unknown_field", "body.title missing"}},
		"a field that is markup":   {path: intake, body: `{"title":"a","customer":"b","<b>` + secret + `</b>":1}`, status: 422, code: "invalid", fields: []string{"body unknown_field"}},
		"a field without end":      {path: intake, body: `{"title":"a","customer":"b","` + strings.Repeat(secret, 100) + `":1}`, status: 422, code: "invalid", fields: []string{"body unknown_field"}},
		"somebody else's name":     {path: intake, body: `{"title":"a","customer":"b","submitted_by":"sun.li","via":"cli"}`, status: 422, code: "invalid", fields: []string{"body.submitted_by unknown_field", "body.via unknown_field"}},
		"too long a title":         {path: intake, body: `{"title":"` + strings.Repeat("题", 201) + `","customer":"b"}`, status: 422, code: "invalid", fields: []string{"body.title too_long"}},
		"too long a description":   {path: intake, body: `{"title":"a","customer":"b","description":"` + strings.Repeat("é", 10_001) + `"}`, status: 422, code: "invalid", fields: []string{"body.description too_long"}},
		"a bell":                   {path: intake, body: `{"title":"` + secret + `\u0007","customer":"b"}`, status: 422, code: "invalid", fields: []string{"body.title control_character"}},
		"a NUL":                    {path: intake, body: `{"title":"a","customer":"` + secret + `\u0000"}`, status: 422, code: "invalid", fields: []string{"body.customer control_character"}},
		"a raw control character":  {path: intake, body: "{\"title\":\"" + secret + "\x01\",\"customer\":\"b\"}", status: 400, code: "malformed"},
		"no address":               {path: intake, body: `{"title":"a","customer":"b","contact":"` + secret + ` <x@y>"}`, status: 422, code: "invalid", fields: []string{"body.contact not_an_address"}},
		"no reference":             {path: intake, body: `{"title":"a","customer":"b","ref":"` + secret + `"}`, status: 422, code: "invalid", fields: []string{"body.ref not_a_reference"}},
		"a priority of their own":  {path: intake, body: `{"title":"a","customer":"b","priority":"` + secret + `"}`, status: 422, code: "invalid", fields: []string{"body.priority not_one_of"}},
		"a type of their own":      {path: intake, body: `{"title":"a","customer":"b","type":"` + secret + `"}`, status: 422, code: "invalid", fields: []string{"body.type not_one_of"}},
		"too many attachments":     {path: intake, body: `{"title":"a","customer":"b","attachments":[` + strings.TrimSuffix(strings.Repeat(`"x",`, 51), ",") + `]}`, status: 422, code: "invalid", fields: []string{"body.attachments out_of_range"}},
		"an attachment of numbers": {path: intake, body: `{"title":"a","customer":"b","attachments":[1]}`, status: 422, code: "invalid", fields: []string{"body.attachments[0] wrong_type"}},
		"a key with a line end":    {path: intake, body: `{"title":"a","customer":"b"}`, header: []string{"Idempotency-Key", "ключ"}, status: 422, code: "invalid", fields: []string{"header.Idempotency-Key control_character"}},
		"too long a key":           {path: intake, body: `{"title":"a","customer":"b"}`, header: []string{"Idempotency-Key", strings.Repeat("k", 201)}, status: 422, code: "invalid", fields: []string{"header.Idempotency-Key too_long"}},

		"six stars":            {path: acts + "confirm", body: `{"rating":6}`, status: 422, code: "invalid", fields: []string{"body.rating out_of_range"}},
		"no star":              {path: acts + "confirm", body: `{"rating":0}`, status: 422, code: "invalid", fields: []string{"body.rating out_of_range"}},
		"half a star":          {path: acts + "confirm", body: `{"rating":3.5}`, status: 422, code: "invalid", fields: []string{"body.rating wrong_type"}},
		"more than a number":   {path: acts + "confirm", body: `{"rating":1e999}`, status: 422, code: "invalid", fields: []string{"body wrong_value"}},
		"a step without a day": {path: acts + "plan", body: `{"steps":[{"what":"` + secret + `"}]}`, status: 422, code: "invalid", fields: []string{"body.steps[0].due missing"}},
		"a step on no day":     {path: acts + "plan", body: `{"steps":[{"what":"a","due":"` + secret + `"}]}`, status: 422, code: "invalid", fields: []string{"body.steps[0].due not_a_time"}},
		"the 30th of February": {path: acts + "plan", body: `{"steps":[{"what":"a","due":"2026-02-30T00:00:00Z"}]}`, status: 422, code: "invalid", fields: []string{"body.steps[0].due not_a_time"}},
		"a day without a zone": {path: acts + "plan", body: `{"steps":[{"what":"a","due":"2026-02-03 10:00"}]}`, status: 422, code: "invalid", fields: []string{"body.steps[0].due not_a_time"}},
		"no steps":             {path: acts + "plan", body: `{"steps":[]}`, status: 422, code: "invalid", fields: []string{"body.steps out_of_range"}},
		"a step of a stranger": {path: acts + "plan", body: `{"steps":[{"what":"a","owner":"` + secret + `","due":"2099-01-01T00:00:00Z"}]}`, status: 422, code: "unknown_person"},
		"a stranger":           {path: acts + "assign", body: `{"to":"` + secret + `"}`, status: 422, code: "unknown_person"},
		"nobody":               {path: acts + "assign", body: `{"to":"customer"}`, status: 422, code: "invalid", fields: []string{"body.to not_a_person"}},
		"no such department":   {path: acts + "assign", body: `{"to":"zhang.wei","department":"` + secret + `"}`, status: 422, code: "invalid", fields: []string{"body.department no_department"}},
		"an act under a name":  {path: acts + "hold", body: `{"reason":"a","actor":"sun.li","act_id":"1"}`, status: 422, code: "invalid", fields: []string{"body.act_id unknown_field", "body.actor unknown_field"}},
		"a hold for anything":  {path: acts + "hold", body: `{"reason":"a","for":"` + secret + `"}`, status: 422, code: "invalid", fields: []string{"body.for not_one_of"}},
		"nothing new":          {path: acts + "amend", body: `{}`, status: 422, code: "invalid", fields: []string{"body nothing_new"}},
		"into nothing":         {path: acts + "merge", body: `{"into":"` + secret + `"}`, status: 404, code: "not_found"},
		"the wrong stage":      {path: acts + "confirm", body: `{"comment":"` + secret + `"}`, status: 409, code: "wrong_stage"},
		"an unknown act":       {path: acts + "explode", body: `{}`, status: 404, code: "not_found"},
		"another requirement":  {path: "/v1/requirements/REQ-00000000/accept", body: `{}`, status: 404, code: "not_found"},
		"no requirement":       {path: "/v1/requirements/" + secret + "/accept", body: `{}`, status: 404, code: "not_found"},
		"a NUL for an id":      {path: "/v1/requirements/%00/accept", body: `{}`, status: 404, code: "not_found"},
		"no escalation":        {path: acts + "escalations/" + secret + "/acknowledge", body: `{}`, status: 404, code: "not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			header := append([]string{"Accept-Language", "zh-CN"}, c.header...)
			var body any
			if c.body != "" {
				body = c.body
			}
			got := s.post("wang.fang", c.path, body, header...)
			got.t = t
			p := got.refused(c.status, c.code)
			require.NotContains(t, got.body, secret)
			require.Regexp(t, `\p{Han}`, p.Title, "in the language that was asked for")
			var fields []string
			for _, f := range p.Errors {
				fields = append(fields, f.Location+" "+f.Problem)
				require.NotEmpty(t, f.Message)
			}
			for _, f := range c.fields {
				require.Contains(t, fields, f, got.body)
			}
		})
	}
	require.Equal(t, before, done(), "nothing has happened")
	page := s.get("reader:a", "/v1/requirements?count=true").is(http.StatusOK)
	require.Contains(t, page.body, `"total":1`, "nothing was taken in")
	require.NotContains(t, s.log.String(), secret)
	require.Contains(t, s.log.String(), `"route":"POST /v1/requirements"`)

	for query, want := range map[string]string{
		"limit=0": "query.limit out_of_range", "limit=1001": "query.limit out_of_range", "limit=" + secret: "query.limit wrong_value",
		"stage=" + secret: "query.stage[0] not_one_of", "on_hold=perhaps": "query.on_hold not_one_of", "sort=" + secret: "query.sort unknown_field",
		"due_within=" + secret: "query.due_within not_a_duration", "search=%ff": "query.search not_text", "breached=perhaps": "query.breached wrong_value",
	} {
		p := s.get("wang.fang", "/v1/requirements?"+query).refused(http.StatusUnprocessableEntity, "invalid")
		require.Equal(t, want, p.Errors[0].Location+" "+p.Errors[0].Problem, query)
	}
	s.get("wang.fang", "/v1/requirements?cursor="+secret).refused(http.StatusUnprocessableEntity, "cursor")
	s.get("wang.fang", "/v1/requirements?owner=%00&customer=%ff&search=%27%3B--").is(http.StatusOK)
	s.get("wang.fang", "/v1/requirements/"+id+"/explain?at=yesterday").refused(http.StatusUnprocessableEntity, "invalid")
	s.get("wang.fang", "/v1/requirements/"+id+"/explain?all=true&at=2099-01-01T00:00:00Z").is(http.StatusOK)
	s.get("wang.fang", "/v1/requirements/"+id+"/explain?all=true&at=1970-01-01T00:00:00Z").is(http.StatusOK)
	s.get("wang.fang", "/v1/"+secret).refused(http.StatusNotFound, "not_found")
	answer := s.send("wang.fang", http.MethodPut, intake, nil)
	answer.refused(http.StatusMethodNotAllowed, "method_not_allowed")
	require.Contains(t, answer.header.Get("Allow"), http.MethodPost)

	// A body whose length is not known before is bounded as well.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+intake, io.MultiReader(strings.NewReader(`{"title":"`), &endless{left: 10 << 20}))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer wang.fang")
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.server.Client().Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
}

// endless is a long text that nobody holds in memory.
type endless struct{ left int }

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := min(len(p), e.left)
	for i := range n {
		p[i] = 'x'
	}
	e.left -= n
	return n, nil
}

// TestOddTextsStayAsTheyAre: whatever people write is stored and returned
// character for character.
func TestOddTextsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, text := range map[string]string{
		"SQL":           `'; DROP TABLE requirement; -- " \`,
		"HTML":          `<script>alert("1")</script><img src=x onerror=alert(1)>&amp;`,
		"emoji":         "🔥👩‍👩‍👧‍👦 ❤️",
		"right to left": "\u202eتقرير التصدير\u202c \u200fשלום",
		"templates":     `{{.Title}} ${HOME} %s %00 \u0000`,
		"Chinese":       "导出报表——“太慢”了　",
		"lines":         "one\n\ttwo\r\nthree",
		"a formula":     `=HYPERLINK("http://x")`,
	} {
		t.Run(name, func(t *testing.T) {
			at := &site{t: t, books: s.books, desk: s.desk, server: s.server}
			// White space around a title and a customer is taken off.
			short := strings.TrimSpace(text)
			want := map[string]any{
				"title": short, "customer": short, "description": text, "background": text, "scenario": text, "outcome": text, "pain": text,
				"attachments": []any{text}, "ref": ref("crm") + text,
			}
			id := at.submit(want)
			var got map[string]any
			at.get("wang.fang", "/v1/requirements/"+id).is(http.StatusOK).into(&got)
			for field, value := range want {
				require.Equal(t, value, got[field], field)
			}
			for _, act := range []struct {
				name string
				body map[string]any
			}{
				{"respond", map[string]any{"method": "phone", "message": text}},
				{"triage", map[string]any{"department": "technology"}},
				{"assign", map[string]any{"to": "zhang.wei", "reason": text}},
				{"plan", map[string]any{"steps": []map[string]any{
					{"what": text, "due": "1999-12-31T23:59:59Z"}, {"what": text, "due": "2099-12-31T23:59:59.123456+08:00"},
				}}},
				{"hold", map[string]any{"reason": text}},
				{"resume", map[string]any{"message": text}},
				{"comment", map[string]any{"message": text}},
				{"amend", map[string]any{"title": text, "description": text}},
				{"resolve", map[string]any{"solution": text, "root_cause": text}},
				{"confirm", map[string]any{"rating": 1, "comment": text}},
			} {
				at.does("wang.fang", id, act.name, act.body)
			}
			var v requirement.View
			at.get("wang.fang", "/v1/requirements/"+id).is(http.StatusOK).into(&v)
			require.Equal(t, text, v.Title)
			require.Equal(t, text, v.Resolution.Solution)
			require.Equal(t, text, v.Closing.Comment)
			require.Equal(t, text, v.Plan[0].What)
			require.Equal(t, 1999, v.Plan[0].Due.Year())
			require.Equal(t, 2099, v.Plan[1].Due.Year())
			var facts []Fact
			at.get("wang.fang", "/v1/requirements/"+id+"/events").is(http.StatusOK).into(&facts)
			said := map[requirement.Kind]string{
				requirement.Responded: "message", requirement.WasHeld: "reason", requirement.Commented: "message",
				requirement.Resolved: "solution", requirement.Confirmed: "comment", requirement.WasAssigned: "reason",
			}
			for _, f := range facts {
				if field, ok := said[f.Kind]; ok {
					var data map[string]any
					require.NoError(t, json.Unmarshal(f.Data, &data))
					require.Equal(t, text, data[field], f.Kind)
					delete(said, f.Kind)
				}
			}
			require.Empty(t, said)
		})
	}
}
