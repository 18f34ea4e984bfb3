package requirement

// Code says what kind of refusal an [Error] is. Codes are stable: translations
// and scripts key on them.
type Code string

// The codes.
const (
	CodeInvalid    Code = "invalid"       // a field is missing or wrong
	CodeStage      Code = "wrong_stage"   // not in this stage
	CodeRole       Code = "not_your_role" // the actor may not do this
	CodeUnknown    Code = "unknown_person"
	CodeSelf       Code = "own_request" // nobody approves or judges their own
	CodeDecided    Code = "already_decided"
	CodeActID      Code = "act_id_reused" // the id belongs to another act
	CodeNotOnHold  Code = "not_on_hold"
	CodeOnHold     Code = "already_on_hold"
	CodeAppealed   Code = "appealed_before"
	CodeMergeCycle Code = "merge_cycle"
	CodeOver       Code = "over" // the requirement has ended
	CodeNotReady   Code = "not_ready"
)

// Error is a refusal: why, and what to do instead.
type Error struct {
	Code Code
	// Message says what is wrong, in English.
	Message string
	// Hint says what to do; it may be empty.
	Hint string
	// Params are the variable parts, for a translation of the message.
	Params map[string]string
}

func (e *Error) Error() string { return e.Message }

// refuse builds an Error; params are key, value pairs.
func refuse(code Code, message, hint string, params ...string) *Error {
	e := &Error{Code: code, Message: message, Hint: hint}
	for i := 0; i+1 < len(params); i += 2 {
		if e.Params == nil {
			e.Params = map[string]string{}
		}
		e.Params[params[i]] = params[i+1]
	}
	return e
}

// invalid says what is wrong with a field: the problem is a word for
// translations, params are what they are made from.
func invalid(field, problem, message string, params ...string) *Error {
	return refuse(CodeInvalid, field+": "+message, "", append([]string{"field", field, "problem", problem}, params...)...)
}

// NotReady is the refusal of an act on a requirement that is still being taken
// in.
func NotReady(id string) *Error {
	return refuse(CodeNotReady, id+" is still being taken in", "try again in a moment", "id", id)
}
