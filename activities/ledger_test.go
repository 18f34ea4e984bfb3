package activities_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/activities"
	"closeloop/contract"
	"closeloop/internal/testdb"
	"closeloop/internal/trial"
	"closeloop/ledger"
	"closeloop/policy"
	"closeloop/requirement"
)

func open(t *testing.T) *activities.Ledger {
	t.Helper()
	l, err := ledger.Open(context.Background(), testdb.New(t))
	require.NoError(t, err)
	t.Cleanup(l.Close)
	p := trial.Policy()
	require.NoError(t, l.KeepProcess(context.Background(), p.Process))
	return &activities.Ledger{Ledger: l, Policy: p}
}

func submitted(t *testing.T, l *activities.Ledger, id, origin string, acts ...requirement.Act) *requirement.Requirement {
	t.Helper()
	r, err := requirement.New(id, requirement.Submission{Title: "t", Customer: "c", Contact: "c@acme.example"}, l.Policy.Process, t0)
	require.NoError(t, err)
	r.Origin = origin
	for i, act := range acts {
		_, err := r.Do(t0.Add(time.Duration(i+1)*time.Minute), act)
		require.NoError(t, err)
	}
	return r
}

func TestOpenTellsASecondIntakeFromASecondAttempt(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := open(t)
	opening, err := l.Open(ctx, contract.OpenRequest{ID: "REQ-A", Origin: "run-1"})
	require.NoError(t, err)
	require.Nil(t, opening.Existing)
	require.Equal(t, l.Policy.Digest, opening.Process.Digest)

	persisted, err := l.Persist(ctx, submitted(t, l, "REQ-A", "run-1").Take())
	require.NoError(t, err)
	require.Equal(t, 1, persisted.Notices, "the customer is told")

	opening, err = l.Open(ctx, contract.OpenRequest{ID: "REQ-A", Origin: "run-1"})
	require.NoError(t, err)
	require.Nil(t, opening.Existing, "the task was tried again")

	opening, err = l.Open(ctx, contract.OpenRequest{ID: "REQ-A", Origin: "run-2"})
	require.NoError(t, err)
	require.Equal(t, requirement.Received, opening.Existing.Stage, "somebody submits it again")
}

func TestFindOwner(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := open(t)
	ask := func(pick policy.Pick, except ...string) string {
		t.Helper()
		found, err := l.FindOwner(ctx, contract.OwnerRequest{
			Routing: requirement.Routing{Department: "service", Pick: pick, Except: except}, At: t0,
		})
		require.NoError(t, err)
		return found.Owner
	}
	give := func(id, to string, later time.Duration) {
		t.Helper()
		r := submitted(t, l, id, "", requirement.Triage{})
		_, err := r.Do(t0.Add(later), requirement.Assign{To: to, Department: "service"})
		require.NoError(t, err)
		_, err = l.Persist(ctx, r.Take())
		require.NoError(t, err)
	}
	require.Equal(t, "li.na", ask(policy.PickLeastLoaded), "the first of the file when nobody has anything")
	give("REQ-1", "li.na", time.Hour)
	require.Equal(t, "chen.jing", ask(policy.PickLeastLoaded))
	give("REQ-2", "chen.jing", 2*time.Hour)
	require.Equal(t, "li.na", ask(policy.PickRoundRobin), "who was given one longest ago")
	require.Equal(t, "chen.jing", ask(policy.PickRoundRobin, "li.na"), "not who gave it back")
	require.Empty(t, ask(policy.PickLeastLoaded, "li.na", "chen.jing"))

	for i := range l.Policy.People {
		if l.Policy.People[i].ID == "li.na" {
			l.Policy.People[i].Away = away
		}
	}
	require.Equal(t, "chen.jing", ask(policy.PickRoundRobin), "who is away is passed over")
}

func TestPersistKeepsOtherRules(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := open(t)
	r := submitted(t, l, "REQ-A", "")
	other := trial.Policy().Process
	other.Digest = "other"
	r.Adopt(t0.Add(time.Hour), other, "wang.fang")
	_, err := l.Persist(ctx, r.Take())
	require.NoError(t, err)
	got, err := l.Ledger.Get(ctx, "REQ-A")
	require.NoError(t, err)
	require.Equal(t, "other", got.Process().Digest)
}
