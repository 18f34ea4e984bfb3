package requirement

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"closeloop/policy"
	"closeloop/sla"
)

// Why a life cannot be folded.
var (
	// ErrNoStage: an event does not say where it led to, because it was written
	// before events did.
	ErrNoStage = errors.New("an event does not say where it led to")
	// ErrStory: the events are not those of one life.
	ErrStory = errors.New("the events do not fit together")
)

// FoldedKinds returns the kinds of events that a fold needs. What became of
// clocks and escalations is not among them: that is what a fold finds out. The
// one exception is the lapse of a clock, because that of an appeal ends a life
// without a word from anybody.
func FoldedKinds() []Kind { return slices.Sorted(maps.Keys(facts)) }

// A Fold finds out how the clocks of lives would have run under given rules.
// What people did, and what followed from a time limit, are facts that stand:
// only the clocks are other ones. Several goroutines may use one.
type Fold struct {
	rules     policy.Process
	calendars []*sla.Calendar
}

// NewFold returns the fold under these rules. The error says which calendar is
// wrong.
func NewFold(p policy.Process) (*Fold, error) {
	f := &Fold{rules: p, calendars: []*sla.Calendar{sla.Always}}
	for _, c := range p.Clocks {
		if slices.ContainsFunc(f.calendars, func(cal *sla.Calendar) bool { return cal.Name() == c.Calendar }) {
			continue
		}
		cal, err := p.Calendar(c.Calendar)
		if err != nil {
			return nil, err
		}
		f.calendars = append(f.calendars, cal)
	}
	return f, nil
}

// Quiet returns the fold without warnings and repetitions: it takes less time,
// and no verdict depends on them.
func (f *Fold) Quiet() *Fold {
	quiet := *f
	quiet.rules.Clocks = slices.Clone(f.rules.Clocks)
	for i := range quiet.rules.Clocks {
		c := &quiet.rules.Clocks[i]
		c.Marks, c.Repeat = nil, sla.Repeat{}
	}
	return &quiet
}

// Reckoning is how the clocks of one life ran.
type Reckoning struct {
	policy.Attributes
	// Department that holds the requirement in the end; empty when none does.
	Department string
	Stage      Stage
	// Clocks of the whole life, also those that a requirement no longer has in hand.
	// A mark is noticed at the instant at which it is due.
	Clocks []sla.Clock

	r *Requirement
}

// Deadline returns the deadline of one of the clocks; see [sla.Clock.Deadline].
func (k Reckoning) Deadline(c *sla.Clock) (time.Time, bool) { return c.Deadline(k.r.CalendarOf(c)) }

// Dated reports whether the calendar knows what it takes to judge a clock: one
// without a deadline is never late.
func (k Reckoning) Dated(c *sla.Clock) bool {
	if c.Final != nil {
		return c.Final.Deadline != nil
	}
	return c.Lacks == nil
}

// Life folds the events of one life in their order, from the first to the latest;
// those that are not of [FoldedKinds] may be left out. Clocks that are open after
// the last event run on until the instant `until`.
//
// An adoption of other rules asks adopt for the fold under them; when adopt is
// nil, these rules hold to the end.
//
// The error is [ErrNoStage] or [ErrStory], or one of adopt.
func (f *Fold) Life(events []Event, until time.Time, adopt func(digest string) (*Fold, error)) (Reckoning, error) {
	if len(events) == 0 || events[0].Kind != Submitted {
		return Reckoning{}, fmt.Errorf("%w: a life begins with its submission", ErrStory)
	}
	l := &life{r: &Requirement{folding: true}, adopt: adopt}
	l.under(f)
	for _, e := range events {
		if err := l.next(e); err != nil {
			return Reckoning{}, fmt.Errorf("event %d, %s: %w", e.Seq, e.Kind, err)
		}
	}
	r := l.r
	r.Tick(until)
	return Reckoning{
		Attributes: r.Attributes, Department: r.Department, Stage: r.Stage,
		Clocks: append(r.past, r.Clocks...), r: r,
	}, nil
}

// life is a life that is being folded.
type life struct {
	r     *Requirement
	adopt func(digest string) (*Fold, error)
	// asked are the rules under which the latest round of approval was asked for.
	asked policy.Process
}

func (l *life) under(f *Fold) {
	l.r.liveBy(f.rules)
	l.r.calendars = slices.Clip(f.calendars)
}

// next lets the clocks run up to an event, does what it says, and retimes them:
// as it was when it happened, but for what the clocks then did.
func (l *life) next(e Event) error {
	fact, known := facts[e.Kind]
	if !known {
		return nil
	}
	if e.Kind != Submitted {
		l.r.Tick(e.At)
	}
	changed, err := fact(l, e)
	if err != nil || !changed {
		return err
	}
	if e.Stage != "" && l.r.Stage != e.Stage {
		return fmt.Errorf("%w: it led to %s, not to %s", ErrStory, e.Stage, l.r.Stage)
	}
	l.r.retime(e.At, e.Actor)
	return nil
}

// A fact does to a life what an event says. It is false when the clocks need not
// follow yet: the event is one of several of one act, and another of them does
// it all.
type fact func(*life, Event) (bool, error)

// does is a fact that needs no particulars.
func does(change func(r *Requirement, e Event)) fact {
	return func(l *life, e Event) (bool, error) {
		change(l.r, e)
		return true, nil
	}
}

// says is a fact with particulars.
func says[T any](change func(l *life, e Event, data T) (bool, error)) fact {
	return func(l *life, e Event) (bool, error) {
		var data T
		if len(e.Data) > 0 {
			if err := json.Unmarshal(e.Data, &data); err != nil {
				return false, fmt.Errorf("%w: its particulars cannot be read: %w", ErrStory, err)
			}
		}
		return change(l, e, data)
	}
}

// changes is a fact with particulars that cannot be wrong.
func changes[T any](change func(r *Requirement, e Event, data T)) fact {
	return says(func(l *life, e Event, data T) (bool, error) {
		change(l.r, e, data)
		return true, nil
	})
}

// by is the header of an act as its event has it.
func (e Event) by() Header { return Header{Actor: e.Actor} }

// facts say what events mean. Some acts have several events: a vote that decides
// the round, work on an assignment that accepts it, a customer's word that ends a
// hold. One of them then does it all, and the others are missing here or do
// nothing.
var facts = map[Kind]fact{
	Submitted: changes(func(r *Requirement, e Event, s Submission) {
		r.Submission, r.Stage, r.Cycle, r.CycleSince, r.CreatedAt = s, Received, 1, e.At, e.At
		if s.OnHold != "" {
			r.Hold = &Hold{Since: e.At, By: s.SubmittedBy, Reason: s.OnHold, FromIntake: true}
		}
	}),
	Triaged: says((*life).triaged),
	Amended: func(l *life, e Event) (bool, error) { return true, l.askedAgain(e) },
	RoundOpened: says(func(l *life, _ Event, round Approval) (bool, error) {
		if l.r.Approval == nil {
			return false, ErrStory
		}
		for _, rule := range l.asked.Approvals {
			if rule.Name == round.Rule {
				round.OnTimeout = rule.OnTimeout
			}
		}
		l.r.Approval = &round
		return true, nil
	}),
	RoundDecided:  says((*life).roundDecided),
	RequestDenied: changes((*Requirement).denied),
	WasAppealed: func(l *life, _ Event) (bool, error) {
		l.r.Appealed = true
		l.ask()
		return true, nil
	},
	WasAssigned: changes(func(r *Requirement, e Event, a Assign) {
		a.Header = e.by()
		r.assign(e.At, a)
	}),
	WasAccepted: says(func(l *life, e Event, a struct {
		Implied bool `json:"implied"`
	},
	) (bool, error) {
		if !a.Implied {
			l.r.takeUp(e.At, e.Actor, false)
		}
		return !a.Implied, nil
	}),
	HandedBack: does(func(r *Requirement, _ Event) {
		r.Owner, r.AcceptedAt = "", nil
		r.findOwner()
	}),
	Responded: does(func(r *Requirement, e Event) { Respond{Header: e.by()}.apply(r, e.At) }),
	Planned: changes(func(r *Requirement, e Event, p Plan) {
		p.Header = e.by()
		p.apply(r, e.At)
	}),
	Progressed: says(func(l *life, e Event, p Progress) (bool, error) {
		if err := p.allowed(l.r); err != nil {
			return false, fmt.Errorf("%w: %w", ErrStory, err)
		}
		p.Header = e.by()
		p.apply(l.r, e.At)
		return true, nil
	}),
	WasHeld: changes(func(r *Requirement, e Event, h PutOnHold) {
		h.Header = e.by()
		h.apply(r, e.At)
	}),
	WasResumed: says(func(l *life, e Event, s Resume) (bool, error) {
		s.Header = e.by()
		if len(e.Data) > 0 {
			s.apply(l.r, e.At)
		}
		return len(e.Data) > 0, nil
	}),
	Resolved:  does(func(r *Requirement, e Event) { Resolve{Header: e.by()}.apply(r, e.At) }),
	Confirmed: changes(func(r *Requirement, e Event, c Closing) { r.close(e.At, c) }),
	Disputed:  does(func(r *Requirement, e Event) { Dispute{Header: e.by()}.apply(r, e.At) }),
	Commented: changes(func(r *Requirement, e Event, c struct {
		FromCustomer bool `json:"from_customer"`
	},
	) {
		if c.FromCustomer {
			r.heardFrom(e.At, e.Actor)
		}
	}),
	Reprioritised: changes(func(r *Requirement, _ Event, p Reprioritise) { r.Priority = p.Priority }),
	WasMerged:     changes(func(r *Requirement, e Event, m Merge) { m.apply(r, e.At) }),
	MergeTaken: does(func(r *Requirement, e Event) {
		r.MergingFrom = ""
		r.end(e.At, Merged, e.Actor)
	}),
	MergeUndone: does(func(r *Requirement, _ Event) { r.Stage, r.MergingFrom, r.MergedInto = r.MergingFrom, "", "" }),

	WasWithdrawn: does(func(r *Requirement, e Event) { r.end(e.At, Withdrawn, e.Actor) }),
	Cancelled:    does(func(r *Requirement, e Event) { r.end(e.At, Withdrawn, e.Actor) }),
	Terminated:   does(func(r *Requirement, e Event) { r.end(e.At, Withdrawn, e.Actor) }),
	ClockLapsed: says(func(l *life, e Event, c clockFact) (bool, error) {
		if c.Clock != sla.Appeal {
			return false, nil
		}
		l.r.end(e.At, Rejected, e.Actor)
		return true, nil
	}),
	Adopted: says((*life).adopted),
}

func (l *life) triaged(e Event, t struct {
	policy.Attributes
	Department string `json:"department"`
},
) (bool, error) {
	l.r.Attributes = t.Attributes
	l.r.handOver(t.Department, e.At)
	l.r.findOwner()
	return true, l.askedAgain(e)
}

// askedAgain begins a round of approval when the event led to one.
func (l *life) askedAgain(e Event) error {
	switch e.Stage {
	case "":
		return ErrNoStage
	case Reviewing:
		l.ask()
	}
	return nil
}

func (l *life) ask() {
	l.asked = l.r.process
	l.r.ask(policy.ApprovalRule{})
}

func (l *life) roundDecided(e Event, d struct {
	State RoundState `json:"state"`
},
) (bool, error) {
	a := l.r.Approval
	if a == nil {
		return false, ErrStory
	}
	a.State, a.DecidedAt, a.DecidedBy = d.State, &e.At, e.Actor
	if d.State != RoundApproved {
		// The denial follows, and is the same act.
		return false, nil
	}
	l.r.goOn()
	return true, nil
}

func (r *Requirement) denied(e Event, d denial) {
	r.Stage, r.RejectedAt, r.Hold = Rejected, e.At, nil
	if d.Final || r.Appealed {
		r.end(e.At, Rejected, e.Actor)
	}
}

func (l *life) adopted(e Event, a struct {
	Policy string `json:"policy"`
},
) (bool, error) {
	if l.adopt == nil {
		return false, nil
	}
	f, err := l.adopt(a.Policy)
	if err != nil {
		return false, err
	}
	l.under(f)
	return true, nil
}
