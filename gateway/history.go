package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"closeloop/requirement"
)

// Fact is an event as callers see it, the same as the command line prints it.
type Fact struct {
	// ID of the requirement, where events of several are mixed.
	ID    string            `json:"id,omitempty" doc:"The requirement, where events of several are mixed"`
	Seq   int               `json:"seq" doc:"Numbers the events of one requirement densely from 1"`
	At    time.Time         `json:"at"`
	Kind  requirement.Kind  `json:"kind" example:"assigned"`
	Actor string            `json:"actor" doc:"Who did it; system for what fell due" example:"li.na"`
	Via   string            `json:"via,omitempty" doc:"How the actor was known" example:"cli"`
	Stage requirement.Stage `json:"stage,omitempty" doc:"Where the requirement stood once everything of that instant had happened"`
	Data  json.RawMessage   `json:"data" doc:"Particulars; their fields depend on the kind"`
}

func factOf(id string, e requirement.Event) Fact {
	f := Fact{ID: id, Seq: e.Seq, At: e.At, Kind: e.Kind, Actor: e.Actor, Via: e.Via, Stage: e.Stage, Data: e.Data}
	if len(f.Data) == 0 || string(f.Data) == "null" {
		f.Data = json.RawMessage("{}")
	}
	return f
}

type historyInput struct {
	Addressed
	After int `query:"after" minimum:"0" doc:"Only events after this number"`
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"1000" doc:"How many at once"`
}

type historyOutput struct{ Body []Fact }

func (g *Gateway) registerHistory(api huma.API) {
	operation(g, api, huma.Operation{
		OperationID: "history", Method: http.MethodGet, Path: "/v1/requirements/{id}/events", Tags: []string{"reading"},
		Summary:     "What happened to a requirement",
		Description: "In order. Fewer than `limit` are all there are; go on with the last `seq` as `after`.",
	}, func(ctx context.Context, in *historyInput) (*historyOutput, error) {
		id, err := in.id()
		if err != nil {
			return nil, err
		}
		if err := g.readable(ctx, id); err != nil {
			return nil, err
		}
		events, err := g.Books.Events(ctx, id, in.After, in.Limit)
		if err != nil {
			return nil, err
		}
		facts := make([]Fact, len(events))
		for i, e := range events {
			facts[i] = factOf("", e)
		}
		return &historyOutput{facts}, nil
	})
}
