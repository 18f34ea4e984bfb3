package escalation

import (
	"fmt"
	"slices"
	"time"

	"closeloop/sla"
)

// State is where a ladder stands.
type State string

// The states of a ladder.
const (
	Climbing     State = "climbing"
	Acknowledged State = "acknowledged"
	Alarmed      State = "alarmed" // nobody answered; the alarm was raised and waits
	Ended        State = "ended"   // its cause is gone
)

// Call is a level with the people who were found for it when the chain was
// triggered. Later changes of the policy do not touch a running ladder.
type Call struct {
	People []string     `json:"people"`
	Within sla.Duration `json:"within"`
	Times  int          `json:"times"`
	// Calendar in whose working time alone the level is called and Within passes;
	// around the clock when empty. It is one of [Ladder.Calendars].
	Calendar string `json:"calendar,omitempty"`
}

// Ladder is one run of an escalation chain.
type Ladder struct {
	ID          string `json:"id"`
	Requirement string `json:"requirement"`
	Title       string `json:"title,omitempty"`
	Clock       string `json:"clock"`
	Calls       []Call `json:"calls"`
	// Calendars are those that the calls name, as they were when the chain was
	// triggered; 24x7 is none of them.
	Calendars []sla.Timetable `json:"calendars,omitempty"`
	Rounds    int             `json:"rounds"`
	// AcknowledgedFor is how long an acknowledgement holds without progress.
	AcknowledgedFor sla.Duration `json:"acknowledged_for"`
	// Alarm is who is told that nobody answered.
	Alarm []string `json:"alarm"`

	State State `json:"state"`
	// Level is the rung that was called last, from 1, or that is waited for; Time how
	// often it was called in this round; Round how often the ladder was begun.
	Level int `json:"level"`
	Time  int `json:"time"`
	Round int `json:"round"`
	// Waits is set while the rung is closed: it is called when its calendar opens.
	// Anybody on the ladder may acknowledge meanwhile.
	Waits bool `json:"waits,omitempty"`
	// NextAt is when the ladder goes on by itself; zero when it does not.
	NextAt         time.Time `json:"next_at,omitzero"`
	AcknowledgedBy string    `json:"acknowledged_by,omitempty"`
}

// Page is something the ladder tells its requirement: people to call, or to
// alarm.
type Page struct {
	Level  int
	Round  int
	People []string
	Alarm  bool
	// Lacks is what the level's calendar lacks to know when it is open. The level is
	// called all the same, and its time passes around the clock: a call that comes
	// at night does less harm than one that never comes.
	Lacks *sla.Lack
}

// Start returns the ladder at its foot, due at once.
func Start(l Ladder, now time.Time) *Ladder {
	l.State, l.Level, l.Time, l.Round, l.NextAt = Climbing, 0, 0, 1, now
	l.Rounds = max(1, l.Rounds)
	return &l
}

// Over reports whether the ladder's cause is gone. One that has raised the alarm
// is not over: somebody may still acknowledge.
func (l *Ladder) Over() bool { return l.State == Ended }

// Next returns when the ladder goes on by itself; false when it only waits to
// be told something.
func (l *Ladder) Next() (time.Time, bool) { return l.NextAt, !l.Over() && !l.NextAt.IsZero() }

// Tick does what is due at now. It returns at most one page; levels without
// people are passed over at once, and one that is closed is waited for.
func (l *Ladder) Tick(now time.Time) (Page, bool) {
	if at, ok := l.Next(); !ok || at.After(now) {
		return Page{}, false
	}
	if l.State == Acknowledged {
		return l.unacknowledge(now)
	}
	for l.Waits || l.step() {
		call := l.Calls[l.Level-1]
		if len(call.People) == 0 {
			l.Time = call.times()
			continue
		}
		return l.call(now, call.People)
	}
	l.State, l.NextAt = Alarmed, time.Time{}
	return Page{Level: l.Level, Round: l.Round, People: l.Alarm, Alarm: true}, true
}

// step goes to the next call: the same level again, the next level, or the foot
// of the ladder in the next round. It is false when there is none left.
func (l *Ladder) step() bool {
	if l.Level > 0 && l.Level <= len(l.Calls) && l.Time < l.Calls[l.Level-1].times() {
		l.Time++
		return true
	}
	if l.Level < len(l.Calls) {
		l.Level, l.Time = l.Level+1, 1
		return true
	}
	if l.Round < l.Rounds && len(l.Calls) > 0 {
		l.Level, l.Time, l.Round = 1, 1, l.Round+1
		return true
	}
	return false
}

// call calls the people of the present rung, or waits until its calendar opens.
func (l *Ladder) call(now time.Time, people []string) (Page, bool) {
	call := l.Calls[max(1, l.Level)-1]
	page := Page{Level: l.Level, Round: l.Round, People: people}
	cal := l.calendar(call.Calendar)
	opens, err := cal.Next(now)
	if err == nil && opens.After(now) {
		l.Waits, l.NextAt = true, opens
		return Page{}, false
	}
	l.Waits = false
	if err == nil {
		l.NextAt, err = cal.After(now, call.Within)
	}
	if err != nil {
		page.Lacks, l.NextAt = sla.LackOf(cal, err), around(now, call.Within)
	}
	return page, true
}

// calendar returns the calendar of a rung. Whoever has none is called around the
// clock, because a breach may happen at any time.
func (l *Ladder) calendar(name string) *sla.Calendar {
	for _, t := range l.Calendars {
		if t.Name != name {
			continue
		}
		if cal, err := t.Calendar(); err == nil {
			return cal
		}
	}
	return sla.Always
}

// unacknowledge takes up the ladder again because an acknowledgement led to
// nothing: the acknowledger and the level that was called are called again. The
// acknowledgement holds until they may be.
func (l *Ladder) unacknowledge(now time.Time) (Page, bool) {
	people := slices.Clone(l.Calls[max(1, l.Level)-1].People)
	if !slices.Contains(people, l.AcknowledgedBy) {
		people = append(people, l.AcknowledgedBy)
	}
	page, called := l.call(now, people)
	if called {
		l.State, l.AcknowledgedBy = Climbing, ""
	}
	return page, called
}

// Check reports whether the person may acknowledge now; nil means yes.
// Anybody who was called or alarmed may, and so may whoever answers for the
// outcome: authorised says so.
func (l *Ladder) Check(person string, authorised bool) error {
	switch {
	case l.Over():
		return fmt.Errorf("escalation %s is over (%s)", l.ID, l.State)
	case l.State == Acknowledged:
		return fmt.Errorf("escalation %s was acknowledged by %s already", l.ID, l.AcknowledgedBy)
	case !authorised && !l.called(person):
		return fmt.Errorf("%s is not called by escalation %s; that takes one of %v", person, l.ID, l.everybody())
	}
	return nil
}

func (l *Ladder) called(person string) bool { return slices.Contains(l.everybody(), person) }

func (l *Ladder) everybody() []string {
	var all []string
	add := func(people []string) {
		for _, p := range people {
			if !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	for _, c := range l.Calls {
		add(c.People)
	}
	if l.State == Alarmed {
		add(l.Alarm)
	}
	return all
}

// Acknowledge stops the climbing, until the acknowledgement runs out without
// progress. After the alarm it holds for good: there is nobody left to call.
func (l *Ladder) Acknowledge(now time.Time, person string) {
	if l.State == Alarmed {
		l.AcknowledgedFor = sla.Duration{}
	}
	l.State, l.AcknowledgedBy, l.NextAt = Acknowledged, person, time.Time{}
	l.Progress(now)
}

// Progress extends an acknowledgement: somebody is at work.
func (l *Ladder) Progress(now time.Time) {
	if l.State == Acknowledged && !l.AcknowledgedFor.IsZero() {
		l.NextAt = around(now, l.AcknowledgedFor)
	}
}

// StandDown ends the ladder because its cause is gone.
func (l *Ladder) StandDown() { l.State, l.NextAt = Ended, time.Time{} }

func (c Call) times() int { return max(1, c.Times) }

// around returns when the duration ends that begins now, around the clock.
func around(now time.Time, d sla.Duration) time.Time {
	at, err := sla.Always.After(now, d)
	if err != nil {
		// Around the clock there is no year without hours.
		return now
	}
	return at
}
