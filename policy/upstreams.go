package policy

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"closeloop/sla"
)

// Upstream is another system whose tickets come in by themselves (M3): its
// webhooks start requirements and carry on what its customers do.
type Upstream struct {
	// Name of the system: what stands before the colon in references of its tickets,
	// the end of its webhook's path, and part of the names of the variables with its
	// secrets.
	Name string `json:"name" yaml:"name"`
	// Kind says how its webhooks are signed and what their bodies look like.
	Kind UpstreamKind `json:"kind" yaml:"kind"`
	// Fields say where fields of the intake record come from. What is not named comes
	// from where the kind has it.
	Fields FieldSources `json:"fields,omitempty" yaml:"fields,omitempty"`
	// On is what its events do.
	On Reactions `json:"on,omitzero" yaml:"on,omitempty"`
	// MaxAge of a signed timestamp; [DefaultMaxAge] when left out.
	MaxAge sla.Duration `json:"max_age,omitzero" yaml:"max_age,omitempty"`
	// WriteBack tells the system what became of its tickets; nil tells nothing.
	WriteBack *WriteBack `json:"write_back,omitempty" yaml:"write_back,omitempty"`
}

// UpstreamKind is a kind of system that sends webhooks.
type UpstreamKind string

// The kinds.
const (
	Jira       UpstreamKind = "jira"
	Zendesk    UpstreamKind = "zendesk"
	GitHub     UpstreamKind = "github"
	Freshdesk  UpstreamKind = "freshdesk"
	ServiceNow UpstreamKind = "servicenow"
	// StandardWebhooks is any other system that signs its webhooks by the Standard
	// Webhooks specification and sends tickets in our own form.
	StandardWebhooks UpstreamKind = "standard"
)

// DefaultMaxAge is how old a signed timestamp may be, and how far ahead.
var DefaultMaxAge = sla.Exactly(5 * time.Minute)

// maxMaxAge bounds the age: what is older was kept back by somebody.
const maxMaxAge = 24 * time.Hour

// Reaction is what an event of an upstream system does to the requirement.
type Reaction string

// The reactions.
const (
	// ReactResume takes a customer's comment as their word: it waits for an answer
	// and ends a hold for the customer.
	ReactResume Reaction = "resume"
	// ReactComment keeps it as a remark that changes nothing.
	ReactComment  Reaction = "comment"
	ReactDispute  Reaction = "dispute"
	ReactWithdraw Reaction = "withdraw"
	ReactResolve  Reaction = "resolve"
	ReactConfirm  Reaction = "confirm"
	ReactAmend    Reaction = "amend"
	ReactIgnore   Reaction = "ignore"
)

// Reactions are what the events of an upstream system do. One that the process
// does not allow where the requirement stands becomes a comment.
type Reactions struct {
	// Commented: resume, comment or ignore; resume when left out. What colleagues
	// over there write is a remark in any case.
	Commented Reaction `json:"commented,omitempty" yaml:"commented,omitempty"`
	// Reopened: dispute, comment or ignore; dispute when left out.
	Reopened Reaction `json:"reopened,omitempty" yaml:"reopened,omitempty"`
	// Closed: withdraw, resolve, confirm, comment or ignore; resolve when left out.
	Closed Reaction `json:"closed,omitempty" yaml:"closed,omitempty"`
	// Deleted: withdraw or ignore; withdraw when left out.
	Deleted Reaction `json:"deleted,omitempty" yaml:"deleted,omitempty"`
	// Updated is another title or description: amend or ignore; amend when left out.
	Updated Reaction `json:"updated,omitempty" yaml:"updated,omitempty"`
}

// WriteBack is where an upstream system is told what became of its tickets.
type WriteBack struct {
	// URL that takes our webhooks; https, or http on this machine.
	URL string `json:"url" yaml:"url"`
	// Events are the kinds of events that are told; [DefaultWriteBack] when left out.
	Events []string `json:"events,omitempty" yaml:"events,omitempty"`
}

// DefaultWriteBack are the events of which an upstream system is told when its
// rule names none: those that change the stage, a promise or the outcome.
var DefaultWriteBack = []string{
	"submitted", "triaged", "assigned", "accepted", "responded", "progressed", "held", "resumed", "resolved",
	"confirmed", "disputed", "reprioritised", "merged", "merge_undone", "rejected", "appealed", "withdrawn",
	"archived", "cancelled", "terminated", "clock_breached",
}

// Tells reports whether events of that kind are told.
func (w *WriteBack) Tells(event string) bool { return w != nil && slices.Contains(w.Events, event) }

// Upstream returns the upstream system of that name.
func (d Directory) Upstream(name string) (Upstream, bool) {
	for _, u := range d.Upstreams {
		if u.Name == name {
			return u, true
		}
	}
	return Upstream{}, false
}

// UpstreamOf returns the upstream system whose ticket the reference names.
func (d Directory) UpstreamOf(ref string) (Upstream, bool) {
	name, _, ok := strings.Cut(ref, ":")
	if !ok {
		return Upstream{}, false
	}
	return d.Upstream(name)
}

// SecretsEnv names the variable with the secrets by which the system's webhooks
// are known: several, separated by spaces or commas, all of them good.
func (u Upstream) SecretsEnv() string { return "CLOSELOOP_UPSTREAM_" + u.envName() + "_SECRETS" }

// WriteBackSecretsEnv names the variable with the secrets that write-back is
// signed with: several, separated by spaces or commas, all of them used.
func (u Upstream) WriteBackSecretsEnv() string {
	return "CLOSELOOP_WRITEBACK_" + u.envName() + "_SECRETS"
}

func (u Upstream) envName() string {
	return strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(u.Name))
}

// complete writes out what the file leaves to be understood.
func (u *Upstream) complete() {
	or := func(r *Reaction, event string) { *r = cmp.Or(*r, ReactionsTo[event][0]) }
	or(&u.On.Commented, "commented")
	or(&u.On.Reopened, "reopened")
	or(&u.On.Closed, "closed")
	or(&u.On.Deleted, "deleted")
	or(&u.On.Updated, "updated")
	if u.MaxAge.IsZero() {
		u.MaxAge = DefaultMaxAge
	}
	if u.WriteBack != nil && len(u.WriteBack.Events) == 0 {
		u.WriteBack.Events = slices.Clone(DefaultWriteBack)
	}
}

// FieldSources are where fields of the intake record come from, in the order of
// their names. In a policy file they are an object by field.
type FieldSources []FieldSource

// FieldSource is where one field comes from, in the notation of import mappings.
// A column is a path into the body of the webhook, such as issue.fields.summary;
// elements of lists are counted from 0.
type FieldSource struct {
	Field string `json:"-" yaml:"-"`
	// Exactly one of the three is given.
	Column   string  `json:"column,omitempty"`
	Template string  `json:"template,omitempty"`
	Constant *string `json:"constant,omitempty"`
	// Values replace what the body says; Otherwise is for what is not among them.
	Values    map[string]string `json:"values,omitempty"`
	Otherwise *string           `json:"otherwise,omitempty"`
	// Default is for what is not there or empty.
	Default string `json:"default,omitempty"`
}

// SourcedFields are the fields of the intake record that an upstream system may
// give. The reference is the ticket's own, and who recorded it is the system.
var SourcedFields = []string{
	"title", "customer", "contact", "background", "description", "scenario", "outcome", "pain",
	"channel", "type", "priority", "urgency", "tier", "attachments", "language",
}

// UnmarshalJSON reads an object by field.
func (f *FieldSources) UnmarshalJSON(data []byte) error {
	var sources map[string]FieldSource
	if err := json.Unmarshal(data, &sources); err != nil {
		return err
	}
	*f = nil
	for _, name := range SourcedFields {
		if s, ok := sources[name]; ok {
			s.Field = name
			*f = append(*f, s)
		}
	}
	return nil
}

// MarshalJSON writes an object by field.
func (f FieldSources) MarshalJSON() ([]byte, error) {
	sources := make(map[string]FieldSource, len(f))
	for _, s := range f {
		sources[s.Field] = s
	}
	return json.Marshal(sources)
}

// UnmarshalJSON reads a source, or the name of a column.
func (s *FieldSource) UnmarshalJSON(data []byte) error {
	var column string
	if json.Unmarshal(data, &column) == nil {
		*s = FieldSource{Column: column}
		return nil
	}
	type plain FieldSource
	var p plain
	if err := json.Unmarshal(data, &p); err != nil {
		return errors.New("it is a column, or fields such as column and values")
	}
	*s = FieldSource(p)
	return nil
}
