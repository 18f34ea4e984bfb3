package sheets

import (
	"encoding/csv"
	"fmt"
	"io"

	"closeloop/intake"
)

// instantText is how CSV has instants: in the reader's zone, as a spreadsheet
// understands them.
const instantText = "2006-01-02 15:04:05"

// Text writes a table as CSV in UTF-8 with a byte order mark, without which Excel
// takes it for something else.
type Text struct {
	template Template
	options  Options
	columns  []column
	csv      *csv.Writer
	rows     int
}

// NewText begins a table with its header.
func NewText(w io.Writer, t Template, o Options) (*Text, error) {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return nil, err
	}
	x := &Text{template: t, options: o, columns: columnsOf(t, o), csv: csv.NewWriter(w)}
	heads := make([]string, len(x.columns))
	for i, c := range x.columns {
		heads[i] = o.head(c)
	}
	return x, x.csv.Write(heads)
}

// Write adds the rows of a requirement.
func (x *Text) Write(r Requirement) error {
	return x.template.subjects(r, func(s subject) error {
		values := cells(&x.options, x.columns, s)
		row := make([]string, len(values))
		for i, value := range values {
			row[i] = x.text(value)
		}
		x.rows++
		return x.csv.Write(row)
	})
}

func (x *Text) text(value any) string {
	if at, ok := instantOf(value); ok {
		return at.In(x.options.Zone).Format(instantText)
	}
	switch v := value.(type) {
	case string:
		return intake.Escaped(v)
	case int:
		return fmt.Sprint(v)
	default:
		return ""
	}
}

// Rows is how many rows were written.
func (x *Text) Rows() int { return x.rows }

// Close writes what is left.
func (x *Text) Close() error {
	x.csv.Flush()
	return x.csv.Error()
}

// Discard gives the table up.
func (*Text) Discard() {}
