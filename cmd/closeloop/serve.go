package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"

	"github.com/spf13/cobra"

	"closeloop/gateway"
	"closeloop/starter"
	"closeloop/upstream"
)

// envListen names the address that the gateway listens on.
const envListen = "CLOSELOOP_LISTEN"

// envRate names how many requests a second each principal may send.
const envRate = "CLOSELOOP_RATE"

// defaultListen is for this machine alone: whoever wants more says so.
const defaultListen = "127.0.0.1:8480"

func (a *app) serveCommand() *cobra.Command {
	var listen, rate string
	c := a.command("serve", "serve", "closeloop serve\ncloseloop serve --listen 0.0.0.0:8480 --rate 20")
	c.Args = a.takes(0)
	f := a.flags(c)
	f.text(&listen, "listen")
	f.text(&rate, "rate")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		perSecond, err := a.rate(cmd, rate)
		if err != nil {
			return err
		}
		return a.serve(cmd.Context(), listen, perSecond)
	}
	return c
}

// rate reads how many requests a second each principal may send.
func (a *app) rate(cmd *cobra.Command, typed string) (float64, error) {
	if typed == "" {
		typed = a.env[envRate]
	}
	if typed == "" {
		return gateway.DefaultRate, nil
	}
	perSecond, err := strconv.ParseFloat(typed, 64)
	if err != nil || !(perSecond >= 0) || perSecond > maxRate {
		return 0, a.misused(cmd, "invalid", map[string]any{"Flag": "rate", "Reason": fmt.Sprintf("%q: 0 … %d", typed, maxRate)})
	}
	return perSecond, nil
}

// maxRate is more than any gateway answers.
const maxRate = 1_000_000

// serve runs a gateway until it is told to stop. Its log goes to standard error,
// in JSON: it is for machines to keep.
func (a *app) serve(ctx context.Context, listen string, rate float64) error {
	logger := slog.New(slog.NewJSONHandler(a.err, nil))
	rules, err := a.policyInForce(logger)
	if err != nil {
		return err
	}
	links, err := a.linkIssuer(logger)
	if err != nil {
		return err
	}
	books, err := a.ledger(ctx)
	if err != nil {
		return err
	}
	defer books.Close()
	bearers, tokens, err := a.bearers(books, rules, logger)
	if err != nil {
		return err
	}
	defer tokens.Close()
	if err := books.SchemaCurrent(ctx); err != nil {
		return err
	}
	temporal, err := starter.Dial(ctx, starter.Options{Env: a.env, Logger: logger})
	if err != nil {
		return err
	}
	defer temporal.Close()
	if listen == "" {
		listen = a.env[envListen]
	}
	if listen == "" {
		listen = defaultListen
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	for _, u := range rules.Current().Upstreams {
		if len(upstream.Secrets(a.env[u.SecretsEnv()])) == 0 {
			logger.Warn("No webhook of this upstream system is believed: it has no secret", "upstream", u.Name, "variable", u.SecretsEnv())
		}
	}
	return gateway.New(gateway.Config{
		Desk: temporal, Books: books, Policy: rules, Bearers: bearers, Links: links, Logger: logger,
		Secrets: func(variable string) string { return a.env[variable] },
		Rate:    rate,
	}).Serve(ctx, l)
}
