package upstream

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"closeloop/policy"
)

// State is where a ticket stands in its own system.
type State string

// The states.
const (
	Unknown State = "" // the body does not say
	Open    State = "open"
	Closed  State = "closed"
	Deleted State = "deleted"
)

// Author is on whose side somebody stands.
type Author string

// The authors.
const (
	Somebody  Author = "" // the body does not say
	Customer  Author = "customer"
	Colleague Author = "colleague"
)

// Delivery is what the body of a webhook says.
type Delivery struct {
	// Event is what the system calls it.
	Event string
	// Items are the tickets and comments that it tells of; none when it means
	// nothing to us.
	Items []Item
	// Timed says that it tells when things happened, so that the same body is the
	// same event.
	Timed bool
}

// Item is what a delivery says of one ticket.
type Item struct {
	// Ticket is its id in its own system.
	Ticket string
	// At is when the system last changed it; zero when it does not say.
	At time.Time
	// Fields are the texts of the body by their dotted paths, and what every kind of
	// ticket has under upstream.title, upstream.customer and the like.
	Fields map[string]string
	// Whole says that it is a snapshot of the ticket, from which a requirement can be
	// made.
	Whole bool
	// Passing says that the snapshot only comes with something else: it starts a
	// requirement, and says nothing new of one that is there.
	Passing bool
	State   State
	// By is who brought the event about.
	By Author
	// Customer is the id over there of who asked for it.
	Customer string
	// Moved is where the ticket went, if it went elsewhere.
	Moved    string
	Comments []Comment
}

// Comment is what somebody wrote on a ticket.
type Comment struct {
	ID   string
	Text string
	By   Author
	// Author is the id over there of who wrote it, and Name what they are called.
	Author string
	Name   string
}

// Ref returns the reference of the ticket: SYSTEM:ID.
func (i Item) Ref(u policy.Upstream) string { return u.Name + ":" + i.Ticket }

// Refs returns the references of the tickets that the delivery tells of, each
// once.
func (d Delivery) Refs(u policy.Upstream) []string {
	refs := []string{}
	seen := map[string]bool{}
	for _, i := range d.Items {
		if ref := i.Ref(u); !seen[ref] {
			seen[ref] = true
			refs = append(refs, ref)
		}
	}
	return refs
}

// The texts that every kind of ticket has, as columns of mappings.
const (
	fieldTitle       = "upstream.title"
	fieldDescription = "upstream.description"
	fieldCustomer    = "upstream.customer"
	fieldContact     = "upstream.contact"
	fieldPriority    = "upstream.priority"
	fieldType        = "upstream.type"
	fieldURL         = "upstream.url"
	fieldID          = "upstream.id"
	fieldState       = "upstream.state"
)

// ticket is a snapshot while it is being read.
type ticket struct {
	id, title, description, customer, customerID, contact string
	priority, kind, url                                   string
	state                                                 State
	at                                                    time.Time
}

// item makes an item of the ticket; body is where mappings look.
func (t ticket) item(body map[string]string) Item {
	put := func(column, text string) {
		if text != "" {
			body[column] = text
		}
	}
	put(fieldID, t.id)
	put(fieldTitle, line(t.title))
	put(fieldDescription, clean(t.description))
	put(fieldCustomer, line(t.customer))
	put(fieldContact, t.contact)
	put(fieldPriority, t.priority)
	put(fieldType, t.kind)
	put(fieldState, string(t.state))
	put(fieldURL, t.url)
	return Item{
		Ticket: identifier(t.id), At: t.at, Fields: body, Whole: true, State: t.state, Customer: t.customerID,
	}
}

// Read finds in the body what it says of tickets. The event is what the headers
// call it, if they do. A body that means nothing to us has no items; one that is
// no JSON is [ErrNotJSON].
func Read(u policy.Upstream, event string, body []byte) (Delivery, error) {
	v, err := parse(body)
	if err != nil {
		return Delivery{Event: cut(line(event), maxID)}, err
	}
	root := node{v}
	var d Delivery
	switch u.Kind {
	case policy.GitHub:
		d = github(root, event)
	case policy.Jira:
		d = jira(root)
	case policy.Zendesk:
		d = zendeskTickets(u, root)
	case policy.Freshdesk:
		d = freshdesk(u, root)
	case policy.ServiceNow:
		d = serviceNow(u, root)
	default:
		d = own(root)
	}
	if d.Event == "" {
		d.Event = event
	}
	d.Event = cut(line(d.Event), maxID)
	known := d.Items[:0]
	for _, i := range d.Items {
		if i.Ticket == "" || len(known) == maxItems {
			continue
		}
		known = append(known, i)
		d.Timed = d.Timed || !i.At.IsZero()
	}
	d.Items = known
	return d, nil
}

// Event returns what the headers call the event; empty when they do not.
func Event(h interface{ Get(string) string }) string { return h.Get(headerGitHubEvent) }

// moment reads the notations of time that the systems use; zero when it is none
// of them. Those without a zone are UTC.
func moment(text string) time.Time {
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05 Z0700", time.DateTime, "2006-01-02T15:04:05",
	} {
		if t, err := time.Parse(layout, text); err == nil {
			// No finer than the register keeps it.
			return t.UTC().Truncate(time.Microsecond)
		}
	}
	return time.Time{}
}

// digestOf is a short digest of texts.
func digestOf(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		h.Write([]byte(t))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// sameSide compares who did something with who asked for the ticket.
func sameSide(who, customer string) Author {
	switch {
	case who == "" || customer == "":
		return Somebody
	case who == customer:
		return Customer
	default:
		return Colleague
	}
}
