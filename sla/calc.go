package sla

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// A Calculator answers questions about working time, each of them one JSON
// object: `closeloop sla calc`. It remembers the calendars that were asked for;
// only one goroutine at a time may use it.
type Calculator struct {
	// Find returns the calendar of a name; [FindCalendar] when nil.
	Find func(name string) (*Calendar, error)
	// Holidays returns the years of a set of holidays that are known;
	// [ShippedHolidays] when nil.
	Holidays func(set string) []HolidayYear

	// calendars are kept by the JSON that asked for them.
	calendars map[string]*Calendar
}

// keptCalendars is how many calendars a Calculator remembers.
const keptCalendars = 64

// longestTarget is the longest target that a question may have.
const longestTarget = 100 * 366 * 24 * time.Hour

// question is one line of input. Texts are parsed after the object has been
// read, so that a mistake in one field does not hide the id.
type question struct {
	ID            json.RawMessage `json:"id"`
	Calendar      json.RawMessage `json:"calendar"`
	Start         *string         `json:"start"`
	Target        *string         `json:"target"`
	TargetSeconds *float64        `json:"target_seconds"`
	Pauses        []struct {
		From *string `json:"from"`
		To   *string `json:"to"`
	} `json:"pauses"`
	At *string `json:"at"`
}

// An Answer is what a [Calculator] says to a question. What was not asked for is
// absent.
type Answer struct {
	// ID is that of the question as it was written, but for bytes that are no UTF-8;
	// an empty text when it had none.
	ID json.RawMessage `json:"id"`
	// Deadline is null while a pause without an end holds it.
	Deadline *Instant `json:"deadline,omitempty"`
	// Elapsed and Remaining are working time in seconds.
	Elapsed   *float64 `json:"elapsed_seconds,omitempty"`
	Remaining *float64 `json:"remaining_seconds,omitempty"`
	Working   *bool    `json:"working,omitempty"`
	// NextWorking is null when the calendar has no more open hours.
	NextWorking *Instant `json:"next_working,omitempty"`
	Breached    *bool    `json:"breached,omitempty"`
	// Error says what is wrong with the question; all but the id is absent then.
	Error string `json:"error,omitempty"`
}

// An Instant is a time in UTC. The zero value is null in JSON.
type Instant struct{ time.Time }

// MarshalJSON returns RFC 3339, or null.
func (i Instant) MarshalJSON() ([]byte, error) {
	if i.IsZero() {
		return []byte("null"), nil
	}
	return i.UTC().MarshalJSON()
}

// Answer answers one line. It never fails: a question that cannot be answered is
// answered with what is wrong with it.
func (c *Calculator) Answer(line []byte) Answer {
	var q question
	err := json.Unmarshal(line, &q)
	answer := Answer{}
	if err == nil {
		answer, err = c.answer(q)
	} else {
		err = unreadable(err)
	}
	if err != nil {
		answer = Answer{Error: err.Error()}
	}
	// What encoding/json lets pass in a text, other readers of JSON refuse.
	if answer.ID = bytes.ToValidUTF8(q.ID, []byte("\ufffd")); len(q.ID) == 0 || string(q.ID) == "null" {
		answer.ID = json.RawMessage(`""`)
	}
	return answer
}

// unreadable says in the words of the contract why a line is no question.
func unreadable(err error) error {
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case !ok:
		return fmt.Errorf("the line is not JSON: %w", err)
	case wrong.Field == "":
		return fmt.Errorf("a question is one JSON object, not %s", article(wrong.Value))
	case wrong.Field == "target":
		return errors.New("target is a text like 2h or 3wd; for a number there is target_seconds")
	case strings.HasPrefix(wrong.Value, "number "):
		return fmt.Errorf("%s: %s is too large", wrong.Field, wrong.Value)
	}
	want := map[string]string{"target_seconds": "a number", "pauses": "a list"}[wrong.Field]
	if want == "" {
		want = "a text in quotes"
	}
	return fmt.Errorf("%s is %s, not %s", wrong.Field, want, article(wrong.Value))
}

func article(kind string) string {
	if kind == "array" || kind == "object" {
		return "an " + kind
	}
	return "a " + kind
}

func (c *Calculator) answer(q question) (Answer, error) {
	var a Answer
	cal, err := c.calendar(q.Calendar)
	if err != nil {
		return a, err
	}
	target, asked, err := q.target()
	if err != nil {
		return a, err
	}
	start, err := instantOf("start", q.Start)
	if err != nil {
		return a, err
	}
	at, err := instantOf("at", q.At)
	if err != nil {
		return a, err
	}
	pauses, err := q.pauses()
	switch {
	case err != nil:
		return a, err
	case asked && start.IsZero():
		return a, errors.New("start is missing: it says since when the target counts")
	case !asked && at.IsZero():
		return a, errors.New("nothing is asked: give a start with a target, or at")
	}
	s := counting{cal, pauses}
	deadline := time.Time{}
	if asked {
		if deadline, err = s.end(start, target); err != nil {
			return a, err
		}
		a.Deadline = &Instant{deadline}
	}
	if at.IsZero() {
		return a, nil
	}
	if err = a.look(cal, at); err != nil || start.IsZero() {
		return a, err
	}
	elapsed, err := s.counted(start, at)
	if err != nil {
		return a, err
	}
	a.Elapsed = seconds(elapsed)
	if !asked {
		return a, nil
	}
	var remaining time.Duration
	if target.Negative() {
		// The deadline was before the start, and so `at` may be on either side of it.
		remaining, err = s.distance(at, deadline)
	} else {
		var whole time.Duration
		whole, err = cal.Work(start, target)
		remaining = whole - elapsed
	}
	breached := !deadline.IsZero() && at.After(deadline)
	a.Remaining, a.Breached = seconds(remaining), &breached
	return a, err
}

// look notes what the calendar itself says of an instant.
func (a *Answer) look(cal *Calendar, at time.Time) error {
	working, err := cal.Working(at)
	if err != nil {
		return err
	}
	next, err := cal.Next(at)
	if err != nil && !errors.Is(err, ErrNoMoreHours) {
		return err
	}
	a.Working, a.NextWorking = &working, &Instant{next}
	return nil
}

func seconds(d time.Duration) *float64 {
	s := d.Seconds()
	return &s
}

// calendar returns the calendar that a question names or describes.
func (c *Calculator) calendar(text json.RawMessage) (*Calendar, error) {
	if len(text) == 0 || string(text) == "null" {
		return Always, nil
	}
	if cal, ok := c.calendars[string(text)]; ok {
		return cal, nil
	}
	cal, err := c.read(text)
	if err != nil {
		return nil, fmt.Errorf("calendar: %w", err)
	}
	if c.calendars == nil || len(c.calendars) >= keptCalendars {
		c.calendars = make(map[string]*Calendar, keptCalendars)
	}
	c.calendars[string(text)] = cal
	return cal, nil
}

func (c *Calculator) read(text json.RawMessage) (*Calendar, error) {
	find, holidays := c.Find, c.Holidays
	if find == nil {
		find = FindCalendar
	}
	if holidays == nil {
		holidays = ShippedHolidays
	}
	switch text[0] {
	case '"':
		var name string
		if err := json.Unmarshal(text, &name); err != nil {
			return nil, err
		}
		return find(name)
	case '{':
		var table Timetable
		if err := json.Unmarshal(text, &table); err != nil {
			if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
				err = fmt.Errorf("%s: %s does not belong there", strings.TrimPrefix(wrong.Field, "timetable."), article(wrong.Value))
			}
			return nil, err
		}
		// What is written out is not looked up, whatever it is called.
		table.Name = ""
		if set := table.HolidaysOf; set != "" {
			years := holidays(set)
			if len(years) == 0 {
				return nil, fmt.Errorf("unknown set of holidays %q", set)
			}
			table = table.Observe(years...)
		}
		return table.Calendar()
	default:
		return nil, errors.New(`it is a name like "cn-office", or an object`)
	}
}

// target returns the target of the question; asked is not set when it has none.
func (q question) target() (target Duration, asked bool, err error) {
	switch {
	case q.Target != nil && q.TargetSeconds != nil:
		return target, false, errors.New("target and target_seconds say the same: give one of them")
	case q.Target != nil:
		if target, err = ParseDuration(*q.Target); err != nil {
			return target, false, fmt.Errorf("target: %w", err)
		}
	case q.TargetSeconds != nil:
		if ns := math.Round(*q.TargetSeconds * float64(time.Second)); math.Abs(ns) <= float64(longestTarget) {
			target.Time = time.Duration(ns)
		} else {
			target.Time = math.MaxInt64
		}
	default:
		return target, false, nil
	}
	if target.Time > longestTarget || target.Time < -longestTarget {
		return target, false, errors.New("target: it is more than a hundred years")
	}
	return target, true, nil
}

// instantOf reads the instant of a field; zero when it is absent.
func instantOf(field string, text *string) (time.Time, error) {
	if text == nil {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, *text)
	if err != nil {
		return at, fmt.Errorf("%s: %q is not an instant: write it like 2026-09-30T18:00:00+08:00", field, *text)
	}
	if at = at.UTC(); at.Year() < FirstYear || at.Year() > LastYear {
		return at, fmt.Errorf("%s: %q is not in the years %d to %d", field, *text, FirstYear, LastYear)
	}
	return at, nil
}

// pauses returns the pauses in order, those that touch or overlap as one, and
// without those of no length.
func (q question) pauses() ([]Pause, error) {
	all := make([]Pause, 0, len(q.Pauses))
	for i, p := range q.Pauses {
		field := fmt.Sprintf("pauses[%d]", i)
		if p.From == nil {
			return nil, fmt.Errorf("%s: from is missing", field)
		}
		from, err := instantOf(field+".from", p.From)
		if err != nil {
			return nil, err
		}
		pause := Pause{From: from}
		if p.To != nil {
			to, err := instantOf(field+".to", p.To)
			if err != nil {
				return nil, err
			}
			if to.Before(from) {
				return nil, fmt.Errorf("%s: it ends before it begins", field)
			}
			if pause.To = &to; to.Equal(from) {
				continue
			}
		}
		all = append(all, pause)
	}
	slices.SortFunc(all, func(a, b Pause) int { return a.From.Compare(b.From) })
	joined := all[:0]
	for _, p := range all {
		last := len(joined) - 1
		switch {
		case last < 0 || joined[last].To != nil && p.From.After(*joined[last].To):
			joined = append(joined, p)
		case joined[last].To != nil && (p.To == nil || p.To.After(*joined[last].To)):
			joined[last].To = p.To
		}
	}
	return joined, nil
}

// counting is working time in which some pauses do not count.
type counting struct {
	cal    *Calendar
	pauses []Pause
}

// clock returns the clock that has counted since start; what was paused before
// does not concern it.
func (s counting) clock(start time.Time, target Duration) Clock {
	c := Start("", 1, Terms{Target: target}, start)
	for _, p := range s.pauses {
		if p.To != nil && !p.To.After(start) {
			continue
		}
		if p.From.Before(start) {
			p.From = start
		}
		c.Pauses = append(c.Pauses, p)
	}
	return c
}

// end returns when the target is used up; zero while a pause holds it.
func (s counting) end(start time.Time, target Duration) (time.Time, error) {
	if !target.Negative() {
		c := s.clock(start, target)
		at, _, err := c.deadline(s.cal)
		return at, err
	}
	at, err := s.cal.After(start, target)
	for i := len(s.pauses) - 1; i >= 0 && err == nil; i-- {
		p := s.pauses[i]
		if p.To == nil || p.To.After(start) {
			p.To = &start
		}
		if !p.From.Before(*p.To) {
			continue
		}
		if !p.To.After(at) {
			break
		}
		var work time.Duration
		if work, err = s.cal.Between(p.From, *p.To); err == nil && work > 0 {
			at, err = s.cal.Add(at, -work)
		}
	}
	return at, err
}

// counted returns the working time from a to b; none when b is not after a.
func (s counting) counted(a, b time.Time) (time.Duration, error) {
	if !a.Before(b) {
		return 0, nil
	}
	if _, err := s.cal.Between(a, b); err != nil {
		return 0, err
	}
	c := s.clock(a, Duration{})
	return c.Elapsed(s.cal, b), nil
}

// distance returns the working time from a to b, negative when b is before a.
func (s counting) distance(a, b time.Time) (time.Duration, error) {
	if a.Before(b) {
		return s.counted(a, b)
	}
	work, err := s.counted(b, a)
	return -work, err
}
