package sla

import (
	"math"
	"time"
)

func moment(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// Works reports whether a date is a working day: one on which work begins.
func (c *Calendar) Works(date Date) (bool, error) {
	if c.always {
		return true, nil
	}
	b, day := c.place(date)
	if b == nil {
		return false, ErrNoMoreHours
	}
	if b.unknown&(1<<day) != 0 {
		return false, c.known(date)
	}
	return b.works&(1<<day) != 0, nil
}

// Working reports whether t is working time.
func (c *Calendar) Working(t time.Time) (bool, error) {
	if c.always {
		return true, nil
	}
	date := c.date(t)
	b, day := c.place(date)
	if b == nil {
		return false, nil
	}
	if b.unknown&(1<<day) != 0 {
		return false, c.known(date)
	}
	at := t.UnixNano()
	for _, s := range b.spans[b.first[day]:b.first[day+1]] {
		if s.from <= at && at < s.to {
			return true, nil
		}
	}
	return false, nil
}

// Next returns the first working instant that is not before t.
func (c *Calendar) Next(t time.Time) (time.Time, error) {
	if c.always {
		return t, nil
	}
	return c.ahead(t, 0)
}

// Add returns the first instant at which the working time `work` has passed
// since t; a negative one counts backwards. Closing time is as good as any
// other; no work at all ends at the next working instant.
func (c *Calendar) Add(t time.Time, work time.Duration) (time.Time, error) {
	switch {
	case c.always:
		return t.Add(work), nil
	case work < 0:
		return c.back(t, -int64(work))
	default:
		return c.ahead(t, int64(work))
	}
}

// ahead returns the instant at which so much work has passed since t.
func (c *Calendar) ahead(t time.Time, work int64) (time.Time, error) {
	date, at := c.date(t), t.UnixNano()
	if date < firstDate {
		// So long ago the count of nanoseconds overflows.
		date, at = firstDate, math.MinInt64
	}
	for b, day := c.place(date); b != nil; b, day = c.place(date) {
		if day == 0 && b.unknown == 0 && at <= b.starts[0] && work > b.total {
			work -= b.total
		} else {
			sure := b.sure(day)
			for _, s := range b.spans[b.first[day]:b.first[sure]] {
				from := max(s.from, at)
				if from >= s.to {
					continue
				}
				if work <= s.to-from {
					return moment(from + work), nil
				}
				work -= s.to - from
			}
			if sure < blockDays {
				return time.Time{}, c.lacking(date + Date(sure-day))
			}
		}
		date += Date(blockDays - day)
	}
	return time.Time{}, ErrNoMoreHours
}

// back returns the instant since which so much work has passed at t.
func (c *Calendar) back(t time.Time, work int64) (time.Time, error) {
	date, at := c.date(t), t.UnixNano()
	if date > lastDate {
		date, at = lastDate, math.MaxInt64
	}
	for b, day := c.place(date); b != nil; b, day = c.place(date) {
		if day == blockDays-1 && b.unknown == 0 && at >= b.starts[blockDays] && work > b.total {
			work -= b.total
		} else {
			since := b.since(day)
			spans := b.spans[b.first[since]:b.first[day+1]]
			for i := len(spans) - 1; i >= 0; i-- {
				to := min(spans[i].to, at)
				if spans[i].from >= to {
					continue
				}
				if work <= to-spans[i].from {
					return moment(to - work), nil
				}
				work -= to - spans[i].from
			}
			if since > 0 {
				return time.Time{}, c.lacking(date - Date(day-since+1))
			}
		}
		date -= Date(day + 1)
	}
	return time.Time{}, ErrNoMoreHours
}

// lacking returns why nothing is known of a date.
func (c *Calendar) lacking(date Date) error {
	if date < firstDate || date > lastDate {
		return ErrNoMoreHours
	}
	return c.known(date)
}

// AddDays returns the time of day of t on the n-th working day after t's date,
// or before it when n is negative. That instant need not be working time.
func (c *Calendar) AddDays(t time.Time, n int) (time.Time, error) {
	if c.always {
		return t.Add(time.Duration(n) * 24 * time.Hour), nil
	}
	date, err := c.workday(DateOf(t, c.loc), n)
	if err != nil || n == 0 {
		return t, err
	}
	local := t.In(c.loc)
	hour, minute, second := local.Clock()
	shown := time.Duration(hour)*time.Hour + minutes(minute) + time.Duration(second)*time.Second
	return instant(c.loc, date, shown+time.Duration(local.Nanosecond())), nil
}

// workday returns the n-th working day after the date, or before it when n is
// negative.
func (c *Calendar) workday(date Date, n int) (Date, error) {
	if c.always {
		return date + Date(n), nil
	}
	step := Date(1)
	if n < 0 {
		step, n = -1, -n
	}
	for n > 0 {
		date += step
		works, err := c.Works(date)
		if err != nil {
			return 0, err
		}
		if works {
			n--
		}
	}
	return date, nil
}

// closing returns the end of the working day that begins on the date.
func (c *Calendar) closing(date Date) (time.Time, error) {
	if c.always {
		return (date + 1).utc(), nil
	}
	windows := c.begun(date)
	if len(windows) == 0 {
		return time.Time{}, ErrNoMoreHours
	}
	end := windows[len(windows)-1].To
	if end > minutesPerDay {
		// Whether the next day is a holiday decides where the night ends.
		if err := c.known(date + 1); err != nil {
			return time.Time{}, err
		}
	}
	return instant(c.loc, date, minutes(end)), nil
}

// After returns when the duration ends that begins at t: [Calendar.Add] for an
// exact one, [Calendar.AddDays] for working days, and for days to their close
// the end of the last of them.
func (c *Calendar) After(t time.Time, d Duration) (time.Time, error) {
	switch {
	case d.WorkingDays == 0:
		return c.Add(t, d.Time)
	case !d.Close:
		return c.AddDays(t, d.WorkingDays)
	}
	date, err := c.workday(DateOf(t, c.loc), d.WorkingDays)
	if err != nil {
		return time.Time{}, err
	}
	return c.closing(date)
}

// Between returns the working time from a to b, negative when b is before a.
func (c *Calendar) Between(a, b time.Time) (time.Duration, error) {
	if b.Before(a) {
		work, err := c.Between(b, a)
		return -work, err
	}
	if c.always {
		return b.Sub(a), nil
	}
	return c.count(a, b)
}

// Counted returns the working time from a to b as far as the calendar knows:
// days of a year whose holidays are not known count nothing. Use it where a
// figure is wanted in any case, and [Calendar.Between] where it must be right.
func (c *Calendar) Counted(a, b time.Time) time.Duration {
	if c.always || !a.Before(b) {
		return max(0, b.Sub(a))
	}
	work, _ := c.count(a, b)
	return work
}

// count returns the working time from a to b as far as it is known, with an
// error for the first day of which it is not.
func (c *Calendar) count(a, b time.Time) (time.Duration, error) {
	first, from := c.date(a), a.UnixNano()
	last, to := c.date(b), b.UnixNano()
	var lack error
	if first < firstDate {
		first, from, lack = firstDate, math.MinInt64, ErrNoMoreHours
	}
	if last > lastDate {
		last, to, lack = lastDate, math.MaxInt64, ErrNoMoreHours
	}
	var sum int64
	for date := first; date <= last; {
		page, day := c.place(date)
		end := min(blockDays, day+int(last-date)+1)
		if sure := page.sure(day); sure < end && lack == nil {
			lack = c.lacking(date + Date(sure-day))
		}
		if from <= page.starts[0] && page.starts[blockDays] <= to {
			sum += page.total
		} else {
			for _, s := range page.spans[page.first[day]:page.first[end]] {
				sum += max(0, min(s.to, to)-max(s.from, from))
			}
		}
		date += Date(end - day)
	}
	return time.Duration(sum), lack
}

// Work returns the working time that d means when it starts at t.
func (c *Calendar) Work(t time.Time, d Duration) (time.Duration, error) {
	if d.WorkingDays == 0 {
		return d.Time, nil
	}
	end, err := c.After(t, d)
	if err != nil {
		return 0, err
	}
	return c.Between(t, end)
}
