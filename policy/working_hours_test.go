package policy

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/sla"
)

//go:generate go test -run TestWorkingHoursPolicyIsMade -update .

const (
	workingPath = "../examples/policy-working-hours.yaml"
	workingHead = `# yaml-language-server: $schema=../policy/policy.schema.json
#
# The default policy on working time: targets count in the hours of an office in
# mainland China, with its public holidays and make-up days, and those of whole
# days in working days. What differs from the default policy besides its targets is
# marked with ←; marks in brackets and figures in comments are those of the default.
#
# Made from policy/default.yaml by ` + "`go generate ./policy`" + `; do not edit, but copy it.
`
	workingCalendars = `# Kinds of holds besides the customer's: closeloop hold ID --reason R --for supplier
holds: [supplier] # ←

# Working calendars 工作日历. 24x7 (always) and cn-office (Monday to Friday 09:00 to
# 12:00 and 13:00 to 18:00, Chinese holidays) are built in; others are written
# here, and looked at with closeloop calendar show NAME.
calendars: # ←
  # A service desk that is there in the evening and on Saturdays.
  - name: service-desk
    timezone: Asia/Shanghai # any IANA name; daylight saving is followed
    holidays_of: cn # the holidays and make-up days that it observes
    hours:
      mon: [[08:30, 20:00]]
      tue: [[08:30, 20:00]]
      wed: [[08:30, 20:00]]
      thu: [[08:30, 20:00]]
      fri: [[08:30, 20:00]]
      sat: [[09:00, 12:00], [13:00, 17:00]]
    makeup_hours: [[08:30, 18:00]] # on make-up working days 调休; Monday's when left out
    holidays: [2026-06-12 公司周年庆] # days off of the company's own
    exceptions: # dates with hours of their own instead
      2026-09-30: [[08:30, 16:00]]
    breaks: # taken out of a date, whatever its hours
      2026-12-18: [[12:00, 14:00]]

# The holidays of a year come with the release, or are imported once they are
# published: closeloop calendar import 2027.json --into FILE writes them below
# as an entry of ` + "`holidays:`" + `. In a year that a calendar does not know, no deadline
# can be computed; closeloop policy lint and the worker warn 60 days ahead.

`
)

var (
	// shorter are targets of part of a day, which an office day is a third of.
	shorter     = map[string]string{"8h": "4h", "12h": "5h", "16h": "6h"}
	wholeDays   = regexp.MustCompile(`\b(target|every): (\d+)h\b`)
	deskClocks  = regexp.MustCompile(`(- name: (?:response|next_response)\n    calendar: )24x7`)
	pausedClock = "    pauses_on_hold: true # [E5]\n"
)

// workingText turns the text of the default policy into that on working time.
func workingText(t *testing.T, text string) string {
	_, body, ok := strings.Cut(text, "\n\n")
	require.True(t, ok, "the default policy begins with a comment and an empty line")
	body = deskClocks.ReplaceAllString(body, "${1}service-desk # ←")
	body = strings.ReplaceAll(body, "calendar: 24x7", "calendar: cn-office # ←")
	body = wholeDays.ReplaceAllStringFunc(body, func(found string) string {
		m := wholeDays.FindStringSubmatch(found)
		hours, err := strconv.Atoi(m[2])
		require.NoError(t, err)
		if short, ok := shorter[m[2]+"h"]; ok && m[1] == "target" {
			return "target: " + short
		}
		if hours%24 != 0 {
			return found
		}
		return m[1] + ": " + strconv.Itoa(hours/24) + "wd"
	})
	require.Contains(t, body, pausedClock)
	body = strings.Replace(body, pausedClock, "    pauses_on_hold: [customer, supplier] # [E5] ←\n    max_pause: 5wd # on hold for longer, and it goes on ←\n", 1)
	clocks := "# Clocks 时限."
	require.Contains(t, body, clocks)
	return workingHead + "\n" + strings.Replace(body, clocks, workingCalendars+clocks, 1)
}

func TestWorkingHoursPolicyIsMadeFromTheDefault(t *testing.T) {
	t.Parallel()
	want := workingText(t, string(DefaultYAML()))
	if *update {
		require.NoError(t, os.WriteFile(workingPath, []byte(want), 0o644))
	}
	got, err := os.ReadFile(workingPath)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "run go generate ./policy")
}

func TestWorkingHoursPolicyHolds(t *testing.T) {
	t.Parallel()
	p, err := Load(workingPath)
	require.NoError(t, err)
	require.Empty(t, p.Warnings())
	for _, c := range p.Clocks {
		require.NotEqual(t, sla.AlwaysOpen, c.Calendar, c.Name)
	}
	require.Len(t, p.Process.Calendars, 2)

	resolution, ok := p.Clock(sla.Resolution)
	require.True(t, ok)
	require.Equal(t, sla.Duration{WorkingDays: 1}, resolution.Target)
	require.Equal(t, sla.Duration{WorkingDays: 5}, resolution.MaxPause)
	require.True(t, resolution.PausesOnHold.Include("supplier"))
	office, err := p.FindCalendar(sla.ChineseOffice)
	require.NoError(t, err)
	monday := time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)
	work := func(a Attributes) time.Duration {
		d, err := office.Work(monday, resolution.Terms(a).Target)
		require.NoError(t, err)
		return d
	}
	require.Less(t, work(Attributes{Priority: "high"}), work(Attributes{Urgency: "urgent"}), "what is shorter around the clock stays so")
	require.Less(t, work(Attributes{Urgency: "urgent"}), work(Attributes{Tier: "P1"}))
	require.Less(t, work(Attributes{Tier: "P1"}), work(Attributes{}))
	require.Less(t, work(Attributes{}), work(Attributes{Priority: "low"}))

	// Friday evening before National Day: the desk is there until eight, and again
	// after the holiday.
	desk, err := p.FindCalendar("service-desk")
	require.NoError(t, err)
	for _, c := range []struct{ start, target, want string }{
		{"2026-09-30T15:00:00+08:00", "2h", "2026-10-08T09:30:00+08:00"},
		{"2026-10-10T17:30:00+08:00", "1h", "2026-10-12T09:00:00+08:00"},
		{"2026-10-17T16:30:00+08:00", "1h", "2026-10-19T09:00:00+08:00"},
		{"2026-12-18T11:30:00+08:00", "1h", "2026-12-18T14:30:00+08:00"},
	} {
		start, err := time.Parse(time.RFC3339, c.start)
		require.NoError(t, err)
		d, err := sla.ParseDuration(c.target)
		require.NoError(t, err)
		got, err := desk.After(start, d)
		require.NoError(t, err)
		require.Equal(t, c.want, got.In(start.Location()).Format(time.RFC3339), c.start)
	}
}
