package locale

import (
	"fmt"
	"time"

	"closeloop/sla"
)

// Duration returns a length of time for people, in at most two units and cut
// off below them: `1 小时 30 分`, `1 h 30 min`. Hours are never turned into days,
// because a working day has no fixed length. The sign is left out; see
// [Localizer.Left].
func (l *Localizer) Duration(d time.Duration) string {
	d = d.Abs()
	hours, minutes, seconds := int(d/time.Hour), int(d/time.Minute)%60, int(d/time.Second)%60
	text := func(unit string, n int) string {
		return l.Text("duration."+unit, map[string]any{"N": n})
	}
	pair := func(unit string, n int, smaller string, rest int) string {
		if rest == 0 {
			return text(unit, n)
		}
		return text(unit, n) + " " + text(smaller, rest)
	}
	switch {
	case hours > 0:
		return pair("hours", hours, "minutes", minutes)
	case minutes > 0:
		return pair("minutes", minutes, "seconds", seconds)
	case seconds > 0 || d == 0:
		return text("seconds", seconds)
	default:
		return l.Text("duration.moment", nil)
	}
}

// Target returns a length of working time for people: `2 小时`, `3 个工作日`.
func (l *Localizer) Target(d sla.Duration) string {
	if d.WorkingDays != 0 {
		return l.Text("duration.working_days", map[string]any{"N": d.WorkingDays, "Count": d.WorkingDays})
	}
	return l.Duration(d.Time)
}

// Left returns what is left until a deadline, or since when it has passed when
// d is negative: `还剩 30 分`, `已超时 20 分`; `30 min left`, `overdue by 20 min`.
func (l *Localizer) Left(d time.Duration) string {
	key := "duration.left"
	if d < 0 {
		key = "duration.overdue"
	}
	return l.Text(key, map[string]any{"Duration": l.Duration(d)})
}

// Time returns an instant for people, in that zone: `2026-11-23 周一 22:15
// (UTC+8)`, `Mon 23 Nov 2026, 22:15 (UTC+8)`. It is exact to the minute; a nil
// zone is UTC.
func (l *Localizer) Time(t time.Time, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	t = t.In(zone)
	if l.language == Chinese {
		day := l.Text("weekday."+t.Format("Mon"), nil)
		return t.Format("2006-01-02 ") + day + t.Format(" 15:04 ") + offset(t)
	}
	return t.Format("Mon 2 Jan 2006, 15:04 ") + offset(t)
}

// offset names the zone by its distance from UTC, which needs no explanation
// in any language.
func offset(t time.Time) string {
	_, seconds := t.Zone()
	switch {
	case seconds == 0:
		return "(UTC)"
	case seconds%3600 == 0:
		return fmt.Sprintf("(UTC%+d)", seconds/3600)
	default:
		return "(UTC" + t.Format("-07:00") + ")"
	}
}

// Moment returns an instant for people who know the year and the zone, with its
// time of day in that layout: `11-23 周一 22:15`, `Mon 23 Nov 22:15`.
func (l *Localizer) Moment(t time.Time, zone *time.Location, layout string) string {
	t = t.In(zone)
	if l.language == Chinese {
		return t.Format("01-02 ") + l.Text("weekday."+t.Format("Mon"), nil) + " " + t.Format(layout)
	}
	return t.Format("Mon 2 Jan ") + t.Format(layout)
}

// Date returns a date for people who know the year: `9-24`, `24 Sep`.
func (l *Localizer) Date(t time.Time, zone *time.Location) string {
	if l.language == Chinese {
		return t.In(zone).Format("1-2")
	}
	return t.In(zone).Format("2 Jan")
}
