package sheets

import (
	"github.com/xuri/excelize/v2"

	"closeloop/locale"
)

// The colours of values that somebody has to see at once.
const (
	red   = "B42318"
	green = "1E7A46"
	grey  = "6B7280"
)

// Formats of cells: texts stay what is typed, instants are of the same form in
// every language.
var (
	asText   = "@"
	asMoment = "yyyy-mm-dd hh:mm"
	asSecond = "yyyy-mm-dd hh:mm:ss"
)

// looks are the styles of a workbook, by their numbers in it.
type looks struct {
	file  *excelize.File
	font  string
	title int
	note  int
	// heads are by who fills the column in.
	heads map[filler]int
	// cells are by what is in them.
	cells map[look]int
	// conditional styles, by their colour.
	coloured map[string]int
}

// look is what makes cells look different.
type look struct {
	instant, exact, number, wrapped, hand, bare bool
}

func newLooks(file *excelize.File, language string) (looks, error) {
	l := looks{file: file, font: "Calibri", heads: map[filler]int{}, cells: map[look]int{}, coloured: map[string]int{}}
	if language == locale.Chinese {
		l.font = "Microsoft YaHei"
	}
	var err error
	style := func(s excelize.Style) int {
		id, failed := file.NewStyle(&s)
		if err == nil {
			err = failed
		}
		return id
	}
	l.title = style(excelize.Style{Font: l.letters(14, true, "1F3A5F")})
	l.note = style(excelize.Style{Font: l.letters(10, false, grey)})
	for by, colours := range map[filler][2]string{bySystem: {"1F3A5F", "FFFFFF"}, byBoth: {"1F3A5F", "FFFFFF"}, byHand: {"F3D08B", "3F2F0B"}} {
		l.heads[by] = style(excelize.Style{
			Font: l.letters(10, true, colours[1]), Fill: filled(colours[0]), Border: lines("FFFFFF"), CustomNumFmt: &asText,
			Alignment: &excelize.Alignment{Vertical: "center", WrapText: true},
		})
	}
	truth := []bool{false, true}
	for _, wrapped := range truth {
		for _, hand := range truth {
			for _, bare := range truth {
				l.cells[look{wrapped: wrapped, hand: hand, bare: bare}] = style(l.plain(&asText, wrapped, hand, bare))
			}
		}
	}
	for _, bare := range truth {
		l.cells[look{instant: true, bare: bare}] = style(l.plain(&asMoment, false, false, bare))
		l.cells[look{instant: true, exact: true, bare: bare}] = style(l.plain(&asSecond, false, false, bare))
		l.cells[look{number: true, bare: bare}] = style(l.plain(nil, false, false, bare))
	}
	return l, err
}

// plain is an ordinary cell. Numbers and instants stand on the left like the texts:
// nobody adds them up.
func (l looks) plain(format *string, wrapped, hand, bare bool) excelize.Style {
	s := excelize.Style{
		Font: l.letters(10, false, "1F2933"), CustomNumFmt: format,
		Alignment: &excelize.Alignment{Vertical: "top", Horizontal: "left", WrapText: wrapped},
	}
	if !bare {
		s.Border = lines("D5DBE3")
		if hand {
			s.Fill = filled("FFFAEE")
		}
	}
	return s
}

func (l looks) letters(size float64, bold bool, colour string) *excelize.Font {
	return &excelize.Font{Family: l.font, Size: size, Bold: bold, Color: colour}
}

func filled(colour string) excelize.Fill {
	return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{colour}}
}

func lines(colour string) []excelize.Border {
	return []excelize.Border{
		{Type: "bottom", Style: 1, Color: colour}, {Type: "right", Style: 1, Color: colour}, {Type: "left", Style: 1, Color: colour},
	}
}

// head is the style of a column's head: what is to be filled in by hand can be told
// from the rest.
func (l looks) head(c column) int { return l.heads[c.by] }

// cell is the style of a column's cells.
func (l looks) cell(c column) int {
	return l.cells[look{instant: c.instant, exact: c.exact, number: c.number, wrapped: c.wrapped, hand: c.by == byHand}]
}

// empty is the style of the cells below the table, for what is added there.
func (l looks) empty(c column) int {
	return l.cells[look{instant: c.instant, exact: c.exact, number: c.number, wrapped: c.wrapped, hand: c.by == byHand, bare: true}]
}

// mark is the conditional style of that colour.
func (l looks) mark(colour string) (int, error) {
	if id, ok := l.coloured[colour]; ok {
		return id, nil
	}
	id, err := l.file.NewConditionalStyle(&excelize.Style{Font: &excelize.Font{Color: colour, Bold: true}})
	l.coloured[colour] = id
	return id, err
}
