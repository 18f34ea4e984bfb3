package intake

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"closeloop/intake/workbook"
)

// rejects is the file of rejected rows: as they were, with the reason behind. It
// can be corrected and imported again.
type rejects struct {
	open    func() (io.Writer, error)
	asSheet bool
	header  []string
	out     rejectWriter
}

// rejectWriter writes the file in one form. bad is the index of the cell that the
// reason is about, or less than zero.
type rejectWriter interface {
	write(cells []string, bad int) error
	close() error
}

func (f *rejects) write(r Row, why Rejection) error {
	if f.open == nil {
		return nil
	}
	if f.out == nil {
		if err := f.begin(); err != nil {
			return err
		}
	}
	reason := why.Reason
	if why.Column != "" {
		reason = why.Column + ": " + reason
	}
	if len(r.Cells) > len(f.header) {
		reason += ": " + strings.Join(r.Cells[len(f.header):], " | ")
	}
	cells := make([]string, 0, len(f.header)+1)
	bad := -1
	for i, name := range f.header {
		if name == ReasonColumn {
			continue
		}
		if name == why.Column {
			bad = len(cells)
		}
		switch {
		case i < len(r.Cells):
			cells = append(cells, r.Cells[i])
		case i == 0:
			// A row that is no CSV stands in its first cell as it was.
			cells = append(cells, r.Raw)
		default:
			cells = append(cells, "")
		}
	}
	return f.out.write(append(cells, reason), bad)
}

// begin opens the file and writes the heads, without the one that an earlier
// import added.
func (f *rejects) begin() error {
	w, err := f.open()
	if err != nil {
		return err
	}
	heads := slices.DeleteFunc(slices.Clone(f.header), func(h string) bool { return h == ReasonColumn })
	heads = append(heads, ReasonColumn)
	if f.asSheet {
		f.out, err = newRejectSheet(w, heads)
	} else {
		f.out, err = newRejectText(w, heads)
	}
	return err
}

// close completes the file, if there is one.
func (f *rejects) close() error {
	if f.out == nil {
		return nil
	}
	return f.out.close()
}

// rejectText writes CSV.
type rejectText struct{ csv *csv.Writer }

func newRejectText(w io.Writer, heads []string) (*rejectText, error) {
	// Excel takes a file without the mark for one in the local encoding.
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return nil, err
	}
	t := &rejectText{csv.NewWriter(w)}
	return t, t.csv.Write(heads)
}

func (t *rejectText) write(cells []string, _ int) error {
	for i := range cells {
		cells[i] = Escaped(cells[i])
	}
	if err := t.csv.Write(cells); err != nil {
		return err
	}
	// What is known is in the file, should the import be killed.
	t.csv.Flush()
	return t.csv.Error()
}

func (t *rejectText) close() error {
	t.csv.Flush()
	return t.csv.Error()
}

// maxSheetRows is how many rows a sheet can have.
const maxSheetRows = excelize.TotalRows

// errTooManyRejects ends an import whose rejected rows no sheet can hold.
var errTooManyRejects = errors.New("more rows are rejected than a sheet can have: name a .csv file for them")

// rejectSheet writes a workbook.
type rejectSheet struct {
	to     io.Writer
	file   *excelize.File
	sheet  *excelize.StreamWriter
	row    int
	plain  int
	marked int
	reason int
}

func newRejectSheet(w io.Writer, heads []string) (*rejectSheet, error) {
	file := excelize.NewFile()
	s := &rejectSheet{to: w, file: file}
	if err := s.begin(heads); err != nil {
		_ = file.Close()
		return nil, err
	}
	return s, nil
}

func (s *rejectSheet) begin(heads []string) error {
	const asText = 49 // what is typed over stays as it is typed
	head, err := s.file.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Fill: fill("E8EDF3"), NumFmt: asText})
	if err != nil {
		return err
	}
	for _, style := range []struct {
		id *int
		of excelize.Style
	}{
		{&s.plain, excelize.Style{NumFmt: asText, Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&s.marked, excelize.Style{NumFmt: asText, Alignment: &excelize.Alignment{Vertical: "top"}, Fill: fill("FFC7CE")}},
		{&s.reason, excelize.Style{
			NumFmt: asText, Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}, Font: &excelize.Font{Color: "9C0006"},
		}},
	} {
		if *style.id, err = s.file.NewStyle(&style.of); err != nil {
			return err
		}
	}
	if s.sheet, err = s.file.NewStreamWriter(s.file.GetSheetName(0)); err != nil {
		return err
	}
	if err := s.sheet.SetColWidth(1, len(heads), 20); err != nil {
		return err
	}
	if err := s.sheet.SetColWidth(len(heads), len(heads), 60); err != nil {
		return err
	}
	if err := s.sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	return s.line(heads, func(int) int { return head })
}

func fill(colour string) excelize.Fill {
	return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{colour}}
}

func (s *rejectSheet) write(cells []string, bad int) error {
	for i := range cells {
		// In a cell of text nothing is a formula. Only what looks escaped has to be
		// escaped, because the import takes one such mark off.
		if unescaped(cells[i]) != cells[i] {
			cells[i] = "'" + cells[i]
		}
	}
	return s.line(cells, func(i int) int {
		switch i {
		case bad:
			return s.marked
		case len(cells) - 1:
			return s.reason
		default:
			return s.plain
		}
	})
}

func (s *rejectSheet) line(cells []string, style func(int) int) error {
	if s.row == maxSheetRows {
		return errTooManyRejects
	}
	s.row++
	values := make([]any, len(cells))
	for i, cell := range cells {
		values[i] = excelize.Cell{StyleID: style(i), Value: workbook.Fitting(cell)}
	}
	at, err := excelize.CoordinatesToCellName(1, s.row)
	if err != nil {
		return err
	}
	return s.sheet.SetRow(at, values)
}

func (s *rejectSheet) close() error {
	defer s.file.Close()
	if err := s.sheet.Flush(); err != nil {
		return err
	}
	_, err := s.file.WriteTo(s.to)
	return err
}
