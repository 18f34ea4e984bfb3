package workflows

import (
	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
	"closeloop/requirement"
)

// offerAdoption makes going on under other rules an Update and a Signal, like an
// act.
func (l *life) offerAdoption(ctx workflow.Context) {
	const about, name = "go on under other rules: clocks are retargeted, breaches stay", string(requirement.ActAdopt)
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	must(workflow.SetUpdateHandlerWithOptions(ctx, name,
		func(ctx workflow.Context, a contract.Adopt) (requirement.Verdict, error) { return l.adopt(ctx, a) },
		workflow.UpdateHandlerOptions{
			Validator:   func(a contract.Adopt) error { return contract.Refusal(l.mayAdopt(id, l.people, a)) },
			Description: about,
		}))
	l.inbox.add(ctx, name, about, func(ctx workflow.Context, body any) {
		var a contract.Adopt
		err := decode(body, &a)
		if err == nil {
			err = l.mayAdopt(id, findPeople(ctx, contract.WhoRequest{People: []string{a.By()}}), a)
		}
		if err == nil {
			_, err = l.adopt(ctx, a)
		}
		if err != nil {
			l.Refuse(now(ctx), requirement.ActAdopt, a.By(), a.KnownBy(), err.Error())
		}
	})
}

func (l *life) mayAdopt(id string, people requirement.People, a contract.Adopt) error {
	if l.Requirement == nil {
		return requirement.NotReady(id)
	}
	return l.CheckAdoption(people, a.By(), a.Process)
}

// adopt puts the requirement under the rules. Time may have run out in the same
// instant and ended it; then it keeps those it had.
func (l *life) adopt(ctx workflow.Context, a contract.Adopt) (requirement.Verdict, error) {
	v := requirement.Verdict{ID: l.ID, Act: requirement.ActAdopt, Accepted: true, ActID: a.ID()}
	l.AdoptBy(now(ctx), a.Process, a.Header)
	if l.Policy != a.Process.Digest {
		return v, contract.Refusal(l.Ended(requirement.ActAdopt))
	}
	v.Stage, v.Seq = l.Stage, l.Seq
	return v, nil
}
