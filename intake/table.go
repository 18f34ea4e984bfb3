package intake

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds of a table. Longer rows are a quote that was never closed.
const (
	maxColumns = 1_000
	maxRow     = 1 << 20
)

// ReasonColumn is the column that a file of rejected rows has in addition. It
// is passed over when such a file is imported.
const ReasonColumn = "reject_reason"

// Table reads the rows of a CSV file.
type Table struct {
	// Header are the names of the columns. Of several with one name, the second
	// is NAME#2, and so on.
	Header []string
	// Delimiter that the header was found to have.
	Delimiter rune

	rows *csv.Reader
	gate *gate
	// number of the row that was read last, as a spreadsheet counts: the header
	// is 1.
	number int
	// again is set when the file is one of rejected rows.
	again bool
}

// Row is a row of a table.
type Row struct {
	// Number as a spreadsheet counts: the first row under the header is 2.
	Number int
	Cells  []string
	// Raw is the row as it stands in the file, when it is no proper CSV.
	Raw string
	// Err says why the row could not be read; then there are no cells.
	Err error
}

// Open reads the header of a CSV file in any encoding that [Text] tells. The
// delimiter is that of comma, semicolon and tab which the header has most of.
func Open(r io.Reader) (*Table, error) {
	text, err := Text(r)
	if err != nil {
		return nil, err
	}
	t := &Table{gate: &gate{in: bufio.NewReader(text), left: maxRow}}
	first, err := t.gate.in.Peek(t.gate.in.Size())
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	if strings.ContainsRune(string(first), 0) {
		return nil, ErrBinary
	}
	t.Delimiter = delimiter(string(first))
	t.rows = csv.NewReader(t.gate)
	t.rows.Comma, t.rows.FieldsPerRecord = t.Delimiter, -1
	header, err := t.rows.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty; its first row has to name the columns")
	case err != nil:
		return nil, fmt.Errorf("the header cannot be read: %w", readable(err))
	case len(header) > maxColumns:
		return nil, fmt.Errorf("the header has %d columns; at most %d are read", len(header), maxColumns)
	}
	t.number = 1
	t.Header = named(header)
	for _, name := range t.Header {
		t.again = t.again || name == ReasonColumn
	}
	return t, nil
}

// named makes the names of columns unique and cleans them.
func named(header []string) []string {
	names := make([]string, len(header))
	times := map[string]int{}
	for i, h := range header {
		name := strings.TrimSpace(strings.TrimPrefix(h, "\ufeff"))
		times[name]++
		if n := times[name]; n > 1 {
			name = fmt.Sprintf("%s#%d", name, n)
		}
		names[i] = name
	}
	return names
}

// delimiter finds the one that stands most often outside quotes in the first
// line.
func delimiter(text string) rune {
	line, _, _ := strings.Cut(text, "\n")
	counts := map[rune]int{}
	quoted := false
	for _, r := range line {
		switch {
		case r == '"':
			quoted = !quoted
		case !quoted:
			counts[r]++
		}
	}
	best := ','
	for _, candidate := range []rune{';', '\t'} {
		if counts[candidate] > counts[best] {
			best = candidate
		}
	}
	return best
}

// Next returns the next row; the error is [io.EOF] after the last, or what the
// file could not be read for. A row that is no proper CSV is a row with an Err.
func (t *Table) Next() (Row, error) {
	for {
		from := t.rows.InputOffset()
		t.gate.begin(from)
		cells, err := t.rows.Read()
		if errors.Is(err, io.EOF) {
			return Row{}, io.EOF
		}
		t.number++
		row := Row{Number: t.number, Cells: cells}
		var wrong *csv.ParseError
		switch {
		case errors.Is(err, errTooLong):
			return row, fmt.Errorf("row %d is longer than %d KiB: most likely a quote in it is never closed", t.number, maxRow>>10)
		case errors.As(err, &wrong):
			row.Cells, row.Err = nil, readable(err)
			row.Raw = strings.TrimRight(t.gate.since(from, t.rows.InputOffset()), "\r\n")
			return row, nil
		case err != nil:
			return row, err
		case len(cells) > len(t.Header):
			row.Err = fmt.Errorf("it has %d cells under %d columns; put cells with a %q in them in quotes", len(cells), len(t.Header), t.Delimiter)
			return row, nil
		case blank(cells):
			continue
		}
		for len(row.Cells) < len(t.Header) {
			row.Cells = append(row.Cells, "")
		}
		if t.again {
			for i := range row.Cells {
				row.Cells[i] = unescaped(row.Cells[i])
			}
		}
		return row, nil
	}
}

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// readable is a CSV error without the words that only programmers know.
func readable(err error) error {
	var wrong *csv.ParseError
	if !errors.As(err, &wrong) {
		return err
	}
	switch {
	case errors.Is(wrong.Err, csv.ErrBareQuote):
		return fmt.Errorf("line %d, character %d: a quote in a cell that does not begin with one; double it and put the cell in quotes", wrong.Line, wrong.Column)
	case errors.Is(wrong.Err, csv.ErrQuote):
		return fmt.Errorf("line %d, character %d: a quote that is not closed, or text after the closing one", wrong.Line, wrong.Column)
	default:
		return fmt.Errorf("line %d: %w", wrong.Line, wrong.Err)
	}
}

// errTooLong ends the reading of a row that has no end.
var errTooLong = errors.New("the row is too long")

// gate lets through so many bytes for each row, and keeps what it let through
// since the row began.
type gate struct {
	in   *bufio.Reader
	left int
	// kept are the bytes from the offset on.
	kept   []byte
	offset int64
}

// begin opens the gate for a row that begins at the offset.
func (g *gate) begin(offset int64) {
	g.left = maxRow
	g.kept = append(g.kept[:0], g.kept[offset-g.offset:]...)
	g.offset = offset
}

// since returns the bytes between two offsets of the present row.
func (g *gate) since(from, to int64) string { return string(g.kept[from-g.offset : to-g.offset]) }

func (g *gate) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, errTooLong
	}
	n, err := g.in.Read(p[:min(len(p), g.left)])
	g.left -= n
	g.kept = append(g.kept, p[:n]...)
	return n, err
}

// escaped makes text of what a spreadsheet would take for a formula.
func escaped(cell string) string {
	if formula(cell) {
		return "'" + cell
	}
	return cell
}

func unescaped(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && formula(rest) {
		return rest
	}
	return cell
}

func formula(cell string) bool {
	return cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0]))
}

// readableText reports whether every character of a cell could be decoded.
func readableText(cell string) bool {
	return utf8.ValidString(cell) && !strings.ContainsRune(cell, utf8.RuneError)
}
