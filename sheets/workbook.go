package sheets

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/width"

	"closeloop/intake/workbook"
)

// maxRows is how many rows a sheet can have. What is more goes on in another one.
const maxRows = excelize.TotalRows

// maxLines bounds the height of a row in lines: a text of ten thousand characters
// must not fill the screen.
const maxLines = 8

// Workbook writes a table as an Excel workbook: the table itself, then a sheet that
// explains its columns, and one with the choices of those that have any.
type Workbook struct {
	to       io.Writer
	template Template
	options  Options
	columns  []column
	file     *excelize.File
	looks    looks
	// sheet is the one that is being written, row its last row.
	sheet  *excelize.StreamWriter
	name   string
	sheets int
	row    int
	rows   int
	// limit is maxRows but in tests.
	limit int
}

// NewWorkbook begins a table with its header. Close or Discard it: it may hold
// temporary files.
func NewWorkbook(w io.Writer, t Template, o Options) (*Workbook, error) {
	x := &Workbook{to: w, template: t, options: o, columns: columnsOf(t, o), file: excelize.NewFile(), limit: maxRows}
	err := x.file.SetDocProps(&excelize.DocProperties{Title: x.title(), Creator: "closeloop", Language: o.Text.Language()})
	if err == nil {
		x.looks, err = newLooks(x.file, o.Text.Language())
	}
	if err == nil {
		err = x.begin()
	}
	if err != nil {
		_ = x.file.Close()
		return nil, err
	}
	return x, nil
}

// title is what the table is called.
func (x *Workbook) title() string { return x.options.word("title." + string(x.template)) }

// begin starts a sheet with the header.
func (x *Workbook) begin() error {
	x.sheets++
	x.name = x.options.word("name." + string(x.template))
	if x.sheets > 1 {
		x.name = fmt.Sprintf("%s (%d)", x.name, x.sheets)
		if _, err := x.file.NewSheet(x.name); err != nil {
			return err
		}
	} else if err := x.file.SetSheetName(x.file.GetSheetName(0), x.name); err != nil {
		return err
	}
	if err := x.layOut(); err != nil {
		return err
	}
	var err error
	if x.sheet, err = x.file.NewStreamWriter(x.name); err != nil {
		return err
	}
	for i, c := range x.columns {
		if err := x.sheet.SetColWidth(i+1, i+1, x.width(c)); err != nil {
			return err
		}
		if err := x.sheet.SetColStyle(i+1, i+1, x.looks.empty(c)); err != nil {
			return err
		}
	}
	if err := x.sheet.SetPanes(x.frozen()); err != nil {
		return err
	}
	heads := make([]any, len(x.columns))
	for i, c := range x.columns {
		heads[i] = excelize.Cell{StyleID: x.looks.head(c), Value: x.options.head(c)}
	}
	x.row = 1
	return x.sheet.SetRow("A1", heads, excelize.RowOpts{Height: 32})
}

// width of a column has room for the longest word of its head, and the arrow of the
// filter beside it.
func (x *Workbook) width(c column) float64 {
	const arrow = 3.5
	w := c.width
	for word := range strings.FieldsSeq(x.options.head(c)) {
		w = max(w, float64(taken(word))+arrow)
	}
	return w
}

// fixed is how many columns stay in sight: those up to the title, which say what a
// row is about.
func (x *Workbook) fixed() int {
	for i, c := range x.columns {
		if c.key == title.key {
			return i + 1
		}
	}
	return 0
}

// frozen keeps the header in sight, and the columns that are fixed.
func (x *Workbook) frozen() *excelize.Panes {
	columns := x.fixed()
	at, err := excelize.CoordinatesToCellName(columns+1, 2)
	if err != nil {
		// Both are small numbers above nought.
		panic("closeloop: " + err.Error())
	}
	return &excelize.Panes{Freeze: true, XSplit: columns, YSplit: 1, TopLeftCell: at, ActivePane: "bottomRight"}
}

// layOut says how the sheet looks and prints, and what its columns take.
func (x *Workbook) layOut() error {
	p := &page{file: x.file, sheet: x.name}
	total := 0.0
	for _, c := range x.columns {
		total += x.width(c)
	}
	// So many columns of text are legible across a page of A3.
	const legible = 280
	p.print(8, "landscape", int(math.Ceil(total/legible)))
	last, err := excelize.ColumnNumberToName(x.fixed())
	p.keep(err)
	p.keep(x.file.SetDefinedName(&excelize.DefinedName{
		Name: "_xlnm.Print_Titles", Scope: x.name, RefersTo: fmt.Sprintf("%s!$A:$%s,%s!$1:$1", quoted(x.name), last, quoted(x.name)),
	}))
	if p.err != nil {
		return p.err
	}
	for i, c := range x.columns {
		if err := x.take(i+1, c); err != nil {
			return err
		}
	}
	return nil
}

// take adds the drop-down of a column and its colours.
func (x *Workbook) take(number int, c column) error {
	area, err := below(number)
	if err != nil {
		return err
	}
	if at, ok := x.listAt(c.choices); ok {
		v := excelize.NewDataValidation(true)
		v.SetSqref(area)
		v.SetSqrefDropList(at)
		v.SetError(excelize.DataValidationErrorStyleStop, x.options.head(c), x.options.word("choose"))
		if err := x.file.AddDataValidation(x.name, v); err != nil {
			return err
		}
	}
	var rules []excelize.ConditionalFormatOptions
	for _, mark := range x.marks(c) {
		style, err := x.looks.mark(mark.colour)
		if err != nil {
			return err
		}
		word := x.options.Text.Name(mark.kind, mark.value)
		rules = append(rules, excelize.ConditionalFormatOptions{
			Type: "cell", Criteria: "==", Format: &style, Value: `"` + strings.ReplaceAll(word, `"`, `""`) + `"`,
		})
	}
	if len(rules) == 0 {
		return nil
	}
	return x.file.SetConditionalFormat(x.name, area, rules)
}

// mark is a value that is shown in a colour.
type mark struct{ kind, value, colour string }

// marks are the values that somebody has to see at once, by column.
var marks = map[string][]mark{
	"priority":        {{"priority", "high", red}},
	"urgency":         {{"urgency", "urgent", red}},
	"status":          {{"status", "done", green}, {"status", "rejected", grey}},
	"stage":           {{"stage", "archived", green}, {"stage", "rejected", grey}, {"stage", "withdrawn", grey}, {"stage", "merged", grey}},
	"review":          {{"round_state", "approved", green}, {"round_state", "rejected", red}},
	"response_kept":   {{"clock_state", "met", green}, {"clock_state", "breached", red}},
	"resolution_kept": {{"clock_state", "met", green}, {"clock_state", "breached", red}},
	"step":            {{"event", "clock_breached", red}, {"event", "escalation_alarm", red}, {"event", "confirmed", green}, {"event", "archived", green}},
}

// marks are those of a column. In a history only steps are marked: what the
// requirement is now stands beside every one.
func (x *Workbook) marks(c column) []mark {
	if x.template == Tracking && c.key != "step" {
		return nil
	}
	return marks[c.key]
}

// below is a column without its header.
func below(number int) (string, error) {
	name, err := excelize.ColumnNumberToName(number)
	return fmt.Sprintf("%s2:%s%d", name, name, maxRows), err
}

// quoted is the name of a sheet in a reference.
func quoted(sheet string) string { return "'" + strings.ReplaceAll(sheet, "'", "''") + "'" }

// Write adds the rows of a requirement.
func (x *Workbook) Write(r Requirement) error {
	return x.template.subjects(r, func(s subject) error {
		if x.row == x.limit {
			if err := x.end(); err != nil {
				return err
			}
			if err := x.begin(); err != nil {
				return err
			}
		}
		x.row++
		x.rows++
		return x.line(cells(&x.options, x.columns, s))
	})
}

// line writes a row.
func (x *Workbook) line(values []any) error {
	row := make([]any, len(values))
	lines := 1
	for i, value := range values {
		c := x.columns[i]
		cell := excelize.Cell{StyleID: x.looks.cell(c)}
		if at, ok := instantOf(value); ok {
			cell.Value = serial(at.In(x.options.Zone))
		} else if text, ok := value.(string); ok && text != "" {
			cell.Value = workbook.Fitting(text)
			if c.wrapped {
				lines = max(lines, height(text, x.width(c)))
			}
		} else if n, ok := value.(int); ok {
			cell.Value = n
		}
		row[i] = cell
	}
	at, err := excelize.CoordinatesToCellName(1, x.row)
	if err != nil {
		return err
	}
	return x.sheet.SetRow(at, row, excelize.RowOpts{Height: 4 + 13.5*float64(min(lines, maxLines))})
}

// height is how many lines a text has in a column of that width, roughly.
func height(text string, columns float64) int {
	lines := 0
	for line := range strings.SplitSeq(text, "\n") {
		if lines += max(1, int(math.Ceil(float64(taken(line))/columns))); lines > maxLines {
			break
		}
	}
	return lines
}

// taken is how many columns of a screen a text takes.
func taken(text string) int {
	n := 0
	for _, r := range text {
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
		n++
	}
	return n
}

// serial is an instant as a spreadsheet counts: days since the end of 1899 by the
// clock on the wall, to the second.
func serial(at time.Time) float64 {
	_, offset := at.Zone()
	seconds := at.Unix() + int64(offset)
	const before1970 = 25_569
	return before1970 + float64(seconds)/86_400
}

// end completes a sheet: the filter needs to know where it ends.
func (x *Workbook) end() error {
	last, err := excelize.CoordinatesToCellName(len(x.columns), x.row)
	if err != nil {
		return err
	}
	if err := x.file.AutoFilter(x.name, "A1:"+last, nil); err != nil {
		return err
	}
	return x.sheet.Flush()
}

// Rows is how many rows were written.
func (x *Workbook) Rows() int { return x.rows }

// Close completes the table and writes it.
func (x *Workbook) Close() error {
	defer x.file.Close()
	if err := x.end(); err != nil {
		return err
	}
	if err := x.legend(); err != nil {
		return err
	}
	if err := x.choices(); err != nil {
		return err
	}
	x.file.SetActiveSheet(0)
	_, err := x.file.WriteTo(x.to)
	return err
}

// Discard gives the table up and frees what is held.
func (x *Workbook) Discard() { _ = x.file.Close() }

// legend explains the columns.
func (x *Workbook) legend() error {
	name := x.options.word("name.legend")
	if _, err := x.file.NewSheet(name); err != nil {
		return err
	}
	s := &page{file: x.file, sheet: name}
	s.widths(22, 78, 26)
	s.put(1, x.looks.title, x.title())
	about := x.options.Text.Text("sheet.made", map[string]any{
		"At": x.options.Text.Time(x.options.Now, x.options.Zone), "Rows": x.rows,
	})
	if x.options.Blank {
		about = x.options.word("made_blank")
	}
	s.put(2, x.looks.note, about)
	s.put(3, x.looks.note, x.options.Text.Text("sheet.about."+string(x.template), nil))
	s.put(5, x.looks.heads[bySystem], x.options.word("legend.column"), x.options.word("legend.means"), x.options.word("legend.by"))
	for i, c := range x.columns {
		filler := c.by
		if x.options.Blank {
			filler = byHand
		}
		by := x.options.word([]string{bySystem: "by.system", byBoth: "by.both", byHand: "by.hand"}[filler])
		s.put(6+i, x.looks.cell(column{wrapped: true, by: c.by}), x.options.head(c), x.options.Text.Text("sheet.means."+c.key, nil), by)
	}
	s.print(9, "portrait", 1)
	return s.err
}

// listsOf are the lists of choices that the table has, in the order of its columns.
func (x *Workbook) listsOf() []string {
	var lists []string
	seen := map[string]bool{"": true}
	for _, c := range x.columns {
		if !seen[c.choices] {
			seen[c.choices] = true
			lists = append(lists, c.choices)
		}
	}
	return lists
}

// listAt is where the choices of a list stand; false when there are none.
func (x *Workbook) listAt(list string) (string, bool) {
	for i, l := range x.listsOf() {
		words := choicesOf(&x.options, l)
		if l != list || len(words) == 0 {
			continue
		}
		column, err := excelize.ColumnNumberToName(i + 1)
		return fmt.Sprintf("%s!$%s$2:$%s$%d", quoted(x.options.word("name.choices")), column, column, len(words)+1), err == nil
	}
	return "", false
}

// choices writes the lists that drop-downs refer to: there they may be of any
// length, and a company can add to them.
func (x *Workbook) choices() error {
	lists := x.listsOf()
	if len(lists) == 0 {
		return nil
	}
	name := x.options.word("name.choices")
	if _, err := x.file.NewSheet(name); err != nil {
		return err
	}
	s := &page{file: x.file, sheet: name}
	for i, list := range lists {
		s.width(i+1, 24)
		s.at(i+1, 1, x.looks.heads[bySystem], x.options.word("list."+list))
		for j, word := range choicesOf(&x.options, list) {
			s.at(i+1, j+2, x.looks.cell(column{}), word)
		}
	}
	s.print(9, "portrait", 1)
	return s.err
}

// page writes a small sheet and remembers the first error.
type page struct {
	file  *excelize.File
	sheet string
	err   error
}

func (p *page) widths(columns ...float64) {
	for i, w := range columns {
		p.width(i+1, w)
	}
}

func (p *page) width(column int, w float64) {
	name, err := excelize.ColumnNumberToName(column)
	p.keep(err)
	p.keep(p.file.SetColWidth(p.sheet, name, name, w))
}

// put writes texts side by side.
func (p *page) put(row, style int, texts ...string) {
	for i, text := range texts {
		p.at(i+1, row, style, text)
	}
}

func (p *page) at(column, row, style int, text string) {
	cell, err := excelize.CoordinatesToCellName(column, row)
	p.keep(err)
	p.keep(p.file.SetCellStr(p.sheet, cell, workbook.Fitting(text)))
	p.keep(p.file.SetCellStyle(p.sheet, cell, cell, style))
}

// print makes the sheet fit so many pages of that paper across, without lines around
// its cells.
func (p *page) print(paper int, orientation string, across int) {
	yes, no, long, narrow := true, false, 0, 0.4
	p.keep(p.file.SetSheetProps(p.sheet, &excelize.SheetPropsOptions{FitToPage: &yes}))
	p.keep(p.file.SetPageLayout(p.sheet, &excelize.PageLayoutOptions{
		Size: &paper, Orientation: &orientation, FitToWidth: &across, FitToHeight: &long,
	}))
	p.keep(p.file.SetPageMargins(p.sheet, &excelize.PageLayoutMarginsOptions{Left: &narrow, Right: &narrow, Top: &narrow, Bottom: &narrow}))
	p.keep(p.file.SetSheetView(p.sheet, -1, &excelize.ViewOptions{ShowGridLines: &no}))
}

func (p *page) keep(err error) {
	if p.err == nil {
		p.err = err
	}
}
