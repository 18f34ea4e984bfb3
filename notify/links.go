package notify

import (
	"context"
	"slices"
	"time"

	"closeloop/policy"
	"closeloop/requirement"
)

// Links makes signed addresses of pages. They are secrets: whoever has one may
// answer as the recipient.
type Links interface {
	// Customer returns the address of the page of the requirement's customer.
	Customer(ctx context.Context, requirement string, now time.Time) (string, error)
	// Approver returns the address of the page on which the person votes in that
	// round.
	Approver(ctx context.Context, requirement, person string, round int, now time.Time) (string, error)
}

// link returns the address of the page on which the recipient of the notice can
// answer; empty when there is nothing for them to answer, or there are no pages.
// A customer gets the page of the requirement that they know, also when that was
// merged into this one; a person the one of the vote that is waited for.
func (d *delivery) link(ctx context.Context, n Notice) (string, error) {
	if d.Links == nil {
		return "", nil
	}
	if id, ok := mergedFrom(n.Recipient); ok {
		return d.Links.Customer(ctx, id, d.Now())
	}
	if n.Recipient == ToCustomer {
		return d.Links.Customer(ctx, n.Requirement, d.Now())
	}
	if votes(d.requirement, n.Recipient) {
		return d.Links.Approver(ctx, n.Requirement, n.Recipient, d.requirement.Approval.Round, d.Now())
	}
	return "", nil
}

// votes reports whether the person's vote is waited for.
func votes(r *requirement.Requirement, person string) bool {
	return slices.Contains(r.Cast().Voters, person)
}

// linkLabel says what the recipient can do on the page, as a key of the
// catalogue.
func (p *pages) linkLabel() string {
	r := p.r
	switch {
	case !p.toCustomer():
		return "message.link_vote"
	case p.merged:
		return "message.link_view"
	case r.Stage == requirement.Confirming:
		return "message.link_confirm"
	case r.Hold != nil && r.Hold.Kind() == policy.HoldCustomer:
		return "message.link_answer"
	case r.Stage == requirement.Rejected && !r.Over() && !r.Appealed:
		return "message.link_appeal"
	default:
		return "message.link_view"
	}
}
