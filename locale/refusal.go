package locale

import "strings"

// Error returns the message of a refusal in the language. The domain words
// refusals in English and most precisely; another language has one text a code
// (`error.CODE`), made from the params, and one for each problem of a field
// (`error.invalid.PROBLEM`). A code without a text gives the message as it is.
func (l *Localizer) Error(code, message string, params map[string]string) string {
	return l.refusal("error."+code, message, params)
}

// Hint returns what to do about a refusal (`hint.CODE`), in the same way; it may
// be empty.
func (l *Localizer) Hint(code, hint string, params map[string]string) string {
	return l.refusal("hint."+code, hint, params)
}

// Problem returns what is wrong with a field, without the field's name: the
// domain's own words in English, others by `error.invalid.PROBLEM`.
func (l *Localizer) Problem(message string, params map[string]string) string {
	key := "error.invalid." + params["problem"]
	if l.language == English || !l.Has(key) {
		return strings.TrimPrefix(message, params["field"]+": ")
	}
	values := map[string]any{}
	for name, value := range params {
		values[name] = value
	}
	return l.Text(key, values)
}

func (l *Localizer) refusal(key, english string, params map[string]string) string {
	if english != "" && (l.language == English || !l.Has(key)) {
		return english
	}
	if !l.Has(key) {
		return ""
	}
	values := map[string]any{"message": english}
	for name, value := range params {
		values[name] = value
	}
	if params["problem"] != "" {
		values["message"] = l.Problem(english, params)
	}
	return l.Text(key, values)
}
