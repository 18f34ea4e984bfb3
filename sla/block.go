package sla

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// The working time of dates is worked out once, block by block, and remembered.
// Blocks are few and small: a calendar that was asked about all its years holds
// some megabytes, one that was asked about a month holds a few hundred bytes.
const (
	blockDays     = 32
	chapterBlocks = 64
	chapterDays   = chapterBlocks * blockDays
	chapters      = int(lastDate-firstDate)/chapterDays + 1
)

// The dates that calendars reach over.
const (
	firstDate Date = -25567 // 1 January of FirstYear
	lastDate  Date = 84370  // 31 December of LastYear
)

type chapter [chapterBlocks]atomic.Pointer[block]

// A block is the working time of some days in a row. Instants are nanoseconds
// since 1970, which reach far beyond the years of calendars.
type block struct {
	// starts are when the days begin; the last one is when the block ends.
	starts [blockDays + 1]int64
	// first is the number of the first span of each day; the last one is how many
	// there are.
	first [blockDays + 1]uint16
	spans []opening
	total int64
	// Bits of the days whose holidays are not known, and of working days.
	unknown, works uint32
}

// An opening is working time from an instant up to but without another.
type opening struct{ from, to int64 }

// place returns the block of a date and the number of the day in it; no block
// for a date beyond the calendar's years.
func (c *Calendar) place(date Date) (*block, int) {
	if date < firstDate || date > lastDate {
		return nil, 0
	}
	n := int(date - firstDate)
	page := c.blocks[n/chapterDays].Load()
	if page == nil {
		// Should two make one at once, either will do: they say the same.
		c.blocks[n/chapterDays].CompareAndSwap(nil, new(chapter))
		page = c.blocks[n/chapterDays].Load()
	}
	day := n % blockDays
	b := page[n%chapterDays/blockDays].Load()
	if b == nil {
		b = c.workOut(date - Date(day))
		page[n%chapterDays/blockDays].Store(b)
	}
	return b, day
}

// workOut makes the block that begins on the date.
func (c *Calendar) workOut(begin Date) *block {
	b := &block{}
	at := clocks(c.loc, begin)
	for day := range blockDays {
		date := begin + Date(day)
		b.starts[day], b.first[day] = at(date, 0), uint16(len(b.spans))
		if date > lastDate || c.known(date) != nil {
			b.unknown |= 1 << day
			continue
		}
		for _, w := range c.minutes(date) {
			if s := (opening{at(date, w.From), at(date, w.To)}); s.from < s.to {
				b.spans, b.total = append(b.spans, s), b.total+s.to-s.from
			}
		}
		// A date that clocks skip is no working day.
		if len(c.begun(date)) > 0 && b.starts[day] < at(date+1, 0) {
			b.works |= 1 << day
		}
	}
	b.starts[blockDays], b.first[blockDays] = at(begin+blockDays, 0), uint16(len(b.spans))
	return b
}

// clocks returns a function that tells when clocks show a minute of a date, for
// dates of the block that begins then.
func clocks(loc *time.Location, begin Date) func(Date, int) int64 {
	from := begin.utc()
	_, offset := from.In(loc).Zone()
	start, end := from.In(loc).ZoneBounds()
	near := func(t time.Time) bool {
		return t.After(from.Add(-shift)) && t.Before(from.Add(blockDays*24*time.Hour+2*shift))
	}
	if near(start) || near(end) {
		return func(date Date, minute int) int64 { return instant(loc, date, minutes(minute)).UnixNano() }
	}
	return func(date Date, minute int) int64 {
		return (int64(date)*secondsPerDay + int64(minute)*60 - int64(offset)) * int64(time.Second)
	}
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

// sure returns the number of the first day from day on whose holidays are not
// known, or blockDays.
func (b *block) sure(day int) int {
	return day + min(bits.TrailingZeros32(b.unknown>>day), blockDays-day)
}

// since returns the number of the first day such that all from it to day are
// known; day+1 when not even that is.
func (b *block) since(day int) int {
	return blockDays - bits.LeadingZeros32(b.unknown<<(blockDays-1-day)>>(blockDays-1-day))
}

// date returns the date whose working time an instant belongs to. It is the
// date that clocks show, but for an instant at which clocks were put back to the
// day before after midnight: that day has ended.
func (c *Calendar) date(t time.Time) Date {
	date := DateOf(t, c.loc)
	if b, day := c.place(date); b != nil && t.UnixNano() >= b.starts[day+1] {
		date++
	}
	return date
}
