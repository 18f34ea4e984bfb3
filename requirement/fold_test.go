package requirement_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/internal/trial"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// office are rules that differ in everything a clock depends on: calendars,
// targets, holds, and a limit to holds.
func office() policy.Process {
	p := trial.Policy().Process
	p.Digest = "office"
	cn, err := sla.Shipped("cn-office")
	if err != nil {
		panic(err)
	}
	cn = cn.Observe(sla.ShippedHolidays(cn.HolidaysOf)...)
	p.Calendars = []sla.Timetable{cn}
	p.Holds = []string{"supplier"}
	for i := range p.Clocks {
		c := &p.Clocks[i]
		switch c.Name {
		case sla.Response, sla.Confirmation, sla.NextResponse, sla.PlanStep:
			c.Calendar = cn.Name
		case sla.Resolution:
			c.Calendar, c.Target = cn.Name, sla.Duration{WorkingDays: 2}
			c.OnReopen, c.MaxPause = policy.ResumeRemaining, trial.Hours(3)
		case sla.Update:
			c.Calendar, c.Target, c.MaxPause = cn.Name, trial.Hours(6), trial.Hours(1)
		case sla.Acceptance:
			c.PausesOnHold = policy.Holds{"supplier"}
		case sla.Approval:
			c.Target = trial.Hours(3)
		}
	}
	p.Approvals[1].OnTimeout = policy.TimeoutApproves
	return p
}

// verdict is what of a clock does not depend on when somebody looked.
type verdict struct {
	sla.Terms
	Name                  sla.Name
	Cycle                 int
	StartedAt             time.Time
	Pauses                []sla.Pause
	StoppedAt, BreachedAt *time.Time
	State                 sla.State
	Marks                 []string
	Final                 *sla.Figures
}

func verdictOf(c sla.Clock) verdict {
	v := verdict{
		Terms: c.Terms, Name: c.Name, Cycle: c.Cycle, StartedAt: c.StartedAt, Pauses: slices.Clone(c.Pauses),
		StoppedAt: c.StoppedAt, BreachedAt: c.BreachedAt, State: c.State(), Final: c.Final,
	}
	for _, f := range c.Fired {
		v.Marks = append(v.Marks, f.Mark+" "+f.At.Format(time.RFC3339Nano))
	}
	return v
}

// folds expects that the facts of a life, folded under its own rules as they
// changed, give the clocks that it has.
func folds(t require.TestingT, r *requirement.Requirement, events []requirement.Event, now time.Time, rules ...policy.Process) {
	folded := fold(t, events, now, rules...)
	require.Equal(t, r.Stage, folded.Stage)
	require.Equal(t, r.Attributes, folded.Attributes)
	require.Equal(t, r.Department, folded.Department)
	for _, c := range r.Clocks {
		i := slices.IndexFunc(folded.Clocks, func(f sla.Clock) bool { return f.Name == c.Name && f.Cycle == c.Cycle })
		require.GreaterOrEqual(t, i, 0, "%s %d", c.Name, c.Cycle)
		require.Equal(t, verdictOf(c), verdictOf(folded.Clocks[i]), "%s %d", c.Name, c.Cycle)
		want, known := c.Deadline(r.CalendarOf(&c))
		got, same := folded.Deadline(&folded.Clocks[i])
		require.Equal(t, known, same)
		require.True(t, want.Equal(got))
		require.True(t, folded.Dated(&c))
	}
}

// fold folds events under the rules, the first to begin with.
func fold(t require.TestingT, events []requirement.Event, now time.Time, rules ...policy.Process) requirement.Reckoning {
	folds := map[string]*requirement.Fold{}
	for _, p := range rules {
		f, err := requirement.NewFold(p)
		require.NoError(t, err)
		folds[p.Digest] = f
	}
	adopt := func(digest string) (*requirement.Fold, error) { return folds[digest], nil }
	folded, err := folds[rules[0].Digest].Life(told(t, events), now, adopt)
	require.NoError(t, err)
	return folded
}

// told are the events that a fold needs, as they come out of the ledger.
func told(t require.TestingT, events []requirement.Event) []requirement.Event {
	var needed []requirement.Event
	for _, e := range events {
		if slices.Contains(requirement.FoldedKinds(), e.Kind) {
			needed = append(needed, e)
		}
	}
	text, err := json.Marshal(needed)
	require.NoError(t, err)
	needed = nil
	require.NoError(t, json.Unmarshal(text, &needed))
	return needed
}

// TestFoldOrderOfArrival: facts of one instant give the same clocks in whichever
// order they arrived.
func TestFoldOrderOfArrival(t *testing.T) {
	t.Parallel()
	h := by("li.na")
	for name, acts := range map[string][2]requirement.Act{
		"comment and priority":  {requirement.Comment{Header: by("customer"), Message: "well"}, requirement.Reprioritise{Header: by("wang.fang"), Priority: "high", Reason: "urgent"}},
		"hold and priority":     {requirement.PutOnHold{Header: h, Reason: "asks"}, requirement.Reprioritise{Header: by("wang.fang"), Priority: "low", Reason: "no hurry"}},
		"plan and priority":     {requirement.Plan{Header: h, Steps: []requirement.PlanStep{{What: "look", Due: after(20 * time.Hour)}}}, requirement.Reprioritise{Header: by("wang.fang"), Priority: "high", Reason: "urgent"}},
		"plan and comment":      {requirement.Plan{Header: h, Steps: []requirement.PlanStep{{What: "look", Due: after(20 * time.Hour)}}}, requirement.Comment{Header: by("customer"), Message: "well"}},
		"comment and hand-over": {requirement.Comment{Header: by("customer"), Message: "well"}, requirement.Assign{Header: by("wang.fang"), To: "zhang.wei", Department: "technology"}},
		"wording and priority":  {requirement.Amend{Header: by("customer"), Description: "more"}, requirement.Reprioritise{Header: by("wang.fang"), Priority: "high", Reason: "urgent"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ends [2][]verdict
			for i := range ends {
				s := tell(t).assigned(after(10 * time.Minute))
				s.does(after(20*time.Minute), requirement.Respond{Header: h, Method: "phone", Message: "hello"})
				s.does(after(9*time.Hour), acts[i])
				s.does(after(9*time.Hour), acts[1-i])
				folded := fold(t, s.journal(), after(30*time.Hour), s.Process())
				for _, c := range folded.Clocks {
					// Who put a pause on record, of two at once, is whoever came first.
					v := verdictOf(c)
					for i := range v.Pauses {
						v.Pauses[i].By, v.Pauses[i].Reason = "", ""
					}
					ends[i] = append(ends[i], v)
				}
			}
			require.ElementsMatch(t, ends[0], ends[1])
		})
	}
}

// TestFoldUnderOtherRules: what was done stands, the clocks are other ones.
func TestFoldUnderOtherRules(t *testing.T) {
	t.Parallel()
	s := tell(t).resolved(after(20 * time.Hour))
	events := s.journal()
	state := func(name sla.Name, folded requirement.Reckoning) sla.State {
		for i := range folded.Clocks {
			if c := &folded.Clocks[i]; c.Name == name {
				return c.State()
			}
		}
		return ""
	}
	require.Equal(t, sla.Met, state(sla.Resolution, fold(t, events, after(20*time.Hour), s.Process())))

	shorter := trial.Policy().Process
	for i := range shorter.Clocks {
		shorter.Clocks[i].Target = trial.Hours(4)
	}
	folded := fold(t, events, after(20*time.Hour), shorter)
	require.Equal(t, sla.Breached, state(sla.Resolution, folded))
	require.Equal(t, sla.Running, state(sla.Confirmation, folded))
	require.Equal(t, requirement.Confirming, folded.Stage)

	folded = fold(t, events, after(100*time.Hour), shorter)
	require.Equal(t, requirement.Confirming, folded.Stage, "a shorter limit to the customer's silence closes nothing afterwards")

	without := shorter
	without.Clocks = shorter.Clocks[:1]
	require.Empty(t, state(sla.Resolution, fold(t, events, after(20*time.Hour), without)))
}

// TestFoldOfRejections: whether a rejection can be appealed is a fact, whatever
// the rules say now.
func TestFoldOfRejections(t *testing.T) {
	t.Parallel()
	without := trial.Policy().Process
	without.Digest = "final"
	without.Clocks = slices.DeleteFunc(without.Clocks, func(c policy.ClockRule) bool { return c.Name == sla.Appeal })
	rejected := func(rules policy.Process) *story {
		s := tell(t, func(p *policy.Policy, _ *requirement.Submission) { p.Process = rules })
		s.does(t0, requirement.Triage{Header: by("wang.fang"), NeedApproval: true})
		s.OpenRound(t0, []requirement.FilledSeat{{Seat: "role:product", Person: "zhao.lei"}})
		s.does(after(time.Hour), requirement.Decline{Header: by("zhao.lei"), Reason: "no"})
		return s
	}
	open := func(folded requirement.Reckoning) (names []sla.Name) {
		for _, c := range folded.Clocks {
			if c.Open() {
				names = append(names, c.Name)
			}
		}
		return names
	}
	s := rejected(trial.Policy().Process)
	require.Empty(t, open(fold(t, rejected(without).journal(), after(2*time.Hour), s.Process())))
	s.does(after(50*time.Hour), requirement.Appeal{Header: by("customer"), Reason: "please"})
	require.ElementsMatch(t, []sla.Name{sla.Response, sla.Resolution}, open(fold(t, s.journal(), after(51*time.Hour), without)))

	s = rejected(trial.Policy().Process)
	s.Tick(after(2000 * time.Hour))
	require.True(t, s.Over())
	require.Empty(t, open(fold(t, s.journal(), after(2001*time.Hour), s.Process())))
}

// TestFoldRefuses what cannot be folded.
func TestFoldRefuses(t *testing.T) {
	t.Parallel()
	s := tell(t).assigned(after(time.Minute))
	events := s.journal()
	f, err := requirement.NewFold(s.Process())
	require.NoError(t, err)
	change := func(i int, how func(*requirement.Event)) []requirement.Event {
		changed := told(t, events)
		how(&changed[i])
		return changed
	}
	for name, c := range map[string]struct {
		events []requirement.Event
		err    error
	}{
		"nothing":               {nil, requirement.ErrStory},
		"no beginning":          {told(t, events)[1:], requirement.ErrStory},
		"no stage":              {change(1, func(e *requirement.Event) { e.Stage = "" }), requirement.ErrNoStage},
		"another stage":         {change(2, func(e *requirement.Event) { e.Stage = requirement.Confirming }), requirement.ErrStory},
		"unreadable":            {change(1, func(e *requirement.Event) { e.Data = []byte(`[]`) }), requirement.ErrStory},
		"a round nobody asked":  {change(1, func(e *requirement.Event) { e.Kind = requirement.RoundDecided }), requirement.ErrStory},
		"a step nobody planned": {change(3, func(e *requirement.Event) { e.Kind, e.Data = requirement.Progressed, []byte(`{"done_steps":[1]}`) }), requirement.ErrStory},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := f.Life(c.events, after(time.Hour), nil)
			require.ErrorIs(t, err, c.err)
		})
	}
	broken := s.Process()
	broken.Clocks = []policy.ClockRule{{Name: sla.Response, Calendar: "nowhere"}}
	_, err = requirement.NewFold(broken)
	require.ErrorContains(t, err, "nowhere")
}

// TestLimitOfHoldNoticedLate: a hold that has lasted for as long as it may goes
// over into the pause of the stage, whenever somebody looks.
func TestLimitOfHoldNoticedLate(t *testing.T) {
	t.Parallel()
	for name, looks := range map[string]time.Duration{"at once": 3 * time.Hour, "late": 9 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tell(t, only(rule(sla.Resolution, trial.Hours(24), func(r *policy.ClockRule) {
				r.RunsIn, r.MaxPause = []string{"executing"}, trial.Hours(3)
			})))
			s.does(t0, requirement.PutOnHold{Header: by("wang.fang"), Reason: "asks"})
			s.Tick(after(looks))
			s.Tick(after(10 * time.Hour))
			require.Zero(t, s.clock(sla.Resolution, 1).ElapsedSeconds)
			require.Equal(t, sla.Paused, s.clock(sla.Resolution, 1).State)
		})
	}
}
