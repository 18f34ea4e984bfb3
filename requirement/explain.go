package requirement

import (
	"fmt"
	"slices"
	"time"

	"closeloop/policy"
	"closeloop/sla"
)

// An Explanation says why the clocks of a requirement stand where they stand:
// `sla explain -o json`, row L7. Its field names are a contract; durations are
// seconds, of working time where nothing else is said.
type Explanation struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Stage Stage  `json:"stage"`
	// At is the instant of which it is told.
	At         time.Time          `json:"at"`
	Department string             `json:"department"`
	Owner      string             `json:"owner"`
	Clocks     []ClockExplanation `json:"clocks"`
	// Others are clocks that nobody asked about.
	Others []ClockBrief `json:"others"`
}

// ClockBrief names a clock.
type ClockBrief struct {
	Name  sla.Name  `json:"name"`
	Cycle int       `json:"cycle"`
	State sla.State `json:"state"`
}

// A Basis is how a deadline is counted from the start.
type Basis string

// The ways to count.
const (
	ByDate             Basis = "due_date"           // a date that was promised by hand
	ByWorkingDays      Basis = "working_days"       // to the same time of day
	ByWorkingDaysClose Basis = "working_days_close" // to the end of the last day
	ByWorkingTime      Basis = "working_time"       // hours of a calendar
	ByTime             Basis = "time"               // hours around the clock
)

// ClockExplanation is a clock as `show` has it, and how it got there.
type ClockExplanation struct {
	ClockView
	// Policy is the digest of the rules by which it is counted.
	Policy   string `json:"policy"`
	Timezone string `json:"timezone"`
	Basis    Basis  `json:"basis"`
	// Due is the date that was promised by hand.
	Due *time.Time `json:"due,omitempty"`
	// DeadlineWithoutPauses is when the target had been used up had nothing paused
	// the clock; nil when the calendar does not know.
	DeadlineWithoutPauses *time.Time `json:"deadline_without_pauses"`
	// PausedSeconds is the working time by which pauses have put the deadline off.
	PausedSeconds float64 `json:"paused_seconds"`
	// RemainingSeconds is what is left of the target; negative when more is used.
	RemainingSeconds float64 `json:"remaining_seconds"`
	// MaxPauseSeconds is how long it may be on hold; 0 for no limit.
	MaxPauseSeconds float64        `json:"max_pause_seconds"`
	Terms           []TermsView    `json:"terms"`
	HandOvers       []HandOver     `json:"handovers"`
	Breach          *BreachView    `json:"breach"`
	Intervals       []IntervalView `json:"intervals"`
	// Ahead is what comes until the deadline if nothing happens; empty when it has
	// passed or is not known. That of a clock on hold is known when the hold has a
	// limit.
	Ahead       []IntervalView `json:"ahead"`
	Departments []Use          `json:"departments"`
	Holders     []Use          `json:"holders"`
}

// IntervalView is a piece of a clock's time.
type IntervalView struct {
	From time.Time        `json:"from"`
	To   time.Time        `json:"to"`
	Kind sla.IntervalKind `json:"kind"`
	// Day is the kind of the date in the clock's calendar, and Name what the date is
	// called; for kind unknown the year.
	Day  sla.DayKind `json:"day,omitempty"`
	Name string      `json:"name,omitempty"`
	// Hold is whom a hold waits for; By put it on hold, or did what paused the
	// clock. A hold that does not pause is told as well: see HoldCounts.
	Hold   string `json:"hold,omitempty"`
	Reason string `json:"reason,omitempty"`
	By     string `json:"by,omitempty"`
	// Stage is the one in which the clock does not run.
	Stage Stage `json:"stage,omitempty"`
	// HoldCounts is why time on hold counts all the same.
	HoldCounts HoldCounts `json:"hold_counts,omitempty"`
	Owner      string     `json:"owner"`
	Department string     `json:"department"`
	// WorkingSeconds is the working time in it: counted, or taken out by a pause.
	WorkingSeconds float64 `json:"working_seconds"`
	CountedSeconds float64 `json:"counted_seconds"`
	// TotalSeconds is what was counted up to its end, and Share the part of the
	// target that this is.
	TotalSeconds float64 `json:"total_seconds"`
	Share        float64 `json:"share"`
	Overdue      bool    `json:"overdue"`
}

// HoldCounts is why a hold does not pause a clock.
type HoldCounts string

// The reasons.
const (
	HoldLimitUsedUp HoldCounts = "max_pause" // it was on hold for as long as it may
	HoldNotPausing  HoldCounts = "policy"    // holds of this kind do not pause it
)

// HandOver is a change of who holds the requirement.
type HandOver struct {
	At         time.Time `json:"at"`
	Kind       Kind      `json:"kind"`
	By         string    `json:"by"`
	Reason     string    `json:"reason,omitempty"`
	Owner      string    `json:"owner"`
	Department string    `json:"department"`
}

// TermsView is a target that was in force, from its instant on.
type TermsView struct {
	At time.Time `json:"at"`
	// Cause is the kind of the event that brought it, By who did it.
	Cause  Kind   `json:"cause"`
	By     string `json:"by"`
	Reason string `json:"reason,omitempty"`
	// Priority and PriorityBefore are set when the priority was changed, Policy and
	// PolicyBefore when the rules were.
	Priority       string     `json:"priority,omitempty"`
	PriorityBefore string     `json:"priority_before,omitempty"`
	Policy         string     `json:"policy,omitempty"`
	PolicyBefore   string     `json:"policy_before,omitempty"`
	Target         string     `json:"target"`
	Calendar       string     `json:"calendar"`
	Deadline       *time.Time `json:"deadline"`
}

// BreachView says who held the requirement when the clock ran out.
type BreachView struct {
	At         time.Time `json:"at"`
	DetectedAt time.Time `json:"detected_at"`
	// LateSeconds is how much later it was noticed, in real time.
	LateSeconds float64 `json:"late_seconds"`
	// Owner and Department held it at the deadline; empty when nobody did.
	Owner      string `json:"owner"`
	Department string `json:"department"`
	// DetectedOwner and DetectedDepartment held it when that was noticed. They
	// differ when terms that came later put the deadline into the past.
	DetectedOwner      string `json:"detected_owner"`
	DetectedDepartment string `json:"detected_department"`
}

// Use is how much of a clock's time somebody used.
type Use struct {
	Department string `json:"department"`
	// Owner is left out of the figures of a whole department.
	Owner          *string `json:"owner,omitempty"`
	CountedSeconds float64 `json:"counted_seconds"`
	// Share is the part of all that was counted.
	Share float64 `json:"share"`
	// OverdueSeconds is what was counted after the deadline.
	OverdueSeconds float64 `json:"overdue_seconds"`
	// PausedSeconds is the working time that pauses took out meanwhile.
	PausedSeconds float64 `json:"paused_seconds"`
}

// Account is all that is on record of a requirement.
type Account struct {
	State State
	// Events are all of them, in order.
	Events []Event
	// Clocks are all there ever were, also those that the state has forgotten.
	Clocks []sla.Clock
	// Rules are those it lives and lived by: [RulesOf] says which.
	Rules []policy.Process
}

// RulesOf returns the digests of the rules that a requirement lives and lived
// by.
func RulesOf(s State, events []Event) []string {
	digests := []string{s.Policy}
	for _, e := range events {
		if e.Kind != Adopted {
			continue
		}
		for _, digest := range []string{saidBy(e).Policy, saidBy(e).before()} {
			if digest != "" && !slices.Contains(digests, digest) {
				digests = append(digests, digest)
			}
		}
	}
	return digests
}

// Which says which clocks are to be explained.
type Which struct {
	// Clock narrows it to one name and Cycle to one cycle, unless empty.
	Clock sla.Name
	Cycle int
	// All also means clocks that ended in time, which nobody asks about unless they
	// are named.
	All bool
}

// Explain says why the clocks stand where they stood at the instant at, by what
// was known then. Pass the present for how they stand now; at an instant to come
// they stand as they will if nothing happens. Clocks that had not begun by then
// are left out. The error says that rules or calendars are missing, which means
// that the record was tampered with.
func Explain(record Account, which Which, at time.Time) (Explanation, error) {
	s := record.State
	e := Explanation{
		ID: s.ID, Title: s.Title, Stage: s.Stage, At: at,
		Clocks: []ClockExplanation{}, Others: []ClockBrief{},
	}
	past := recall(record, at)
	if n := len(past.events); n > 0 && past.events[n-1].Stage != "" {
		e.Stage = past.events[n-1].Stage
	}
	last := past.holder(at)
	e.Owner, e.Department = last.Owner, last.Department

	var clocks []*recalled
	for _, c := range record.Clocks {
		if c.StartedAt.After(at) {
			continue
		}
		then, err := past.clock(c)
		if err != nil {
			return e, fmt.Errorf("%s, clock %s: %w", s.ID, c.Name, err)
		}
		clocks = append(clocks, then)
	}
	slices.SortStableFunc(clocks, func(a, b *recalled) int {
		if by := slices.Index(sla.Names, a.Name) - slices.Index(sla.Names, b.Name); by != 0 {
			return by
		}
		return a.Cycle - b.Cycle
	})
	pressing := slices.ContainsFunc(clocks, (*recalled).pressing)
	for _, c := range clocks {
		asked := (which.Clock == "" || which.Clock == c.Name) && (which.Cycle == 0 || which.Cycle == c.Cycle)
		if which.Clock == "" && which.Cycle == 0 && !which.All && pressing {
			asked = c.pressing()
		}
		if asked {
			e.Clocks = append(e.Clocks, past.explain(c))
		} else {
			e.Others = append(e.Others, ClockBrief{c.Name, c.Cycle, c.State()})
		}
	}
	return e, nil
}

// explain tells the way of one clock.
func (p *past) explain(c *recalled) ClockExplanation {
	cal := c.calendar
	x := ClockExplanation{
		ClockView: viewOf(&c.Clock, cal, p.at), Policy: c.policy, Timezone: cal.Location().String(), Basis: basisOf(&c.Clock),
		Due: c.Clock.Due, Terms: p.termsOf(c), HandOvers: []HandOver{}, Intervals: []IntervalView{}, Ahead: []IntervalView{},
		Departments: []Use{}, Holders: []Use{},
	}
	if due, known := c.DueWithoutPauses(cal); known {
		x.DeadlineWithoutPauses = &due
	}
	if limit, err := cal.Work(c.StartedAt, c.MaxPause); err == nil {
		x.MaxPauseSeconds = limit.Seconds()
	}
	x.RemainingSeconds = x.TargetSeconds - x.ElapsedSeconds
	end := p.at
	if c.StoppedAt != nil {
		end = *c.StoppedAt
	}
	instants := exact(&c.Clock)
	for i, h := range p.holders {
		h.At = instants.of(h.At)
		if i > 0 && h.At.After(c.StartedAt) && h.At.Before(end) {
			x.HandOvers = append(x.HandOvers, h)
		}
	}
	until := p.at
	if x.Deadline != nil && c.Open() && x.Deadline.After(until) {
		until = *x.Deadline
	}
	var total time.Duration
	target := c.TargetWork(cal)
	for _, piece := range p.pieces(c, until, instants) {
		total += piece.Counted()
		v := p.intervalView(c, piece, instants)
		v.TotalSeconds = total.Seconds()
		if target > 0 {
			v.Share = float64(total) / float64(target)
		}
		if v.Kind == sla.IntervalPaused && !v.Overdue {
			x.PausedSeconds += v.WorkingSeconds
		}
		if v.From.Before(p.at) {
			x.Intervals = append(x.Intervals, v)
		} else {
			x.Ahead = append(x.Ahead, v)
		}
	}
	x.Departments, x.Holders = uses(x.Intervals)
	x.Breach = p.breach(c)
	return x
}

func basisOf(c *sla.Clock) Basis {
	switch {
	case c.Due != nil:
		return ByDate
	case c.Target.WorkingDays != 0 && c.Target.Close:
		return ByWorkingDaysClose
	case c.Target.WorkingDays != 0:
		return ByWorkingDays
	case c.Calendar == sla.AlwaysOpen:
		return ByTime
	default:
		return ByWorkingTime
	}
}

// pieces are the intervals of the clock, cut where the requirement changed hands
// and where a hold began or ended that did not pause it.
func (p *past) pieces(c *recalled, until time.Time, instants instants) []sla.Interval {
	list := sla.CutAt(c.calendar, c.Intervals(c.calendar, until), p.at)
	for _, h := range p.holders {
		list = sla.CutAt(c.calendar, list, instants.of(h.At))
	}
	for _, h := range p.holds {
		list = sla.CutAt(c.calendar, list, instants.of(h.from))
		if h.to != nil {
			list = sla.CutAt(c.calendar, list, instants.of(*h.to))
		}
	}
	return list
}

func (p *past) intervalView(c *recalled, piece sla.Interval, instants instants) IntervalView {
	who := p.holderFrom(piece.From, instants)
	v := IntervalView{
		From: piece.From, To: piece.To, Kind: piece.Kind, Day: piece.Day, Name: piece.Name,
		Owner: who.Owner, Department: who.Department,
		WorkingSeconds: piece.Work.Seconds(), CountedSeconds: piece.Counted().Seconds(), Overdue: piece.Overdue,
	}
	hold, held := p.holdFrom(piece.From, instants)
	switch {
	case piece.Pause != nil && piece.Pause.OnHold:
		v.Hold, v.Reason, v.By = policy.HoldCustomer, piece.Pause.Reason, piece.Pause.By
		if held {
			v.Hold, v.By = hold.kind, hold.by
		}
	case piece.Pause != nil:
		v.Stage, v.By = Stage(piece.Pause.Reason), piece.Pause.By
	case piece.Kind == sla.IntervalCounted && held:
		v.Hold, v.Reason, v.By, v.HoldCounts = hold.kind, hold.reason, hold.by, HoldNotPausing
		if c.rule.PausesOnHold.Include(hold.kind) || hold.fromIntake {
			v.HoldCounts = HoldLimitUsedUp
		}
	}
	return v
}

// breach says who held the requirement when the clock ran out; nil when it did
// not.
func (p *past) breach(c *recalled) *BreachView {
	if c.BreachedAt == nil || c.DetectedAt == nil {
		return nil
	}
	then, noticed := p.holder(*c.BreachedAt), p.holder(*c.DetectedAt)
	return &BreachView{
		At: *c.BreachedAt, DetectedAt: *c.DetectedAt, LateSeconds: c.DetectedAt.Sub(*c.BreachedAt).Seconds(),
		Owner: then.Owner, Department: then.Department,
		DetectedOwner: noticed.Owner, DetectedDepartment: noticed.Department,
	}
}

// uses adds up who used how much, by department and by owner, in the order in
// which they came.
func uses(intervals []IntervalView) (departments, holders []Use) {
	departments, holders = []Use{}, []Use{}
	counted := 0.0
	for _, v := range intervals {
		counted += v.CountedSeconds
		departments = used(departments, Use{Department: v.Department}, v)
		holders = used(holders, Use{Department: v.Department, Owner: &v.Owner}, v)
	}
	for _, list := range [][]Use{departments, holders} {
		for i := range list {
			if counted > 0 {
				list[i].Share = list[i].CountedSeconds / counted
			}
		}
	}
	return departments, holders
}

func used(list []Use, who Use, v IntervalView) []Use {
	i := slices.IndexFunc(list, func(u Use) bool {
		return u.Department == who.Department && (who.Owner == nil || *u.Owner == *who.Owner)
	})
	if i < 0 {
		i, list = len(list), append(list, who)
	}
	list[i].CountedSeconds += v.CountedSeconds
	switch {
	case v.Overdue:
		list[i].OverdueSeconds += v.CountedSeconds
	case v.Kind == sla.IntervalPaused:
		list[i].PausedSeconds += v.WorkingSeconds
	}
	return list
}
