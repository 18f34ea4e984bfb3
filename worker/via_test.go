package worker

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/contract"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// knownBy collects under which word each act was done, and makes their headers.
type knownBy struct {
	count int
	actor map[string]string
}

func (k *knownBy) header(actor string) requirement.Header {
	k.count++
	via := fmt.Sprintf("token:%d", k.count)
	k.actor[via] = actor
	return requirement.Header{Actor: actor, Via: via}
}

// facts are what the ledger has of a requirement.
func (s *site) facts(id string) []requirement.Event {
	s.t.Helper()
	events, err := s.ledger.Events(s.t.Context(), id, 0, 0)
	require.NoError(s.t, err)
	return events
}

// TestEveryActSaysHowItsActorWasKnown: over the whole way from the update to the
// ledger.
func TestEveryActSaysHowItsActorWasKnown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	k := &knownBy{actor: map[string]string{}}
	h := k.header
	submit := func(typ string) string {
		by := h("wang.fang")
		asked := requirement.Submission{Title: "t", Customer: "Acme", SubmittedBy: by.Actor, Via: by.Via}
		asked.Type = typ
		receipt, err := s.desk.Submit(t.Context(), asked, "")
		require.NoError(t, err)
		s.settled(receipt.ID)
		return receipt.ID
	}
	done := map[requirement.Name]bool{}
	does := func(id string, acts ...requirement.Act) {
		t.Helper()
		s.does(id, acts...)
		for _, act := range acts {
			done[act.Name()] = true
		}
	}
	worked := submit("")
	does(worked,
		requirement.Triage{Header: h("wang.fang"), Department: "technology"},
		requirement.Assign{Header: h("wang.fang"), To: "zhang.wei"},
		requirement.Accept{Header: h("zhang.wei")},
		requirement.HandBack{Header: h("zhang.wei"), Reason: "not mine"},
		requirement.Assign{Header: h("wang.fang"), To: "zhang.wei"},
		requirement.Respond{Header: h("zhang.wei"), Method: "phone", Message: "hello"},
		requirement.Plan{Header: h("zhang.wei"), Steps: []requirement.PlanStep{{What: "look", Due: time.Now().Add(time.Hour)}}},
		requirement.Progress{Header: h("zhang.wei"), Message: "half", DoneSteps: []int{1}},
		requirement.PutOnHold{Header: h("zhang.wei"), Reason: "asks"},
		requirement.Resume{Header: h("customer"), Message: "here"},
		requirement.Comment{Header: h("customer"), Message: "hurry"},
		requirement.Amend{Header: h("customer"), Title: "t2"},
		requirement.Reprioritise{Header: h("wang.fang"), Priority: "low", Reason: "x"},
		requirement.Resolve{Header: h("zhang.wei"), Solution: "done"},
		requirement.Dispute{Header: h("customer"), Reason: "no"},
		requirement.Resolve{Header: h("zhang.wei"), Solution: "now"},
		requirement.Confirm{Header: h("customer"), Rating: 5},
	)
	asked := submit("commercial")
	does(asked, requirement.Triage{Header: h("wang.fang")})
	voters := func() {
		s.until(func() bool {
			v, err := s.desk.View(t.Context(), asked)
			require.NoError(t, err)
			return v.Approval != nil && v.Approval.State == requirement.RoundOpen && len(v.Approval.Votes) == 3
		})
	}
	voters()
	does(asked,
		requirement.Delegate{Header: h("zhao.lei"), To: "zhang.wei"},
		requirement.Decline{Header: h("zhang.wei"), Reason: "no"}, requirement.Decline{Header: h("liu.yang"), Reason: "no"},
		requirement.Appeal{Header: h("customer"), Reason: "please"},
	)
	voters()
	does(asked, requirement.Approve{Header: h("liu.yang")})
	rules := *policyOf(t, s, asked)
	rules.Digest = "other"
	adoption := h("wang.fang")
	_, err := s.desk.Adopt(t.Context(), asked, contract.Adopt{Header: adoption, Process: rules})
	require.NoError(t, err)
	s.settled(asked)
	gone, merged := submit(""), submit("")
	does(gone, requirement.Withdraw{Header: h("customer"), Reason: "x"})
	does(merged, requirement.Merge{Header: h("wang.fang"), Into: asked})
	s.settled(asked)
	for _, rule := range requirement.Table {
		require.True(t, done[rule.Act], rule.Act)
	}

	found := map[string]bool{}
	for _, id := range []string{worked, asked, gone, merged} {
		for _, e := range s.facts(id) {
			where := fmt.Sprintf("%s %d %s by %s", id, e.Seq, e.Kind, e.Actor)
			if e.Actor == requirement.SystemActor {
				require.Empty(t, e.Via, where)
				continue
			}
			require.Equal(t, k.actor[e.Via], e.Actor, where)
			found[e.Via] = true
		}
	}
	for via, actor := range k.actor {
		require.True(t, found[via], "nothing in the ledger is %s by %s", via, actor)
	}
}

// policyOf is what a requirement lives by.
func policyOf(t *testing.T, s *site, id string) *policy.Process {
	t.Helper()
	rules, err := s.ledger.RulesOf(t.Context(), []string{id})
	require.NoError(t, err)
	p, err := s.ledger.Process(t.Context(), rules[id])
	require.NoError(t, err)
	return &p
}

// TestSignalsAndAcknowledgementsSayHowTheirActorWasKnown: as they were sent; one
// sent by hand says nothing, and nothing is made up for it.
func TestSignalsAndAcknowledgementsSayHowTheirActorWasKnown(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(p *policy.Policy) {
		for i := range p.Clocks {
			if p.Clocks[i].Name == sla.Response {
				p.Clocks[i].Target, p.Clocks[i].Targets, p.Clocks[i].Caps = sla.Exactly(time.Second), nil, nil
			}
		}
	})
	id := s.submit()
	signal := func(workflow, name string, body any) {
		t.Helper()
		require.NoError(t, s.temporal.SignalWorkflow(t.Context(), workflow, "", name, body))
	}
	signal(id, "comment", requirement.Comment{Header: requirement.Header{Actor: "wang.fang", Via: "webhook:jira"}, Message: "a"})
	signal(id, "comment", map[string]any{"actor": "wang.fang", "message": "b"})
	signal(id, "confirm", map[string]any{"actor": "li.na", "via": "nexus"})
	var escalation string
	s.until(func() bool {
		v, err := s.desk.View(t.Context(), id)
		require.NoError(t, err)
		if len(v.Escalations) > 0 && v.Escalations[0].Level > 0 {
			escalation = v.Escalations[0].ID
		}
		return escalation != ""
	})
	climb := contract.EscalationID(id, escalation)
	signal(climb, contract.ActAcknowledge, contract.Acknowledge{Header: requirement.Header{Actor: "li.na", Via: "webhook:crm"}})
	_, err := s.desk.Acknowledge(t.Context(), id, escalation, contract.Acknowledge{Header: requirement.Header{Actor: "wang.fang", Via: "oidc:login.example.com"}})
	require.NoError(t, err)

	var acts [][3]string
	s.until(func() bool {
		acts = nil
		for _, e := range s.facts(id) {
			switch e.Kind {
			case requirement.Commented, requirement.ActRefused, requirement.EscalationAcknowledged:
				acts = append(acts, [3]string{string(e.Kind), e.Actor, e.Via})
			}
		}
		return len(acts) == 5
	})
	require.ElementsMatch(t, [][3]string{
		{"commented", "wang.fang", "webhook:jira"},
		{"commented", "wang.fang", ""},
		{"refused", "li.na", "nexus"},
		{"refused", "li.na", "webhook:crm"},
		{"escalation_acknowledged", "wang.fang", "oidc:login.example.com"},
	}, acts)
}
