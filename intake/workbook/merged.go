package workbook

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxMerged bounds the merged cells that are looked after.
const maxMerged = 100_000

// area is a merged cell that is higher than one row.
type area struct {
	column, top, bottom int
}

// survey goes through a sheet without understanding more of it than it has to: it
// counts the rows, finds the merged cells, which stand behind all rows, and shows
// whether the whole can be unpacked.
func survey(r io.Reader) (rows int, areas []area, err error) {
	in := bufio.NewReaderSize(r, 64<<10)
	for {
		chunk, err := in.ReadSlice('>')
		if i := bytes.LastIndexByte(chunk, '<'); i >= 0 {
			switch tag := chunk[i+1:]; elementOf(tag) {
			case "row":
				rows++
			case "mergeCell":
				a, ok := areaOf(tag)
				if ok {
					areas = append(areas, a)
				}
				if len(areas) > maxMerged {
					return rows, nil, fmt.Errorf("more than %d merged cells", maxMerged)
				}
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return rows, areas, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil:
			return rows, nil, err
		}
	}
}

// elementOf is the name of the element that a tag begins, without its prefix.
func elementOf(tag []byte) string {
	end := bytes.IndexAny(tag, " \t\r\n/>")
	if end < 0 {
		return ""
	}
	name := tag[:end]
	return string(name[bytes.IndexByte(name, ':')+1:])
}

// areaOf reads the reference of a merged cell; false when it is of one row.
func areaOf(tag []byte) (area, bool) {
	_, rest, _ := bytes.Cut(tag, []byte("ref="))
	if len(rest) == 0 {
		return area{}, false
	}
	text, _, _ := bytes.Cut(rest[1:], rest[:1])
	from, to, ok := strings.Cut(string(text), ":")
	column, known := columnOf(from)
	top, err := strconv.Atoi(strings.TrimLeft(strings.ToUpper(from), "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	bottom, err2 := strconv.Atoi(strings.TrimLeft(strings.ToUpper(to), "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	return area{column, top, bottom}, ok && known && err == nil && err2 == nil && bottom > top
}

// merged gives the rows of a merged cell the text of its first one, which is what
// people see there.
type merged struct {
	// from are the areas by the row they begin in.
	from map[int][]area
	open []shared
}

// shared is an area with its text.
type shared struct {
	area
	text string
}

func mergedCells(areas []area) merged {
	m := merged{from: map[int][]area{}}
	for _, a := range areas {
		m.from[a.top] = append(m.from[a.top], a)
	}
	return m
}

// fill puts the texts of merged cells into a row. It is called with every row that
// has a cell of its own.
func (m *merged) fill(row *Row) {
	open := m.open[:0]
	for _, s := range m.open {
		if s.bottom < row.Number {
			continue
		}
		open = append(open, s)
		if s.column >= len(row.Cells) || row.Cells[s.column] == "" {
			row.put(s.column, s.text, "")
		}
	}
	m.open = open
	for _, a := range m.from[row.Number] {
		if a.column < len(row.Cells) && row.Cells[a.column] != "" {
			m.open = append(m.open, shared{a, row.Cells[a.column]})
		}
	}
}
