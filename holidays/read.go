package holidays

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"closeloop/sla"
)

// MaxBytes is the most that is read: far above any calendar of holidays.
const MaxBytes = 4 << 20

// maxName is how many characters of a holiday's name are kept.
const maxName = 60

// Found is what was read.
type Found struct {
	// Year has the days in order; its Set is empty, for no source says which set it
	// is.
	Year sla.HolidayYear
	// Outside are days of other years, which were left out.
	Outside []sla.Day
	// Timed is how many entries were left out because they have a time of day:
	// they are appointments and no days off.
	Timed int
}

// Read reads the holidays of a year, or of the only year there is when year is
// zero. The errors say what is wrong with the source.
func Read(data []byte, year int) (Found, error) {
	if len(data) > MaxBytes {
		return Found{}, fmt.Errorf("it is larger than %d MiB, which no calendar of holidays is", MaxBytes>>20)
	}
	if !utf8.Valid(data) {
		return Found{}, errors.New("it is not UTF-8")
	}
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	switch {
	case len(data) == 0:
		return Found{}, errors.New("it is empty")
	case data[0] == '{':
		return readJSON(data, year)
	case bytes.HasPrefix(bytes.ToUpper(data[:min(len(data), 20)]), []byte("BEGIN:VCALENDAR")):
		return readFeed(data, year)
	default:
		return Found{}, errors.New("it is neither JSON in the form of holiday-cn nor an iCalendar feed")
	}
}

// entry is one day of a source.
type entry struct {
	sla.Day
	work bool
}

// found makes a year of the entries.
func found(entries []entry, year int, source string) (Found, error) {
	f := Found{Year: sla.HolidayYear{Year: year, Source: tidy(source, 500)}}
	off, work := map[sla.Date]string{}, map[sla.Date]string{}
	for _, e := range entries {
		if e.Date.Year() != year {
			f.Outside = append(f.Outside, e.Day)
			continue
		}
		kind := off
		if e.work {
			kind = work
		}
		kind[e.Date] = both(kind[e.Date], tidy(e.Name, maxName))
	}
	f.Year.Off, f.Year.Work = days(off), days(work)
	for _, d := range f.Year.Work {
		if _, ok := off[d.Date]; ok {
			return Found{}, fmt.Errorf("%s is a day off and a working day in it", d.Date)
		}
	}
	if len(f.Year.Off) == 0 {
		return Found{}, fmt.Errorf("it has no day off in %d%s", year, instead(f.Outside))
	}
	slices.SortFunc(f.Outside, func(a, b sla.Day) int {
		return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.Name, b.Name))
	})
	f.Outside = slices.Compact(f.Outside)
	return f, nil
}

// both names a day that has two names.
func both(a, b string) string {
	if a == "" || slices.Contains(strings.Split(a, "、"), b) {
		return cmp.Or(a, b)
	}
	if b == "" {
		return a
	}
	return a + "、" + b
}

func days(named map[sla.Date]string) []sla.Day {
	var list []sla.Day
	for _, date := range slices.Sorted(maps.Keys(named)) {
		list = append(list, sla.Day{Date: date, Name: named[date]})
	}
	return list
}

// instead names the years that there are.
func instead(outside []sla.Day) string {
	years := yearsOf(outside)
	if len(years) == 0 {
		return ""
	}
	return "; there is " + years
}

func yearsOf(list []sla.Day) string {
	years := map[int]bool{}
	for _, d := range list {
		years[d.Date.Year()] = true
	}
	var texts []string
	for _, y := range slices.Sorted(maps.Keys(years)) {
		texts = append(texts, fmt.Sprint(y))
	}
	return strings.Join(texts, ", ")
}

// tidy makes one line of a text from outside, without marks that could change a
// terminal or a file.
func tidy(text string, longest int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.IsSpace(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
	words := []rune(strings.Join(strings.Fields(text), " "))
	return strings.TrimSpace(string(words[:min(len(words), longest)]))
}
