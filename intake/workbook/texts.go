package workbook

import (
	"bufio"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Bounds of the shared texts: how many there are, and from how many bytes on they
// are put into a file.
const (
	manyTexts = 16 << 20
	keptTexts = 8 << 20
)

// texts are the texts that cells of a workbook share, by their number.
type texts struct {
	// ends is where each ends, among all of them one after the other.
	ends []uint32
	kept []byte
	// file has the texts instead when they are many.
	file *os.File
	out  *bufio.Writer
}

func (t *texts) add(text string) error {
	from := uint32(0)
	if n := len(t.ends); n > 0 {
		from = t.ends[n-1]
	}
	if len(t.ends) >= manyTexts || int64(from)+int64(len(text)) > math.MaxUint32 {
		return tooLarge("sharedStrings", maxTexts)
	}
	t.ends = append(t.ends, from+uint32(len(text)))
	if t.file == nil && len(t.kept)+len(text) > keptTexts {
		file, err := Temporary()
		if err != nil {
			return err
		}
		t.file, t.out = file, bufio.NewWriter(file)
		if _, err := t.out.Write(t.kept); err != nil {
			return err
		}
		t.kept = nil
	}
	if t.file != nil {
		_, err := t.out.WriteString(text)
		return err
	}
	t.kept = append(t.kept, text...)
	return nil
}

// at returns a text by its number.
func (t *texts) at(i int) (string, error) {
	if i < 0 || i >= len(t.ends) {
		return "", errors.New("it refers to a text that is not there")
	}
	from := uint32(0)
	if i > 0 {
		from = t.ends[i-1]
	}
	if t.file == nil {
		return string(t.kept[from:t.ends[i]]), nil
	}
	text := make([]byte, t.ends[i]-from)
	_, err := t.file.ReadAt(text, int64(from))
	return string(text), err
}

func (t *texts) close() error {
	if t.file == nil {
		return nil
	}
	return Discard(t.file)
}

// Temporary is a file that is gone when the program ends, however it ends, where
// the system allows that: there it has no name any longer. [Discard] removes it
// everywhere.
func Temporary() (*os.File, error) {
	file, err := os.CreateTemp("", "closeloop-*")
	if err == nil {
		_ = os.Remove(file.Name())
	}
	return file, err
}

// Discard closes and removes a file of [Temporary].
func Discard(file *os.File) error {
	err := file.Close()
	if removed := os.Remove(file.Name()); !errors.Is(removed, os.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}

func (b *Book) readTexts(part string) error {
	in, err := b.part(part, maxTexts)
	if err != nil {
		return err
	}
	defer in.Close()
	g := &gate{in: in}
	d := xml.NewDecoder(g)
	for {
		g.left = maxRow
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return partError(part, err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "si" {
			continue
		}
		text, err := richText(d, "si")
		if err == nil {
			err = b.texts.add(text)
		}
		if err != nil {
			return partError(part, err)
		}
	}
	if b.texts.out != nil {
		return b.texts.out.Flush()
	}
	return nil
}

// richText reads the text of an element up to its end: that of all its runs, but
// without the readings of Chinese characters.
func richText(d *xml.Decoder, element string) (string, error) {
	var b strings.Builder
	inText, readings := false, 0
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return "", err
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "t":
				inText = true
			case "rPh":
				readings++
			}
		case xml.EndElement:
			switch t.Name.Local {
			case element:
				return unescaped(b.String()), nil
			case "t":
				inText = false
			case "rPh":
				readings--
			}
		case xml.CharData:
			if inText && readings == 0 {
				b.Write(t)
			}
		}
	}
}

var escape = regexp.MustCompile(`(?:_x[0-9A-Fa-f]{4}_)+`)

// unescaped puts characters in the place of _xHHHH_, which is how workbooks write
// those that XML does not have.
func unescaped(text string) string {
	if !strings.Contains(text, "_x") {
		return text
	}
	return escape.ReplaceAllStringFunc(text, func(run string) string {
		var units []uint16
		for i := 0; i < len(run); i += 7 {
			unit, err := strconv.ParseUint(run[i+2:i+6], 16, 16)
			if err != nil {
				return run
			}
			units = append(units, uint16(unit))
		}
		return string(utf16.Decode(units))
	})
}
