package intake

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"closeloop/intake/workbook"
	"closeloop/requirement"
)

// maxWorkbook bounds a workbook that comes as a stream and is put into a file to
// be read, in bytes.
const maxWorkbook = 512 << 20

// maxTitleRows is how many rows may stand above the header of a sheet: a title, a
// note on how to fill it in.
const maxTitleRows = 10

// kind is what a file is by its content.
type kind int

const (
	isText kind = iota
	isWorkbook
)

// Files that are neither text nor a workbook we read.
var (
	errOld = &workbook.Error{
		Code: workbook.Old, Message: "this is a workbook of Excel 97 to 2003 (.xls): open it in Excel or WPS, save it as .xlsx and import that",
	}
	errLocked = &workbook.Error{
		Code: workbook.Locked, Message: "this workbook is protected with a password: open it, take the password off, save it and import that",
	}
	errMarkup = &workbook.Error{
		Code: "markup", Message: "this is a web page or XML, whatever its name says: open it in Excel or WPS, save it as .xlsx and import that",
	}
	errNoSheets = &workbook.Error{
		Code: "text_has_no_sheets", Message: "this is a text file, which has no sheets: leave --sheet out",
	}
)

// kindOf tells what r is. The reader that it returns begins where r did.
func kindOf(r io.Reader) (kind, io.Reader, error) {
	in := bufio.NewReaderSize(r, headSize)
	head, err := in.Peek(headSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return isText, nil, err
	}
	// Below text there may be a file that knows its size and can be read anywhere.
	whole := io.Reader(in)
	if file, ok := r.(wholeFile); ok {
		if _, err := file.Seek(-int64(in.Buffered()), io.SeekCurrent); err == nil {
			whole = r
		}
	}
	plain := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n"))
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return isWorkbook, whole, nil
	case bytes.HasPrefix(head, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return isText, nil, compound(whole)
	case bytes.HasPrefix(plain, []byte("<?xml")), bytes.HasPrefix(plain, []byte("<!doctype")),
		bytes.HasPrefix(plain, []byte("<html")), bytes.HasPrefix(plain, []byte("<table")), bytes.HasPrefix(plain, []byte("<meta")):
		return isText, nil, errMarkup
	default:
		return isText, whole, nil
	}
}

// wholeFile is what can be read anywhere.
type wholeFile interface {
	io.Reader
	io.ReaderAt
	io.Seeker
}

// sizeOf is the size of what is left of a file, or -1.
func sizeOf(r io.Reader) int64 {
	f, ok := r.(wholeFile)
	if !ok {
		return -1
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return -1
	}
	end, err := f.Seek(0, io.SeekEnd)
	if _, back := f.Seek(at, io.SeekStart); err != nil || back != nil {
		return -1
	}
	return end - at
}

// compound tells the two kinds of files that Excel keeps in its old container: its
// old workbooks, and new ones with a password.
func compound(r io.Reader) error {
	var name []byte
	for _, c := range "EncryptedPackage" {
		name = append(name, byte(c), 0)
	}
	in := io.LimitReader(r, maxWorkbook)
	window := make([]byte, 0, 2*window)
	for {
		n, err := in.Read(window[len(window):cap(window)])
		window = window[:len(window)+n]
		if bytes.Contains(window, name) {
			return errLocked
		}
		if errors.Is(err, io.EOF) {
			return errOld
		}
		if err != nil {
			return err
		}
		if keep := len(name) - 1; len(window) > keep {
			window = append(window[:0], window[len(window)-keep:]...)
		}
	}
}

// sheetRows are the rows of a sheet.
type sheetRows struct {
	rows *workbook.Rows
	done atomic.Int64
}

// openSheet finds the header of a sheet: the row that names the columns of the
// intake record if one does, below a few rows of title; otherwise the first row.
func openSheet(r io.Reader, name string) (*Table, error) {
	from, size, spooled, err := seekable(r)
	if err != nil {
		return nil, err
	}
	t := &Table{}
	var book *workbook.Book
	var rows *workbook.Rows
	t.close = func() error {
		var errs []error
		if rows != nil {
			errs = append(errs, rows.Close())
		}
		if book != nil {
			errs = append(errs, book.Close())
		}
		return errors.Join(append(errs, spooled())...)
	}
	if book, err = workbook.Open(from, size); err == nil {
		if rows, err = book.Rows(name); err == nil {
			err = t.head(rows, book.Names())
		}
	}
	if err != nil {
		_ = t.Close()
		return nil, err
	}
	return t, nil
}

// head finds the header of the sheet. Rows above it are passed over; rows that
// were read below it on the way are kept.
func (t *Table) head(rows *workbook.Rows, sheets []string) error {
	var begin []workbook.Row
	found := -1
	for len(begin) <= maxTitleRows && found < 0 {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		begin = append(begin, row)
		if _, err := Recognise(named(row.Cells)); err == nil {
			found = len(begin) - 1
		}
	}
	if len(begin) == 0 {
		return emptySheet(rows.Sheet(), sheets)
	}
	found = max(found, 0)
	t.Sheet = rows.Sheet()
	t.rows = &queued{before: begin[found+1:], sheetRows: &sheetRows{rows: rows}}
	return t.name(begin[found].Cells)
}

// queued gives rows that were read already before the others.
type queued struct {
	before []workbook.Row
	*sheetRows
}

func (q *queued) next() (Row, error) {
	if len(q.before) == 0 {
		return q.sheetRows.next()
	}
	row := q.before[0]
	q.before = q.before[1:]
	return q.row(row), nil
}

func (s *sheetRows) next() (Row, error) {
	row, err := s.rows.Next()
	if err != nil {
		return Row{}, err
	}
	return s.row(row), nil
}

func (s *sheetRows) row(row workbook.Row) Row {
	s.done.Store(int64(row.Number))
	r := Row{Number: row.Number, Cells: row.Cells}
	for i, why := range row.Bad {
		if r.bad == nil {
			r.bad = map[int]error{}
		}
		r.bad[i] = badCell(why, row.Cells[i])
	}
	return r
}

func (s *sheetRows) progress() (done, of int64) {
	return min(s.done.Load(), int64(s.rows.Count())), int64(s.rows.Count())
}

// badCell is what is wrong with a formula, in a form that other languages have
// words for.
func badCell(why workbook.Bad, value string) error {
	if why == workbook.FormulaFailed {
		return &requirement.Error{
			Code: requirement.CodeInvalid, Message: "the formula in it fails: " + value,
			Params: map[string]string{"problem": "formula_failed", "value": value},
		}
	}
	return &requirement.Error{
		Code: requirement.CodeInvalid, Message: "the formula in it was never calculated: open the workbook in Excel or WPS and save it",
		Params: map[string]string{"problem": "not_calculated"},
	}
}

// seekable is r as something that can be read anywhere: itself if it is a file,
// otherwise its copy. done removes the copy.
func seekable(r io.Reader) (from io.ReaderAt, size int64, done func() error, err error) {
	if f, ok := r.(wholeFile); ok {
		if at, err := f.Seek(0, io.SeekCurrent); err == nil {
			if size = sizeOf(r); size >= 0 {
				return io.NewSectionReader(f, at, size), size, func() error { return nil }, nil
			}
		}
	}
	return spool(r)
}

// spool copies r into a file.
func spool(r io.Reader) (from io.ReaderAt, size int64, done func() error, err error) {
	copied, err := workbook.Temporary()
	if err != nil {
		return nil, 0, nil, err
	}
	size, err = io.Copy(copied, io.LimitReader(r, maxWorkbook+1))
	if err == nil && size > maxWorkbook {
		err = tooLargeWorkbook()
	}
	if err != nil {
		return nil, 0, nil, errors.Join(err, workbook.Discard(copied))
	}
	return copied, size, func() error { return workbook.Discard(copied) }, nil
}

func tooLargeWorkbook() error {
	return &workbook.Error{
		Code: workbook.TooLarge, Params: map[string]string{"Part": "the workbook", "Size": "512 MiB"},
		Message: "the workbook has more than 512 MiB: split the table, or save it as CSV UTF-8",
	}
}

// emptySheet says where there may be something instead.
func emptySheet(sheet string, sheets []string) error {
	return &workbook.Error{
		Code: "empty_sheet", Params: map[string]string{"Sheet": sheet, "Sheets": strings.Join(sheets, ", ")},
		Message: fmt.Sprintf("the sheet %q is empty; name another one with --sheet: %s", sheet, strings.Join(sheets, ", ")),
	}
}
