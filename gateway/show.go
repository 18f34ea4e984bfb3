package gateway

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"closeloop/access"
	"closeloop/contract"
	"closeloop/requirement"
)

// Addressed names a requirement.
type Addressed struct {
	ID string `path:"id" doc:"The requirement's id" example:"REQ-7K2M9QXA"`
}

// id is the requirement's, in its normal form. What cannot be one is not found.
func (in Addressed) id() (string, error) {
	id := contract.NormalID(in.ID)
	if !requirementID.MatchString(id) {
		return "", notHere
	}
	return id, nil
}

type showOutput struct{ Body requirement.View }

func (g *Gateway) registerShow(api huma.API) {
	operation(g, api, huma.Operation{
		OperationID: "show", Method: http.MethodGet, Path: "/v1/requirements/{id}", Tags: []string{"reading"},
		Summary:     "A requirement as it stands",
		Description: "What is not for the caller to see is answered 404, as if it were not there.",
	}, func(ctx context.Context, in *Addressed) (*showOutput, error) {
		id, err := in.id()
		if err != nil {
			return nil, err
		}
		if err := g.readable(ctx, id); err != nil {
			return nil, err
		}
		v, err := g.view(ctx, id)
		if err != nil {
			return nil, err
		}
		return &showOutput{v}, nil
	})
}

// readable finds out whether the caller may read the requirement.
func (g *Gateway) readable(ctx context.Context, id string) error {
	return g.allow(ctx, access.Read, id)
}

// view reads the ledger, which knows requirements that Temporal has forgotten.
// When it cannot answer, the requirement itself does.
func (g *Gateway) view(ctx context.Context, id string) (requirement.View, error) {
	// Half the time, so that the requirement can be asked in the other.
	half, cancel := context.WithTimeout(ctx, g.patience/2)
	defer cancel()
	r, err := g.Books.Get(half, id)
	if err == nil {
		return r.View(g.Now().UTC()), nil
	}
	if ctx.Err() != nil {
		return requirement.View{}, err
	}
	v, asked := g.Desk.View(ctx, id)
	if asked != nil {
		return v, worse(err, asked)
	}
	return v, nil
}
