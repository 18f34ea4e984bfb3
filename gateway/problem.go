package gateway

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"closeloop/locale"
)

// Problem is an error as callers get it (RFC 9457). It says nothing that
// somebody wrote into the request: such text has no business in logs and in
// other people's programs.
type Problem struct {
	// Type identifies the kind of problem; it is made from the code.
	Type string `json:"type" doc:"urn:closeloop:problem: and the code" example:"urn:closeloop:problem:wrong_stage"`
	// Title is the same for every problem with this code.
	Title  string `json:"title" doc:"The same for every problem with this code, in the language of the request" example:"Not possible in this stage"`
	Status int    `json:"status" example:"409"`
	// Detail says what is wrong here and what to do.
	Detail string `json:"detail,omitempty" doc:"What is wrong here and what to do, in the language of the request"`
	// Code is stable: programs key on it.
	Code string `json:"code" doc:"Stable; programs key on it" example:"wrong_stage"`
	// Errors are the fields that are wrong.
	Errors []FieldProblem `json:"errors,omitempty" doc:"The fields that are wrong"`

	params map[string]any
	// allow are the methods that would do, for method_not_allowed.
	allow string
	// wait is how long to wait before another try, when that is known better than
	// the code says.
	wait time.Duration
}

// FieldProblem is what is wrong with one field of a request.
type FieldProblem struct {
	// Location of the field, such as body.title.
	Location string `json:"location" doc:"Where it is: path, query, header or body" example:"body.title"`
	// Problem is a stable word, such as missing or too_long.
	Problem string `json:"problem" doc:"Stable; programs key on it" example:"missing"`
	Message string `json:"message" doc:"The same in words, in the language of the request" example:"it is missing"`

	params map[string]any
}

// problemType comes before the code in the type of a problem.
const problemType = "urn:closeloop:problem:"

// trait is what is the same for every problem of a code.
type trait struct {
	status int
	// retry is when to try again, when that may help.
	retry time.Duration
}

// traits are the codes there are. Those of the process and of the services are
// the same as the command line's.
var traits = map[string]trait{
	"invalid":         {status: http.StatusUnprocessableEntity},
	"wrong_stage":     {status: http.StatusConflict},
	"not_your_role":   {status: http.StatusForbidden},
	"unknown_person":  {status: http.StatusUnprocessableEntity},
	"own_request":     {status: http.StatusForbidden},
	"already_decided": {status: http.StatusConflict},
	"act_id_reused":   {status: http.StatusUnprocessableEntity},
	"not_on_hold":     {status: http.StatusConflict},
	"already_on_hold": {status: http.StatusConflict},
	"appealed_before": {status: http.StatusConflict},
	"merge_cycle":     {status: http.StatusConflict},
	"not_ready":       {status: http.StatusConflict, retry: time.Second},
	"over":            {status: http.StatusConflict},
	"no_escalation":   {status: http.StatusConflict},

	"not_found":          {status: http.StatusNotFound},
	"cursor":             {status: http.StatusUnprocessableEntity},
	"unreachable":        {status: http.StatusServiceUnavailable, retry: 5 * time.Second},
	"no_worker":          {status: http.StatusServiceUnavailable, retry: 5 * time.Second},
	"ledger_unreachable": {status: http.StatusServiceUnavailable, retry: 5 * time.Second},
	"oidc_unreachable":   {status: http.StatusServiceUnavailable, retry: 10 * time.Second},
	"schema":             {status: http.StatusServiceUnavailable, retry: time.Minute},
	"internal":           {status: http.StatusInternalServerError},

	"unauthenticated":        {status: http.StatusUnauthorized},
	"malformed":              {status: http.StatusBadRequest},
	"too_large":              {status: http.StatusRequestEntityTooLarge},
	"too_slow":               {status: http.StatusRequestTimeout},
	"unsupported_media_type": {status: http.StatusUnsupportedMediaType},
	"method_not_allowed":     {status: http.StatusMethodNotAllowed},
	"rate_limited":           {status: http.StatusTooManyRequests, retry: time.Second},
	"too_many_streams":       {status: http.StatusTooManyRequests, retry: 30 * time.Second},
	"idempotency_key_reused": {status: http.StatusUnprocessableEntity},

	"bad_signature":      {status: http.StatusUnauthorized},
	"stale_signature":    {status: http.StatusUnauthorized},
	"no_upstream_secret": {status: http.StatusServiceUnavailable, retry: time.Minute},
}

// codes are the codes of problems, sorted.
var codes = slices.Sorted(maps.Keys(traits))

// newProblem makes a problem of one of the codes. Its words are those of the
// catalogues, problem.CODE and problem.CODE.detail; params, key and value in
// turn, are put into the detail and must be nothing that the caller wrote.
func newProblem(code string, params ...any) *Problem {
	p := &Problem{Type: problemType + code, Status: traits[code].status, Code: code, params: map[string]any{}}
	for i := 0; i+1 < len(params); i += 2 {
		p.params[params[i].(string)] = params[i+1]
	}
	return p.in(locale.English)
}

// in returns the problem in that language.
func (p *Problem) in(lang string) *Problem {
	words := locale.For(lang)
	said := *p
	said.Title = words.Text("problem."+p.Code, p.params)
	said.Detail = words.Text("problem."+p.Code+".detail", p.params)
	said.Errors = slices.Clone(p.Errors)
	for i := range said.Errors {
		e := &said.Errors[i]
		key := "problem.field." + e.Problem
		if !words.Has(key) {
			e.Problem, key = wrongValue, "problem.field."+wrongValue
		}
		e.Message = words.Text(key, e.params)
	}
	return &said
}

// Error makes a problem an error.
func (p *Problem) Error() string { return p.Code + ": " + p.Title }

// GetStatus is the HTTP status, as huma asks for it.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of problems, as huma asks for it.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders are what the answer has besides, as huma asks for them.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	wait := p.wait
	if wait == 0 {
		wait = traits[p.Code].retry
	}
	if wait > 0 {
		// In whole seconds; one that is begun counts.
		h.Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
	if p.Code == "unauthenticated" {
		h.Set("WWW-Authenticate", `Bearer realm="closeloop"`)
	}
	if p.allow != "" {
		h.Set("Allow", p.allow)
	}
	return h
}

// write answers the request with the problem.
func (p *Problem) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	maps.Copy(h, p.GetHeaders())
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(p.in(language(r)))
}

// language is the one that the request prefers.
func language(r *http.Request) string { return locale.Match(r.Header.Get("Accept-Language")) }

// Problems that are the same wherever they happen.
var (
	notHere     = newProblem("not_found")
	unknownWho  = newProblem("unauthenticated")
	brokenInner = newProblem("internal")
)
