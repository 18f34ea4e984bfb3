package policy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/sla"
)

func year(set string, y int, off ...string) sla.HolidayYear {
	list := sla.HolidayYear{Set: set, Year: y}
	for _, text := range off {
		d, err := sla.ParseDay(text)
		if err != nil {
			panic(err)
		}
		list.Off = append(list.Off, d)
	}
	return list
}

func TestPutHolidays(t *testing.T) {
	t.Parallel()
	y := year("cn", 2027, "2027-01-01 元旦")
	y.Source = "https://example.com/a#b: c"
	entry := "  - set: cn\n    year: 2027\n    source: \"https://example.com/a#b: c\"\n    off:\n      - 2027-01-01 元旦\n"
	head, tail, _ := strings.Cut(small, "clocks:\n")
	tail = "clocks:\n" + tail
	for _, c := range []struct{ name, text, want string }{
		{"none so far", head + tail, head + "# Public holidays by year; closeloop calendar import writes them.\nholidays:\n" + entry + "\n" + tail},
		{"none so far, with a comment above the clocks", head + "\n# Clocks\n# run.\n" + tail, head + "\n# Public holidays by year; closeloop calendar import writes them.\nholidays:\n" + entry + "\n# Clocks\n# run.\n" + tail},
		{"an empty list", head + "holidays: [] # none\n" + tail, head + "holidays: # none\n" + entry + tail},
		{"another year", head + "holidays:\n  - set: cn # the first\n    year: 2028\n    off: [2028-01-01]\n\n# Clocks\n" + tail, head + "holidays:\n  - set: cn # the first\n    year: 2028\n    off: [2028-01-01]\n" + entry + "\n# Clocks\n" + tail},
		{"the same year, between others", head + "holidays:\n  # first\n  - {set: cn, year: 2026, off: [2026-01-01]}\n  # second\n  - year: 2027\n    off:\n      - 2027-02-02\n    # inside\n    set: cn\n  # third\n  - set: de\n    year: 2027\n    off: [2027-01-01]\n" + tail, head + "holidays:\n  # first\n  - {set: cn, year: 2026, off: [2026-01-01]}\n  # second\n" + entry + "  # third\n  - set: de\n    year: 2027\n    off: [2027-01-01]\n" + tail},
		{"a list that is not indented", head + "holidays:\n- set: cn\n  year: 2027\n  off: [2027-02-02]\n" + tail, head + "holidays:\n" + strings.ReplaceAll(strings.TrimPrefix(entry, "  "), "\n  ", "\n") + tail},
		{"at the end", small + "holidays:\n  - set: cn\n    year: 2027\n    off: [2027-02-02]", small + "holidays:\n" + strings.TrimSuffix(entry, "\n")},
		{"other line ends", strings.ReplaceAll(head+tail, "\n", "\r\n"), strings.ReplaceAll(head+"# Public holidays by year; closeloop calendar import writes them.\nholidays:\n"+entry+"\n"+tail, "\n", "\r\n")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, p, err := PutHolidays("p.yaml", []byte(c.text), y)
			require.NoError(t, err)
			require.Equal(t, c.want, string(got))
			require.Contains(t, p.Holidays, y)
			// Once more changes nothing more.
			again, _, err := PutHolidays("p.yaml", got, y)
			require.NoError(t, err)
			require.Equal(t, string(got), string(again))
		})
	}
}

func TestPutHolidaysRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		year       sla.HolidayYear
		want       string
	}{
		{"a list in brackets", strings.Replace(small, "clocks:\n", "holidays: [{set: cn, year: 2027, off: [2027-01-01]}]\nclocks:\n", 1), year("cn", 2027, "2027-01-02"), "p.yaml: holidays is a list in brackets; write it with one entry after the other, each beginning with a hyphen"},
		{"a file that is wrong", strings.Replace(small, "target: 2h", "target: 2d", 1), year("cn", 2027, "2027-01-02"), `p.yaml:7:13: $.clocks[0].target: "2d" is ambiguous: write 2wd for working days, or 48h for 2 times 24 hours`},
		{"a name that is none", small, year("C N", 2027, "2027-01-02"), `p.yaml:6:10: $.holidays[0].set: "C N" is not a name: write up to 64 lower-case letters, digits, dots, hyphens and underscores, beginning with a letter`},
		{"a clash with a calendar", strings.Replace(small, "clocks:\n", "calendars: [{name: shop, holidays_of: cn, hours: {mon: [[09:00, 10:00]]}, working_days: [2027-01-02]}]\nclocks:\n", 1), year("cn", 2027, "2027-01-02 元旦"), `p.yaml:4:90: $.calendars[0].working_days[0]: 2027-01-02 元旦 is a holiday of cn; a day cannot be both`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := PutHolidays("p.yaml", []byte(c.text), c.year)
			require.EqualError(t, err, c.want)
		})
	}
}

// Whatever the names of the days are, they are read as they were written.
func TestHolidaysAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := strings.Join(strings.Fields(rapid.StringOf(rapid.RuneFrom([]rune("ab #:-'\"\\{}[],&*?|<>=!%@`节日\u00a0\u2028é0~"))).Draw(t, "name")), " ")
		y := year("cn", 2027, strings.TrimSpace("2027-01-01 "+name))
		y.Source = rapid.String().Draw(t, "source")
		_, p, err := PutHolidays("p.yaml", []byte(small), y)
		if err != nil {
			t.Fatalf("%+v: %v", y, err)
		}
		require.Contains(t, p.Holidays, y)
	})
}
