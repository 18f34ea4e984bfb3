package main

import (
	"log/slog"

	"closeloop/gateway"
	"closeloop/ledger"
	"closeloop/policy"
)

// The OpenID Connect provider whose tokens the gateway takes besides its own.
const (
	envOIDCIssuer      = "CLOSELOOP_OIDC_ISSUER"
	envOIDCAudience    = "CLOSELOOP_OIDC_AUDIENCE"
	envOIDCPersonClaim = "CLOSELOOP_OIDC_PERSON_CLAIM"
)

// bearers returns who knows whom bearer tokens belong to: API tokens the ledger,
// and all others the provider, where one is set. tokens is to be closed before the
// ledger is.
func (a *app) bearers(books *ledger.Ledger, rules policy.InForce, logger *slog.Logger) (all gateway.Bearers, tokens *gateway.Tokens, err error) {
	tokens = gateway.NewTokens(books, rules, nil, logger)
	if a.env[envOIDCIssuer] == "" {
		if a.env[envOIDCAudience] != "" {
			return nil, nil, &failure{exitUsage, "usage", a.say("cli.serve.no_issuer", nil), ""}
		}
		return gateway.BearersOf(tokens, nil), tokens, nil
	}
	provider, err := gateway.NewOIDC(gateway.OIDCConfig{
		Issuer: a.env[envOIDCIssuer], Audience: a.env[envOIDCAudience], PersonClaim: a.env[envOIDCPersonClaim],
		Policy: rules, Logger: logger,
	})
	if err != nil {
		return nil, nil, &failure{exitUsage, "usage", a.say("cli.serve.oidc", map[string]any{"Reason": err.Error()}), ""}
	}
	return gateway.BearersOf(tokens, provider), tokens, nil
}
