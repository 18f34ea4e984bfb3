package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"closeloop/policy"
	"closeloop/sla"
)

// calendarCommand holds what is asked of working calendars: row L2.
func (a *app) calendarCommand() *cobra.Command {
	c := a.command("calendar", "calendar", "closeloop calendar show cn-office\ncloseloop calendar import 2027.json --into policy.yaml")
	a.parent(c)
	c.AddCommand(a.calendarShowCommand(), a.calendarImportCommand())
	return c
}

// The columns in CSV: the names of the JSON fields.
var (
	calendarColumns = []string{"name", "timezone", "hours", "holidays_of", "years", "shipped"}
	dayColumns      = []string{"date", "weekday", "kind", "name", "hours", "working_seconds"}
)

func (a *app) calendarShowCommand() *cobra.Command {
	var from, to string
	c := a.command("calendar.show", "show [NAME]",
		"closeloop calendar show\n"+
			"closeloop calendar show cn-office\n"+
			"closeloop calendar show cn-office --from 2026-09-20 --to 2026-10-20\n"+
			"closeloop calendar show cn-office --from 2026-01-01 --to 2026-12-31 -o csv")
	c.Args = a.takes(0, "NAME")
	c.Annotations[listing] = "yes"
	c.ValidArgsFunction = a.completeCalendars
	fs := a.flags(c)
	fs.text(&from, "from")
	fs.text(&to, "to")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		p, err := a.policy()
		if err != nil {
			return err
		}
		if len(args) == 0 {
			return a.listCalendars(p)
		}
		if !slices.Contains(p.CalendarNames(), args[0]) {
			_, err := p.Timetable(args[0])
			return &failure{exitNotFound, "not_found", fmt.Sprint(err), ""}
		}
		cal, err := p.FindCalendar(args[0])
		if err != nil {
			return err
		}
		first, last, err := a.dates(cmd, cal, from, to)
		if err != nil {
			return err
		}
		return a.showDays(cal, first, last)
	}
	return c
}

// completeCalendars offers the calendars there are.
func (a *app) completeCalendars(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	p, err := a.policy()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return p.CalendarNames(), cobra.ShellCompDirectiveNoFileComp
}

// calendarRow is a calendar in the list of all.
type calendarRow struct {
	Name     string `json:"name"`
	Timezone string `json:"timezone"`
	// Hours of an ordinary week, in words.
	Hours      string `json:"hours"`
	HolidaysOf string `json:"holidays_of"`
	// Years whose holidays are known; none when there are none to know.
	Years []int `json:"years"`
	// Shipped with the program, and not changed by the policy.
	Shipped bool `json:"shipped"`
}

// calendarRows are all calendars of a policy, the shipped ones first.
func (a *app) calendarRows(p *policy.Policy) ([]calendarRow, error) {
	var rows []calendarRow
	for _, name := range p.CalendarNames() {
		t, err := p.Timetable(name)
		if err != nil {
			return nil, err
		}
		own := slices.ContainsFunc(p.Calendars, func(t sla.Timetable) bool { return t.Name == name })
		row := calendarRow{
			Name: name, Timezone: t.Timezone, Hours: a.week(t), HolidaysOf: t.HolidaysOf, Years: t.Years, Shipped: !own,
		}
		if row.Timezone == "" {
			row.Timezone = time.UTC.String()
		}
		if row.Years == nil {
			row.Years = []int{}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (a *app) listCalendars(p *policy.Policy) error {
	rows, err := a.calendarRows(p)
	if err != nil {
		return err
	}
	return printList(a, rows, calendarColumns, func(s *screen) { a.showCalendars(s, rows) })
}

func (a *app) showCalendars(s *screen, rows []calendarRow) {
	table := make([][]string, len(rows))
	for i, r := range rows {
		table[i] = []string{r.Name, r.Timezone, r.Hours, r.HolidaysOf, years(r.Years), a.origin(r.Shipped)}
	}
	s.table(a.headers("name", "timezone", "hours", "holidays_of", "years", "from"), table, 2)
}

// origin says where a calendar or a year of holidays comes from.
func (a *app) origin(shipped bool) string {
	if shipped {
		return a.say("cli.calendar.shipped", nil)
	}
	return a.say("cli.policy.source", nil)
}

// years words a list of years, those that follow each other as a range.
func years(list []int) string {
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		if text := fmt.Sprint(list[i]); j == i {
			parts = append(parts, text)
		} else {
			parts = append(parts, fmt.Sprintf("%s–%d", text, list[j]))
		}
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

// week words the hours of an ordinary week, days with the same hours together.
func (a *app) week(t sla.Timetable) string {
	if t.Name == sla.AlwaysOpen {
		return a.say("cli.calendar.always", nil)
	}
	days := t.Hours.Days()
	var parts []string
	for i := 0; i < len(days); {
		j := i
		for j+1 < len(days) && slices.Equal(days[j+1], days[i]) {
			j++
		}
		if len(days[i]) > 0 {
			name := a.weekday(i)
			if j > i {
				name += "–" + a.weekday(j)
			}
			parts = append(parts, name+" "+spacedBy(" ", days[i]))
		}
		i = j + 1
	}
	return strings.Join(parts, "; ")
}

// weekday names the days of a week, Monday is 0.
func (a *app) weekday(i int) string {
	return a.say("weekday."+time.Weekday((i + 1) % 7).String()[:3], nil)
}

func spacedBy[T fmt.Stringer](gap string, list []T) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = v.String()
	}
	return strings.Join(texts, gap)
}

// longestShow is how many days are shown at once.
const longestShow = 10 * 366

// dates reads the first and the last day to show. What is not said goes to the
// ends of the month; nothing said is the month that it is there.
func (a *app) dates(cmd *cobra.Command, cal *sla.Calendar, from, to string) (first, last sla.Date, err error) {
	read := func(flag, text string) sla.Date {
		date, mistake := sla.ParseDate(text)
		if mistake != nil && err == nil {
			err = a.misused(cmd, "invalid", map[string]any{"Flag": flag, "Reason": mistake.Error()})
		}
		return date
	}
	switch {
	case from == "" && to == "":
		first = sla.DateOf(a.now(), cal.Location())
	case from != "":
		first = read("from", from)
	default:
		first = read("to", to)
	}
	if from == "" {
		first -= sla.Date(first.Day() - 1)
	}
	if to != "" {
		last = read("to", to)
	} else {
		last = sla.DateOf(time.Date(first.Year(), first.Month()+1, 0, 0, 0, 0, 0, time.UTC), time.UTC)
	}
	switch {
	case err != nil:
	case last < first:
		err = a.misused(cmd, "invalid", map[string]any{"Flag": "to", "Reason": fmt.Sprintf("%s < %s", last, first)})
	case last-first >= longestShow:
		err = a.misused(cmd, "invalid", map[string]any{"Flag": "to", "Reason": a.say("cli.calendar.too_long", map[string]any{"Days": longestShow})})
	}
	return first, last, err
}
