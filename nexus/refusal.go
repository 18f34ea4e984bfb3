package nexus

import (
	"errors"

	"go.temporal.io/sdk/temporal"
)

// Codes of refusals that come from the service itself. Those of the process,
// such as wrong_stage, are passed on as they are.
const (
	// CodeInvalid: a field is missing, wrong or unknown; the parameter field names
	// it.
	CodeInvalid = "invalid"
	// CodeNotFound: there is no such requirement.
	CodeNotFound = "not_found"
)

// Refusal is a no to what was asked: trying again does not help. It comes as the
// only detail of the failure behind a handler error of type BAD_REQUEST or
// NOT_FOUND.
type Refusal struct {
	// Code is stable; programs key on it.
	Code string `json:"code"`
	// Message says what is wrong, in English.
	Message string `json:"message"`
	// Hint says what to do; it may be empty.
	Hint string `json:"hint,omitempty"`
	// Params are the variable parts of the message.
	Params map[string]string `json:"params,omitempty"`
}

func (r *Refusal) Error() string { return r.Message }

// RefusalOf returns the refusal inside the error of an operation, if there is
// one. Other errors are failures: the operation timed out, was cancelled, or the
// requirement's workflow was ended from outside.
func RefusalOf(err error) (*Refusal, bool) {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || !app.HasDetails() {
		return nil, false
	}
	refused := new(Refusal)
	decoded := app.Details(refused) == nil
	return refused, decoded && refused.Code != ""
}
