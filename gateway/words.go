package gateway

import (
	"fmt"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// nameOfField says that a word is followed by the name of the field it is about.
const nameOfField = "field"

// limitOf says what follows a word of the validation: the name of a parameter of
// its text, or of a field.
var limitOf = map[string]string{
	"missing": nameOfField, "too_long": "max", "too_short": "min", "at_least": "min", "at_most": "max",
	"too_few": "min", "too_many": "max", "not_one_of": "allowed",
}

// plainly is the problem that a word of the validation means, as the domain
// words it.
func plainly(word string) string {
	switch word {
	case "at_least", "at_most", "too_few", "too_many":
		return "out_of_range"
	case "too_short":
		return "missing"
	case "unknown": // query parameter
		return "unknown_field"
	default:
		return word
	}
}

// huma's words for what is wrong with a request are for people, in English, and
// are variables of its package. Here they become words that mean the same in
// every language. It is the only user of huma in a program.
func init() {
	for message, word := range map[*string]string{
		&validation.MsgUnexpectedProperty:       "unknown_field",
		&validation.MsgExpectedRequiredProperty: "missing %s",
		&validation.MsgExpectedRFC3339DateTime:  "not_a_time",
		&validation.MsgExpectedBoolean:          "wrong_type",
		&validation.MsgExpectedNumber:           "wrong_type",
		&validation.MsgExpectedInteger:          "wrong_type",
		&validation.MsgExpectedString:           "wrong_type",
		&validation.MsgExpectedArray:            "wrong_type",
		&validation.MsgExpectedObject:           "wrong_type",
		&validation.MsgExpectedOneOf:            "not_one_of %s",
		&validation.MsgExpectedMinimumNumber:    "at_least %v",
		&validation.MsgExpectedMaximumNumber:    "at_most %v",
		&validation.MsgExpectedMinLength:        "too_short %d",
		&validation.MsgExpectedMaxLength:        "too_long %d",
		&validation.MsgExpectedMinItems:         "too_few %d",
		&validation.MsgExpectedMaxItems:         "too_many %d",
	} {
		*message = word
	}
	huma.ErrorFormatter = fmt.Sprintf
	huma.ValidateStrictCasing = true
	huma.NewErrorWithContext = mistaken
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return mistaken(nil, status, message, errs...)
	}
}
