package nexus

// Submission is a customer's requirement as an upstream system knows it. Upstream,
// Title and Customer are needed; what else is left out is filled from the
// defaults of closeloop's policy. A field that is not known is refused.
type Submission struct {
	// Upstream is the name of the system that submits, such as crm: the requirement
	// is on record as submitted by upstream:crm. Letters, digits, dots, dashes and
	// underscores, at most 64.
	Upstream string `json:"upstream"`
	// Title of at most 200 characters.
	Title string `json:"title"`
	// Description of at most 10,000 characters, like all longer texts here.
	Description string `json:"description,omitempty"`
	// Customer is who asked.
	Customer string `json:"customer"`
	// Contact is the customer's e-mail address, to which they are written.
	Contact string `json:"contact,omitempty"`
	// Background of the customer: industry, role, size.
	Background string `json:"background,omitempty"`
	// Scenario, Outcome and Pain are where it matters, what is wished for and what
	// hurts now, in the customer's words.
	Scenario string `json:"scenario,omitempty"`
	Outcome  string `json:"outcome,omitempty"`
	Pain     string `json:"pain,omitempty"`
	// Type and Channel are of those that the policy has.
	Type    string `json:"type,omitempty"`
	Channel string `json:"channel,omitempty"`
	// Priority is high, medium or low.
	Priority string `json:"priority,omitempty"`
	// Urgency is urgent, important or general.
	Urgency string `json:"urgency,omitempty"`
	// Tier of the customer: P1, P2 or P3.
	Tier string `json:"tier,omitempty"`
	// Ref is the upstream's own reference, UPSTREAM:ID as in crm:1101. The same one
	// never starts a second requirement, whichever way it comes. Without one, each
	// call of the operation starts a requirement of its own.
	Ref string `json:"ref,omitempty"`
	// Attachments are links.
	Attachments []string `json:"attachments,omitempty"`
	// Language in which the customer is written to: zh-CN or en.
	Language string `json:"language,omitempty"`
	// OnHold, when not empty, is why the requirement waits for the customer from
	// the start: no clock runs before it is resumed.
	OnHold string `json:"on_hold,omitempty"`
}

// Receipt answers a submission that was taken in.
type Receipt struct {
	// ID of the requirement, such as REQ-7K2M9QXA.
	ID string `json:"id"`
	// Created is false when the requirement existed before.
	Created bool `json:"created"`
	// Stage in which it is now; received for a new one.
	Stage string `json:"stage"`
	// Ref is the reference that the id stands for.
	Ref string `json:"ref,omitempty"`
}
