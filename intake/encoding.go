package intake

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"closeloop/intake/workbook"
)

// ErrBinary says that a file is neither text nor a workbook.
var ErrBinary = &workbook.Error{
	Code: "binary", Message: "this is no text file: it has zero bytes near its beginning; export it as CSV UTF-8",
}

// window is how much text is looked at to tell UTF-8 from GB18030. It begins
// with the first character that is not ASCII.
const window = 64 << 10

// Text returns the content of r as UTF-8. The encoding is told by a byte order
// mark; without one, text with zero bytes is UTF-16 if that makes text of it, and
// text that is not valid UTF-8 is taken as GB18030, which holds every GBK and
// GB2312 file. Only the beginning, and the first stretch of text that is not
// ASCII, are looked at, so that r may be endless.
//
// What cannot be decoded becomes U+FFFD.
func Text(r io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(r, window)
	head, err := in.Peek(headSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		_, _ = in.Discard(3)
		return in, nil
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		decoder := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()
		return transform.NewReader(in, decoder), nil
	}
	order, wide := wideOrder(head)
	switch {
	case wide:
		return transform.NewReader(in, unicode.UTF16(order, unicode.IgnoreBOM).NewDecoder()), nil
	case bytes.IndexByte(head, 0) >= 0:
		return nil, ErrBinary
	}
	return &sniffer{in: in}, nil
}

// headSize is how much of a file is looked at to tell what it is.
const headSize = 4 << 10

// wideOrder reports whether text without a mark is UTF-16, and which byte comes
// first. It has zeros then, in commas and line ends at the least, and only one
// order makes text of it.
func wideOrder(head []byte) (order unicode.Endianness, wide bool) {
	if bytes.IndexByte(head, 0) < 0 {
		return order, false
	}
	most := 0
	for _, o := range []unicode.Endianness{unicode.LittleEndian, unicode.BigEndian} {
		text, err := unicode.UTF16(o, unicode.IgnoreBOM).NewDecoder().Bytes(head[:len(head)&^1])
		// The end of the head may have cut a character.
		text = bytes.TrimSuffix(text, []byte(string(utf8.RuneError)))
		if err != nil || bytes.ContainsFunc(text, odd) || !bytes.ContainsAny(text, ",;\t\n") {
			continue
		}
		ascii := 0
		for _, c := range text {
			if c < utf8.RuneSelf {
				ascii++
			}
		}
		if ascii > most {
			order, most = o, ascii
		}
	}
	return order, most > 0
}

// odd are characters that no table has.
func odd(r rune) bool {
	return r == utf8.RuneError || r < ' ' && r != '\t' && r != '\n' && r != '\r'
}

// sniffer passes ASCII on until it meets something else, and decides then.
type sniffer struct {
	in *bufio.Reader
	// decided is what the rest is read from.
	decided io.Reader
}

func (s *sniffer) Read(p []byte) (int, error) {
	if s.decided != nil {
		return s.decided.Read(p)
	}
	if len(p) == 0 {
		return 0, nil
	}
	// One byte at least, so that there is something buffered to look at.
	if _, err := s.in.Peek(1); err != nil {
		return 0, err
	}
	ready, _ := s.in.Peek(min(len(p), s.in.Buffered()))
	ascii := bytes.IndexFunc(ready, func(r rune) bool { return r >= utf8.RuneSelf })
	if ascii < 0 {
		ascii = len(ready)
	}
	if ascii > 0 {
		return s.in.Read(p[:ascii])
	}
	sample, err := s.in.Peek(window)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if looksUTF8(sample) {
		s.decided = s.in
	} else {
		s.decided = transform.NewReader(s.in, chinese().NewDecoder())
	}
	return s.decided.Read(p)
}

// chinese is the encoding of Chinese files without a mark. GBK would not do: it
// lacks the rarer characters of names.
func chinese() encoding.Encoding { return simplifiedchinese.GB18030 }

// looksUTF8 reports whether the sample is UTF-8, but for a last character that
// the end of the sample may have cut.
func looksUTF8(sample []byte) bool {
	for cut := 0; cut < utf8.UTFMax && cut < len(sample); cut++ {
		if utf8.Valid(sample[:len(sample)-cut]) {
			return cut == 0 || !utf8.FullRune(sample[len(sample)-cut:])
		}
	}
	return len(sample) == 0
}
