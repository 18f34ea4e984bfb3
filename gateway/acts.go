package gateway

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"closeloop/access"
	"closeloop/ledger"
	"closeloop/requirement"
	"closeloop/starter"
)

// act is one of the domain's acts, in which the gateway puts who acts.
type act[A any] interface {
	*A
	requirement.Act
	Sign(requirement.Header)
}

type actInput[A any] struct {
	Addressed
	Repeatable
	Body A
}

type actOutput struct{ Body requirement.Verdict }

// registerActs adds an operation for each act of [requirement.Table], under its
// name.
func (g *Gateway) registerActs(api huma.API) {
	registerAct[requirement.Triage](g, api)
	registerAct[requirement.Approve](g, api)
	registerAct[requirement.Decline](g, api)
	registerAct[requirement.Delegate](g, api)
	registerAct[requirement.Assign](g, api)
	registerAct[requirement.Accept](g, api)
	registerAct[requirement.HandBack](g, api)
	registerAct[requirement.Respond](g, api)
	registerAct[requirement.Plan](g, api)
	registerAct[requirement.Progress](g, api)
	registerAct[requirement.PutOnHold](g, api)
	registerAct[requirement.Resume](g, api)
	registerAct[requirement.Resolve](g, api)
	registerAct[requirement.Confirm](g, api)
	registerAct[requirement.Dispute](g, api)
	registerAct[requirement.Amend](g, api)
	registerAct[requirement.Reprioritise](g, api)
	registerAct[requirement.Merge](g, api)
	registerAct[requirement.Withdraw](g, api)
	registerAct[requirement.Appeal](g, api)
	registerAct[requirement.Comment](g, api)
}

// signed are the fields of every act that the gateway fills in.
var signed = []string{"act_id", "actor", "via"}

func registerAct[A any, P act[A]](g *Gateway, api huma.API) {
	name := P(new(A)).Name()
	rule := requirement.Table[slices.IndexFunc(requirement.Table, func(r requirement.Rule) bool { return r.Act == name })]
	operation(g, api, huma.Operation{
		OperationID: string(name), Method: http.MethodPost, Path: "/v1/requirements/{id}/" + string(name), Tags: []string{"acts"},
		Summary:     strings.ToUpper(rule.About[:1]) + rule.About[1:],
		Description: "Possible in: " + texts(rule.In) + ".\n\nBy: " + by(rule.Roles) + ".",
		RequestBody: bodyOf[A](api, nil, signed...),
	}, func(ctx context.Context, in *actInput[A]) (*actOutput, error) {
		id, err := in.id()
		if err != nil {
			return nil, err
		}
		if err := P(&in.Body).Valid(); err != nil {
			return nil, err
		}
		if err := g.allow(ctx, access.Operation(name), id); err != nil {
			return nil, err
		}
		return once(ctx, g, in.Key, func(actID string) (*actOutput, error) {
			P(&in.Body).Sign(callOf(ctx).who.Header(actID))
			// What crosses Temporal is the act itself: its type is known by its name.
			verdict, err := g.Desk.Do(ctx, id, any(in.Body).(requirement.Act))
			if err != nil {
				return nil, g.ended(ctx, id, err)
			}
			return &actOutput{verdict}, nil
		})
	})
}

// by words who may do an act.
func by(roles []requirement.Role) string {
	if len(roles) == 0 {
		return "everybody who is known"
	}
	return texts(roles)
}

func texts[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, t := range list {
		words[i] = string(t)
	}
	return strings.Join(words, ", ")
}

// allow finds out whether the caller may do something to the requirement. What
// they may not even read is not there for them, unless they may read nothing at
// all: that says nothing about the requirement.
func (g *Gateway) allow(ctx context.Context, op access.Operation, id string) error {
	who := callOf(ctx).who
	switch reaches := who.Reaches(op); {
	case slices.Contains(reaches, access.All):
		return nil // and nothing about the requirement has to be looked up
	case len(reaches) == 0 && reader(who) != nil:
		return newProblem("not_your_role", "operation", string(op))
	}
	target, err := g.target(ctx, id)
	switch {
	case err != nil:
		return err
	case access.Allow(who, op, target):
		return nil
	case access.Allow(who, access.Read, target):
		return newProblem("not_your_role", "operation", string(op))
	default:
		return notHere
	}
}

// reader refuses whoever may read nothing: an empty answer would tell them that
// there is nothing.
func reader(who access.Principal) error {
	if len(who.Reaches(access.Read)) > 0 {
		return nil
	}
	return newProblem("not_your_role", "operation", string(access.Read))
}

// target reads what decides who reaches a requirement from the ledger, which
// knows who was ever asked; one that it does not have yet is asked itself.
func (g *Gateway) target(ctx context.Context, id string) (access.Target, error) {
	// Half the time, so that the requirement can be asked in the other.
	half, cancel := context.WithTimeout(ctx, g.patience/2)
	defer cancel()
	target, err := g.Books.Target(half, id)
	if err == nil || ctx.Err() != nil {
		return target, err
	}
	v, asked := g.Desk.View(ctx, id)
	if asked != nil {
		return target, worse(err, asked)
	}
	return access.TargetOf(v), nil
}

// worse is what to say when neither the ledger nor the requirement itself has
// answered: that it is not there takes both.
func worse(books, desk error) error {
	if errors.Is(books, ledger.ErrNotFound) {
		return desk
	}
	return books
}

// ended tells a requirement that has ended from one that never was, also when
// Temporal has forgotten it.
func (g *Gateway) ended(ctx context.Context, id string, err error) error {
	if !errors.Is(err, starter.ErrNotFound) && !errors.Is(err, starter.ErrOver) {
		return err
	}
	receipt, missing := g.Books.Receipt(ctx, id)
	if missing != nil || receipt.ClosedAt == nil {
		return err
	}
	return newProblem(string(requirement.CodeOver), "stage", string(receipt.Stage))
}
