package workbook

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// Bounds of the parts of a workbook, unpacked, in bytes. A small file can unpack
// to any size.
const (
	maxSmall  = 16 << 20
	maxTexts  = 512 << 20
	maxSheet  = 1 << 30
	maxParts  = 10_000
	maxSheets = 1_000
)

// Book is an open workbook.
type Book struct {
	parts    map[string]*zip.File
	sheets   []sheet
	date1904 bool
	formats  []format
	texts    texts
}

type sheet struct {
	name, part string
	hidden     bool
}

// Open reads what a workbook says of its sheets, formats and shared texts. r is
// used as long as the book is. Errors are [*Error], or those of r. Close frees
// what it holds.
func Open(r io.ReaderAt, size int64) (*Book, error) {
	files, err := zip.NewReader(r, size)
	if err != nil {
		return nil, damaged("zip", err)
	}
	if len(files.File) > maxParts {
		return nil, damaged("zip", fmt.Errorf("it has %d parts", len(files.File)))
	}
	b := &Book{parts: map[string]*zip.File{}}
	for _, f := range files.File {
		b.parts[plainPath(f.Name)] = f
	}
	if err := b.read(); err != nil {
		_ = b.Close()
		return nil, err
	}
	return b, nil
}

// Close removes what was put aside.
func (b *Book) Close() error { return b.texts.close() }

// plainPath is a part's name as it is compared: without regard to case, and
// whichever slash the program that wrote it thought right.
func plainPath(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(name, `\`, "/")), "/"))
}

func (b *Book) read() error {
	if b.parts["[content_types].xml"] == nil {
		return b.otherZip()
	}
	top, err := b.relations("")
	if err != nil {
		return err
	}
	book := first(top, "/officeDocument")
	if strings.HasSuffix(book, ".bin") {
		return wrong(Binary, "this is a workbook in Excel's binary form (.xlsb): open it in Excel, save it as .xlsx and import that")
	}
	var about struct {
		XMLName xml.Name
		Pr      struct {
			Date1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			Name  string     `xml:"name,attr"`
			State string     `xml:"state,attr"`
			Attrs []xml.Attr `xml:",any,attr"`
		} `xml:"sheets>sheet"`
	}
	if book == "" || b.parts[book] == nil {
		return b.otherZip()
	}
	if err := b.decode(book, &about); err != nil {
		return err
	}
	if about.XMLName.Local != "workbook" {
		return b.otherZip()
	}
	b.date1904 = about.Pr.Date1904 == "1" || about.Pr.Date1904 == "true"
	parts, err := b.relations(book)
	if err != nil {
		return err
	}
	for _, s := range about.Sheets[:min(len(about.Sheets), maxSheets)] {
		for _, a := range s.Attrs {
			if to := parts[a.Value]; a.Name.Local == "id" && strings.HasSuffix(to.kind, "/worksheet") {
				b.sheets = append(b.sheets, sheet{name: s.Name, part: to.part, hidden: s.State != "" && s.State != "visible"})
			}
		}
	}
	if part := first(parts, "/styles"); b.parts[part] != nil {
		if err := b.readFormats(part); err != nil {
			return err
		}
	}
	if part := first(parts, "/sharedStrings"); b.parts[part] != nil {
		return b.readTexts(part)
	}
	return nil
}

// otherZip says what a zip file that is no workbook is.
func (b *Book) otherZip() error {
	if f := b.parts["mimetype"]; f != nil {
		if in, err := f.Open(); err == nil {
			defer in.Close()
			kind, _ := io.ReadAll(io.LimitReader(in, 200))
			if strings.Contains(string(kind), "opendocument") {
				return wrong(OpenDocument, "this is an OpenDocument file: save it as .xlsx, or as CSV UTF-8, and import that")
			}
		}
	}
	return wrong(OtherZip, "this is a zip file, but no Excel workbook: import the table that is in it, as .xlsx or CSV")
}

// relation is where a part of the workbook is, and what it is.
type relation struct{ kind, part string }

// first finds a part by the end of its kind: the beginnings differ between the
// two editions of the standard.
func first(parts map[string]relation, kind string) string {
	found := ""
	for _, r := range parts {
		if strings.HasSuffix(r.kind, kind) && (found == "" || r.part < found) {
			found = r.part
		}
	}
	return found
}

// relations are the parts that a part refers to, by their ids.
func (b *Book) relations(of string) (map[string]relation, error) {
	dir, name := path.Split(of)
	var about struct {
		All []struct {
			ID     string `xml:"Id,attr"`
			Type   string `xml:"Type,attr"`
			Target string `xml:"Target,attr"`
			Mode   string `xml:"TargetMode,attr"`
		} `xml:"Relationship"`
	}
	if err := b.decode(plainPath(dir+"_rels/"+name+".rels"), &about); err != nil {
		return nil, err
	}
	found := map[string]relation{}
	for _, r := range about.All {
		target := r.Target
		if !strings.HasPrefix(target, "/") {
			target = dir + target
		}
		if r.Mode != "External" {
			found[r.ID] = relation{r.Type, plainPath(target)}
		}
	}
	return found, nil
}

// decode reads a small part as a whole.
func (b *Book) decode(part string, into any) error {
	in, err := b.part(part, maxSmall)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := xml.NewDecoder(in).Decode(into); err != nil {
		return partError(part, err)
	}
	return nil
}

// partError leaves our own errors as they are.
func partError(part string, err error) error {
	if _, ours := errors.AsType[*Error](err); ours {
		return err
	}
	return damaged(part, err)
}

// part opens a part, of which at most so many bytes are read. What the zip says
// of its size is not believed.
func (b *Book) part(name string, most int64) (io.ReadCloser, error) {
	f := b.parts[name]
	if f == nil {
		return nil, damaged(name, errors.New("it is missing"))
	}
	in, err := f.Open()
	if err != nil {
		return nil, damaged(name, err)
	}
	return &bounded{ReadCloser: in, name: name, most: most, left: most}, nil
}

// bounded ends with an error where a part is larger than it may be.
type bounded struct {
	io.ReadCloser
	name       string
	most, left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, tooLarge(b.name, b.most)
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		err = damaged(b.name, err)
	}
	return n, err
}

// Names are the names of the visible sheets, in their order.
func (b *Book) Names() []string {
	var names []string
	for _, s := range b.sheets {
		if !s.hidden {
			names = append(names, s.name)
		}
	}
	return names
}

// find returns the sheet of that name, also a hidden one; without a name the
// first visible one.
func (b *Book) find(name string) (sheet, error) {
	for _, s := range b.sheets {
		if name == "" && !s.hidden || name != "" && strings.EqualFold(s.name, name) {
			return s, nil
		}
	}
	if name == "" {
		return sheet{}, wrong(NoSheets, "the workbook has no visible sheet with cells")
	}
	there := strings.Join(b.Names(), ", ")
	return sheet{}, &Error{
		Code: NoSheet, Params: map[string]string{"Sheet": name, "Sheets": there},
		Message: fmt.Sprintf("there is no sheet %q; the workbook has %s", name, there),
	}
}
