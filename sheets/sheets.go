package sheets

import (
	"time"

	"closeloop/locale"
	"closeloop/requirement"
	"closeloop/whatif"
)

// Template is one of the five tables.
type Template string

// The templates.
const (
	Record   Template = "record"   // 《客户需求原始记录表》
	Analysis Template = "analysis" // 《客户需求分析表》
	Priority Template = "priority" // 《客户需求优先级评估表》
	Tracking Template = "tracking" // 《客户需求跟踪表》
	Feedback Template = "feedback" // 《客户需求反馈与闭环表》
)

// Templates lists them in the order of the process.
var Templates = []Template{Record, Analysis, Priority, Tracking, Feedback}

// Requirement is what a table is made of.
type Requirement struct {
	State requirement.State
	// Events are those of [Template.Kinds], in their order.
	Events []requirement.Event
	// Clocks are what became of the promises, in the order in which they began.
	Clocks []whatif.Ran
}

// Kinds are the kinds of events that the template needs; nil for all of them.
func (t Template) Kinds() []requirement.Kind {
	switch t {
	case Record:
		return []requirement.Kind{requirement.Submitted}
	case Priority:
		return []requirement.Kind{requirement.Reprioritised}
	case Tracking:
		return nil
	case Feedback:
		return []requirement.Kind{requirement.Disputed}
	default:
		return []requirement.Kind{}
	}
}

// Options are how tables are worded. None may be missing.
type Options struct {
	Text *locale.Localizer
	// Zone in which instants are shown, and Now when the table is made.
	Zone *time.Location
	Now  time.Time
	// Types and Channels are the choices of a record, as the policy has them.
	Types, Channels []string
	// Person and Department say how people read an id.
	Person, Department func(id string) string
	// Particulars says what an event is about, on one line.
	Particulars func(requirement.Event) string
	// Blank is a table to be handed out and filled in; it has only the columns that
	// people fill in.
	Blank bool
}

// Writer writes a table, requirement by requirement.
type Writer interface {
	// Write adds the rows of a requirement.
	Write(Requirement) error
	// Rows is how many rows were written, without the header.
	Rows() int
	// Close completes the table. Nothing of it is worth anything before.
	Close() error
	// Discard gives the table up and frees what is held, instead of Close.
	Discard()
}

// subject is what a row is about: a requirement, and one of its events where each
// has a row.
type subject struct {
	Requirement
	event requirement.Event
}

// subjects are the rows of a requirement.
func (t Template) subjects(r Requirement, each func(subject) error) error {
	if t != Tracking {
		return each(subject{Requirement: r})
	}
	for _, e := range r.Events {
		if err := each(subject{r, e}); err != nil {
			return err
		}
	}
	return nil
}

// cells are the values of a row: texts, numbers, instants, or nil.
func cells(o *Options, columns []column, s subject) []any {
	values := make([]any, len(columns))
	for i, c := range columns {
		if c.value != nil {
			values[i] = c.value(o, s)
		}
	}
	return values
}

// columnsOf are the columns that a table has with these options.
func columnsOf(t Template, o Options) []column {
	var list []column
	for _, c := range tables[t] {
		if !o.Blank || c.by != bySystem {
			list = append(list, c)
		}
	}
	return list
}

// head is the name of a column.
func (o *Options) head(c column) string {
	head := o.Text.Text("sheet.column."+c.key, nil)
	if c.needed {
		head += "*"
	}
	return head
}

// name is the word for a value of the domain; empty stays empty.
func (o *Options) name(kind, value string) string {
	if value == "" {
		return ""
	}
	return o.Text.Name(kind, value)
}

// who is a person, or whoever else acts.
func (o *Options) who(id string) string {
	switch id {
	case "":
		return ""
	case requirement.SystemActor, requirement.CustomerActor:
		return o.Text.Name("role", id)
	default:
		return o.Person(id)
	}
}

// word is a text of our own catalogue.
func (o *Options) word(key string) string { return o.Text.Text("sheet."+key, nil) }
