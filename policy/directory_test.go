package policy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	noon     = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	thatWeek = []Absence{{From: noon, To: noon.Add(7 * 24 * time.Hour)}}
)

func TestStanding(t *testing.T) {
	t.Parallel()
	d := Directory{People: []Person{
		{ID: "here"},
		{ID: "away", Away: thatWeek, Substitute: "here"},
		{ID: "through", Away: thatWeek, Substitute: "away"},
		{ID: "alone", Away: thatWeek},
		{ID: "before.alone", Away: thatWeek, Substitute: "alone"},
		{ID: "before.unknown", Away: thatWeek, Substitute: "nobody"},
		{ID: "self", Away: thatWeek, Substitute: "self"},
		// Two who stand in for each other: scenario 39d, A to B to A.
		{ID: "a", Away: thatWeek, Substitute: "b"},
		{ID: "b", Away: thatWeek, Substitute: "a"},
		{ID: "before.circle", Away: thatWeek, Substitute: "a"},
		// The same with one of them present.
		{ID: "c", Away: thatWeek, Substitute: "d"},
		{ID: "d", Substitute: "c"},
	}}
	for _, c := range []struct {
		name, id, want, err string
		at                  time.Time
	}{
		{"present", "here", "here", "", noon},
		{"away", "away", "here", "", noon},
		{"away through two", "through", "here", "", noon},
		{"before the absence", "away", "away", "", noon.Add(-1)},
		{"last instant of the absence", "away", "here", "", noon.Add(7*24*time.Hour - 1)},
		{"end of the absence is being back", "away", "away", "", noon.Add(7 * 24 * time.Hour)},
		{"unknown", "nobody", "", "nobody is not in the policy's people", noon},
		{"no substitute", "alone", "", "alone is away and has no substitute", noon},
		{"substitute without substitute", "before.alone", "", "alone is away and has no substitute", noon},
		{"unknown substitute", "before.unknown", "", "nobody is not in the policy's people", noon},
		{"own substitute", "self", "", "self stand in for each other and are all away", noon},
		{"circle", "a", "", "a, b stand in for each other and are all away", noon},
		{"circle from the other side", "b", "", "b, a stand in for each other and are all away", noon},
		{"way into a circle", "before.circle", "", "before.circle, a, b stand in for each other and are all away", noon},
		{"circle with one present", "c", "d", "", noon},
		{"circle after the absence", "a", "a", "", noon.Add(8 * 24 * time.Hour)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := d.Standing(c.id, c.at)
			if c.err != "" {
				require.EqualError(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, p.ID)
		})
	}
}

func TestAwayAt(t *testing.T) {
	t.Parallel()
	p := Person{Away: []Absence{
		{From: noon, To: noon.Add(time.Hour)},
		{From: noon.Add(2 * time.Hour), To: noon.Add(3 * time.Hour)},
	}}
	for _, c := range []struct {
		name  string
		after time.Duration
		want  bool
	}{
		{"before", -1, false},
		{"first instant", 0, true},
		{"last instant", time.Hour - 1, true},
		{"back", time.Hour, false},
		{"second absence", 2 * time.Hour, true},
		{"after all", 3 * time.Hour, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, p.AwayAt(noon.Add(c.after)))
		})
	}
}

func TestCandidates(t *testing.T) {
	t.Parallel()
	p := Default()
	cast := Cast{
		Department: "product", Owner: "liu.yang", Tracker: "zhao.min",
		Called: []string{"zhang.wei", "liu.yang"}, Voters: []string{"gao.yuan"},
	}
	for _, c := range []struct {
		name, seat string
		cast       Cast
		want       []string
	}{
		{"owner", "owner", cast, []string{"liu.yang"}},
		{"owner of nothing", "owner", Cast{}, nil},
		{"tracker", "tracker", cast, []string{"zhao.min"}},
		{"called", "called", cast, []string{"zhang.wei", "liu.yang"}},
		{"voters", "voters", cast, []string{"gao.yuan"}},
		{"head", "head", cast, []string{"zhang.wei"}},
		{"head of no department", "head", Cast{}, nil},
		{"head of an unknown department", "head", Cast{Department: "nowhere"}, nil},
		{"role", "role:product", cast, []string{"zhang.wei", "liu.yang"}},
		{"role that nobody has", "role:nobody", cast, nil},
		{"person", "gao.yuan", cast, []string{"gao.yuan"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, p.Candidates(c.seat, c.cast))
		})
	}
}

func TestAgentsAreThoseOfTheDepartment(t *testing.T) {
	t.Parallel()
	var ids []string
	for _, p := range Default().Agents("technology") {
		ids = append(ids, p.ID)
	}
	require.Equal(t, []string{"wu.lei", "sun.qian"}, ids)
	require.Empty(t, Default().Agents("nowhere"))
}
