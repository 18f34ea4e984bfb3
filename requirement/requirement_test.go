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

// t0 is when everything begins.
var t0 = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// after is an instant some time after the beginning.
func after(d time.Duration) time.Time { return t0.Add(d) }

// story is a requirement that a test moves along.
type story struct {
	*requirement.Requirement
	t      *testing.T
	policy *policy.Policy
	events []requirement.Event
}

func tell(t *testing.T, change ...func(*policy.Policy, *requirement.Submission)) *story {
	t.Helper()
	p := trial.Policy()
	s := requirement.Submission{Title: "导出报表", Customer: "Acme", Contact: "li@acme.example", SubmittedBy: "wang.fang"}
	for _, c := range change {
		c(p, &s)
	}
	r, err := requirement.New("REQ-TEST0001", s, p.Process, t0)
	require.NoError(t, err)
	return &story{Requirement: r, t: t, policy: p}
}

func (s *story) people() requirement.People {
	return requirement.Company{Directory: s.policy.Directory, Unknown: s.policy.UnknownPeople}
}

// does lets somebody act, as an Update would.
func (s *story) does(at time.Time, act requirement.Act) requirement.Verdict {
	s.t.Helper()
	require.NoError(s.t, s.Check(s.people(), act))
	v, err := s.Do(at, act)
	require.NoError(s.t, err)
	return v
}

// refused expects that the act is not allowed, with this code.
func (s *story) refused(act requirement.Act, code requirement.Code) {
	s.t.Helper()
	var refusal *requirement.Error
	require.ErrorAs(s.t, s.Check(s.people(), act), &refusal)
	require.Equal(s.t, code, refusal.Code, refusal.Message)
}

func (s *story) journal() []requirement.Event {
	s.events = append(s.events, s.Take().Events...)
	return s.events
}

func (s *story) kinds() []requirement.Kind {
	var kinds []requirement.Kind
	for _, e := range s.journal() {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (s *story) count(kind requirement.Kind) int {
	n := 0
	for _, k := range s.kinds() {
		if k == kind {
			n++
		}
	}
	return n
}

// clock returns how a clock stands, as a person would see it.
func (s *story) clock(name sla.Name, cycle int) requirement.ClockView {
	s.t.Helper()
	for _, c := range s.View(s.UpdatedAt).Clocks {
		if c.Name == name && c.Cycle == cycle {
			return c
		}
	}
	require.Failf(s.t, "no such clock", "%s %d", name, cycle)
	return requirement.ClockView{}
}

func by(who string) requirement.Header { return requirement.Header{Actor: who} }

// assigned brings the story to an owner who has accepted.
func (s *story) assigned(at time.Time) *story {
	s.t.Helper()
	s.does(at, requirement.Triage{Header: by("wang.fang")})
	s.does(at, requirement.Assign{Header: by("wang.fang"), To: "li.na", Department: "service"})
	s.does(at, requirement.Accept{Header: by("li.na")})
	return s
}

// resolved brings the story to a resolution.
func (s *story) resolved(at time.Time) *story {
	s.t.Helper()
	s.assigned(at)
	s.does(at, requirement.Resolve{Header: by("li.na"), Solution: "加了导出按钮"})
	return s
}

func TestHappyPath(t *testing.T) {
	t.Parallel()
	s := tell(t, func(_ *policy.Policy, sub *requirement.Submission) { sub.Type = "commercial" })
	require.Equal(t, requirement.Received, s.Stage)

	s.does(after(time.Minute), requirement.Triage{Header: by("wang.fang")})
	require.Equal(t, requirement.Reviewing, s.Stage)
	_, asking := s.Asking()
	require.True(t, asking)
	s.OpenRound(after(time.Minute), []requirement.FilledSeat{
		{Seat: "role:product", Person: "zhao.lei"}, {Seat: "role:management", Person: "liu.yang"}, {Seat: "role:customer_service", Person: "chen.jing"},
	})
	require.Equal(t, []string{"zhao.lei", "liu.yang", "chen.jing"}, s.Waiting().Who)

	s.does(after(2*time.Minute), requirement.Approve{Header: by("zhao.lei")})
	require.Equal(t, requirement.Reviewing, s.Stage)
	s.does(after(3*time.Minute), requirement.Approve{Header: by("liu.yang")})
	require.Equal(t, requirement.Analysing, s.Stage)
	require.Equal(t, requirement.AnswerWithdrawn, s.Approval.Votes[2].Answer)

	s.does(after(4*time.Minute), requirement.Assign{Header: by("wang.fang"), To: "li.na", Department: "service"})
	s.does(after(time.Hour), requirement.Respond{Header: by("li.na"), Method: "phone", Message: "我们在看"})
	require.Equal(t, requirement.Executing, s.Stage, "work that begins is an acceptance")
	s.does(after(5*time.Hour), requirement.Resolve{Header: by("li.na"), Solution: "加了导出按钮"})
	require.Equal(t, requirement.Confirming, s.Stage)
	s.does(after(6*time.Hour), requirement.Confirm{Header: by("customer"), Rating: 5, Comment: "好"})

	require.Equal(t, requirement.Archived, s.Stage)
	require.True(t, s.Over())
	require.True(t, *s.FirstTimeResolved)
	for _, c := range s.View(after(7 * time.Hour)).Clocks {
		require.Contains(t, []sla.State{sla.Met, sla.Stopped}, c.State, c.Name)
	}
	require.Equal(t, sla.Met, s.clock(sla.Response, 1).State)
	require.Equal(t, float64(5*3600), s.clock(sla.Resolution, 1).ElapsedSeconds)
	for i, e := range s.journal() {
		require.Equal(t, i+1, e.Seq)
	}
	_, due := s.Next()
	require.False(t, due, "nothing falls due any more")
}

func TestAppealTakesTheClocksUpAgain(t *testing.T) {
	t.Parallel()
	s := review(t, policy.NeedAll, 2)
	s.does(after(time.Hour), requirement.Decline{Header: by("p1"), Reason: "no"})
	require.Equal(t, sla.Paused, s.clock(sla.Resolution, 1).State)
	s.does(after(3*time.Hour), requirement.Appeal{Header: by("customer"), Reason: "please"})
	require.Equal(t, after(26*time.Hour), deadline(t, s.clock(sla.Resolution, 1)), "the time between does not count")
	s.OpenRound(after(3*time.Hour), []requirement.FilledSeat{{Seat: "a", Person: "p1"}})
	before := s.count(requirement.ClockResumed)
	s.does(after(4*time.Hour), requirement.Comment{Header: by("wang.fang"), Message: "well"})
	require.Equal(t, before, s.count(requirement.ClockResumed))
	s.does(after(4*time.Hour), requirement.Decline{Header: by("p1"), Reason: "still no"})
	require.True(t, s.Over(), "a second no is final")
	s.refused(requirement.Comment{Header: by("wang.fang"), Message: "too late"}, requirement.CodeOver)
	s.refused(requirement.Appeal{Header: by("customer"), Reason: "once more"}, requirement.CodeOver)
	require.Equal(t, sla.Stopped, s.clock(sla.Resolution, 1).State)
}

func TestNamesMustBeKnown(t *testing.T) {
	t.Parallel()
	s := tell(t)
	s.refused(requirement.Triage{Header: by("wang.fang"), Department: "nowhere"}, requirement.CodeInvalid)
	s.refused(requirement.Comment{Header: by("stranger"), Message: "hello"}, requirement.CodeUnknown)
	s.does(t0, requirement.Comment{Header: by("zhao.lei"), Message: "whoever is known may speak"})
	s.does(t0, requirement.Triage{Header: by("wang.fang"), Department: "technology"})
	s.refused(requirement.Assign{Header: by("wang.fang"), To: "stranger"}, requirement.CodeUnknown)
	s.refused(requirement.Assign{Header: by("wang.fang"), To: "li.na", Department: "nowhere"}, requirement.CodeInvalid)
	s.refused(requirement.Assign{Header: by("wang.fang"), To: "system"}, requirement.CodeInvalid)

	s.policy.UnknownPeople = policy.UnknownAreAgents
	s.does(t0, requirement.Assign{Header: by("wang.fang"), To: "stranger", Department: "nowhere"})
}

func TestVotesInSequence(t *testing.T) {
	t.Parallel()
	s := review(t, policy.NeedAll, 3, func(r *policy.ApprovalRule) { r.InSequence = true })
	s.refused(requirement.Approve{Header: by("p2")}, requirement.CodeRole)
	s.does(after(time.Hour), requirement.Approve{Header: by("p1")})
	asked := s.journal()[len(s.journal())-1]
	require.Equal(t, requirement.VoteAsked, asked.Kind)
	require.Equal(t, []string{"p2"}, asked.To, "whose turn has come is told")
	s.does(after(2*time.Hour), requirement.Delegate{Header: by("p2"), To: "p9"})
	s.does(after(3*time.Hour), requirement.Approve{Header: by("p9")})
	s.does(after(4*time.Hour), requirement.Approve{Header: by("p3")})
	require.Equal(t, requirement.Analysing, s.Stage)
	require.Equal(t, 2, s.count(requirement.VoteAsked))
}
