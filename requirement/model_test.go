package requirement_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/internal/trial"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

var (
	actors    = []string{"wang.fang", "li.na", "zhang.wei", "chen.jing", "zhao.lei", "liu.yang", "sun.li", "customer", "system", "nobody"}
	anyActor  = rapid.SampledFrom(actors)
	anyPerson = rapid.SampledFrom(actors[:7])
)

// anyAct draws an act, sensible or not.
func anyAct(t *rapid.T) requirement.Act {
	h := requirement.Header{Actor: anyActor.Draw(t, "actor")}
	if rapid.Bool().Draw(t, "has id") {
		h.ActID = fmt.Sprintf("act-%d", rapid.IntRange(1, 30).Draw(t, "id"))
	}
	to := anyPerson.Draw(t, "to")
	acts := []requirement.Act{
		requirement.Triage{Header: h, Type: rapid.SampledFrom([]string{"", "commercial", "fault"}).Draw(t, "type"), NeedApproval: rapid.Bool().Draw(t, "approval")},
		requirement.Approve{Header: h},
		requirement.Decline{Header: h, Reason: "no"},
		requirement.Delegate{Header: h, To: to},
		requirement.Assign{Header: h, To: to, Department: rapid.SampledFrom([]string{"", "service", "technology"}).Draw(t, "department")},
		requirement.Accept{Header: h},
		requirement.HandBack{Header: h, Reason: "not mine"},
		requirement.Respond{Header: h, Method: "phone", Message: "hello"},
		requirement.Plan{Header: h, Steps: []requirement.PlanStep{{What: "look", Owner: to, Due: t0.Add(30 * time.Hour)}}},
		requirement.Progress{Header: h, Message: "half way", DoneSteps: rapid.SampledFrom([][]int{nil, {1}}).Draw(t, "done")},
		requirement.PutOnHold{Header: h, Reason: "asks", For: rapid.SampledFrom([]string{"", "supplier"}).Draw(t, "for")},
		requirement.Resume{Header: h, Message: "here it is"},
		requirement.Resolve{Header: h, Solution: "done"},
		requirement.Confirm{Header: h, Rating: rapid.IntRange(0, 5).Draw(t, "rating")},
		requirement.Dispute{Header: h, Reason: "no"},
		requirement.Amend{Header: h, Description: "more"},
		requirement.Reprioritise{Header: h, Priority: rapid.SampledFrom(requirement.Priorities).Draw(t, "priority"), Reason: "because"},
		requirement.Merge{Header: h, Into: "REQ-OTHER001"},
		requirement.Withdraw{Header: h, Reason: "no longer"},
		requirement.Appeal{Header: h, Reason: "please"},
		requirement.Comment{Header: h, Message: "well"},
	}
	// Acts that end the process are rarer, so that lives become long.
	i := rapid.IntRange(0, 3*len(acts)-1).Draw(t, "act") % len(acts)
	switch acts[i].Name() {
	case requirement.ActWithdraw, requirement.ActMerge, requirement.ActDecline:
		if rapid.IntRange(0, 9).Draw(t, "rare") > 0 {
			return requirement.Comment{Header: h, Message: "well"}
		}
	}
	return acts[i]
}

// TestAnyLife throws random acts at a requirement and checks what must hold at
// every moment of every life.
func TestAnyLife(t *testing.T) {
	t.Parallel()
	company := trial.Policy()
	people := requirement.Company{Directory: company.Directory, Unknown: company.UnknownPeople}
	rules := []policy.Process{company.Process, office()}
	rapid.Check(t, func(t *rapid.T) {
		// Somebody is there when things fall due, or only looks now and then.
		punctual := rapid.Bool().Draw(t, "punctual")
		first := rapid.IntRange(0, 1).Draw(t, "rules")
		s := requirement.Submission{
			Title: "t", Customer: "c", SubmittedBy: anyPerson.Draw(t, "submitter"),
		}
		if rapid.IntRange(0, 9).Draw(t, "on hold") == 0 {
			s.OnHold = "asks"
		}
		r, err := requirement.New("REQ-TEST0001", s, rules[first], t0)
		require.NoError(t, err)
		now, seq := t0, 0
		var facts []requirement.Event
		var taken []requirement.State
		var images []string
		take := func() {
			tr := r.Take()
			taken = append(taken, tr.State)
			images = append(images, stateImage(t, tr.State))
			for _, e := range tr.Events {
				seq++
				require.Equal(t, seq, e.Seq, "facts are numbered densely")
				require.False(t, e.At.After(now))
			}
			facts = append(facts, tr.Events...)
			require.Equal(t, seq, r.Seq)
		}
		take()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(6*time.Hour)).Draw(t, "wait")))
			if rapid.Bool().Draw(t, "continues as new") {
				r = reborn(t, r)
			}
			if rapid.Bool().Draw(t, "chains lost") {
				for _, e := range r.Escalations {
					r.EscalationLost(e.ID, r.Seq)
				}
			}
			before := image(t, r)
			for next, due := r.Next(); punctual && due && !next.At.After(now); next, due = r.Next() {
				r.Tick(next.At)
			}
			r.Tick(now)
			tellChains(r, now)
			if rule, asking := r.Asking(); asking {
				r.OpenRound(now, seats(rule.Seats, r.Requesters()))
			}
			if rapid.IntRange(0, 15).Draw(t, "other rules") == 0 && !r.Over() {
				r.Adopt(now, rules[rapid.IntRange(0, 1).Draw(t, "rules")], requirement.SystemActor)
			}
			take()
			act := anyAct(t)
			stage, over := r.Stage, r.Over()
			ticked := image(t, r)
			checked := r.Check(people, act)
			require.Equal(t, ticked, image(t, r), "Check changes nothing")
			if checked != nil {
				continue
			}
			repeated := slices.ContainsFunc(r.Done, func(v requirement.Verdict) bool { return act.ID() != "" && v.ActID == act.ID() })
			_, err := r.Do(now, act)
			require.NoError(t, err, "what Check allows, Do does: %s in %s", act.Name(), stage)
			if repeated {
				require.Equal(t, ticked, image(t, r), "the same act happens once")
				continue
			}
			take()
			require.False(t, over, "nothing is done to what is over")
			require.NotEqual(t, before, image(t, r))
			moved(t, act.Name(), stage, r)
			sane(t, r, now)
			if r.Merging() {
				if rapid.Bool().Draw(t, "survivor gone") {
					r.MergeUndone(now, "gone")
					require.Equal(t, stage, r.Stage)
				} else {
					r.MergeDone(now)
				}
				take()
			}
		}
		folds(t, r, facts, now, rules[first], rules[1-first])
		explains(t, facts, taken, now, rules)
		for i, s := range taken {
			require.Equal(t, images[i], stateImage(t, s), "what was taken is not reached by what happens later")
		}
	})
}

// image is all that a requirement knows.
func image(t require.TestingT, r *requirement.Requirement) string { return stateImage(t, r.State) }

func stateImage(t require.TestingT, s requirement.State) string {
	text, err := json.Marshal(s)
	require.NoError(t, err)
	return string(text)
}

// reborn is the requirement after it was written down and read again, as it is
// when a workflow continues as new.
func reborn(t require.TestingT, r *requirement.Requirement) *requirement.Requirement {
	var s requirement.State
	require.NoError(t, json.Unmarshal([]byte(image(t, r)), &s))
	again := requirement.Restore(s, r.Process())
	require.Equal(t, image(t, r), image(t, again))
	return again
}

func seats(names, except []string) []requirement.FilledSeat {
	var filled []requirement.FilledSeat
	for i, name := range names {
		if person := []string{"zhao.lei", "liu.yang", "chen.jing"}[i%3]; !slices.Contains(except, person) {
			filled = append(filled, requirement.FilledSeat{Seat: name, Person: person})
		}
	}
	return filled
}

// tellChains does what the workflow does for escalations.
func tellChains(r *requirement.Requirement, now time.Time) {
	for _, e := range r.EscalationsDue() {
		r.EscalationStarted(now, e.ID)
	}
	for _, e := range r.EscalationsToEnd() {
		r.EscalationTold(e.ID)
	}
}

// moved checks that an act led only where the table says.
func moved(t require.TestingT, act requirement.Name, from requirement.Stage, r *requirement.Requirement) {
	for _, rule := range requirement.Table {
		if rule.Act != act {
			continue
		}
		require.Contains(t, rule.In, from)
		require.True(t, r.Stage == from || slices.Contains(requirement.Moves(act, from), r.Stage), "%s led from %s to %s", act, from, r.Stage)
	}
}

// sane checks what holds for every requirement at any time.
func sane(t require.TestingT, r *requirement.Requirement, now time.Time) {
	open := map[string]bool{}
	for i := range r.Clocks {
		c := &r.Clocks[i]
		if c.Open() && c.Name != sla.PlanStep {
			require.False(t, open[string(c.Name)], "two %s clocks run", c.Name)
			open[string(c.Name)] = true
		}
	}
	if r.Over() {
		require.Empty(t, open, "no clock outlives the process")
		require.Empty(t, r.Can())
		_, due := r.Next()
		require.False(t, due)
	}
	if next, due := r.Next(); due {
		require.True(t, next.At.After(now), "what is due has happened")
	}
	for _, e := range r.Escalations {
		if e.Open() && !r.Merging() {
			require.True(t, open[string(e.Clock)], "escalation %s outlives its cause", e.ID)
		}
	}
	for _, act := range r.Can() {
		require.True(t, slices.ContainsFunc(requirement.Table, func(rule requirement.Rule) bool {
			return rule.Act == act && slices.Contains(rule.In, r.Stage)
		}))
	}
	view := r.View(now)
	require.Equal(t, r.Stage.Status(), view.Status)
	if !r.Over() && r.Stage != requirement.Merged && !(r.Stage == requirement.Reviewing && len(r.Approval.Votes) == 0) {
		require.NotEmpty(t, view.WaitingFor.Who, "in %s somebody is waited for", r.Stage)
		require.NotEmpty(t, view.WaitingFor.Acts)
	}
}
