package requirement

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"unicode/utf8"

	"closeloop/policy"
)

// Priorities, urgency classes and customer tiers are fixed by the process
// (rows I3 and I4); types and channels are the policy's.
var (
	Priorities = []string{"high", "medium", "low"}
	Urgencies  = []string{"urgent", "important", "general"}
	Tiers      = []string{"P1", "P2", "P3"}
)

// Limits of the texts that people send, in characters.
const (
	MaxTitle = 200
	MaxText  = 10_000
	MaxName  = 200
)

// maxLinks bounds the attachments.
const maxLinks = 50

// Submission is the intake record 《客户需求原始记录表》 (row I1): everything that
// is known when a requirement comes in. Only title and customer are needed.
type Submission struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Customer    string `json:"customer"`
	// Contact is the customer's e-mail address.
	Contact string `json:"contact,omitempty"`
	// Background of the customer: industry, role, size.
	Background string `json:"background,omitempty"`
	// Scenario 需求场景, Outcome 期望目标 and Pain 当前痛点 in the customer's words.
	Scenario string `json:"scenario,omitempty"`
	Outcome  string `json:"outcome,omitempty"`
	Pain     string `json:"pain,omitempty"`
	policy.Attributes
	// Ref is the external reference SYSTEM:ID; the same one never starts a
	// second requirement (row I5).
	Ref         string   `json:"ref,omitempty"`
	Attachments []string `json:"attachments,omitempty"`
	// Language in which the customer is written to.
	Language string `json:"language,omitempty"`
	// SubmittedBy is the person who recorded it.
	SubmittedBy string `json:"submitted_by,omitempty"`
	// Via is how that person was known; see [Header].
	Via string `json:"via,omitempty"`
	// OnHold, when not empty, is why the requirement waits for the customer from
	// the start: no clock runs before it is resumed.
	OnHold string `json:"on_hold,omitempty"`
}

// Fill puts the policy's defaults where the intake left something out.
func (s Submission) Fill(d policy.Defaults) Submission {
	or := func(value *string, fallback string) {
		*value = strings.TrimSpace(*value)
		if *value == "" {
			*value = fallback
		}
	}
	or(&s.Title, "")
	or(&s.Customer, "")
	or(&s.Type, d.Type)
	or(&s.Channel, d.Channel)
	or(&s.Priority, d.Priority)
	or(&s.Urgency, d.Urgency)
	or(&s.Tier, d.Tier)
	or(&s.Language, d.Language)
	or(&s.SubmittedBy, SystemActor)
	return s
}

// Valid returns the first thing that is wrong with a filled submission under
// these rules, as an [*Error] with code invalid, or nil.
func (s Submission) Valid(p policy.Process) error {
	for _, t := range []struct {
		field, value string
		max          int
		needed       bool
	}{
		{"title", s.Title, MaxTitle, true},
		{"customer", s.Customer, MaxName, true},
		{"description", s.Description, MaxText, false},
		{"background", s.Background, MaxText, false},
		{"scenario", s.Scenario, MaxText, false},
		{"outcome", s.Outcome, MaxText, false},
		{"pain", s.Pain, MaxText, false},
		{"on_hold", s.OnHold, MaxTitle, false},
		{"ref", s.Ref, MaxName, false},
		{"submitted_by", s.SubmittedBy, MaxName, false},
		{"via", s.Via, MaxName, false},
	} {
		if err := validText(t.field, t.value, t.max, t.needed); err != nil {
			return err
		}
	}
	if s.Contact != "" {
		if a, err := mail.ParseAddress(s.Contact); err != nil || a.Address != s.Contact {
			return invalid("contact", "not_an_address", fmt.Sprintf("%q is not a plain e-mail address like li@example.com", s.Contact), "value", s.Contact)
		}
	}
	if s.Ref != "" && !strings.Contains(s.Ref, ":") {
		return invalid("ref", "not_a_reference", fmt.Sprintf("%q is not SYSTEM:ID, for example jira:OPS-17", s.Ref), "value", s.Ref)
	}
	if len(s.Attachments) > maxLinks {
		return invalid("attachments", "out_of_range", fmt.Sprintf("at most %d links, not %d", maxLinks, len(s.Attachments)),
			"value", itoa(len(s.Attachments)), "min", "0", "max", itoa(maxLinks))
	}
	for _, a := range s.Attachments {
		if err := validText("attachments", a, 2_000, true); err != nil {
			return err
		}
	}
	return validAttributes(s.Attributes, p)
}

func validAttributes(a policy.Attributes, p policy.Process) error {
	for _, c := range []struct {
		field, value string
		allowed      []string
	}{
		{"priority", a.Priority, Priorities},
		{"urgency", a.Urgency, Urgencies},
		{"tier", a.Tier, Tiers},
		{"type", a.Type, p.Types},
		{"channel", a.Channel, p.Channels},
	} {
		if err := validChoice(c.field, c.value, c.allowed); err != nil {
			return err
		}
	}
	return nil
}

func validChoice(field, value string, allowed []string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return invalid(field, "not_one_of", fmt.Sprintf("%q is not one of %s", value, strings.Join(allowed, ", ")),
		"value", value, "allowed", strings.Join(allowed, ", "))
}

func validText(field, value string, most int, needed bool) error {
	if needed && strings.TrimSpace(value) == "" {
		return invalid(field, "missing", "it is missing")
	}
	if !utf8.ValidString(value) {
		return invalid(field, "not_text", "it is not UTF-8 text")
	}
	if n := utf8.RuneCountInString(value); n > most {
		return invalid(field, "too_long", fmt.Sprintf("at most %d characters, not %d", most, n), "value", itoa(n), "max", itoa(most))
	}
	if i := strings.IndexFunc(value, control); i >= 0 {
		return invalid(field, "control_character", fmt.Sprintf("it has a control character at byte %d", i), "value", itoa(i))
	}
	return nil
}

// control reports characters that no text of a person has; line ends and tabs
// are fine.
func control(c rune) bool {
	return c == 0x7f || (c < 0x20 && c != '\n' && c != '\r' && c != '\t')
}
