package sheets

import (
	"encoding/json"
	"strings"
	"time"

	"closeloop/requirement"
	"closeloop/sla"
	"closeloop/whatif"
)

// filler is who fills a column in.
type filler int

const (
	bySystem filler = iota // the system alone: what is typed there means nothing
	byBoth                 // the system, and people in new rows of a record
	byHand                 // people alone: the process does not record it
)

// column is a column of a table. Its head and what it means are in the catalogues,
// under its key.
type column struct {
	key   string
	width float64
	by    filler
	// needed columns may not be empty in a record.
	needed bool
	// wrapped texts have lines; instants, which show date and time, and numbers do
	// not.
	wrapped, instant, number bool
	// exact instants show the second: steps follow each other fast.
	exact bool
	// choices names the list of what may stand here; empty when anything may.
	choices string
	value   func(*Options, subject) any
}

// The columns that say which requirement a row is about.
var (
	id       = column{key: "requirement_id", width: 16, value: func(_ *Options, s subject) any { return s.State.ID }}
	title    = column{key: "title", width: 32, wrapped: true, value: func(_ *Options, s subject) any { return s.State.Title }}
	customer = column{key: "customer", width: 18, wrapped: true, value: func(_ *Options, s subject) any { return s.State.Customer }}
	tier     = column{key: "tier", width: 9, value: func(o *Options, s subject) any { return o.name("tier", s.State.Tier) }}
	typ      = column{key: "type", width: 11, value: func(o *Options, s subject) any { return o.name("type", s.State.Type) }}
	stage    = column{key: "stage", width: 13, value: func(o *Options, s subject) any { return o.name("stage", string(s.State.Stage)) }}
	status   = column{key: "status", width: 11, value: func(o *Options, s subject) any { return o.name("status", string(s.State.Stage.Status())) }}
	priority = column{key: "priority", width: 9, value: func(o *Options, s subject) any { return o.name("priority", s.State.Priority) }}
	urgency  = column{key: "urgency", width: 11, value: func(o *Options, s subject) any { return o.name("urgency", s.State.Urgency) }}
	owner    = column{key: "owner", width: 20, value: func(o *Options, s subject) any { return o.who(s.State.Owner) }}
	cause    = column{key: "root_cause", width: 30, wrapped: true, value: func(_ *Options, s subject) any { return resolution(s).RootCause }}
)

// hand is a column that people fill in: what they assess and the process does not
// record (A1 to A5, C4).
func hand(key string, width float64, choices string) column {
	return column{key: key, width: width, by: byHand, choices: choices, wrapped: choices == ""}
}

var tables = map[Template][]column{
	Record: {
		id,
		{key: "received_at", width: 17, instant: true, value: func(_ *Options, s subject) any { return s.State.CreatedAt }},
		{key: "title", width: 32, by: byBoth, needed: true, wrapped: true, value: record(func(s requirement.Submission) string { return s.Title })},
		{key: "customer", width: 18, by: byBoth, needed: true, wrapped: true, value: record(func(s requirement.Submission) string { return s.Customer })},
		{key: "contact", width: 28, by: byBoth, value: record(func(s requirement.Submission) string { return s.Contact })},
		{key: "tier", width: 9, by: byBoth, choices: "tier", value: recordName("tier", func(s requirement.Submission) string { return s.Tier })},
		{key: "background", width: 24, by: byBoth, wrapped: true, value: record(func(s requirement.Submission) string { return s.Background })},
		{key: "channel", width: 14, by: byBoth, choices: "channel", value: recordName("channel", func(s requirement.Submission) string { return s.Channel })},
		{key: "type", width: 11, by: byBoth, choices: "type", value: recordName("type", func(s requirement.Submission) string { return s.Type })},
		{key: "description", width: 46, by: byBoth, wrapped: true, value: record(func(s requirement.Submission) string { return s.Description })},
		{key: "scenario", width: 28, by: byBoth, wrapped: true, value: record(func(s requirement.Submission) string { return s.Scenario })},
		{key: "outcome", width: 28, by: byBoth, wrapped: true, value: record(func(s requirement.Submission) string { return s.Outcome })},
		{key: "pain", width: 28, by: byBoth, wrapped: true, value: record(func(s requirement.Submission) string { return s.Pain })},
		{key: "urgency", width: 11, by: byBoth, choices: "urgency", value: recordName("urgency", func(s requirement.Submission) string { return s.Urgency })},
		{key: "priority", width: 9, by: byBoth, choices: "priority", value: recordName("priority", func(s requirement.Submission) string { return s.Priority })},
		{key: "ref", width: 20, by: byBoth, value: record(func(s requirement.Submission) string { return s.Ref })},
		{key: "attachments", width: 28, by: byBoth, wrapped: true, value: record(func(s requirement.Submission) string { return strings.Join(s.Attachments, "\n") })},
		{key: "language", width: 9, by: byBoth, choices: "language", value: record(func(s requirement.Submission) string { return s.Language })},
		{key: "submitted_by", width: 14, by: byBoth, value: record(func(s requirement.Submission) string { return s.SubmittedBy })},
	},
	Analysis: {
		id, title, customer, tier, typ, urgency, priority, stage,
		{key: "version", number: true, width: 8, value: func(_ *Options, s subject) any { return s.State.Version }},
		{key: "description", width: 46, wrapped: true, value: func(_ *Options, s subject) any { return s.State.Description }},
		{key: "scenario", width: 28, wrapped: true, value: func(_ *Options, s subject) any { return s.State.Scenario }},
		{key: "outcome", width: 28, wrapped: true, value: func(_ *Options, s subject) any { return s.State.Outcome }},
		{key: "pain", width: 28, wrapped: true, value: func(_ *Options, s subject) any { return s.State.Pain }},
		{key: "duplicates", width: 17, wrapped: true, value: func(_ *Options, s subject) any { return duplicates(s.State) }},
		cause,
		hand("explicit", 11, "explicit"), hand("relation", 13, "relation"), hand("kano", 13, "kano"),
		hand("five_w", 36, ""), hand("story", 36, ""),
		hand("technical", 13, "feasible"), hand("economic", 13, "feasible"), hand("in_time", 13, "feasible"),
		hand("swot", 28, ""), hand("analyst", 14, ""),
	},
	Priority: {
		id, title, customer, tier, typ, stage, urgency, priority,
		{key: "priority_reason", width: 28, wrapped: true, value: func(_ *Options, s subject) any { return said(s, "reason") }},
		{key: "priority_by", width: 18, value: func(o *Options, s subject) any { return o.who(latest(s).Actor) }},
		{key: "priority_at", width: 17, instant: true, value: func(_ *Options, s subject) any { return latest(s).At }},
		hand("importance", 11, "five"), hand("urgent_score", 11, "five"),
		hand("value", 11, "level"), hand("cost", 11, "level"), hand("moscow", 13, "moscow"), hand("market", 28, ""),
		{key: "rounds", number: true, width: 9, value: func(_ *Options, s subject) any { return orNil(approval(s).Round) }},
		{key: "review", width: 12, value: func(o *Options, s subject) any { return o.name("round_state", string(approval(s).State)) }},
		{key: "need", number: true, width: 11, value: func(_ *Options, s subject) any { return orNil(approval(s).Need) }},
		{key: "votes", width: 36, wrapped: true, value: func(o *Options, s subject) any { return votes(o, approval(s)) }},
		{key: "decided_at", width: 17, instant: true, value: func(_ *Options, s subject) any { return approval(s).DecidedAt }},
	},
	Tracking: {
		id, title, customer,
		{key: "number", number: true, width: 7, value: func(_ *Options, s subject) any { return s.event.Seq }},
		{key: "at", width: 19, instant: true, exact: true, value: func(_ *Options, s subject) any { return s.event.At }},
		{key: "step", width: 18, value: func(o *Options, s subject) any { return o.name("event", string(s.event.Kind)) }},
		{key: "by", width: 20, value: func(o *Options, s subject) any { return o.who(s.event.Actor) }},
		{key: "via", width: 14, value: func(_ *Options, s subject) any { return s.event.Via }},
		{key: "particulars", width: 46, wrapped: true, value: func(o *Options, s subject) any { return o.Particulars(s.event) }},
		{key: "stage_after", width: 13, value: func(o *Options, s subject) any { return o.name("stage", string(s.event.Stage)) }},
		{key: "clock", width: 16, value: func(o *Options, s subject) any { return o.name("clock", string(s.event.Clock)) }},
		priority, status, owner,
		{key: "department", width: 14, value: func(o *Options, s subject) any { return o.Department(s.State.Department) }},
		{key: "tracker", width: 20, value: func(o *Options, s subject) any { return o.who(s.State.Tracker) }},
		hand("problem", 30, ""),
	},
	Feedback: {
		id, title, customer,
		{key: "contact", width: 28, value: func(_ *Options, s subject) any { return s.State.Contact }},
		owner, stage,
		{key: "received_at", width: 17, instant: true, value: func(_ *Options, s subject) any { return s.State.CreatedAt }},
		{key: "responded_at", width: 17, instant: true, value: func(_ *Options, s subject) any { return response(s).At }},
		{key: "method", width: 11, value: func(o *Options, s subject) any { return o.name("method", response(s).Method) }},
		{key: "response_due", width: 17, instant: true, value: func(_ *Options, s subject) any { return promise(s, sla.Response).Deadline }},
		{key: "response_kept", width: 11, value: func(o *Options, s subject) any { return kept(o, promise(s, sla.Response)) }},
		{key: "solution", width: 40, wrapped: true, value: func(_ *Options, s subject) any { return resolution(s).Solution }},
		cause,
		{key: "resolved_at", width: 17, instant: true, value: func(_ *Options, s subject) any { return resolution(s).At }},
		{key: "resolution_due", width: 17, instant: true, value: func(_ *Options, s subject) any { return promise(s, sla.Resolution).Deadline }},
		{key: "resolution_kept", width: 11, value: func(o *Options, s subject) any { return kept(o, promise(s, sla.Resolution)) }},
		{key: "first_time", width: 12, value: func(o *Options, s subject) any { return yesNo(o, s.State.FirstTimeResolved) }},
		{key: "reopened", number: true, width: 9, value: func(_ *Options, s subject) any { return s.State.Reopened }},
		{key: "disputes", width: 30, wrapped: true, value: func(_ *Options, s subject) any { return disputes(s) }},
		{key: "closing", width: 13, value: func(o *Options, s subject) any { return closing(o, s.State) }},
		{key: "rating", number: true, width: 9, value: func(_ *Options, s subject) any { return orNil(closed(s).Rating) }},
		{key: "comment", width: 30, wrapped: true, value: func(_ *Options, s subject) any { return closed(s).Comment }},
		{key: "closed_at", width: 17, instant: true, value: func(_ *Options, s subject) any { return s.State.ClosedAt }},
		hand("lesson", 32, ""), hand("follow_up", 12, "yes_no"),
	},
}

// record is a field of the requirement as it came in: the original record.
func record(field func(requirement.Submission) string) func(*Options, subject) any {
	return func(_ *Options, s subject) any { return field(original(s)) }
}

func recordName(kind string, field func(requirement.Submission) string) func(*Options, subject) any {
	return func(o *Options, s subject) any { return o.name(kind, field(original(s))) }
}

// original is the submission as it came in; what was changed since is not in it.
func original(s subject) requirement.Submission {
	for _, e := range s.Events {
		var first requirement.Submission
		if e.Kind == requirement.Submitted && json.Unmarshal(e.Data, &first) == nil {
			return first
		}
	}
	return s.State.Submission
}

// latest is the last of the events.
func latest(s subject) requirement.Event {
	if len(s.Events) == 0 {
		return requirement.Event{}
	}
	return s.Events[len(s.Events)-1]
}

// said is a text among the particulars of the latest event.
func said(s subject, field string) string {
	var data map[string]any
	if json.Unmarshal(latest(s).Data, &data) != nil {
		return ""
	}
	text, _ := data[field].(string)
	return text
}

func duplicates(s requirement.State) string {
	var list []string
	if s.MergedInto != "" {
		list = append(list, "→ "+s.MergedInto)
	}
	for _, a := range s.Absorbed {
		list = append(list, a.ID)
	}
	return strings.Join(list, "\n")
}

func approval(s subject) requirement.Approval {
	if s.State.Approval == nil {
		return requirement.Approval{}
	}
	return *s.State.Approval
}

// votes are a line each: who, what, when and why.
func votes(o *Options, a requirement.Approval) string {
	lines := make([]string, len(a.Votes))
	for i, v := range a.Votes {
		parts := []string{o.who(v.Person), o.name("vote", string(v.Answer))}
		if v.At != nil {
			parts = append(parts, v.At.In(o.Zone).Format("2006-01-02 15:04"))
		}
		if v.Comment != "" {
			parts = append(parts, v.Comment)
		}
		lines[i] = strings.Join(parts, " · ")
	}
	return strings.Join(lines, "\n")
}

func response(s subject) requirement.Response {
	if s.State.Response == nil {
		return requirement.Response{}
	}
	return *s.State.Response
}

func resolution(s subject) requirement.Resolution {
	if s.State.Resolution == nil {
		return requirement.Resolution{}
	}
	return *s.State.Resolution
}

func closed(s subject) requirement.Closing {
	if s.State.Closing == nil {
		return requirement.Closing{}
	}
	return *s.State.Closing
}

// promise is the last clock of that name.
func promise(s subject, name sla.Name) whatif.Ran {
	var last whatif.Ran
	for _, c := range s.Clocks {
		if c.Clock == name {
			last = c
		}
	}
	return last
}

func kept(o *Options, c whatif.Ran) string {
	// A clock that has breached stays so whatever became of it.
	if c.BreachedAt != nil {
		return o.name("clock_state", string(sla.Breached))
	}
	return o.name("clock_state", string(c.State))
}

func disputes(s subject) string {
	var lines []string
	for _, e := range s.Events {
		var data struct {
			Reason string `json:"reason"`
		}
		if json.Unmarshal(e.Data, &data) == nil && data.Reason != "" {
			lines = append(lines, data.Reason)
		}
	}
	return strings.Join(lines, "\n")
}

// closing is how it ended: by the customer's word or silence, or in another way.
func closing(o *Options, s requirement.State) string {
	switch {
	case s.Closing != nil && s.Closing.Automatic:
		return o.word("closed_by_silence")
	case s.Closing != nil:
		return o.name("event", string(requirement.Confirmed))
	case s.ClosedAt != nil:
		return o.name("stage", string(s.Stage))
	default:
		return ""
	}
}

func yesNo(o *Options, truth *bool) string {
	switch {
	case truth == nil:
		return ""
	case *truth:
		return o.word("choice.yes_no.yes")
	default:
		return o.word("choice.yes_no.no")
	}
}

// orNil leaves a cell empty instead of saying nought.
func orNil(n int) any {
	if n == 0 {
		return nil
	}
	return n
}

// instantOf is the instant that a value is; false when there is none.
func instantOf(value any) (time.Time, bool) {
	switch v := value.(type) {
	case time.Time:
		return v, !v.IsZero()
	case *time.Time:
		if v != nil {
			return *v, !v.IsZero()
		}
	}
	return time.Time{}, false
}
