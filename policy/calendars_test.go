package policy

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/sla"
)

// office is a correct policy with a calendar of its own, holidays and kinds of
// holds. The cases of this file spoil it in one place.
var office = strings.Replace(strings.Replace(small, "    calendar: 24x7\n",
	"    calendar: shop\n    pauses_on_hold: [customer, supplier]\n    max_pause: 3wd\n", 1),
	"clocks:\n", `holds: [supplier, evidence]
calendars:
  - name: shop
    timezone: Asia/Shanghai
    holidays_of: cn
    hours: {mon: [[09:00, 12:00], [13:00, 18:00]], sat: [["22:00", "06:00"]]}
    exceptions:
      2026-02-13: [[09:00, 12:00]]
    breaks: {2026-02-12: [[12:00, 13:00]]}
    holidays: [2026-03-02 周年庆]
    recurring_holidays: [12-25 Christmas]
    working_days: [2026-03-07]
    makeup_hours:
      - [10:00, 16:00]
holidays:
  - set: cn
    year: 2027
    source: notice
    off: [2027-01-01 元旦, 2027-10-01 国庆节]
    work:
      - 2027-01-03 元旦
clocks:
`, 1)

func TestOfficePolicyIsCorrect(t *testing.T) {
	t.Parallel()
	p, err := Parse("office.yaml", []byte(office))
	require.NoError(t, err)
	require.Equal(t, []string{"24x7", "cn-office", "shop"}, p.CalendarNames())
	require.Equal(t, []string{"customer", "supplier", "evidence"}, p.HoldKinds())
	require.Equal(t, Holds{"customer", "supplier"}, p.Clocks[0].PausesOnHold)
	require.Equal(t, sla.Duration{WorkingDays: 3}, p.Clocks[0].MaxPause)

	// The rules keep the calendar with all that it observes; the file's stays.
	require.Len(t, p.Process.Calendars, 1)
	require.Equal(t, []int{2024, 2025, 2026, 2027}, p.Process.Calendars[0].Years)
	require.Empty(t, p.Calendars[0].Years)
	cal, err := p.Process.Calendar("shop")
	require.NoError(t, err)
	for date, want := range map[string]string{
		"2026-02-13": "exception 09:00–12:00", "2026-02-14": "makeup 10:00–16:00", "2026-03-02": "holiday",
		"2026-03-07": "makeup 10:00–16:00", "2026-12-25": "holiday", "2027-10-01": "holiday", "2027-01-03": "makeup 00:00–06:00 10:00–16:00",
		"2026-03-09": "workday 09:00–12:00 13:00–18:00", "2026-03-14": "workday 22:00–24:00", "2026-03-15": "rest 00:00–06:00",
		"2026-03-10": "rest",
	} {
		d, err := sla.ParseDate(date)
		require.NoError(t, err)
		day, err := cal.Day(d)
		require.NoError(t, err)
		got := string(day.Kind)
		for _, w := range day.Windows {
			end := w.To.In(cal.Location()).Format("15:04")
			if end == "00:00" {
				end = "24:00"
			}
			got += " " + w.From.In(cal.Location()).Format("15:04") + "–" + end
		}
		require.Equal(t, want, got, date)
	}

	// What is stored with a requirement is read back as it was.
	stored, err := json.Marshal(p.Process)
	require.NoError(t, err)
	var read Process
	require.NoError(t, json.Unmarshal(stored, &read))
	require.Equal(t, p.Process, read)
}

// The rules of a requirement do not change because more holidays are known.
func TestDigestTellsCalendarsApart(t *testing.T) {
	t.Parallel()
	parse := func(text string) string {
		p, err := Parse("p.yaml", []byte(text))
		require.NoError(t, err)
		return p.Digest
	}
	same := parse(office)
	require.Equal(t, same, parse(strings.Replace(office, "[09:00, 12:00], [13:00", `["09:00", 12:00], [13:00`, 1)))
	require.NotEqual(t, same, parse(strings.Replace(office, "[13:00, 18:00]", "[13:00, 17:00]", 1)))
	require.NotEqual(t, same, parse(strings.Replace(office, "2027-10-01 国庆节", "2027-10-02 国庆节", 1)), "holidays are part of what was promised")
	require.Equal(t, parse(small), parse(strings.Replace(small, "clocks:\n", "calendars: [{name: spare, hours: {mon: [[09:00, 10:00]]}}]\nclocks:\n", 1)), "a calendar that no rule uses is not")
}

func TestMistakesInCalendars(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown zone", "Asia/Shanghai", "Asia/Shanghay", `7:15: $.calendars[0].timezone: no time zone "Asia/Shanghay": write an IANA name like Asia/Shanghai or Europe/London (did you mean "Asia/Shanghai"?)`},
		{"a zone that people know", "Asia/Shanghai", "Asia/Beijing", `7:15: $.calendars[0].timezone: no time zone "Asia/Beijing": write an IANA name like Asia/Shanghai or Europe/London (did you mean "Asia/Shanghai"?)`},
		{"a zone that resembles none", "Asia/Shanghai", "here", `7:15: $.calendars[0].timezone: no time zone "here": write an IANA name like Asia/Shanghai or Europe/London`},
		{"unknown calendar", "calendar: shop", "calendar: shp", `27:15: $.clocks[0].calendar: unknown calendar "shp"; there is 24x7, cn-office, shop (did you mean "shop"?)`},
		{"unknown calendar of a level", "        acknowledge_within: 15m", "        acknowledge_within: 15m\n        calendar: cn-ofice", `47:19: $.chains[0].levels[0].calendar: unknown calendar "cn-ofice"; there is 24x7, cn-office, shop (did you mean "cn-office"?)`},
		{"unknown set of holidays", "holidays_of: cn", "holidays_of: de", `8:18: $.calendars[0].holidays_of: unknown set of holidays "de"; there is cn`},
		{"no open hour", office[strings.Index(office, "    hours:"):strings.Index(office, "holidays:\n  - set")], "    hours: {mon: []}\n    exceptions: {2026-02-13: []}\n", `9:12: $.calendars[0].hours: the calendar shop has no open hour; name the hours of at least one day`},
		{"unknown day of the week", "{mon:", "{monday:", `9:13: $.calendars[0].hours.monday: unknown field "monday"; there is fri, mon, sat, sun, thu, tue, wed`},
		{"no time of day", "[13:00, 18:00]", "[13:00, 25:00]", `9:35: $.calendars[0].hours.mon[1]: "25:00" is not a time of day: it is 00:00 to 24:00`},
		{"hours without minutes", "[13:00, 18:00]", "['13', '18']", `9:35: $.calendars[0].hours.mon[1]: "13" is not a time of day: write it like 09:00 or 18:30`},
		{"numbers for times", "[13:00, 18:00]", "[13, 18]", `9:35: $.calendars[0].hours.mon[1]: [13,18] is not a window: write two times of day like ["09:00","18:00"]`},
		{"one time only", "[13:00, 18:00]", "[13:00]", `9:35: $.calendars[0].hours.mon[1]: ["13:00"] is not a window: write two times of day like ["09:00","18:00"]`},
		{"a window without its list", "sat: [[\"22:00\", \"06:00\"]]", "sat: [\"22:00\", \"06:00\"]", "9:58: $.calendars[0].hours.sat[0]: this is text; write a list such as [09:00, 18:00]\np.yaml:9:67: $.calendars[0].hours.sat[1]: this is text; write a list such as [09:00, 18:00]"},
		{"a window as text", "sat: [[\"22:00\", \"06:00\"]]", "sat: 22:00-06:00", `9:57: $.calendars[0].hours.sat: this is text; write a list`},
		{"a window from midnight on", "[13:00, 18:00]", "[24:00, 18:00]", `9:35: $.calendars[0].hours.mon[1]: "24:00" is the end of a day, and nothing begins there: write 00:00`},
		{"no date of an exception", "2026-02-13: ", "2026-02-31: ", "11:7: $.calendars[0].exceptions[\"2026-02-31\"]: \"2026-02-31\" is not a date: write it like 2026-10-01"},
		{"another notation of dates", "2026-02-12: ", "2026/02/12: ", "12:14: $.calendars[0].breaks[\"2026/02/12\"]: \"2026/02/12\" is not a date: write it like 2026-10-01"},
		{"an exception without a list", "2026-02-13: [[09:00, 12:00]]", "2026-02-13: closed", `11:19: $.calendars[0].exceptions["2026-02-13"]: this is text; write a list`},
		{"no date of a holiday", "2026-03-02 周年庆", "周年庆 2026-03-02", `13:16: $.calendars[0].holidays[0]: "周年庆" is not a date: write it like 2026-10-01`},
		{"a day and a time", "2026-03-02 周年庆", "2026-03-02T00:00:00Z", `13:16: $.calendars[0].holidays[0]: "2026-03-02T00:00:00Z" is not a date: write it like 2026-10-01`},
		{"a number for a date", "2026-03-02 周年庆", "20260302", `13:16: $.calendars[0].holidays[0]: this is a number; write text such as 2026-10-01 国庆节`},
		{"no day of every year", "12-25 Christmas", "13-25 Christmas", `14:26: $.calendars[0].recurring_holidays[0]: "13-25" is not a day of every year: write it like 12-25`},
		{"a holiday twice", "[2026-03-02 周年庆]", "[2026-03-02 周年庆, 2026-03-02]", `13:32: $.calendars[0].holidays[1]: the date 2026-03-02 is there already, in line 13; keep one of them`},
		{"a holiday of every year twice", "12-25 Christmas", "12-25 Christmas, 12-25", `14:43: $.calendars[0].recurring_holidays[1]: the day 12-25 is there already, in line 14; keep one of them`},
		{"a holiday and a make-up day", "working_days: [2026-03-07]", "working_days: [2026-03-02]", `15:20: $.calendars[0].working_days[0]: 2026-03-02 is a holiday, in line 13, and cannot be a make-up working day as well; keep one of them`},
		{"a make-up day on a public holiday", "working_days: [2026-03-07]", "working_days: [2026-10-01]", `15:20: $.calendars[0].working_days[0]: 2026-10-01 国庆节 is a holiday of cn; a day cannot be both`},
		{"a holiday on a public make-up day", "[2026-03-02 周年庆]", "[2026-02-14 周年庆]", `13:16: $.calendars[0].holidays[0]: 2026-02-14 春节 is a make-up working day of cn; a day cannot be both`},
		{"two calendars of one name", "holidays:\n  - set", "  - {name: shop, hours: {mon: [[09:00, 10:00]]}}\nholidays:\n  - set", `18:12: $.calendars[1].name: the calendar shop is there already, in line 6; give each a name of its own`},
		{"the calendar that always counts", "name: shop", "name: 24x7", "6:11: $.calendars[0].name: \"24x7\" is not a name: write up to 64 lower-case letters, digits, dots, hyphens and underscores, beginning with a letter\np.yaml:27:15: $.clocks[0].calendar: unknown calendar \"shop\"; there is 24x7, cn-office"},
		{"a year twice", "    source: notice\n", "    off: []\n  - set: cn\n    year: 2027\n", `23:11: $.holidays[1].year: the year cn 2027 is there already, in line 20; put both into one`},
		{"a date of another year", "2027-10-01 国庆节", "2026-10-01 国庆节", `22:26: $.holidays[0].off[1]: 2026-10-01 is not in 2027; write it under its own year`},
		{"a date twice in a year", "2027-10-01 国庆节", "2027-01-01 国庆节", `22:26: $.holidays[0].off[1]: the date 2027-01-01 is there already, in line 22; keep one of them`},
		{"off and at work", "- 2027-01-03 元旦", "- 2027-01-01 元旦", `24:9: $.holidays[0].work[0]: 2027-01-01 is a holiday, in line 22, and cannot be a make-up working day as well; keep one of them`},
		{"a year out of reach", "year: 2027", "year: 27", `20:11: $.holidays[0].year: 27 is too small; write at least 1970`},
		{"unknown kind of hold", "[customer, supplier]", "[customer, suplier]", `28:32: $.clocks[0].pauses_on_hold[1]: unknown kind of hold "suplier"; there is customer, supplier, evidence (did you mean "supplier"?)`},
		{"a kind twice", "[customer, supplier]", "[supplier, supplier]", `28:32: $.clocks[0].pauses_on_hold[1]: the kind supplier is there already, in line 28; keep one of them`},
		{"text for kinds", "[customer, supplier]", "customer", `28:21: $.clocks[0].pauses_on_hold: this is text; write true or false or a list`},
		{"the customer among the kinds", "holds: [supplier", "holds: [customer, supplier", `4:9: $.holds[0]: every policy has holds for the customer; leave it out`},
		{"no kind of hold", "holds: [supplier, evidence]", "holds: [supplier, Evidence]", `4:19: $.holds[1]: "Evidence" is not a name: write up to 64 lower-case letters, digits, dots, hyphens and underscores, beginning with a letter`},
		{"no length of a limit", "max_pause: 3wd", "max_pause: 3d", `29:16: $.clocks[0].max_pause: "3d" is ambiguous: write 3wd for working days, or 72h for 3 times 24 hours`},
		{"no limit at all", "max_pause: 3wd", "max_pause: 0s", `29:16: $.clocks[0].max_pause: "0s" is no time at all; write at least 1ms`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, office, c.old)
			p, err := Parse("p.yaml", []byte(strings.Replace(office, c.old, c.new, 1)))
			require.Nil(t, p)
			require.EqualError(t, err, "p.yaml:"+c.want)
		})
	}
}

func TestDoubtsAboutCalendars(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, old, new, want string }{
		{"windows that overlap", "[13:00, 18:00]", "[11:30, 18:00]", "9:35: $.calendars[0].hours.mon[1]: 11:30–18:00 overlaps with 09:00–12:00 in line 9; both count as one"},
		{"hours on a holiday", "2026-03-02 周年庆", "2026-02-13 周年庆", "11:19: $.calendars[0].exceptions[\"2026-02-13\"]: 2026-02-13 is a holiday, and a holiday beats hours of its own"},
		{"years with a gap", "    makeup_hours:", "    years: [2022]\n    makeup_hours:", "16:12: $.calendars[0].years: the calendar shop knows 2022 and 2024 and not between; no deadline can be computed there"},
		{"a year that is skipped", "2027", "2028", "20:11: $.holidays[0].year: the holidays of cn are known for 2026 and 2028 and not between; no deadline can be computed there"},
		{"a limit where nothing pauses", "    pauses_on_hold: [customer, supplier]\n", "", "28:16: $.clocks[0].max_pause: no hold pauses the clock response, so there is nothing to limit"},
		{"a limit as an exact length", "max_pause: 3wd", "max_pause: 24h", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, office, c.old)
			p, err := Parse("w.yaml", []byte(strings.ReplaceAll(office, c.old, c.new)))
			require.NoError(t, err)
			var got []string
			for _, w := range p.Warnings() {
				if !strings.Contains(w.Message, "there is no approval clock") {
					got = append(got, strings.TrimPrefix(w.Error(), "w.yaml:"))
				}
			}
			require.Equal(t, c.want, strings.Join(got, "\n"))
		})
	}
}

func TestCalendarsThatWillSoonNotKnow(t *testing.T) {
	t.Parallel()
	p, err := Parse("p.yaml", []byte(office))
	require.NoError(t, err)
	own, err := Parse("p.yaml", []byte(strings.Replace(office, "holidays_of: cn", "years: [2027]", 1)))
	require.NoError(t, err)
	around, err := Parse("p.yaml", []byte(small))
	require.NoError(t, err)
	const shop = "p.yaml:27:15: $.clocks[0].calendar: the calendar shop knows no holidays of "
	const after = ", so no deadline in it can be computed; import them: closeloop calendar import FILE --set cn --year "
	for _, c := range []struct {
		name string
		p    *Policy
		now  string
		days int
		want string
	}{
		{"long before", p, "2027-11-01T12:00:00Z", 60, ""},
		{"soon", p, "2027-11-01T12:00:00Z", 61, shop + "2028, which begins in 61 days" + after + "2028 --into p.yaml"},
		{"the days are those of the zone", p, "2027-11-01T17:00:00Z", 60, shop + "2028, which begins in 60 days" + after + "2028 --into p.yaml"},
		{"tomorrow", p, "2027-12-31T12:00:00Z", 60, shop + "2028, which begins tomorrow" + after + "2028 --into p.yaml"},
		{"too late", p, "2029-02-03T12:00:00Z", 60, shop + "2029, which has begun" + after + "2029 --into p.yaml"},
		{"a calendar with years of its own", own, "2027-12-31T12:00:00Z", 60, shop + "2028, which begins tomorrow, so no deadline in it can be computed; add 2028 to its years, and its holidays"},
		{"around the clock there are no holidays to know", around, "2099-01-01T00:00:00Z", 60, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			now, err := time.Parse(time.RFC3339, c.now)
			require.NoError(t, err)
			require.Equal(t, c.want, strings.TrimSpace(Problems(c.p.Expiring(now, c.days)).Error()))
		})
	}
}
