package gateway

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"closeloop/ledger"
	"closeloop/requirement"
	"closeloop/starter"
)

// problemOf finds the problem that an error is; nil for one that is ours to
// look into. The words of the domain quote what people wrote, so that they are
// not passed on: only its codes are, and such parameters as are words of ours.
func problemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if refused, ok := errors.AsType[*requirement.Error](err); ok {
		return refusal(refused)
	}
	switch {
	case errors.Is(err, starter.ErrNotFound), errors.Is(err, ledger.ErrNotFound):
		return notHere
	case errors.Is(err, starter.ErrOver):
		return newProblem(string(requirement.CodeOver))
	case errors.Is(err, starter.ErrNoWorker):
		return newProblem("no_worker")
	case errors.Is(err, starter.ErrUnreachable):
		return newProblem("unreachable")
	case errors.Is(err, ledger.ErrUnreachable):
		return newProblem("ledger_unreachable")
	case errors.Is(err, ErrProvider):
		return newProblem("oidc_unreachable")
	case errors.Is(err, ledger.ErrSchema):
		return newProblem("schema")
	case errors.Is(err, ledger.ErrCursor):
		return newProblem("cursor")
	case errors.Is(err, context.DeadlineExceeded):
		return newProblem("unreachable")
	default:
		return nil
	}
}

// refusal is the problem that a refusal of the process is.
func refusal(refused *requirement.Error) *Problem {
	if refused.Code == requirement.CodeInvalid {
		field := refused.Params["field"]
		location := "body." + field
		if refused.Params["problem"] == "nothing_new" {
			location = "body" // which is about all of its fields
		}
		return wrongField(location, refused.Params["problem"], ours(refused.Params)...)
	}
	code := string(refused.Code)
	if _, known := traits[code]; !known {
		return nil
	}
	return newProblem(code, ours(refused.Params)...)
}

var (
	requirementID = regexp.MustCompile(`^REQ-[0-9A-HJKMNP-TV-Z]{8}$`)
	number        = regexp.MustCompile(`^-?[0-9]{1,9}$`)
)

// ours picks the parameters of a refusal that are words of the process or of the
// policy, and numbers.
func ours(params map[string]string) []any {
	var list []any
	for name, value := range params {
		switch name {
		case "stage", "stages", "act", "roles", "round", "min", "max", "allowed":
		case "id":
			if !requirementID.MatchString(value) {
				continue
			}
		case "value":
			if !number.MatchString(value) {
				continue
			}
		default:
			continue
		}
		list = append(list, name, value)
	}
	return list
}

// wrongValue is the problem of a field about which nothing better is known.
const wrongValue = "wrong_value"

// wrongField is the problem of a request with one field that is wrong.
func wrongField(location, problem string, params ...any) *Problem {
	p := newProblem(string(requirement.CodeInvalid))
	p.addField(location, problem, params...)
	return p
}

// addField says that one more field is wrong.
func (p *Problem) addField(location, problem string, params ...any) {
	f := FieldProblem{Location: place(location), Problem: problem, params: map[string]any{}}
	for i := 0; i+1 < len(params); i += 2 {
		f.params[params[i].(string)] = params[i+1]
	}
	p.Errors = append(p.Errors, f)
}

// maxPlace bounds the name of a field that somebody made up.
const maxPlace = 100

// namedPlace are locations whose parts are such as fields of ours have.
var namedPlace = regexp.MustCompile(`^[A-Za-z0-9_\-]+([.\[][A-Za-z0-9_\-]+\]?)*$`)

// place is a location as it may be told: the name of a field that is none may be
// anything, and is cut off then.
func place(location string) string {
	for len(location) > maxPlace || !namedPlace.MatchString(location) {
		cut := strings.LastIndexAny(location, ".[")
		if cut < 0 {
			return "body"
		}
		location = location[:cut]
	}
	return location
}
