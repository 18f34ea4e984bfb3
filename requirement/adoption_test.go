package requirement_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/internal/trial"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// other returns the story's rules with a change, under a digest of their own.
func (s *story) other(digest string, change ...func(*policy.Process)) policy.Process {
	s.t.Helper()
	// A copy by way of JSON shares nothing with the rules in force.
	text, err := json.Marshal(s.Process())
	require.NoError(s.t, err)
	var p policy.Process
	require.NoError(s.t, json.Unmarshal(text, &p))
	p.Digest = digest
	for _, c := range change {
		c(&p)
	}
	return p
}

func clockRule(p *policy.Process, name sla.Name) *policy.ClockRule {
	for i := range p.Clocks {
		if p.Clocks[i].Name == name {
			return &p.Clocks[i]
		}
	}
	return nil
}

// target gives a clock another target.
func target(name sla.Name, d sla.Duration) func(*policy.Process) {
	return func(p *policy.Process) {
		r := clockRule(p, name)
		r.Target, r.Targets = d, nil
	}
}

func escalationIDs(list []requirement.Escalation) []string {
	ids := []string{}
	for _, e := range list {
		ids = append(ids, e.ID)
	}
	return ids
}

// TestDeadlinePutOffEndsTheEscalation: the breach stays on record; when the
// later deadline passes, too, it escalates again under an id of its own.
func TestDeadlinePutOffEndsTheEscalation(t *testing.T) {
	t.Parallel()
	longer := target(sla.Response, trial.Hours(5))
	for name, change := range map[string]func(*story, time.Time){
		"by other rules": func(s *story, at time.Time) { s.Adopt(at, s.other("longer", longer), "sun.li") },
		"by another priority": func(s *story, at time.Time) {
			s.does(at, requirement.Reprioritise{Header: by("wang.fang"), Priority: "low", Reason: "can wait"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tell(t, func(p *policy.Policy, _ *requirement.Submission) {
				p.Clocks[0].Targets = []policy.TargetRule{{When: policy.When{Priority: []string{"low"}}, Target: trial.Hours(5)}}
			})
			s.Tick(after(2*time.Hour + time.Minute))
			s.EscalationStarted(after(2*time.Hour+time.Minute), "response-1")
			change(s, after(3*time.Hour))
			require.Equal(t, []string{"response-1"}, escalationIDs(s.EscalationsToEnd()))
			s.EscalationTold("response-1")
			c := s.clock(sla.Response, 1)
			require.Equal(t, sla.Breached, c.State, "the breach stays")
			require.Equal(t, after(2*time.Hour), *c.BreachedAt)
			require.Equal(t, after(5*time.Hour), deadline(t, c))
			s.Tick(after(5 * time.Hour))
			require.Empty(t, s.EscalationsDue(), "at the deadline it is in time")

			s.Tick(after(5*time.Hour + time.Second))
			require.Equal(t, []string{"response-1-2"}, escalationIDs(s.EscalationsDue()))
			require.Equal(t, 1, s.count(requirement.ClockBreached), "there is one breach")
			require.Equal(t, 1, s.count(requirement.ClockRepeated))
			require.Equal(t, after(2*time.Hour), *s.clock(sla.Response, 1).BreachedAt)
			s.EscalationStarted(after(5*time.Hour+time.Second), "response-1-2")
			s.EscalationReported(after(6*time.Hour), requirement.Report{
				ID: "response-1-2", Kind: requirement.EscalationRaised, Level: 1, Round: 1, People: []string{"li.na"},
			})
			require.Equal(t, requirement.EscalationOver, s.Escalations[0].State)
			require.Equal(t, requirement.EscalationClimbs, s.Escalations[1].State)
			s.does(after(7*time.Hour), requirement.Respond{Header: by("wang.fang"), Method: "phone", Message: "hello"})
			require.Equal(t, []string{"response-1-2"}, escalationIDs(s.EscalationsToEnd()))
		})
	}
}

func TestStillOverdueKeepsItsEscalation(t *testing.T) {
	t.Parallel()
	s := tell(t)
	s.Tick(after(3 * time.Hour))
	s.EscalationStarted(after(3*time.Hour), "response-1")
	s.Adopt(after(3*time.Hour), s.other("a little longer", target(sla.Response, sla.Exactly(150*time.Minute))), "sun.li")
	require.Empty(t, s.EscalationsToEnd())
	s.Adopt(after(3*time.Hour), s.other("shorter", target(sla.Response, trial.Hours(1))), "sun.li")
	require.Empty(t, s.EscalationsToEnd())
	require.Equal(t, after(2*time.Hour), *s.clock(sla.Response, 1).BreachedAt)
	require.Len(t, s.Escalations, 1)
	require.Zero(t, s.count(requirement.ClockRepeated))
}

// TestUnknownYearKeepsTheEscalation: new rules whose calendar does not know the
// year say nothing of time that is left.
func TestUnknownYearKeepsTheEscalation(t *testing.T) {
	t.Parallel()
	s := tell(t)
	s.Tick(after(3 * time.Hour))
	s.EscalationStarted(after(3*time.Hour), "response-1")
	s.Adopt(after(4*time.Hour), s.other("unknown", func(p *policy.Process) {
		day := []sla.Window{{From: 9 * 60, To: 17 * 60}}
		p.Calendars = []sla.Timetable{{Name: "old", Years: []int{2020}, Hours: sla.Week{Mon: day}}}
		clockRule(p, sla.Response).Calendar = "old"
	}), "sun.li")
	require.Empty(t, s.EscalationsToEnd())
}

func TestChainOfTheRules(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*policy.Process)
		starts []string
	}{
		"no chain any more": {func(p *policy.Process) { clockRule(p, sla.Response).Chain = "" }, []string{}},
		"chain of another name": {func(p *policy.Process) {
			p.Chains = append(p.Chains, p.Chains[0])
			p.Chains[1].Name = "night"
			clockRule(p, sla.Response).Chain = "night"
		}, []string{"response-1-2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tell(t)
			s.Tick(after(3 * time.Hour))
			s.EscalationStarted(after(3*time.Hour), "response-1")
			s.Adopt(after(4*time.Hour), s.other("other", c.change), "sun.li")
			require.Equal(t, []string{"response-1"}, escalationIDs(s.EscalationsToEnd()))
			require.Equal(t, c.starts, escalationIDs(s.EscalationsDue()))
			for _, e := range s.EscalationsDue() {
				require.Equal(t, "night", e.Chain)
			}
		})
	}
}

func TestAdoptKeepsPausesAndHappensOnce(t *testing.T) {
	t.Parallel()
	s := tell(t).assigned(after(0))
	s.does(after(time.Hour), requirement.PutOnHold{Header: by("li.na"), Reason: "asks"})
	s.does(after(3*time.Hour), requirement.Resume{Header: by("customer")})
	shorter := s.other("shorter", target(sla.Resolution, trial.Hours(12)))
	s.Adopt(after(4*time.Hour), shorter, "sun.li")
	c := s.clock(sla.Resolution, 1)
	require.Equal(t, after(14*time.Hour), deadline(t, c), "twelve hours from the start, and two of waiting")
	require.Len(t, c.Pauses, 1)
	require.Equal(t, 1, s.count(requirement.Adopted))
	seq := s.Seq
	s.Adopt(after(5*time.Hour), shorter, "sun.li")
	require.Equal(t, seq, s.Seq, "it lives by them already")
	events := s.journal()
	for _, e := range events {
		if e.Kind == requirement.Adopted || e.Kind == requirement.ClockRetargeted {
			require.Equal(t, "sun.li", e.Actor, "who applied it is on record")
		}
	}
}

func TestCheckAdoption(t *testing.T) {
	t.Parallel()
	s := tell(t)
	rules := s.other("other")
	require.NoError(t, s.CheckAdoption(s.people(), "wang.fang", rules), "an operator")
	require.NoError(t, s.CheckAdoption(s.people(), "sun.li", rules), "a manager")
	require.NoError(t, s.CheckAdoption(s.people(), requirement.SystemActor, rules))
	code := func(by string, p policy.Process) requirement.Code {
		var refusal *requirement.Error
		require.ErrorAs(t, s.CheckAdoption(s.people(), by, p), &refusal)
		return refusal.Code
	}
	require.Equal(t, requirement.CodeRole, code("li.na", rules), "an agent")
	require.Equal(t, requirement.CodeRole, code("customer", rules))
	require.Equal(t, requirement.CodeUnknown, code("nobody", rules))
	require.Equal(t, requirement.CodeInvalid, code("wang.fang", policy.Process{}))
	require.Equal(t, requirement.CodeInvalid, code("wang.fang", s.other("lost", func(p *policy.Process) { p.Clocks[0].Calendar = "lost" })))
	s.does(after(time.Hour), requirement.Withdraw{Header: by("customer"), Reason: "end"})
	require.Equal(t, requirement.CodeOver, code("wang.fang", rules))
	seq := s.Seq
	s.Adopt(after(2*time.Hour), rules, "wang.fang")
	require.Equal(t, seq, s.Seq, "what has ended keeps its rules")
}

func TestForesee(t *testing.T) {
	t.Parallel()
	now := after(3 * time.Hour) // the response is overdue, the resolution has 21 hours
	breached := func(t *testing.T) *story {
		s := tell(t)
		s.Tick(now)
		s.EscalationStarted(now, "response-1")
		return s
	}
	confirming := func(t *testing.T) *story { return tell(t).resolved(after(time.Hour)) }
	held := func(t *testing.T) *story {
		s := tell(t).assigned(after(0))
		s.does(after(time.Hour), requirement.PutOnHold{Header: by("li.na"), Reason: "asks"})
		return s
	}
	type change struct {
		clock              sla.Name
		kind               requirement.ChangeKind
		breaches, relieved bool
		before, after      time.Duration // deadlines; zero for none
	}
	for _, c := range []struct {
		name   string
		story  func(*testing.T) *story
		rules  func(*policy.Process)
		want   []change
		ends   []string
		starts []string
		stage  requirement.Stage
	}{
		{name: "nothing but the digest", story: breached, rules: func(*policy.Process) {}},
		{
			name: "shorter", story: breached, rules: target(sla.Resolution, trial.Hours(4)),
			want: []change{{sla.Resolution, requirement.ClockRetargets, false, false, 24 * time.Hour, 4 * time.Hour}},
		},
		{
			name: "used up already", story: breached, rules: target(sla.Resolution, trial.Hours(2)),
			want: []change{{sla.Resolution, requirement.ClockRetargets, true, false, 24 * time.Hour, 2 * time.Hour}}, starts: []string{"resolution-1"},
		},
		{
			name: "time again for what is overdue", story: breached, rules: target(sla.Response, trial.Hours(4)),
			want: []change{{sla.Response, requirement.ClockRetargets, false, true, 2 * time.Hour, 4 * time.Hour}}, ends: []string{"response-1"},
		},
		{
			name: "a clock less", story: breached, rules: func(p *policy.Process) { p.Clocks = p.Clocks[1:] },
			want: []change{{sla.Response, requirement.ClockVanishes, false, false, 2 * time.Hour, 0}}, ends: []string{"response-1"},
		},
		{
			name:  "a clock more",
			story: func(t *testing.T) *story { return tell(t, only(rule(sla.Response, trial.Hours(8)))) },
			rules: func(p *policy.Process) { p.Clocks = append(p.Clocks, rule(sla.Resolution, trial.Hours(10))) },
			want:  []change{{sla.Resolution, requirement.ClockAppears, false, false, 0, 10 * time.Hour}},
		},
		{
			name: "a hold that no longer pauses", story: held, rules: func(p *policy.Process) { clockRule(p, sla.Resolution).PausesOnHold = nil },
			want: []change{{sla.Resolution, requirement.ClockRepaces, false, false, 0, 26 * time.Hour}},
		},
		{
			name: "it no longer runs here", story: breached, rules: func(p *policy.Process) { clockRule(p, sla.Resolution).RunsIn = []string{"executing"} },
			want: []change{{sla.Resolution, requirement.ClockRepaces, false, false, 24 * time.Hour, 0}},
		},
		{
			name: "silence that has lasted long enough", story: confirming, rules: target(sla.Confirmation, trial.Hours(1)),
			want:  []change{{sla.Confirmation, requirement.ClockRetargets, false, false, 73 * time.Hour, 2 * time.Hour}},
			stage: requirement.Archived,
		},
		{
			name: "no chain any more", story: breached, rules: func(p *policy.Process) { clockRule(p, sla.Response).Chain = "" },
			ends: []string{"response-1"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := c.story(t)
			rules := s.other("other", c.rules)
			before, err := json.Marshal(s.State)
			require.NoError(t, err)
			a := requirement.Foresee(s.State, s.Process(), rules, now)
			untouched, err := json.Marshal(s.State)
			require.NoError(t, err)
			require.JSONEq(t, string(before), string(untouched), "looking changes nothing")

			var got []change
			since := func(terms *requirement.ClockTerms) time.Duration {
				if terms == nil || terms.Deadline == nil {
					return 0
				}
				return terms.Deadline.Sub(t0)
			}
			for _, x := range a.Clocks {
				got = append(got, change{x.Clock, x.Change, x.Breaches, x.Relieved, since(x.Before), since(x.After)})
			}
			require.Equal(t, c.want, got)
			require.ElementsMatch(t, c.ends, a.Ends)
			require.ElementsMatch(t, c.starts, a.Starts)
			require.Equal(t, c.stage, a.Becomes)
			require.Equal(t, c.want != nil || c.ends != nil || c.stage != "", a.Changes())

			s.Adopt(now, rules, "sun.li")
			for _, x := range a.Clocks {
				if x.After == nil {
					require.NotNil(t, s.clock(x.Clock, x.Cycle).StoppedAt)
					continue
				}
				require.Equal(t, x.After.Deadline, s.clock(x.Clock, x.Cycle).Deadline, "and so it comes")
				require.Equal(t, x.After.State, s.clock(x.Clock, x.Cycle).State)
			}
		})
	}
}
