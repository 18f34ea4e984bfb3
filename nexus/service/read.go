package service

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"

	"closeloop/access"
	"closeloop/nexus"
	"closeloop/policy"
	"closeloop/requirement"
)

// read reads an operation's input. A field that is not known is refused, so that
// a slip of the pen is told and not lost.
func read[T any](input json.RawMessage) (T, error) {
	var value T
	d := json.NewDecoder(bytes.NewReader(input))
	d.DisallowUnknownFields()
	if err := d.Decode(&value); err != nil {
		return value, invalid("input", "not_json", "it does not fit: "+err.Error())
	}
	return value, nil
}

var upstreamName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// recorded returns a submission as the process knows it; what else is wrong with
// it the process itself will say.
func recorded(s nexus.Submission) (requirement.Submission, error) {
	if s.Upstream == "" {
		return requirement.Submission{}, invalid("upstream", "missing", "it is missing: name the system that submits")
	}
	if !upstreamName.MatchString(s.Upstream) {
		return requirement.Submission{}, invalid("upstream", "not_a_name",
			"a system's name has letters, digits, dots, dashes and underscores only, and at most 64 of them")
	}
	who := access.System(s.Upstream, access.ViaNexus)
	if s.Ref != "" && !who.Owns(s.Ref) {
		return requirement.Submission{}, invalid("ref", "not_yours", "references of "+s.Upstream+" begin with "+s.Upstream+":")
	}
	return who.Recorded(requirement.Submission{
		Title: s.Title, Description: s.Description, Customer: s.Customer, Contact: s.Contact,
		Background: s.Background, Scenario: s.Scenario, Outcome: s.Outcome, Pain: s.Pain,
		Attributes: policy.Attributes{
			Type: s.Type, Channel: s.Channel, Priority: s.Priority, Urgency: s.Urgency, Tier: s.Tier,
		},
		Ref: s.Ref, Attachments: s.Attachments, Language: s.Language, OnHold: s.OnHold,
	}), nil
}

func invalid(field, problem, message string) error {
	return &requirement.Error{
		Code: requirement.CodeInvalid, Message: fmt.Sprintf("%s: %s", field, message),
		Params: map[string]string{"field": field, "problem": problem},
	}
}
