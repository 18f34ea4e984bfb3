package activities_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/activities"
	"closeloop/contract"
	"closeloop/internal/trial"
	"closeloop/policy"
	"closeloop/requirement"
)

var (
	t0   = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	away = []policy.Absence{{From: t0.Add(-time.Hour), To: t0.Add(time.Hour)}}
)

// people is the trial company after changes to some of its people.
func people(change func(id string, p *policy.Person)) *activities.People {
	company := trial.Policy()
	for i := range company.People {
		if change != nil {
			change(company.People[i].ID, &company.People[i])
		}
	}
	return &activities.People{Policy: company}
}

func TestFillSeats(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(id string, p *policy.Person)
		req    contract.SeatsRequest
		want   []string
	}{
		{"roles in the order of the file", nil, contract.SeatsRequest{Seats: []string{"role:product", "role:management"}}, []string{"zhao.lei", "liu.yang"}},
		{"a person by name", nil, contract.SeatsRequest{Seats: []string{"sun.li"}}, []string{"sun.li"}},
		{"the head of the department", nil, contract.SeatsRequest{Seats: []string{"head"}, Cast: policy.Cast{Department: "technology"}}, []string{"zhao.lei"}},
		{"nobody approves their own", nil, contract.SeatsRequest{Seats: []string{"role:manager"}, Except: []string{"liu.yang"}}, []string{"sun.li"}},
		{"nobody has two seats", nil, contract.SeatsRequest{Seats: []string{"liu.yang", "role:management", "role:manager"}}, []string{"liu.yang", "sun.li"}},
		{
			"a substitute stands in", func(id string, p *policy.Person) {
				if id == "zhao.lei" {
					p.Away, p.Substitute = away, "zhang.wei"
				}
			}, contract.SeatsRequest{Seats: []string{"role:product"}}, []string{"zhang.wei"},
		},
		{
			"substitutes in a circle: the fallback, once", func(id string, p *policy.Person) {
				switch id {
				case "zhao.lei":
					p.Away, p.Substitute = away, "zhang.wei"
				case "zhang.wei":
					p.Away, p.Substitute = away, "zhao.lei"
				}
			}, contract.SeatsRequest{Seats: []string{"role:product"}, Fallback: "role:manager"}, []string{"liu.yang"},
		},
		{"a manager takes a seat that nobody can take", nil, contract.SeatsRequest{Seats: []string{"role:nobody", "sun.li"}}, []string{"liu.yang", "sun.li"}},
		{"strangers are not asked", nil, contract.SeatsRequest{Seats: []string{"stranger"}, Except: []string{"liu.yang", "sun.li"}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.req.At = t0
			filled, err := people(c.change).FillSeats(context.Background(), c.req)
			require.NoError(t, err)
			var got []string
			for _, f := range filled {
				got = append(got, f.Person)
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestStaffChain(t *testing.T) {
	t.Parallel()
	p := people(func(id string, p *policy.Person) {
		if id == "li.na" {
			p.Away, p.Substitute = away, "chen.jing"
		}
	})
	staffed, err := p.StaffChain(context.Background(), contract.ChainRequest{
		Chain: p.Policy.Chains[0], Cast: policy.Cast{Owner: "li.na", Tracker: "wang.fang", Department: "nowhere"}, At: t0,
	})
	require.NoError(t, err)
	require.Equal(t, []string{"chen.jing", "wang.fang"}, staffed.Calls[0].People)
	require.Empty(t, staffed.Calls[1].People, "a department without a head leaves the level empty")
	require.Equal(t, []string{"liu.yang", "sun.li"}, staffed.Alarm)
}

func TestFindPeople(t *testing.T) {
	t.Parallel()
	p := people(nil)
	found, err := p.FindPeople(context.Background(), contract.WhoRequest{
		People: []string{"li.na", "stranger", "system", "customer"}, Departments: []string{"service", "nowhere"},
	})
	require.NoError(t, err)
	require.Equal(t, requirement.Known{
		Actors: []requirement.Actor{
			{ID: "li.na", Roles: []requirement.Role{requirement.Agent}, Department: "service"},
			{ID: "system", Roles: []requirement.Role{requirement.System}},
		},
		Departments: []string{"service"},
	}, found)

	p.Policy.UnknownPeople = policy.UnknownAreAgents
	found, err = p.FindPeople(context.Background(), contract.WhoRequest{People: []string{"stranger", "customer"}, Departments: []string{"nowhere"}})
	require.NoError(t, err)
	require.Equal(t, requirement.Known{
		Actors:      []requirement.Actor{{ID: "stranger", Roles: []requirement.Role{requirement.Agent}}},
		Departments: []string{"nowhere"},
	}, found)
}
