package trial

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"time"

	"closeloop/policy"
	"closeloop/requirement"
)

// Office is the default policy with every promise in the working time of a
// Chinese office, instead of around the clock.
func Office() *policy.Policy {
	text := strings.ReplaceAll(string(policy.DefaultYAML()), "calendar: 24x7", "calendar: cn-office")
	p, err := policy.Parse("office.yaml", []byte(text))
	if err != nil {
		panic(err)
	}
	return p
}

// Life is the n-th of many lives under the default policy, as a worker would
// have recorded it: everything that fell due happened when it did. The same n is
// the same life. Lives begin in 2025; one in ten is still under way.
func Life(n int, rules policy.Process) *requirement.Requirement {
	l := &living{dice: rand.New(rand.NewSource(int64(n)))} //nolint:gosec // the same life each time
	l.now = time.Date(2025, 1, 2, 0, 0, 0, 0, time.UTC).Add(time.Duration(l.dice.Int63n(int64(300 * 24 * time.Hour)))).Truncate(time.Microsecond)
	pick := func(list ...string) string { return list[l.dice.Intn(len(list))] }
	r, err := requirement.New(fmt.Sprintf("REQ-%08d", n), requirement.Submission{
		Title: "Report export times out", Description: strings.Repeat("每次导出都要十分钟。", 20), Customer: "Acme Robotics",
		SubmittedBy: "li.na",
		Attributes: policy.Attributes{
			Type: pick(rules.Types...), Priority: pick("high", "medium", "medium", "low"),
			Urgency: pick("urgent", "important", "general", "general"), Tier: pick("P1", "P2", "P3"),
		},
	}, rules, l.now)
	if err != nil {
		panic(err)
	}
	l.r = r
	l.live(pick)
	return r
}

type living struct {
	r    *requirement.Requirement
	now  time.Time
	dice *rand.Rand
}

func (l *living) live(pick func(...string) string) {
	desk, agent := requirement.Header{Actor: "li.na"}, requirement.Header{Actor: "wu.lei"}
	customer := requirement.Header{Actor: requirement.CustomerActor}
	open := l.dice.Intn(10) == 0
	l.does(time.Hour, requirement.Triage{Header: desk, NeedApproval: l.dice.Intn(5) == 0})
	for l.r.Stage == requirement.Reviewing {
		l.votes(pick)
	}
	if l.r.Over() {
		return
	}
	l.does(2*time.Hour, requirement.Assign{Header: desk, To: "wu.lei", Department: pick("technology", "service", "product")})
	l.does(time.Hour, requirement.Accept{Header: agent})
	l.does(4*time.Hour, requirement.Respond{Header: agent, Method: "phone", Message: strings.Repeat("We can see it. ", 10)})
	for range l.dice.Intn(4) {
		switch l.dice.Intn(3) {
		case 0:
			l.does(8*time.Hour, requirement.PutOnHold{Header: agent, Reason: "asks for the log file"})
			l.does(30*time.Hour, requirement.Resume{Header: customer, Message: "here it is"})
		case 1:
			l.does(10*time.Hour, requirement.Comment{Header: customer, Message: "How far is it?"})
		}
		l.does(10*time.Hour, requirement.Progress{Header: agent, Message: "half way"})
	}
	if open {
		return
	}
	l.does(30*time.Hour, requirement.Resolve{Header: agent, Solution: "Index added"})
	if l.dice.Intn(8) == 0 {
		l.does(20*time.Hour, requirement.Dispute{Header: customer, Reason: "still slow"})
		l.does(20*time.Hour, requirement.Resolve{Header: agent, Solution: "Two more indexes"})
	}
	l.does(100*time.Hour, requirement.Confirm{Header: customer, Rating: 1 + l.dice.Intn(5)})
}

// votes lets a round be asked and one of its people answer.
func (l *living) votes(pick func(...string) string) {
	if rule, asking := l.r.Asking(); asking {
		var seats []requirement.FilledSeat
		for i, s := range rule.Seats {
			seats = append(seats, requirement.FilledSeat{Seat: s, Person: fmt.Sprintf("voter.%d", i)})
		}
		l.r.OpenRound(l.now, seats)
	}
	i := slices.IndexFunc(l.r.Approval.Votes, func(v requirement.Vote) bool { return v.Answer == requirement.AnswerPending })
	voter := requirement.Header{Actor: l.r.Approval.Votes[i].Person}
	if l.dice.Intn(10) == 0 {
		l.does(6*time.Hour, requirement.Decline{Header: voter, Reason: "too dear"})
		return
	}
	l.does(6*time.Hour, requirement.Approve{Header: voter, Comment: pick("", "in line with the list")})
}

// does lets time pass, a good part of `about`, and then acts, unless what fell
// due meanwhile has made the act impossible.
func (l *living) does(about time.Duration, act requirement.Act) {
	l.now = l.now.Add(time.Duration(l.dice.ExpFloat64() * float64(about) / 2)).Truncate(time.Microsecond)
	for next, due := l.r.Next(); due && !next.At.After(l.now); next, due = l.r.Next() {
		l.r.Tick(next.At)
		for _, e := range l.r.EscalationsDue() {
			l.r.EscalationStarted(next.At, e.ID)
		}
		for _, e := range l.r.EscalationsToEnd() {
			l.r.EscalationTold(e.ID)
		}
	}
	// A refusal is part of life.
	_, _ = l.r.Do(l.now, act)
}
