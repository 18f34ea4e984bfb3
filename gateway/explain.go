package gateway

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"closeloop/requirement"
	"closeloop/sla"
)

type explainInput struct {
	Addressed
	Clock string    `query:"clock" doc:"Only the clocks of this name" enum:"response,resolution,update,approval,acceptance,confirmation,ownership,next_response,plan_step,appeal"`
	Cycle int       `query:"cycle" minimum:"1" doc:"Only this cycle"`
	All   bool      `query:"all" doc:"Also clocks that ended in time"`
	At    time.Time `query:"at" doc:"As of this instant; now when it is left out" example:"2026-11-24T09:00:00Z"`
}

type explainOutput struct{ Body requirement.Explanation }

func (g *Gateway) registerExplain(api huma.API) {
	operation(g, api, huma.Operation{
		OperationID: "explain", Method: http.MethodGet, Path: "/v1/requirements/{id}/explain", Tags: []string{"reading"},
		Summary:     "Why the clocks of a requirement stand where they stand",
		Description: "The same as `closeloop sla explain`: each interval since the start, whether it counted and why, and who held the requirement.",
	}, func(ctx context.Context, in *explainInput) (*explainOutput, error) {
		id, err := in.id()
		if err != nil {
			return nil, err
		}
		if err := g.readable(ctx, id); err != nil {
			return nil, err
		}
		record, err := g.Books.Account(ctx, id)
		if err != nil {
			return nil, err
		}
		at := in.At
		if at.IsZero() {
			at = g.Now()
		}
		told, err := requirement.Explain(record, requirement.Which{Clock: sla.Name(in.Clock), Cycle: in.Cycle, All: in.All}, at.UTC())
		if err != nil {
			return nil, err
		}
		return &explainOutput{told}, nil
	})
}
