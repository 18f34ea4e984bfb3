package holidays

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"closeloop/sla"
)

// Bounds of a feed.
const (
	maxEvents = 5_000
	maxRules  = 500
	// longestEvent is in days.
	longestEvent = 60
	dateForm     = "20060102"
)

// workWords mark a make-up working day in the summary of an event.
var workWords = regexp.MustCompile(`(?i)补班|上班|[(（\[【]班[)）\]】]|^班|班$|班[\s:：\-—]|\bwork(ing)?([ -]?day)?\b|\bworkday\b`)

// specialDay is how Apple's feeds say what a day is.
const specialDay = ics.ComponentProperty("X-APPLE-SPECIAL-DAY")

// event is what counts of an event of a feed.
type event struct {
	uid, name  string
	start      sla.Date
	length     int
	rule       *rule
	without    []sla.Date
	replaces   *sla.Date
	work, mere bool // mere: something that is no day off
}

func readFeed(data []byte, year int) (Found, error) {
	calendar, err := ics.ParseCalendar(bytes.NewReader(data))
	if err != nil {
		return Found{}, fmt.Errorf("it is not an iCalendar feed: %w", err)
	}
	all := calendar.Events()
	if len(all) > maxEvents {
		return Found{}, fmt.Errorf("it has %d events; at most %d are read", len(all), maxEvents)
	}
	var events []event
	timed, rules := 0, 0
	for i, e := range all {
		read, dated, err := readEvent(e)
		switch {
		case err != nil:
			return Found{}, fmt.Errorf("event %d (%s): %w", i+1, tidy(text(e, ics.ComponentPropertySummary), maxName), err)
		case !dated:
			timed++
		default:
			events = append(events, read)
		}
		if read.rule != nil {
			rules++
		}
		if rules > maxRules {
			return Found{}, fmt.Errorf("it has more than %d events that recur", maxRules)
		}
	}
	if year == 0 {
		if year, err = onlyYear(events); err != nil {
			return Found{}, err
		}
	}
	name := ""
	for _, p := range calendar.CalendarProperties {
		if strings.EqualFold(p.IANAToken, "X-WR-CALNAME") {
			name = p.Value
		}
	}
	f, err := found(occurring(events, year), year, name)
	f.Timed = timed
	return f, err
}

func text(e *ics.VEvent, name ics.ComponentProperty) string {
	if p := e.GetProperty(name); p != nil {
		return p.Value
	}
	return ""
}

// readEvent returns an event; false when it has a time of day.
func readEvent(e *ics.VEvent) (event, bool, error) {
	begins := text(e, ics.ComponentPropertyDtStart)
	if begins == "" {
		return event{}, false, fmt.Errorf("it has no DTSTART")
	}
	if len(begins) != len(dateForm) {
		return event{}, false, nil
	}
	start, err := day(begins)
	if err != nil {
		return event{}, false, err
	}
	read := event{uid: text(e, ics.ComponentPropertyUniqueId), start: start}
	if read.length, err = length(e, start); err != nil {
		return event{}, false, err
	}
	if r := text(e, ics.ComponentPropertyRrule); r != "" {
		if read.rule, err = parseRule(r); err != nil {
			return event{}, false, err
		}
	}
	for _, p := range e.GetProperties(ics.ComponentPropertyExdate) {
		for _, d := range strings.Split(p.Value, ",") {
			date, err := day(d[:min(len(d), len(dateForm))])
			if err != nil {
				return event{}, false, err
			}
			read.without = append(read.without, date)
		}
	}
	if id := text(e, ics.ComponentPropertyRecurrenceId); id != "" {
		date, err := day(id[:min(len(id), len(dateForm))])
		if err != nil {
			return event{}, false, err
		}
		read.replaces = &date
	}
	summary := text(e, ics.ComponentPropertySummary)
	read.name, read.work = nameOf(summary), workWords.MatchString(summary)
	switch text(e, specialDay) {
	case "ALTERNATE-WORKDAY":
		read.work = true
	case "WORK-HOLIDAY":
		read.work = false
	default:
		read.mere = true
	}
	if strings.EqualFold(text(e, ics.ComponentPropertyStatus), "CANCELLED") {
		read.length = 0
	}
	return read, true, nil
}

func day(text string) (sla.Date, error) {
	t, err := time.Parse(dateForm, text)
	if err != nil || t.Year() < sla.FirstYear || t.Year() > sla.LastYear {
		return 0, fmt.Errorf("%q is not a date of the years %d to %d", text, sla.FirstYear, sla.LastYear)
	}
	return sla.DateOf(t, time.UTC), nil
}

var lengthText = regexp.MustCompile(`^\+?P(\d{1,3})([DW])$`)

// length returns the number of days of an event.
func length(e *ics.VEvent, start sla.Date) (int, error) {
	days := 1
	if ends := text(e, ics.ComponentPropertyDtEnd); ends != "" {
		end, err := day(ends)
		if err != nil {
			return 0, err
		}
		// The end is the first day after it; some feeds write the same day.
		days = max(1, int(end-start))
		if end < start {
			return 0, fmt.Errorf("it ends on %s, before it begins on %s", end, start)
		}
	} else if d := text(e, ics.ComponentPropertyDuration); d != "" {
		m := lengthText.FindStringSubmatch(d)
		if m == nil {
			return 0, fmt.Errorf("its duration %q is not a number of days", d)
		}
		if _, err := fmt.Sscan(m[1], &days); err != nil {
			return 0, err
		}
		if m[2] == "W" {
			days *= 7
		}
		days = max(1, days)
	}
	if days > longestEvent {
		return 0, fmt.Errorf("it lasts %d days, which no holiday does", days)
	}
	return days, nil
}

var (
	// marks of days off and at work, and the counting of days, are no part of a name.
	noName   = regexp.MustCompile(`[(（\[【][休班][)）\]】]|[休班]$|补班|调休上班|上班|调休|放假|假期|第\s*\d+\s*天\s*/\s*共\s*\d+\s*天|第[一二三四五六七八九十\d]+天`)
	noNameEN = regexp.MustCompile(`(?i)[\s(:–-]*\b(make-?up )?(special )?work(ing)?[ -]?day\)?$`)
)

// nameOf returns what a summary calls the day.
func nameOf(summary string) string {
	name := strings.Trim(noNameEN.ReplaceAllString(noName.ReplaceAllString(summary, " "), ""), " -—:：·")
	if name == "" {
		return summary
	}
	return name
}

// onlyYear returns the year of all events.
func onlyYear(events []event) (int, error) {
	var starts []sla.Day
	for _, e := range events {
		if e.rule != nil {
			return 0, fmt.Errorf("it has days of every year: say with --year for which")
		}
		starts = append(starts, sla.Day{Date: e.start})
	}
	switch years := yearsOf(starts); {
	case years == "":
		return 0, fmt.Errorf("it has no day off")
	case strings.Contains(years, ","):
		return 0, fmt.Errorf("it has the years %s: say with --year which", years)
	}
	return starts[0].Date.Year(), nil
}

// occurring returns the days of events around a year.
func occurring(events []event, year int) []entry {
	// A feed that says which of its days are off has others that are not.
	tells := slices.ContainsFunc(events, func(e event) bool { return !e.mere })
	replaced := map[string][]sla.Date{}
	for _, e := range events {
		if e.replaces != nil {
			replaced[e.uid] = append(replaced[e.uid], *e.replaces)
		}
	}
	var entries []entry
	for _, e := range events {
		if tells && e.mere {
			continue
		}
		starts := []sla.Date{e.start}
		if e.rule != nil && e.replaces == nil {
			// One that begins at the end of the year before may reach into this.
			starts = append(e.rule.in(e.start, year-1), e.rule.in(e.start, year)...)
		}
		for _, start := range starts {
			if slices.Contains(e.without, start) || e.replaces == nil && slices.Contains(replaced[e.uid], start) {
				continue
			}
			for i := range e.length {
				d := sla.Day{Date: start + sla.Date(i), Name: e.name}
				if e.rule == nil || d.Date.Year() == year {
					entries = append(entries, entry{d, e.work})
				}
			}
		}
	}
	return entries
}
