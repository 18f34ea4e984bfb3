package intake

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds of a table. Longer rows of text are a quote that was never closed.
const (
	maxColumns = 1_000
	maxRow     = 1 << 20
)

// ReasonColumn is the column that a file of rejected rows has in addition. It
// is passed over when such a file is imported.
const ReasonColumn = "reject_reason"

// Table reads the rows of a CSV file or of a sheet of a workbook. Close it.
type Table struct {
	// Header are the names of the columns. Of several with one name, the second
	// is NAME#2, and so on.
	Header []string
	// Delimiter that the header was found to have; zero for a sheet.
	Delimiter rune
	// Sheet is the name of the sheet; empty for text.
	Sheet string

	rows  rowReader
	close func() error
	// ours is set when we wrote the file, so that what we escaped is to be itself
	// again.
	ours bool
}

// rowReader reads what is under the header.
type rowReader interface {
	// next returns the next row that has something in it, or [io.EOF].
	next() (Row, error)
	// progress is how much was read, and of how much; less than zero when that is
	// not known.
	progress() (done, of int64)
}

// Row is a row of a table.
type Row struct {
	// Number as a spreadsheet counts: the first row of the file is 1.
	Number int
	Cells  []string
	// Raw is the row as it stands in the file, when it is no proper CSV.
	Raw string
	// Err says why the row could not be read; then there are no cells, or more than
	// the header has.
	Err error

	// bad are the cells that could not be read, by their index.
	bad map[int]error
}

// Open reads the header of a table: of a CSV file in any encoding that [Text]
// tells, whose delimiter is that of comma, semicolon and tab which the header has
// most of; or of the first visible sheet of an Excel workbook. What it is is told
// by its content. Errors about the file as a whole are [*workbook.Error].
func Open(r io.Reader) (*Table, error) { return OpenSheet(r, "") }

// OpenSheet opens a sheet by its name; without a name it is [Open].
func OpenSheet(r io.Reader, sheet string) (*Table, error) {
	kind, r, err := kindOf(r)
	if err != nil {
		return nil, err
	}
	if kind == isWorkbook {
		return openSheet(r, sheet)
	}
	if sheet != "" {
		return nil, errNoSheets
	}
	return openText(r)
}

// Close frees what the table holds; the reader it was opened with stays open.
func (t *Table) Close() error {
	if t.close == nil {
		return nil
	}
	return t.close()
}

// Progress is how much of the table was read, and of how much: rows of a sheet,
// bytes of a text. The second is less than zero when it is not known. It may be
// called while Next is.
func (t *Table) Progress() (done, of int64) { return t.rows.progress() }

// name takes over the header.
func (t *Table) name(header []string) error {
	if len(header) > maxColumns {
		return fmt.Errorf("the header has %d columns; at most %d are read", len(header), maxColumns)
	}
	t.Header = named(header)
	for _, name := range t.Header {
		f, ok := fieldCalled(name)
		t.ours = t.ours || name == ReasonColumn || ok && f.name == idField
	}
	return nil
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

// Next returns the next row; the error is [io.EOF] after the last, or what the
// file could not be read for. A row that is no proper one has an Err.
func (t *Table) Next() (Row, error) {
	row, err := t.rows.next()
	if err != nil || row.Cells == nil {
		return row, err
	}
	if len(row.Cells) > len(t.Header) {
		row.Err = t.tooWide(len(row.Cells))
		return row, nil
	}
	for len(row.Cells) < len(t.Header) {
		row.Cells = append(row.Cells, "")
	}
	if t.ours {
		for i := range row.Cells {
			row.Cells[i] = unescaped(row.Cells[i])
		}
	}
	return row, nil
}

func (t *Table) tooWide(cells int) error {
	if t.Sheet != "" {
		return fmt.Errorf("it has %d cells under %d columns; give each column a name, or empty the cells beside them", cells, len(t.Header))
	}
	return fmt.Errorf("it has %d cells under %d columns; put cells with a %q in them in quotes", cells, len(t.Header), t.Delimiter)
}

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// errEmpty says that there is nothing at all in the file.
var errEmpty = errors.New("the file is empty; its first row has to name the columns")

// Escaped makes text of what a spreadsheet would take for a formula. What looks
// escaped already is escaped once more, so that the import gives it back as it was.
func Escaped(cell string) string {
	if formula(strings.TrimLeft(cell, "'")) {
		return "'" + cell
	}
	return cell
}

func unescaped(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && formula(strings.TrimLeft(rest, "'")) {
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
