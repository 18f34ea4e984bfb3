package requirement_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// known is a header that says how its actor was known.
func known(actor, via string) requirement.Header {
	return requirement.Header{Actor: actor, Via: via}
}

// TestFactsSayHowTheirActorWasKnown: what an act brings about says so, what fell
// due meanwhile does not.
func TestFactsSayHowTheirActorWasKnown(t *testing.T) {
	t.Parallel()
	s := tell(t, func(_ *policy.Policy, s *requirement.Submission) { s.Via = "import" })
	for _, e := range s.Take().Events {
		require.Equal(t, "import", e.Via, e.Kind)
	}
	at := after(2*time.Hour + time.Minute)
	s.does(at, requirement.Respond{Header: known("wang.fang", "token:1"), Method: "phone", Message: "hello"})
	late := false
	for _, e := range s.Take().Events {
		want := "token:1"
		if e.Actor == requirement.SystemActor {
			want = ""
		}
		require.Equal(t, want, e.Via, e.Kind)
		late = late || e.Kind == requirement.ClockBreached
	}
	require.True(t, late, "something fell due meanwhile")
	s.does(at, requirement.Comment{Header: requirement.Header{Actor: "wang.fang"}, Message: "by hand"})
	require.Empty(t, s.Take().Events[0].Via, "nobody said, and nothing is left of who was before")
}

// TestWhoIsNobodyInParticular: the system acts for who did not say a name, and
// what falls due with it is still its own.
func TestWhoIsNobodyInParticular(t *testing.T) {
	t.Parallel()
	s := tell(t)
	s.Take()
	s.Tick(after(time.Hour))
	s.Take()
	s.AdoptBy(after(3*time.Hour), s.other("longer", target(sla.Resolution, sla.Exactly(100*time.Hour))), known("", "cli"))
	for _, e := range s.Take().Events {
		adopted := e.Kind == requirement.Adopted || e.Kind == requirement.ClockRetargeted
		require.Equal(t, adopted, e.Via == "cli", e.Kind)
	}
}

func TestAcknowledgementsSayHowTheirActorWasKnown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind requirement.Kind
		by   string
		via  string
	}{
		"taken":             {requirement.EscalationAcknowledged, "wang.fang", "oidc:login.example.com"},
		"refused":           {requirement.ActRefused, "li.na", "oidc:login.example.com"},
		"raised by nobody":  {requirement.EscalationRaised, "", ""},
		"an alarm of chain": {requirement.EscalationAlarm, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tell(t)
			s.Tick(after(3 * time.Hour))
			s.Take()
			id := s.Escalations[0].ID
			s.EscalationReported(after(3*time.Hour), requirement.Report{ID: id, Kind: c.kind, Level: 1, Round: 1, By: c.by, Via: c.via, Comment: "x"})
			events := s.Take().Events
			require.Equal(t, 1, len(events))
			require.Equal(t, c.kind, events[0].Kind)
			require.Equal(t, c.via, events[0].Via)
		})
	}
}

// TestRefusedSignalsSayHowTheirActorWasKnown: what was refused may have said
// anything of itself, and only what is a word of that kind is kept.
func TestRefusedSignalsSayHowTheirActorWasKnown(t *testing.T) {
	t.Parallel()
	for via, kept := range map[string]string{
		"webhook:jira": "webhook:jira", "": "", "a\x00b": "", strings.Repeat("x", requirement.MaxName+1): "", "\xff": "",
	} {
		s := tell(t)
		s.Take()
		s.Refuse(after(time.Minute), requirement.ActResolve, "li.na", via, "not yet")
		events := s.Take().Events
		require.Equal(t, 1, len(events))
		require.Equal(t, kept, events[0].Via)
	}
}
