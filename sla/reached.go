package sla

import (
	"fmt"
	"sort"
	"time"
)

// Fired is a mark that was reached.
type Fired struct {
	// Mark is the text of the mark, or "repeat N".
	Mark string `json:"mark"`
	// At is the instant at which the mark stands.
	At time.Time `json:"at"`
	// DetectedAt is when that was noticed.
	DetectedAt time.Time `json:"detected_at"`
	// Superseded marks were passed together with a later one, for instance while
	// the system was down: nobody is told of them.
	Superseded bool `json:"superseded,omitempty"`
}

// Breach reports whether the mark is the deadline.
func (f Fired) Breach() bool { return f.Mark == Deadline.String() }

// A point is a place on the clock's way: a mark, the deadline, a repetition.
type point struct {
	label   string
	at      time.Time
	warning bool // before the deadline, so pointless once that has passed
	late    bool // the deadline itself: due only after its instant
}

// wake is the first instant at which the point is due.
func (p point) wake() time.Time {
	if p.late {
		return p.at.Add(Tick)
	}
	return p.at
}

// points returns all points whose instant is known and that have not fired, in
// the order of their instants; at the same instant the deadline comes last. A
// clock that is paused has only those that it reached before, and the end of the
// pause where there is a limit.
func (c *Clock) points(cal *Calendar) []point {
	end, err := c.due(cal)
	holds := c.holds(cal)
	var all []point
	add := func(p point, base time.Time, baseErr error) {
		if baseErr != nil || base.Before(c.StartedAt) || c.hasFired(p.label) {
			return
		}
		at, held, err := shifted(cal, holds, base)
		if p.at = at; err == nil && !held && !(c.paused() && p.wake().After(c.Pauses[len(c.Pauses)-1].From)) {
			all = append(all, p)
		}
	}
	if limit, ok := c.limit(cal); ok {
		all = append(all, point{label: PauseLimit, at: limit})
	}
	target := c.TargetWork(cal)
	for _, m := range c.Marks {
		if m == Deadline {
			continue
		}
		if share, ok := m.share(target); ok && err == nil {
			base, baseErr := cal.Add(c.StartedAt, share)
			add(point{label: m.String(), warning: share < target}, base, baseErr)
		} else if !ok {
			base, baseErr := beyond(cal, end, err, m.Offset, 1)
			add(point{label: m.String(), warning: m.Offset.Negative()}, base, baseErr)
		}
	}
	add(point{label: Deadline.String(), late: true}, end, err)
	for n := 1; n <= c.Repeat.Times; n++ {
		base, baseErr := beyond(cal, end, err, c.Repeat.Every, n)
		add(point{label: repeatLabel(n)}, base, baseErr)
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].wake().Before(all[j].wake()) })
	return all
}

// beyond returns the instant n times the distance from the deadline.
func beyond(cal *Calendar, end time.Time, err error, distance Duration, n int) (time.Time, error) {
	if err != nil {
		return end, err
	}
	if distance.WorkingDays != 0 {
		return cal.AddDays(end, distance.WorkingDays*n)
	}
	return cal.Add(end, distance.Time*time.Duration(n))
}

const repeatPrefix = "repeat "

func repeatLabel(n int) string { return fmt.Sprintf("%s%d", repeatPrefix, n) }

func (c *Clock) hasFired(label string) bool {
	for _, f := range c.Fired {
		if f.Mark == label {
			return true
		}
	}
	return false
}

// Next returns the instant at which the clock next has something to say, and
// the mark it will be. It is false for a clock that is stopped or has nothing
// more to say: such a clock needs no timer. One that is paused has something to
// say only when other terms put a mark into the time before the pause.
func (c *Clock) Next(cal *Calendar) (at time.Time, mark string, ok bool) {
	if !c.Open() {
		return time.Time{}, "", false
	}
	if all := c.points(cal); len(all) > 0 {
		return all[0].wake(), all[0].label, true
	}
	return time.Time{}, "", false
}

// Advance records every mark that is due at now and returns what somebody is
// to be told of, in order. A deadline counts as passed only after its instant,
// so what is done exactly at the deadline is in time. After a downtime a
// warning that the deadline has overtaken is recorded as superseded, and of
// several overdue repetitions only the last is told. Calling it again with the
// same instant returns nothing.
func (c *Clock) Advance(cal *Calendar, now time.Time) []Fired {
	if !c.Open() {
		return nil
	}
	var due []point
	for _, p := range c.points(cal) {
		if p.wake().After(now) {
			break
		}
		due = append(due, p)
	}
	var told []Fired
	for i, p := range due {
		if p.label == PauseLimit {
			// The hold lasts, but what comes after it counts. That moves everything
			// else, so nothing else is told before it has been looked at anew.
			c.Resume(p.at)
			return append(told, Fired{Mark: PauseLimit, At: p.at, DetectedAt: now})
		}
		f := Fired{Mark: p.label, At: p.at, DetectedAt: now, Superseded: superseded(p, due[i+1:])}
		c.Fired = append(c.Fired, f)
		if p.late && !c.Lapses && c.BreachedAt == nil {
			at, detected := p.at, now
			c.BreachedAt, c.DetectedAt = &at, &detected
		}
		if !f.Superseded {
			told = append(told, f)
		}
	}
	return told
}

func superseded(p point, later []point) bool {
	for _, l := range later {
		if p.warning && l.late {
			return true
		}
		if isRepeat(p.label) && isRepeat(l.label) {
			return true
		}
	}
	return false
}

func isRepeat(label string) bool {
	return len(label) > len(repeatPrefix) && label[:len(repeatPrefix)] == repeatPrefix
}

// Repeated reports whether the mark is a repetition of a breach.
func (f Fired) Repeated() bool { return isRepeat(f.Mark) }
