package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"closeloop/access"
	"closeloop/ledger"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/starter"
	"closeloop/whatif"
)

// Our own part of the environment.
const (
	envDatabase = "CLOSELOOP_DATABASE_URL"
	envPolicy   = "CLOSELOOP_POLICY"
	// envNexusEndpoint names the Nexus endpoint that a worker sees to.
	envNexusEndpoint = "CLOSELOOP_NEXUS_ENDPOINT"
)

// archive is what commands read from the ledger.
type archive interface {
	Get(ctx context.Context, id string) (*requirement.Requirement, error)
	Events(ctx context.Context, id string, afterSeq, limit int) ([]requirement.Event, error)
	Account(ctx context.Context, id string) (requirement.Account, error)
	List(ctx context.Context, f ledger.Filter) (ledger.Page, error)
	Notices(ctx context.Context, f ledger.NoticeFilter) (ledger.NoticePage, error)
	Export(ctx context.Context, f ledger.Filter, kinds []requirement.Kind, each func(ledger.Exported) error) error
	Listen(ctx context.Context, changed func(id string)) error
	Lives(ctx context.Context, since, until time.Time, each func(whatif.Life) error) error
	OpenRequirements(ctx context.Context, after string, limit int) ([]*requirement.Requirement, error)
	RulesOf(ctx context.Context, ids []string) (map[string]string, error)
	tokenKeeper
	deliveryBook
	Target(ctx context.Context, id string) (access.Target, error)
	LinkVersion(ctx context.Context, requirement, recipient string) (int, error)
	RevokeLinks(ctx context.Context, id, recipient, by string) (ledger.Revoked, error)
	Close()
}

func (a *app) dial(ctx context.Context) (desk, error) {
	return starter.Dial(ctx, starter.Options{Env: a.env, Timeout: a.patience})
}

func (a *app) openLedger(ctx context.Context) (archive, error) {
	l, err := a.ledger(ctx)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// ledger opens the ledger that the environment names.
func (a *app) ledger(ctx context.Context) (*ledger.Ledger, error) {
	url := a.env[envDatabase]
	if url == "" {
		return nil, &failure{exitUsage, "usage", a.say("cli.error.no_database", nil), a.say("cli.hint.no_database", nil)}
	}
	return ledger.Open(ctx, url)
}

// policy returns the policy that the environment names, or the one that is
// built in.
func (a *app) policy() (*policy.Policy, error) {
	path := a.env[envPolicy]
	if path == "" {
		return policy.Default(), nil
	}
	p, err := policy.Load(path)
	if problems, ok := errors.AsType[policy.Problems](err); ok {
		return nil, &failure{exitFailure, "policy", problems.Error(), fmt.Sprintf("closeloop policy lint %s", path)}
	}
	return p, err
}

// types are those of the policy, for the completion of flags.
func (a *app) types() []string {
	if p, err := a.policy(); err == nil {
		return p.Types
	}
	return nil
}

// channels are those of the policy, for the completion of flags.
func (a *app) channels() []string {
	if p, err := a.policy(); err == nil {
		return p.Process.Channels
	}
	return nil
}
