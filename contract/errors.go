package contract

import (
	"errors"

	"go.temporal.io/sdk/temporal"

	"closeloop/requirement"
)

// Refusal turns a refusal of the domain into an error that crosses Temporal:
// its type is the code, its details are the whole [requirement.Error]. It is
// the one place where that happens. Other errors are passed through.
func Refusal(err error) error {
	var refused *requirement.Error
	if !errors.As(err, &refused) {
		return err
	}
	return temporal.NewApplicationErrorWithOptions(refused.Message, string(refused.Code), temporal.ApplicationErrorOptions{
		NonRetryable: true,
		Details:      []any{*refused},
		// A refusal is an answer, not a fault: it must not alarm anybody.
		Category: temporal.ApplicationErrorCategoryBenign,
	})
}

// RefusalOf returns the refusal that crossed Temporal inside err, if there is
// one.
func RefusalOf(err error) (*requirement.Error, bool) {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || !app.HasDetails() {
		return nil, false
	}
	refused := new(requirement.Error)
	decoded := app.Details(refused) == nil
	return refused, decoded && refused.Code != ""
}
