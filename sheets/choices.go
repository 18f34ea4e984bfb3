package sheets

import (
	"closeloop/locale"
	"closeloop/requirement"
)

// ours are the choices of columns that people fill in and the process does not
// record: Kano's classes, MoSCoW and the like (A1, A2, A4).
var ours = map[string][]string{
	"explicit": {"explicit", "implicit"},
	"relation": {"new", "improvement", "replacement"},
	"kano":     {"basic", "performance", "excitement"},
	"moscow":   {"must", "should", "could", "wont"},
	"feasible": {"yes", "conditional", "no"},
	"level":    {"high", "low"},
	"five":     {"5", "4", "3", "2", "1"},
	"yes_no":   {"yes", "no"},
}

// choicesOf are the words of a list, in the reader's language. An import knows
// those of the domain in either.
func choicesOf(o *Options, list string) []string {
	var values []string
	switch list {
	case "priority":
		values = requirement.Priorities
	case "urgency":
		values = requirement.Urgencies
	case "tier":
		values = requirement.Tiers
	case "type":
		values = o.Types
	case "channel":
		values = o.Channels
	case "language":
		return locale.Languages
	default:
		for _, value := range ours[list] {
			values = append(values, o.word("choice."+list+"."+value))
		}
		return values
	}
	words := make([]string, len(values))
	for i, value := range values {
		words[i] = o.name(list, value)
	}
	return words
}
