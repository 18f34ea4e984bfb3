package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"
)

// screen prints for people: styled on a terminal, plain text elsewhere.
type screen struct {
	w io.Writer
	// width of the terminal in columns; 0 when it is none.
	width                                int
	strong, faint, good, warn, bad, head lipgloss.Style
}

func (a *app) screen(w io.Writer) *screen {
	s := &screen{
		strong: lipgloss.NewStyle().Bold(true),
		faint:  lipgloss.NewStyle().Faint(true),
		head:   lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Cyan),
		good:   lipgloss.NewStyle().Foreground(lipgloss.Green),
		warn:   lipgloss.NewStyle().Foreground(lipgloss.Yellow),
		bad:    lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Red),
	}
	// The writer takes out what the terminal cannot show; everything when it is
	// no terminal.
	profile := colorprofile.Detect(w, a.env.Environ())
	if a.noColor && profile > colorprofile.ASCII {
		profile = colorprofile.ASCII
	}
	s.w = &colorprofile.Writer{Forward: w, Profile: profile}
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			s.width = width
		}
	}
	return s
}

func (s *screen) line(parts ...string) {
	_, _ = fmt.Fprintln(s.w, strings.Join(parts, ""))
}

// title begins a part of the page.
func (s *screen) title(text string) {
	s.line()
	s.line(s.head.Render(text))
}

// gap stands between the facts of one line.
const gap = " · "

// facts joins what is known; the rest is left out.
func (s *screen) facts(parts ...string) string {
	var known []string
	for _, p := range parts {
		if p != "" {
			known = append(known, p)
		}
	}
	return strings.Join(known, s.faint.Render(gap))
}

// fields prints names and values in two columns; fields without a value are
// left out.
func (s *screen) fields(pairs ...string) {
	widest := 0
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			widest = max(widest, lipgloss.Width(pairs[i]))
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		label := pairs[i] + strings.Repeat(" ", widest-lipgloss.Width(pairs[i]))
		value := pairs[i+1]
		if s.width > widest+20 {
			value = ansi.Wrap(value, s.width-widest-2, "")
		}
		indent := "\n" + strings.Repeat(" ", widest+2)
		s.line(s.faint.Render(label), "  ", strings.ReplaceAll(value, "\n", indent))
	}
}

// narrowest is how far a column of long texts is cut.
const narrowest = 12

// table prints rows under headers, aligned also for Chinese. On a terminal that
// is too narrow, the long columns are cut first, in the order given, and then
// whatever is there.
func (s *screen) table(headers []string, rows [][]string, long ...int) {
	build := func() *table.Table {
		return table.New().
			Headers(headers...).Rows(rows...).
			Border(lipgloss.NormalBorder()).BorderStyle(lipgloss.NewStyle().Faint(true)).
			BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderColumn(false).
			Wrap(false).
			StyleFunc(func(row, col int) lipgloss.Style {
				style := lipgloss.NewStyle().PaddingRight(2)
				if col == len(headers)-1 {
					style = style.PaddingRight(0)
				}
				if row == table.HeaderRow {
					style = style.Bold(true)
				}
				return style
			})
	}
	text := build().Render()
	for _, column := range long {
		if over := lipgloss.Width(text) - s.width; s.width > 0 && over > 0 {
			cut(rows, column, over)
			text = build().Render()
		}
	}
	if s.width > 0 && lipgloss.Width(text) > s.width {
		text = build().Width(s.width).Render()
	}
	for line := range strings.Lines(text) {
		s.line(strings.TrimRight(line, " \n"))
	}
}

// cut makes a column narrower by so much, or as far as it goes.
func cut(rows [][]string, column, over int) {
	widest := 0
	for _, row := range rows {
		widest = max(widest, lipgloss.Width(row[column]))
	}
	for _, row := range rows {
		row[column] = ansi.Truncate(row[column], max(narrowest, widest-over), "…")
	}
}

// clean takes out of a text what could change the terminal: control characters
// and marks that turn the direction of writing. Texts come from customers.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return unicode.ReplacementChar
		default:
			return r
		}
	}, strings.TrimSpace(text))
}

// paragraphs is clean with the line ends kept.
func paragraphs(text string) string {
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")), "\n")
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	return strings.Join(lines, "\n")
}

// short cuts a text to so many columns.
func short(text string, columns int) string { return ansi.Truncate(clean(text), columns, "…") }
