package gateway

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"closeloop/access"
	"closeloop/contract"
	"closeloop/policy"
	"closeloop/requirement"
)

type submitInput struct {
	Repeatable
	Body requirement.Submission
}

// Submitted is the answer to an intake.
type Submitted struct {
	ID      string            `json:"id" example:"REQ-7K2M9QXA"`
	Created bool              `json:"created" doc:"False when a requirement with this reference was there already"`
	Stage   requirement.Stage `json:"stage" example:"received"`
	Ref     string            `json:"ref,omitempty" example:"jira:OPS-17"`
}

type submitOutput struct {
	Status   int
	Location string `header:"Location" doc:"Where the requirement is"`
	Body     Submitted
}

func (g *Gateway) registerSubmit(api huma.API) {
	operation(g, api, huma.Operation{
		OperationID: "submit", Method: http.MethodPost, Path: "/v1/requirements", Tags: []string{"intake"},
		Summary: "Take a requirement in",
		Description: "The same reference (`ref`) never starts a second requirement, not even when two requests arrive at the " +
			"same instant: the first is answered 201, all others 200 with the same id. Without a reference, an " +
			"`Idempotency-Key` makes the intake happen once.",
		DefaultStatus: http.StatusCreated,
		RequestBody:   bodyOf[requirement.Submission](api, []string{"title", "customer"}, "submitted_by", "via"),
		Responses: map[string]*huma.Response{
			"200": {Description: "It was there already"},
		},
	}, g.submit)
}

func (g *Gateway) submit(ctx context.Context, in *submitInput) (*submitOutput, error) {
	who, s := callOf(ctx).who, in.Body
	if !access.Allow(who, access.Submit, access.Target{Ref: s.Ref}) {
		p := newProblem("not_your_role", "operation", string(access.Submit))
		if who.System != "" && len(who.Reaches(access.Submit)) > 0 {
			p = newProblem("not_your_role", "system", who.System)
		}
		return nil, p
	}
	s = who.Recorded(s)
	if err := g.sound(s); err != nil {
		return nil, err
	}
	return once(ctx, g, in.Key, func(actID string) (*submitOutput, error) {
		receipt, err := g.Desk.Submit(ctx, s, actID)
		if err != nil {
			return nil, err
		}
		if actID != "" && s.Ref == "" {
			// Nothing but this request can have started it, be it on an earlier attempt.
			receipt.Created = true
		}
		return submitted(receipt), nil
	})
}

// sound checks what is the same under every policy, so that nothing is started
// for what is wrong anyway. Types and channels are those of the rules that the
// worker has.
func (g *Gateway) sound(s requirement.Submission) error {
	s = s.Fill(g.Policy.Current().Defaults)
	return s.Valid(policy.Process{Types: []string{s.Type}, Channels: []string{s.Channel}})
}

func submitted(r contract.Receipt) *submitOutput {
	out := &submitOutput{
		Status: http.StatusOK, Location: "/v1/requirements/" + r.ID,
		Body: Submitted{ID: r.ID, Created: r.Created, Stage: r.Stage, Ref: r.Ref},
	}
	if r.Created {
		out.Status = http.StatusCreated
	}
	return out
}
