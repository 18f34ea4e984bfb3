package intake

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
)

// textRows are the rows of a CSV file.
type textRows struct {
	csv  *csv.Reader
	gate *gate
	// number of the row that was read last, as a spreadsheet counts.
	number int
	read   *counted
}

// openText reads the header of a CSV file.
func openText(r io.Reader) (*Table, error) {
	read := &counted{in: r, size: sizeOf(r)}
	text, err := Text(read)
	if err != nil {
		return nil, err
	}
	rows := &textRows{gate: &gate{in: bufio.NewReader(text), left: maxRow}, read: read}
	t := &Table{rows: rows}
	first, err := rows.gate.in.Peek(rows.gate.in.Size())
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	if strings.ContainsRune(string(first), 0) {
		return nil, ErrBinary
	}
	t.Delimiter = delimiter(string(first))
	rows.csv = csv.NewReader(rows.gate)
	rows.csv.Comma, rows.csv.FieldsPerRecord = t.Delimiter, -1
	header, err := rows.csv.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errEmpty
	case err != nil:
		return nil, fmt.Errorf("the header cannot be read: %w", readable(err))
	}
	rows.number = 1
	return t, t.name(header)
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

func (t *textRows) next() (Row, error) {
	for {
		from := t.csv.InputOffset()
		t.gate.begin(from)
		cells, err := t.csv.Read()
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
			row.Raw = strings.TrimRight(t.gate.since(from, t.csv.InputOffset()), "\r\n")
			return row, nil
		case err != nil:
			return row, err
		case blank(cells):
			continue
		}
		return row, nil
	}
}

func (t *textRows) progress() (done, of int64) { return t.read.done.Load(), t.read.size }

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

// counted counts the bytes that were read of a file.
type counted struct {
	in   io.Reader
	size int64
	done atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.done.Add(int64(n))
	return n, err
}
