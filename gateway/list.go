package gateway

import (
	"context"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"closeloop/ledger"
	"closeloop/requirement"
	"closeloop/sla"
)

type listInput struct {
	Stages      []string `query:"stage,explode" doc:"One of these stages" enum:"received,analysing,reviewing,assigned,executing,confirming,archived,rejected,withdrawn,merged"`
	Statuses    []string `query:"status,explode" doc:"One of these statuses" enum:"pending,in_progress,done,rejected"`
	Priorities  []string `query:"priority,explode" doc:"One of these priorities" enum:"high,medium,low"`
	Departments []string `query:"department,explode" doc:"One of these departments"`
	Owners      []string `query:"owner,explode" doc:"Owned by one of these people"`
	Customers   []string `query:"customer,explode" doc:"Of one of these customers"`
	Breached    bool     `query:"breached" doc:"Only those of which a running clock has breached"`
	OnHold      string   `query:"on_hold" enum:"true,false" doc:"Those that wait for the customer, or the others"`
	Open        bool     `query:"open" doc:"Only those that have not ended"`
	DueWithin   string   `query:"due_within" maxLength:"20" doc:"Those whose next deadline has passed or comes within this time around the clock" example:"2h"`
	Search      string   `query:"search" maxLength:"500" doc:"Words of title and description, in Chinese or English"`
	Limit       int      `query:"limit" minimum:"1" maximum:"1000" default:"50" doc:"How many at once"`
	Cursor      string   `query:"cursor" maxLength:"1000" doc:"The field next of the page before"`
	Count       bool     `query:"count" doc:"Also return how many there are on all pages"`
}

type listOutput struct{ Body ledger.Page }

func (g *Gateway) registerList(api huma.API) {
	operation(g, api, huma.Operation{
		OperationID: "list", Method: http.MethodGet, Path: "/v1/requirements", Tags: []string{"reading"},
		Summary: "The requirements that the caller may read",
		Description: "By their next deadline; those without one come last. Every filter narrows the list; one that is given " +
			"several times matches each of its values. The ledger is read, which has what happened a moment ago.",
	}, func(ctx context.Context, in *listInput) (*listOutput, error) {
		who := &callOf(ctx).who
		if err := reader(*who); err != nil {
			return nil, err
		}
		filter, err := in.filter(g.Now())
		if err != nil {
			return nil, err
		}
		filter.Reader = who
		page, err := g.Books.List(ctx, filter)
		if err != nil {
			return nil, err
		}
		return &listOutput{page}, nil
	})
}

// filter puts the parameters into the ledger's terms.
func (in listInput) filter(now time.Time) (ledger.Filter, error) {
	f := ledger.Filter{
		Priorities: in.Priorities, Departments: in.Departments, Owners: in.Owners, Customers: in.Customers,
		Breached: in.Breached, Open: in.Open, Text: in.Search, Limit: in.Limit, Cursor: in.Cursor, Count: in.Count,
	}
	if !utf8.ValidString(in.Search) {
		return f, wrongField("query.search", "not_text")
	}
	for _, s := range in.Stages {
		f.Stages = append(f.Stages, requirement.Stage(s))
	}
	for _, s := range in.Statuses {
		f.Statuses = append(f.Statuses, requirement.Status(s))
	}
	if in.OnHold != "" {
		held := in.OnHold == "true"
		f.OnHold = &held
	}
	if in.DueWithin != "" {
		d, err := sla.ParseDuration(in.DueWithin)
		if err == nil {
			// Around the clock, because it is about more calendars than one.
			f.DueBy, err = sla.Always.After(now.UTC(), d)
		}
		if err != nil {
			return f, wrongField("query.due_within", "not_a_duration")
		}
	}
	return f, nil
}
