package main

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"closeloop/sla"
)

// dayRow is a day of a calendar.
type dayRow struct {
	Date    sla.Date    `json:"date"`
	Weekday string      `json:"weekday"`
	Kind    sla.DayKind `json:"kind"`
	// Name of the holiday as the calendar has it.
	Name string `json:"name"`
	// Hours by the calendar's clocks, Windows as instants.
	Hours          string     `json:"hours"`
	Windows        []sla.Span `json:"windows"`
	WorkingSeconds float64    `json:"working_seconds"`
}

func (a *app) showDays(cal *sla.Calendar, first, last sla.Date) error {
	rows := make([]dayRow, 0, last-first+1)
	for date := first; date <= last; date++ {
		day, err := cal.Day(date)
		if err != nil {
			return err
		}
		row := dayRow{
			Date: date, Weekday: strings.ToLower(date.Weekday().String()[:3]), Kind: day.Kind, Name: day.Name,
			Hours: hours(day, cal.Location()), Windows: day.Windows,
		}
		for i, w := range day.Windows {
			row.Windows[i] = sla.Span{From: w.From.UTC(), To: w.To.UTC()}
			row.WorkingSeconds += w.To.Sub(w.From).Seconds()
		}
		rows = append(rows, row)
	}
	return printList(a, rows, dayColumns, func(s *screen) {
		if s.width > 0 {
			a.showMonths(s, rows)
		}
		a.showDayTable(s, cal, rows)
	})
}

// hours are the windows of a day by the clocks there. The end of the day is
// 24:00.
func hours(day sla.CalendarDay, loc *time.Location) string {
	var texts []string
	for _, w := range day.Windows {
		to := w.To.In(loc).Format("15:04")
		if sla.DateOf(w.To, loc) > day.Date {
			to = "24:00"
		}
		texts = append(texts, w.From.In(loc).Format("15:04")+"–"+to)
	}
	return strings.Join(texts, " ")
}

func (a *app) showDayTable(s *screen, cal *sla.Calendar, rows []dayRow) {
	table := make([][]string, len(rows))
	var total float64
	works := 0
	for i, r := range rows {
		total += r.WorkingSeconds
		if worked, err := cal.Works(r.Date); err == nil && worked {
			works++
		}
		style := a.dayStyle(s, r.Kind)
		table[i] = []string{
			style.Render(r.Date.String()), a.weekday((int(r.Date.Weekday()) + 6) % 7),
			style.Render(a.text.Name("day_kind", string(r.Kind))), r.Hours, clean(a.text.Holiday(r.Name)),
		}
	}
	s.table(a.headers("date", "weekday", "day", "hours", "name"), table, 4, 3)
	if !a.quiet {
		s.line(s.faint.Render(a.say("cli.calendar.total", map[string]any{
			"Name": cal.Name(), "Zone": cal.Location().String(), "Days": works,
			"Hours": a.text.Duration(time.Duration(total * float64(time.Second))),
		})))
	}
}

// dayStyle tells the kinds of days apart where there are colours.
func (a *app) dayStyle(s *screen, kind sla.DayKind) lipgloss.Style {
	switch kind {
	case sla.Holiday:
		return s.bad
	case sla.MakeupDay:
		return s.warn
	case sla.Exception:
		return s.head
	case sla.RestDay:
		return s.faint
	default:
		return lipgloss.NewStyle()
	}
}

// daySign tells the kinds of days apart where there are none; ordinary working
// days have no sign.
func (a *app) daySign(kind sla.DayKind) string {
	if kind == sla.Workday {
		return ""
	}
	return a.say("cli.calendar.sign."+string(kind), nil)
}

// cellWidth is that of a day in the grid: two digits, a sign of up to two
// columns, and a gap.
const cellWidth = 6

// showMonths draws a grid of each month, weeks from Monday, with the names of its
// days below.
func (a *app) showMonths(s *screen, rows []dayRow) {
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].Date.Month() == rows[0].Date.Month() && rows[n].Date.Year() == rows[0].Date.Year() {
			n++
		}
		a.showMonth(s, rows[:n])
		rows = rows[n:]
	}
}

func (a *app) showMonth(s *screen, rows []dayRow) {
	first := rows[0].Date
	s.line(s.head.Render(a.text.Month(first.Year(), first.Month())))
	var line strings.Builder
	for i := range 7 {
		line.WriteString(padded(a.weekday(i), cellWidth))
	}
	s.line(s.faint.Render(strings.TrimRight(line.String(), " ")))
	line.Reset()
	column := (int(first.Weekday()) + 6) % 7
	line.WriteString(strings.Repeat(" ", column*cellWidth))
	for _, r := range rows {
		cell := fmt.Sprintf("%2d%s", r.Date.Day(), a.daySign(r.Kind))
		line.WriteString(a.dayStyle(s, r.Kind).Render(cell) + strings.Repeat(" ", cellWidth-lipgloss.Width(cell)))
		if column++; column == 7 {
			s.line(strings.TrimRight(line.String(), " "))
			line.Reset()
			column = 0
		}
	}
	if line.Len() > 0 {
		s.line(strings.TrimRight(line.String(), " "))
	}
	a.showNames(s, rows)
	s.line()
}

// padded fills a text up with blanks to so many columns.
func padded(text string, columns int) string {
	return text + strings.Repeat(" ", max(0, columns-lipgloss.Width(text)))
}

// showNames says what the signs of a month mean, and what its days are called.
func (a *app) showNames(s *screen, rows []dayRow) {
	for i := 0; i < len(rows); {
		r, j := rows[i], i
		for j+1 < len(rows) && rows[j+1].Kind == r.Kind && rows[j+1].Name == r.Name {
			j++
		}
		if r.Kind == sla.Holiday || r.Kind == sla.MakeupDay || r.Kind == sla.Exception {
			span := fmt.Sprint(r.Date.Day())
			if j > i {
				span += fmt.Sprintf("–%d", rows[j].Date.Day())
			}
			kind := a.dayStyle(s, r.Kind).Render(a.daySign(r.Kind) + " " + a.text.Name("day_kind", string(r.Kind)))
			s.line(padded(span, cellWidth), s.facts(kind, clean(a.text.Holiday(r.Name))))
		}
		i = j + 1
	}
}
