package gateway

import (
	"encoding/json"
	"net/http"
)

// Problem is an error as callers get it (RFC 9457). It says nothing that
// somebody wrote into the request: such text has no business in logs and in
// other people's programs.
type Problem struct {
	// Type identifies the kind of problem; it is made from the code.
	Type string `json:"type"`
	// Title is the same for every problem with this code.
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail says what is wrong here and what to do.
	Detail string `json:"detail,omitempty"`
	// Code is stable: programs key on it.
	Code string `json:"code"`
	// Errors are the fields that are wrong.
	Errors []FieldProblem `json:"errors,omitempty"`
}

// FieldProblem is what is wrong with one field of a request.
type FieldProblem struct {
	// Location of the field, such as body.title.
	Location string `json:"location"`
	// Problem is a stable word, such as missing or too_long.
	Problem string `json:"problem"`
	Message string `json:"message"`
}

// problemType comes before the code in the type of a problem.
const problemType = "urn:closeloop:problem:"

// newProblem makes a problem; title is the same for each of its code.
func newProblem(status int, code, title, detail string) *Problem {
	return &Problem{Type: problemType + code, Title: title, Status: status, Code: code, Detail: detail}
}

// Error makes a problem an error.
func (p *Problem) Error() string { return p.Code + ": " + p.Title }

// GetStatus is the HTTP status, as huma asks for it.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of problems, as huma asks for it.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// write answers a request with the problem.
func (p *Problem) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// Problems that are the same wherever they happen.
var (
	notHere     = newProblem(http.StatusNotFound, "not_found", "There is nothing here", "See /openapi.json for what there is.")
	unknownWho  = newProblem(http.StatusUnauthorized, "unauthenticated", "Who you are is not known", "Send an API token or an OIDC token: Authorization: Bearer TOKEN.")
	brokenInner = newProblem(http.StatusInternalServerError, "internal", "Something went wrong here", "The same request may be sent again; the log has the cause under the request id.")
)
