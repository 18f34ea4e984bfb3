package workbook

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxRow bounds the bytes of one row in the file: what is longer was not written
// by a spreadsheet.
const maxRow = 16 << 20

// MaxColumns is how many columns a sheet can have.
const MaxColumns = 16_384

// Row is a row of a sheet with something in it.
type Row struct {
	// Number as the spreadsheet shows it, from 1.
	Number int
	// Cells are the texts that people see, without the empty ones at the end.
	Cells []string
	// Bad are the cells that have no text, by their index: formulas that failed, or
	// were never calculated. Their text is the error's name, or empty.
	Bad map[int]Bad
}

// Bad is why a cell has no text.
type Bad string

// The reasons.
const (
	// FormulaFailed: it says #REF! and the like.
	FormulaFailed Bad = "formula_failed"
	// NotCalculated: the program that wrote the workbook did not calculate it.
	NotCalculated Bad = "not_calculated"
)

// Rows gives the rows of a sheet, in their order.
type Rows struct {
	book   *Book
	sheet  sheet
	in     io.ReadCloser
	gate   *gate
	xml    *xml.Decoder
	number int
	count  int
	merged merged
}

// Rows begins to read a sheet: that of the name, or the first visible one when
// there is none. The whole sheet is looked through before, so that a damaged one
// is known before anything is done with its rows.
func (b *Book) Rows(name string) (*Rows, error) {
	s, err := b.find(name)
	if err != nil {
		return nil, err
	}
	r := &Rows{book: b, sheet: s}
	in, err := b.part(s.part, maxSheet)
	if err != nil {
		return nil, err
	}
	var areas []area
	r.count, areas, err = survey(in)
	_ = in.Close()
	if err != nil {
		return nil, partError(s.part, err)
	}
	r.merged = mergedCells(areas)
	if r.in, err = b.part(s.part, maxSheet); err != nil {
		return nil, err
	}
	r.gate = &gate{in: r.in, left: maxRow}
	r.xml = xml.NewDecoder(r.gate)
	return r, nil
}

// Sheet is the name of the sheet.
func (r *Rows) Sheet() string { return r.sheet.name }

// Count is how many rows the sheet has, the empty ones that are written down
// included.
func (r *Rows) Count() int { return r.count }

// Close ends the reading.
func (r *Rows) Close() error { return r.in.Close() }

// Next returns the next row that is not empty, or [io.EOF] after the last.
func (r *Rows) Next() (Row, error) {
	for {
		token, err := r.xml.RawToken()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return Row{}, partError(r.sheet.part, err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Local != "row" {
				continue
			}
			r.gate.left = maxRow
			row, err := r.row(t)
			if err != nil {
				return row, partError(r.sheet.part, fmt.Errorf("row %d: %w", r.number, err))
			}
			if len(row.Cells) == 0 {
				continue
			}
			r.merged.fill(&row)
			return row, nil
		case xml.EndElement:
			if t.Name.Local == "sheetData" {
				return Row{}, io.EOF
			}
		}
	}
}

// row reads a row up to its end.
func (r *Rows) row(start xml.StartElement) (Row, error) {
	r.number++
	if n, err := strconv.Atoi(attribute(start, "r")); err == nil && n > 0 {
		r.number = n
	}
	row := Row{Number: r.number}
	column := 0
	for {
		token, err := r.xml.RawToken()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return row, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Local != "c" {
				continue
			}
			if at, ok := columnOf(attribute(t, "r")); ok {
				column = at
			}
			if column >= MaxColumns {
				return row, errors.New("it has more columns than a sheet can have")
			}
			text, bad, err := r.cell(t)
			if err != nil {
				return row, err
			}
			row.put(column, text, bad)
			column++
		case xml.EndElement:
			if t.Name.Local == "row" {
				return row, nil
			}
		}
	}
}

func (row *Row) put(column int, text string, bad Bad) {
	if bad != "" {
		if row.Bad == nil {
			row.Bad = map[int]Bad{}
		}
		row.Bad[column] = bad
	} else if strings.TrimSpace(text) == "" {
		return
	}
	for len(row.Cells) <= column {
		row.Cells = append(row.Cells, "")
	}
	row.Cells[column] = text
}

// cell reads a cell up to its end.
func (r *Rows) cell(start xml.StartElement) (text string, bad Bad, err error) {
	var kind string
	style := 0
	for _, a := range start.Attr {
		switch a.Name.Local {
		case "t":
			kind = a.Value
		case "s":
			style, _ = strconv.Atoi(a.Value)
		}
	}
	var value strings.Builder
	inValue, hasValue, formula := false, false, false
	for {
		token, err := r.xml.RawToken()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return "", "", err
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "v":
				inValue, hasValue = true, true
			case "f":
				formula = true
			case "is":
				if text, err = richText(r.xml, "is"); err != nil {
					return "", "", err
				}
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "v":
				inValue = false
			case "c":
				if formula && !hasValue && text == "" {
					return "", NotCalculated, nil
				}
				if kind == "inlineStr" || text != "" {
					return text, "", nil
				}
				return r.value(kind, style, value.String())
			}
		case xml.CharData:
			if inValue {
				value.Write(t)
			}
		}
	}
}

// value is the text of a value of that kind.
func (r *Rows) value(kind string, style int, raw string) (string, Bad, error) {
	switch kind {
	case "s":
		if raw == "" {
			return "", "", nil
		}
		i, err := strconv.Atoi(strings.TrimSpace(raw))
		if err != nil {
			return "", "", fmt.Errorf("%q is no number of a text", raw)
		}
		text, err := r.book.texts.at(i)
		return text, "", err
	case "str":
		return unescaped(raw), "", nil
	case "e":
		return raw, FormulaFailed, nil
	case "b":
		if raw == "1" || raw == "true" {
			return "TRUE", "", nil
		}
		return "FALSE", "", nil
	case "d":
		day, clock, _ := strings.Cut(strings.TrimSuffix(raw, "Z"), "T")
		if clock = strings.TrimSuffix(clock, ".000"); clock == "" || clock == "00:00:00" {
			return day, "", nil
		}
		return day + " " + clock, "", nil
	}
	if raw == "" {
		return "", "", nil
	}
	var f format
	if style >= 0 && style < len(r.book.formats) {
		f = r.book.formats[style]
	}
	return f.number(strings.TrimSpace(raw), r.book.date1904), "", nil
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// columnOf is the index of the column of a reference such as AB12.
func columnOf(reference string) (int, bool) {
	n := 0
	for i := range len(reference) {
		c := reference[i] &^ 0x20
		if c < 'A' || c > 'Z' {
			break
		}
		if n = n*26 + int(c-'A') + 1; n > MaxColumns {
			return n, true
		}
	}
	return n - 1, n > 0
}

// gate lets through so many bytes until it is opened again.
type gate struct {
	in   io.Reader
	left int
}

func (g *gate) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, fmt.Errorf("a row or text is longer than %d MiB", maxRow>>20)
	}
	n, err := g.in.Read(p[:min(len(p), g.left)])
	g.left -= n
	return n, err
}
