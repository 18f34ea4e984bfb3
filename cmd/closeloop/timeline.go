package main

import (
	"math"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"closeloop/requirement"
	"closeloop/sla"
)

// A timeline is a clock's way drawn to the width of a screen. Working time is to
// scale; closed time is only as wide as it takes to be seen.
type timeline struct {
	parts []part
	// scale is the working time of one column.
	scale time.Duration
	width int
}

// part is a piece of the way that is drawn with one sign.
type part struct {
	sla.Span
	sign sign
	// work is what of it is to scale; zero for closed time.
	work time.Duration
	// at is its first column, of so many.
	at, columns int
}

// sign is how a piece of the way is drawn. They can be told apart without colour.
type sign rune

const (
	signCounted sign = '█'
	signOverdue sign = '!'
	signOutside sign = '░'
	signPaused  sign = '▒'
	signHoliday sign = 'H'
	signUnknown sign = '?'
	signAhead   sign = '·'
	signClosed  sign = ' ' // closed time that is still to come
)

// signs is their order in the legend.
var signs = []sign{signCounted, signOverdue, signPaused, signOutside, signHoliday, signUnknown, signAhead}

// scales are what a column may stand for.
var scales = []time.Duration{
	10 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 3 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, 8 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 48 * time.Hour, 96 * time.Hour, 192 * time.Hour, 384 * time.Hour, 768 * time.Hour,
}

// newTimeline lays the way of a clock out over at most so many columns, with the
// finest scale for which they are enough. holidayWidth is how many columns the
// sign of a holiday takes.
func newTimeline(x requirement.ClockExplanation, width, holidayWidth int) timeline {
	t := timeline{parts: partsOf(x)}
	closed := closedWidths{night: 1, weekend: 2, holiday: holidayWidth}
	// On a way so long that nights would take most of the width they are given up,
	// and then weekends.
	if t.count(isNight) > width/3 {
		closed.night = 0
	}
	if 2*t.count(isWeekend) > width/3 {
		closed.weekend = 0
	}
	for _, least := range []int{1, 0} {
		for _, t.scale = range scales {
			if t.layOut(closed, least); t.width <= width {
				return t
			}
		}
		// More changes than columns: not all of them can be seen.
		closed = closedWidths{}
	}
	return t
}

// closedWidths are the columns of closed time, where to scale it had more.
type closedWidths struct{ night, weekend, holiday int }

func isNight(p part) bool {
	length := p.To.Sub(p.From)
	return p.sign.shut() && length >= longBreak && length < 24*time.Hour
}

func isWeekend(p part) bool { return p.sign.shut() && p.To.Sub(p.From) >= 24*time.Hour }

// longBreak is what is more than a break of a day's work.
const longBreak = 4 * time.Hour

func (t *timeline) count(what func(part) bool) int {
	n := 0
	for _, p := range t.parts {
		if what(p) {
			n++
		}
	}
	return n
}

// partsOf are the intervals of a clock as far as they are drawn differently.
func partsOf(x requirement.ClockExplanation) []part {
	var parts []part
	add := func(v requirement.IntervalView, s sign, work float64) {
		length := time.Duration(math.Round(work * float64(time.Second)))
		if n := len(parts); n > 0 && parts[n-1].sign == s {
			parts[n-1].To = v.To
			parts[n-1].work += length
			return
		}
		parts = append(parts, part{Span: sla.Span{From: v.From, To: v.To}, sign: s, work: length})
	}
	for _, v := range x.Intervals {
		switch {
		case v.Kind == sla.IntervalPaused:
			add(v, signPaused, v.WorkingSeconds)
		case v.Kind == sla.IntervalHoliday:
			add(v, signHoliday, 0)
		case v.Kind == sla.IntervalUnknown:
			add(v, signUnknown, 0)
		case v.Kind == sla.IntervalOutside:
			add(v, signOutside, 0)
		case v.Overdue:
			add(v, signOverdue, v.CountedSeconds)
		default:
			add(v, signCounted, v.CountedSeconds)
		}
	}
	for _, v := range x.Ahead {
		switch v.Kind {
		case sla.IntervalCounted:
			add(v, signAhead, v.CountedSeconds)
		case sla.IntervalPaused:
			add(v, signPaused, v.WorkingSeconds)
		case sla.IntervalHoliday:
			add(v, signHoliday, 0)
		default:
			add(v, signClosed, 0)
		}
	}
	return parts
}

// layOut gives each part its columns at the present scale. What is drawn with one
// sign gets at least so many.
func (t *timeline) layOut(closed closedWidths, least int) {
	worked, drawn, at := 0.0, 0, 0
	last := -1 // the latest part that is to scale
	for i := range t.parts {
		p := &t.parts[i]
		p.at, p.columns = at, 0
		if p.sign.closed() {
			if p.columns = t.closedColumns(i, closed); p.columns > 0 {
				drawn, last = 0, -1
			}
			at += p.columns
			continue
		}
		if last >= 0 && t.parts[last].sign != p.sign {
			drawn = 0
		}
		last = i
		// Rounded over the whole way, so that what is lost here is gained there.
		before := math.Round(worked)
		worked += float64(p.work) / float64(t.scale)
		p.columns = int(math.Round(worked) - before)
		if drawn += p.columns; drawn < least && !t.goesOn(i, closed) {
			p.columns += least - drawn
			drawn = least
		}
		at += p.columns
	}
	t.width = at
}

// goesOn reports whether the next part that is drawn has the sign of the i-th, so
// that both look like one.
func (t *timeline) goesOn(i int, closed closedWidths) bool {
	for j := i + 1; j < len(t.parts); j++ {
		if !t.parts[j].sign.closed() {
			return t.parts[j].sign == t.parts[i].sign
		}
		if t.closedColumns(j, closed) > 0 {
			return false
		}
	}
	return false
}

// closed reports whether it is time that does not count, whatever happens.
func (s sign) closed() bool { return s.shut() || s == signHoliday || s == signUnknown }

// shut reports whether it is time outside hours.
func (s sign) shut() bool { return s == signOutside || s == signClosed }

// mostHoliday is how many signs a holiday has at most: a long one has a sign a
// day up to then.
const mostHoliday = 7

// closedColumns is the width of closed time: to scale where that is less than
// what it takes to be seen.
func (t *timeline) closedColumns(i int, closed closedWidths) int {
	p := t.parts[i]
	length := p.To.Sub(p.From)
	linear := int(length / t.scale)
	nextToHoliday := i > 0 && t.parts[i-1].sign == signHoliday || i+1 < len(t.parts) && t.parts[i+1].sign == signHoliday
	switch {
	case p.sign == signHoliday:
		days := int(math.Round(length.Hours() / 24))
		return min(max(1, days), mostHoliday, max(1, linear)) * closed.holiday
	case p.sign == signUnknown:
		return max(1, min(linear, mostHoliday))
	case isNight(p) && nextToHoliday:
		return 0
	case isNight(p):
		return min(linear, closed.night)
	case isWeekend(p):
		return min(linear, closed.weekend)
	default:
		return min(linear, 1)
	}
}

// column is where an instant is drawn.
func (t *timeline) column(at time.Time) int {
	for _, p := range t.parts {
		if at.Before(p.To) {
			share := max(0, float64(at.Sub(p.From))/float64(p.To.Sub(p.From)))
			return p.at + int(share*float64(p.columns))
		}
	}
	return t.width
}

// workday is the column of an instant, or of the next that is not closed.
func (t *timeline) workday(at time.Time) int {
	for _, p := range t.parts {
		if at.Before(p.To) && (!p.sign.shut()) {
			if at.Before(p.From) {
				at = p.From
			}
			return t.column(at)
		}
	}
	return t.width
}

// bar is the way itself. holiday is the sign for holidays in the reader's
// language, and style colours one.
func (t *timeline) bar(holiday string, style func(sign, string) string) string {
	var b strings.Builder
	for _, p := range t.parts {
		text := strings.Repeat(string(p.sign), p.columns)
		if p.sign == signHoliday {
			text = strings.Repeat(holiday, p.columns/lipgloss.Width(holiday))
		}
		b.WriteString(style(p.sign, text))
	}
	return b.String()
}

// has reports whether a sign is drawn.
func (t *timeline) has(s sign) bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { return p.sign == s && p.columns > 0 })
}

// label is a text at a column.
type label struct {
	at   int
	text string
}

// shortestLabel is how far a label is cut before it is left out.
const shortestLabel = 4

// ruled is a line of labels, each behind a stroke at its column. Where there is
// no room for one it is left out, unless it may be cut.
func (t *timeline) ruled(labels []label, cut bool) string {
	line, end := "", 0
	for i, l := range labels {
		room := t.width - l.at
		if i+1 < len(labels) {
			room = labels[i+1].at - l.at
		}
		text := "|" + l.text
		if l.at < end || l.at >= t.width && i > 0 || cut && room < shortestLabel {
			continue
		}
		if cut {
			text = ansi.Truncate(text, room, "…")
		}
		line += strings.Repeat(" ", l.at-end) + text
		end = l.at + lipgloss.Width(text)
		if !cut {
			end++
			line += " "
		}
	}
	return strings.TrimRight(line, " ")
}

// pointed are lines of labels that point up at their columns, as many as it
// takes for none to be in the way of another.
func (t *timeline) pointed(labels []label, width int) []string {
	slices.SortStableFunc(labels, func(a, b label) int { return a.at - b.at })
	var lines []string
	for _, l := range labels {
		at, text := min(l.at, t.width-1), "^"+l.text
		if at+lipgloss.Width(text) > width {
			text = l.text + "^"
			at -= lipgloss.Width(l.text)
		}
		at = max(0, at)
		i := slices.IndexFunc(lines, func(line string) bool { return lipgloss.Width(line) < at || line == "" })
		if i < 0 {
			i, lines = len(lines), append(lines, "")
		}
		lines[i] += strings.Repeat(" ", at-lipgloss.Width(lines[i])) + text
	}
	return lines
}

// tickSteps are the distances between the times of day on a ruler.
var tickSteps = []time.Duration{
	100 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour,
}

// hours are the ticks of a way of less than some days: times of day in the zone,
// with at least so many columns between them.
func (t *timeline) hours(zone *time.Location, apart int) []time.Time {
	from, to := t.parts[0].From, t.parts[len(t.parts)-1].To
	local := from.In(zone)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone)
	for _, step := range tickSteps {
		if step < t.scale {
			continue
		}
		var ticks []time.Time
		last, fits := t.column(from), true
		for at := midnight.Add(from.Sub(midnight).Truncate(step) + step); at.Before(to) && len(ticks) < 1000; at = at.Add(step) {
			c := t.column(at)
			if c == last {
				continue // closed time
			}
			fits = fits && (c-last >= apart || len(ticks) == 0)
			last = c
			ticks = append(ticks, at)
		}
		if fits && len(ticks) < 1000 {
			return ticks
		}
	}
	return nil
}

// days are the dates on the way, by the zone, with the first instant of each.
func (t *timeline) days(zone *time.Location) []time.Time {
	from, to := t.parts[0].From.In(zone), t.parts[len(t.parts)-1].To
	list := []time.Time{from}
	for day := 1; ; day++ {
		at := time.Date(from.Year(), from.Month(), from.Day()+day, 0, 0, 0, 0, zone)
		if !at.Before(to) {
			return list
		}
		list = append(list, at)
	}
}
