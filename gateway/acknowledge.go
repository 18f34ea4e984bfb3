package gateway

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"closeloop/access"
	"closeloop/contract"
	"closeloop/requirement"
	"closeloop/starter"
)

type acknowledgeInput struct {
	Addressed
	Repeatable
	Escalation string `path:"escalation" doc:"The escalation's id" example:"resolution-1"`
	Body       contract.Acknowledge
}

// Acknowledged is the answer to an acknowledgement.
type Acknowledged struct {
	ID         string            `json:"id"`
	Act        string            `json:"act"`
	Accepted   bool              `json:"accepted"`
	Stage      requirement.Stage `json:"stage"`
	Seq        int               `json:"seq"`
	Escalation string            `json:"escalation"`
	By         string            `json:"by"`
	Level      int               `json:"level"`
}

type acknowledgeOutput struct{ Body Acknowledged }

func (g *Gateway) registerAcknowledge(api huma.API) {
	operation(g, api, huma.Operation{
		OperationID: "acknowledge", Method: http.MethodPost, Tags: []string{"acts"},
		Path:        "/v1/requirements/{id}/escalations/{escalation}/acknowledge",
		Summary:     "Stop an escalation from climbing",
		Description: "It climbs on when nothing happens for the agreed time.",
		RequestBody: bodyOf[contract.Acknowledge](api, nil, signed...),
	}, g.acknowledge)
}

func (g *Gateway) acknowledge(ctx context.Context, in *acknowledgeInput) (*acknowledgeOutput, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	if err := g.allow(ctx, access.Acknowledge, id); err != nil {
		return nil, err
	}
	v, err := g.viewWith(ctx, id, in.Escalation)
	if err != nil {
		return nil, err
	}
	return once(ctx, g, in.Key, func(actID string) (*acknowledgeOutput, error) {
		in.Body.Header = callOf(ctx).who.Header(actID)
		done, err := g.Desk.Acknowledge(ctx, id, in.Escalation, in.Body)
		if errors.Is(err, starter.ErrOver) || errors.Is(err, starter.ErrNotFound) {
			return nil, newProblem("no_escalation")
		}
		if err != nil {
			return nil, err
		}
		return &acknowledgeOutput{Acknowledged{
			ID: id, Act: contract.ActAcknowledge, Accepted: true, Stage: v.Stage, Seq: v.Seq,
			Escalation: done.Escalation, By: done.By, Level: done.Level,
		}}, nil
	})
}

// viewWith returns the requirement that has this escalation; the ledger may not
// have heard of it yet.
func (g *Gateway) viewWith(ctx context.Context, id, escalation string) (requirement.View, error) {
	has := func(v requirement.View) bool {
		return slices.ContainsFunc(v.Escalations, func(e requirement.EscalationView) bool { return e.ID == escalation })
	}
	v, err := g.view(ctx, id)
	if err == nil && !has(v) {
		v, err = g.Desk.View(ctx, id)
		err = g.ended(ctx, id, err)
	}
	if err == nil && !has(v) {
		err = notHere
	}
	return v, err
}
