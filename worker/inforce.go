package worker

import (
	"context"

	"closeloop/policy"
	"closeloop/requirement"
)

// asOf makes an activity that is done under the policy that holds when it is
// called: each call is answered by one policy.
func asOf[T, R, A any](
	rules policy.InForce, under func(*policy.Policy) *T, do func(*T, context.Context, R) (A, error),
) func(context.Context, R) (A, error) {
	return func(ctx context.Context, request R) (A, error) { return do(under(rules.Current()), ctx, request) }
}

// company says who people are by the policy that holds when it is asked.
type company struct{ rules policy.InForce }

func (c company) current() requirement.Company {
	p := c.rules.Current()
	return requirement.Company{Directory: p.Directory, Unknown: p.UnknownPeople}
}

// Find returns the actor of that id.
func (c company) Find(id string) (requirement.Actor, bool) { return c.current().Find(id) }

// HasDepartment reports whether there is a department of that id.
func (c company) HasDepartment(id string) bool { return c.current().HasDepartment(id) }
