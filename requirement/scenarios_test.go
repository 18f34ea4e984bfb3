package requirement_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/internal/trial"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// The scenarios are named after the rows of a collection of cases that other
// help desks got wrong; each states the behaviour that people expect.

// only leaves a policy nothing but the named clocks.
func only(rules ...policy.ClockRule) func(*policy.Policy, *requirement.Submission) {
	return func(p *policy.Policy, _ *requirement.Submission) { p.Clocks = rules }
}

func rule(name sla.Name, target sla.Duration, change ...func(*policy.ClockRule)) policy.ClockRule {
	r := policy.ClockRule{
		Name: name, Calendar: sla.AlwaysOpen, Target: target, PausesOnHold: policy.AllHolds,
		RunsIn: []string{"received", "analysing", "reviewing", "assigned", "executing"},
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

func deadline(t *testing.T, c requirement.ClockView) time.Time {
	t.Helper()
	require.NotNil(t, c.Deadline)
	return *c.Deadline
}

func TestScenario19PauseMovesTheDeadline(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.Resolution, trial.Hours(2))))
	s.does(after(time.Hour), requirement.PutOnHold{Header: by("li.na"), Reason: "waits for the log"})
	require.Nil(t, s.clock(sla.Resolution, 1).Deadline, "held: nobody can know")
	s.does(after(2*time.Hour+5*time.Minute), requirement.Resume{Header: by("li.na")})
	require.Equal(t, after(3*time.Hour+5*time.Minute), deadline(t, s.clock(sla.Resolution, 1)))
}

func TestScenario21ManyShortPausesAddUp(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.Resolution, trial.Hours(24))))
	at := time.Minute
	for range 30 {
		s.does(after(at), requirement.PutOnHold{Header: by("li.na"), Reason: "asks"})
		s.does(after(at+59*time.Second), requirement.Resume{Header: by("li.na")})
		at += 2 * time.Minute
	}
	require.Equal(t, after(24*time.Hour+29*time.Minute+30*time.Second), deadline(t, s.clock(sla.Resolution, 1)))
}

func TestScenario22PauseJustBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.Resolution, sla.Exactly(100*time.Minute))))
	s.does(after(99*time.Minute), requirement.PutOnHold{Header: by("li.na"), Reason: "asks"})
	_, due := s.Next()
	require.False(t, due, "no timer while everything is paused")
	s.does(after(10*time.Hour), requirement.Resume{Header: by("li.na")})
	next, due := s.Next()
	require.True(t, due)
	require.Equal(t, after(10*time.Hour+time.Minute+sla.Tick), next.At)
	s.Tick(next.At)
	require.Equal(t, after(10*time.Hour+time.Minute), *s.clock(sla.Resolution, 1).BreachedAt)
}

func TestScenario23PauseDoesNotHideABreach(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.Resolution, trial.Hours(1)), rule(sla.Response, trial.Hours(3))))
	s.Tick(after(90 * time.Minute))
	s.does(after(2*time.Hour), requirement.PutOnHold{Header: by("li.na"), Reason: "asks"})
	require.Equal(t, sla.Breached, s.clock(sla.Resolution, 1).State)
	require.Equal(t, sla.Paused, s.clock(sla.Response, 1).State)
}

func TestScenario24ResolvedWithoutResuming(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.Resolution, trial.Hours(4)))).assigned(after(time.Minute))
	s.does(after(time.Hour), requirement.PutOnHold{Header: by("li.na"), Reason: "asks"})
	s.does(after(40*time.Hour), requirement.Resolve{Header: by("li.na"), Solution: "done"})
	c := s.clock(sla.Resolution, 1)
	require.Equal(t, sla.Met, c.State)
	require.Equal(t, float64(3600), c.ElapsedSeconds)
	require.Equal(t, after(40*time.Hour), *c.Pauses[0].To)
}

func TestScenario25CreatedOnHold(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.Resolution, trial.Hours(4), func(r *policy.ClockRule) { r.Marks = []sla.Mark{{Percent: 50}} })),
		func(_ *policy.Policy, sub *requirement.Submission) { sub.OnHold = "waits for the contract" })
	_, due := s.Next()
	require.False(t, due)
	c := s.clock(sla.Resolution, 1)
	require.Equal(t, sla.Paused, c.State)
	require.Nil(t, c.Deadline)
	require.Zero(t, c.ElapsedSeconds)
	s.Tick(after(1000 * time.Hour))
	require.Zero(t, s.count(requirement.ClockMarked)+s.count(requirement.ClockBreached))
	s.does(after(1000*time.Hour), requirement.Resume{Header: by("customer")})
	require.Equal(t, after(1004*time.Hour), deadline(t, s.clock(sla.Resolution, 1)))
}

func TestScenario26ThirtyDaysOnHold(t *testing.T) {
	t.Parallel()
	s := tell(t, func(p *policy.Policy, _ *requirement.Submission) {
		for i := range p.Clocks {
			p.Clocks[i].PausesOnHold = policy.AllHolds
		}
	}).assigned(after(time.Minute))
	before := len(s.journal())
	s.does(after(30*time.Minute), requirement.PutOnHold{Header: by("li.na"), Reason: "asks"})
	_, due := s.Next()
	require.False(t, due)
	s.Tick(after(30 * 24 * time.Hour))
	require.Equal(t, requirement.WasHeld, s.journal()[before].Kind)
	held := len(s.journal())
	s.Tick(after(30 * 24 * time.Hour))
	require.Len(t, s.journal(), held, "a month on hold says nothing")
	s.does(after(30*24*time.Hour), requirement.Resume{Header: by("customer")})
	require.Equal(t, sla.Running, s.clock(sla.Resolution, 1).State)
}

func TestScenario28HigherPriorityCountsFromTheBeginning(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.Resolution, trial.Hours(3), func(r *policy.ClockRule) {
		r.Targets = []policy.TargetRule{{When: policy.When{Priority: []string{"high"}}, Target: trial.Hours(2)}}
	})))
	s.does(after(time.Hour), requirement.Reprioritise{Header: by("wang.fang"), Priority: "high", Reason: "the line stands still"})
	require.Equal(t, after(2*time.Hour), deadline(t, s.clock(sla.Resolution, 1)))
}

func TestScenario29TargetAlreadyUsedUpIsOneBreach(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.Resolution, trial.Hours(24), func(r *policy.ClockRule) {
		r.Marks = []sla.Mark{{Percent: 50}, {Percent: 75}}
		r.Targets = []policy.TargetRule{{When: policy.When{Priority: []string{"high"}}, Target: trial.Hours(1)}}
	})))
	s.does(after(3*time.Hour), requirement.Reprioritise{Header: by("wang.fang"), Priority: "high", Reason: "urgent now"})
	s.Tick(after(3*time.Hour + time.Second))
	require.Equal(t, 1, s.count(requirement.ClockBreached))
	require.Zero(t, s.count(requirement.ClockMarked), "no late warnings")
	c := s.clock(sla.Resolution, 1)
	require.Equal(t, after(time.Hour), *c.BreachedAt)
	require.Equal(t, after(3*time.Hour), *c.DetectedAt, "noticed with the change itself")
}

func TestScenario30ClockTakenOutOfThePolicy(t *testing.T) {
	t.Parallel()
	s := tell(t)
	s.Tick(after(3 * time.Hour))
	require.True(t, s.Breached())
	require.Len(t, s.EscalationsDue(), 1)
	s.EscalationStarted(after(3*time.Hour), "response-1")

	without := trial.Policy().Process
	without.Digest, without.Clocks = "other", without.Clocks[1:]
	s.Adopt(after(4*time.Hour), without, "wang.fang")
	require.False(t, s.Breached(), "the flag is cleared")
	require.Equal(t, after(2*time.Hour), *s.clock(sla.Response, 1).BreachedAt, "the breach stays on record")
	require.Equal(t, "response-1", s.EscalationsToEnd()[0].ID)
	next, _ := s.Next()
	require.NotEqual(t, sla.Response, next.Clock)
}

func TestScenario31EachDepartmentHasItsOwnClock(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.Ownership, trial.Hours(2)), rule(sla.Resolution, trial.Hours(24))))
	s.does(after(0), requirement.Triage{Header: by("wang.fang"), Department: "service"})
	s.does(after(90*time.Minute), requirement.Assign{Header: by("wang.fang"), To: "zhang.wei", Department: "technology"})
	first, second := s.clock(sla.Ownership, 1), s.clock(sla.Ownership, 2)
	require.Equal(t, float64(90*60), first.ElapsedSeconds)
	require.Equal(t, after(90*time.Minute), *first.StoppedAt)
	require.Equal(t, after(210*time.Minute), deadline(t, second), "the second department has its whole time")
	require.Equal(t, after(24*time.Hour), deadline(t, s.clock(sla.Resolution, 1)), "the customer's clock does not care")

	s.does(after(2*time.Hour), requirement.Resolve{Header: by("zhang.wei"), Solution: "done"})
	s.does(after(3*time.Hour), requirement.Dispute{Header: by("customer"), Reason: "it is back"})
	require.Equal(t, after(5*time.Hour), deadline(t, s.clock(sla.Ownership, 3)), "it restarts on reopening")
}

func TestScenario32AlmostIsNotBreached(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.Resolution, sla.Exactly(100_000*time.Second))))
	s.Tick(after(99_951 * time.Second))
	require.Equal(t, sla.Running, s.clock(sla.Resolution, 1).State)
	s.Tick(after(100_000 * time.Second))
	require.Equal(t, sla.Running, s.clock(sla.Resolution, 1).State, "at the deadline it is in time")
	s.Tick(after(100_000*time.Second + sla.Tick))
	require.Equal(t, sla.Breached, s.clock(sla.Resolution, 1).State)
}

func TestScenario33BreachIsTheDeadlineWheneverItIsNoticed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		resolved time.Duration
		state    sla.State
	}{
		{"resolved in time", 2*time.Hour - time.Second, sla.Met},
		{"resolved exactly at the deadline", 2 * time.Hour, sla.Met},
		{"resolved a minute late, nobody looked meanwhile", 2*time.Hour + time.Minute, sla.Breached},
		{"resolved much later", 30 * time.Hour, sla.Breached},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := tell(t, only(rule(sla.Resolution, trial.Hours(2)))).resolved(after(c.resolved))
			got := s.clock(sla.Resolution, 1)
			require.Equal(t, c.state, got.State)
			if c.state == sla.Breached {
				require.Equal(t, after(2*time.Hour), *got.BreachedAt)
				require.Equal(t, after(c.resolved), *got.DetectedAt)
				require.Equal(t, 1, s.count(requirement.ClockBreached))
			}
		})
	}
}

func TestScenario34FirstUnansweredMessageStartsTheNextResponse(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.NextResponse, trial.Hours(4)))).assigned(after(0))
	s.does(after(time.Minute), requirement.Respond{Header: by("li.na"), Method: "phone", Message: "hello"})
	for _, h := range []int{1, 2, 3} {
		s.does(after(time.Duration(h)*time.Hour), requirement.Comment{Header: by("customer"), Message: "any news?"})
	}
	require.Equal(t, after(5*time.Hour), deadline(t, s.clock(sla.NextResponse, 1)), "from the first of the three")
	s.does(after(4*time.Hour), requirement.Progress{Header: by("li.na"), Message: "half way"})
	require.Equal(t, sla.Met, s.clock(sla.NextResponse, 1).State)
	s.does(after(6*time.Hour), requirement.Comment{Header: by("customer"), Message: "and now?"})
	s.does(after(11*time.Hour), requirement.Respond{Header: by("li.na"), Method: "email", Message: "sorry"})
	require.Equal(t, sla.Breached, s.clock(sla.NextResponse, 2).State, "the second miss counts for itself")
	s.does(after(12*time.Hour), requirement.Comment{Header: by("customer"), Message: "thanks"})
	s.does(after(13*time.Hour), requirement.Resolve{Header: by("li.na"), Solution: "done"})
	require.False(t, s.Requirement.View(after(13*time.Hour)).Breached, "the resolution answers what waits")
}

func TestScenario35WhoseWordsCount(t *testing.T) {
	t.Parallel()
	s := tell(t, only(rule(sla.NextResponse, trial.Hours(4)), rule(sla.Response, trial.Hours(1), func(r *policy.ClockRule) {
		r.Chain = "breach"
	}))).assigned(after(0))
	// (b) what the escalation does is no response
	s.Tick(after(2 * time.Hour))
	s.EscalationStarted(after(2*time.Hour), "response-1")
	s.EscalationReported(after(2*time.Hour), requirement.Report{ID: "response-1", Kind: requirement.EscalationRaised, Level: 1, Round: 1, People: []string{"li.na"}})
	require.Nil(t, s.Response)
	require.Empty(t, s.EscalationsToEnd())
	// (a) with the agent's words last, nothing waits for an answer
	s.does(after(3*time.Hour), requirement.Respond{Header: by("li.na"), Method: "phone", Message: "hello"})
	require.Nil(t, s.Unanswered)
	// an internal remark is nobody's contact
	s.does(after(3*time.Hour), requirement.Comment{Header: by("li.na"), Message: "note to self"})
	require.Nil(t, s.Unanswered)
	// (c) the customer's note counts whichever way it came
	s.does(after(4*time.Hour), requirement.Comment{Header: by("li@acme.example"), Message: "from the portal"})
	require.Equal(t, after(8*time.Hour), deadline(t, s.clock(sla.NextResponse, 1)))
}

func TestScenario36EachMarkFiresOnceAtItsInstant(t *testing.T) {
	t.Parallel()
	mark := func(text string) sla.Mark {
		m, err := sla.ParseMark(text)
		require.NoError(t, err)
		return m
	}
	s := tell(t, only(rule(sla.Resolution, sla.Exactly(120*time.Minute), func(r *policy.ClockRule) {
		for _, m := range []string{"-60m", "-30m", "+15m", "70%", "90%", "110%"} {
			r.Marks = append(r.Marks, mark(m))
		}
	})))
	type fired struct {
		mark string
		at   time.Duration
	}
	var got []fired
	for {
		next, due := s.Next()
		if !due {
			break
		}
		s.Tick(next.At)
		marks := s.clock(sla.Resolution, 1).Marks
		last := marks[len(marks)-1]
		got = append(got, fired{last.Mark, last.At.Sub(t0)})
	}
	require.Equal(t, []fired{
		{"-1h", 60 * time.Minute},
		{"70%", 84 * time.Minute},
		{"-30m", 90 * time.Minute},
		{"90%", 108 * time.Minute},
		{"100%", 120 * time.Minute},
		{"110%", 132 * time.Minute},
		{"+15m", 135 * time.Minute},
	}, got)

	stopped := tell(t, only(rule(sla.Resolution, sla.Exactly(120*time.Minute), func(r *policy.ClockRule) {
		r.Marks = []sla.Mark{mark("-60m"), mark("110%")}
	}))).resolved(after(90 * time.Minute))
	stopped.Tick(after(10 * time.Hour))
	require.Equal(t, 1, stopped.count(requirement.ClockMarked), "marks after the stop are cancelled")
}

func TestScenario39aOneRefusalDecidesWhenAllMustApprove(t *testing.T) {
	t.Parallel()
	s := review(t, policy.NeedAll, 10)
	s.does(after(time.Hour), requirement.Decline{Header: by("p3"), Reason: "too dear"})
	require.Equal(t, requirement.Rejected, s.Stage)
	require.Equal(t, requirement.RoundRejected, s.Approval.State)
}

func TestScenario39bEnoughApprovalsWithdrawTheRest(t *testing.T) {
	t.Parallel()
	s := review(t, "2", 4)
	s.does(after(time.Hour), requirement.Approve{Header: by("p1")})
	s.does(after(time.Hour), requirement.Approve{Header: by("p4")})
	require.Equal(t, requirement.Analysing, s.Stage)
	require.Equal(t, requirement.AnswerWithdrawn, s.Approval.Votes[1].Answer)
	require.Equal(t, requirement.AnswerWithdrawn, s.Approval.Votes[2].Answer)
	s.refused(requirement.Approve{Header: by("p2")}, requirement.CodeStage)
}

func TestScenario39cVotesOfAnOldRoundDoNotCount(t *testing.T) {
	t.Parallel()
	s := review(t, "2", 2)
	s.does(after(time.Hour), requirement.Approve{Header: by("p1")})
	s.does(after(time.Hour), requirement.Approve{Header: by("p2")})
	s.does(after(2*time.Hour), requirement.Amend{Header: by("wang.fang"), Description: "and for mobiles, too"})
	require.Equal(t, requirement.Reviewing, s.Stage)
	s.OpenRound(after(2*time.Hour), []requirement.FilledSeat{{Seat: "a", Person: "p1"}, {Seat: "b", Person: "p2"}})
	require.Equal(t, 2, s.Approval.Round)
	s.does(after(3*time.Hour), requirement.Decline{Header: by("p1"), Reason: "not that"})
	require.Equal(t, requirement.Rejected, s.Stage, "one of two can no longer be reached by the old votes")
}

func TestScenario39eTimeLimit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		outcome policy.Timeout
		stage   requirement.Stage
		state   sla.State
	}{
		{policy.TimeoutApproves, requirement.Analysing, sla.Stopped},
		{policy.TimeoutRejects, requirement.Rejected, sla.Stopped},
		{policy.TimeoutEscalates, requirement.Reviewing, sla.Breached},
	} {
		t.Run(string(c.outcome), func(t *testing.T) {
			t.Parallel()
			s := review(t, policy.NeedAll, 2, func(r *policy.ApprovalRule) { r.OnTimeout = c.outcome })
			next, _ := s.Next()
			for next.Clock != sla.Approval || next.Mark != sla.Deadline.String() {
				s.Tick(next.At)
				next, _ = s.Next()
			}
			require.Equal(t, after(8*time.Hour+sla.Tick), next.At)
			s.Tick(next.At)
			require.Equal(t, c.stage, s.Stage)
			require.Equal(t, c.state, s.clock(sla.Approval, 1).State)
			if c.outcome == policy.TimeoutEscalates {
				require.Len(t, s.EscalationsDue(), 2, "the approval, and the response that nobody gave")
				return
			}
			s.refused(requirement.Approve{Header: by("p1")}, requirement.CodeStage)
		})
	}
}

// review is a requirement in an open round of that many people, p1 and on.
func review(t *testing.T, need policy.Need, people int, change ...func(*policy.ApprovalRule)) *story {
	t.Helper()
	s := tell(t, func(p *policy.Policy, _ *requirement.Submission) {
		approval := policy.ApprovalRule{Name: "test", Need: need, OnTimeout: policy.TimeoutEscalates, AgainOnAmend: true}
		for _, c := range change {
			c(&approval)
		}
		p.Approvals = []policy.ApprovalRule{approval}
		for i := range 12 {
			p.People = append(p.People, policy.Person{ID: "p" + string(rune('1'+i))})
		}
	})
	s.does(after(0), requirement.Triage{Header: by("wang.fang")})
	var seats []requirement.FilledSeat
	for i := range people {
		id := "p" + string(rune('1'+i))
		seats = append(seats, requirement.FilledSeat{Seat: id, Person: id})
	}
	s.OpenRound(after(0), seats)
	return s
}

func TestScenario40ReopeningAfterDaysOfWaiting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		way      policy.Reopening
		deadline time.Duration // after the reopening
	}{
		{policy.NewCycle, 10 * time.Hour},
		{policy.ResumeRemaining, 2 * time.Hour},
	} {
		t.Run(string(c.way), func(t *testing.T) {
			t.Parallel()
			s := tell(t, only(
				rule(sla.Resolution, trial.Hours(10), func(r *policy.ClockRule) { r.OnReopen = c.way }),
				rule(sla.Confirmation, trial.Hours(240), func(r *policy.ClockRule) { r.RunsIn = []string{"confirming"} }),
			)).resolved(after(8 * time.Hour))
			reopened := 80 * time.Hour // long after the first deadline
			s.does(after(reopened), requirement.Dispute{Header: by("customer"), Reason: "it is back"})
			require.Zero(t, s.count(requirement.ClockBreached), "no instant overdue")
			first, second := s.clock(sla.Resolution, 1), s.clock(sla.Resolution, 2)
			require.Equal(t, sla.Met, first.State, "the first cycle's result stands")
			require.Equal(t, float64(8*3600), first.ElapsedSeconds)
			require.Equal(t, after(reopened+c.deadline), deadline(t, second))
			require.Equal(t, 2, s.Cycle)
			require.False(t, *s.FirstTimeResolved)

			s.does(after(reopened+time.Hour), requirement.Resolve{Header: by("li.na"), Solution: "really"})
			s.does(after(reopened+2*time.Hour), requirement.Confirm{Header: by("customer"), Rating: 4})
			require.False(t, *s.FirstTimeResolved, "solved, but not the first time")
			require.Equal(t, sla.Met, s.clock(sla.Confirmation, 2).State)
		})
	}
}

func TestScenario40MergedWhileEscalated(t *testing.T) {
	t.Parallel()
	s := tell(t)
	s.Tick(after(3 * time.Hour))
	s.EscalationStarted(after(3*time.Hour), "response-1")
	s.does(after(4*time.Hour), requirement.Merge{Header: by("wang.fang"), Into: "REQ-OTHER001"})
	s.MergeDone(after(4 * time.Hour))
	_, due := s.Next()
	require.False(t, due, "all timers stop")
	require.Equal(t, "response-1", s.EscalationsToEnd()[0].ID, "the chain is told")
	require.True(t, s.Over())

	survivor := tell(t)
	survivor.ID = "REQ-OTHER001"
	survivor.Absorb(after(4*time.Hour), s.Handover())
	require.Equal(t, "li@acme.example", survivor.Absorbed[0].Contact, "its customer is still told the outcome")
	survivor.refused(requirement.Merge{Header: by("wang.fang"), Into: s.ID}, requirement.CodeMergeCycle)
}
