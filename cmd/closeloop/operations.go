package main

import (
	"context"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"closeloop/ledger"
	"closeloop/notify/channel"
	"closeloop/policy"
	"closeloop/starter"
	"closeloop/worker"
)

// operationCommands run and look after closeloop itself.
func (a *app) operationCommands() []*cobra.Command {
	return []*cobra.Command{
		a.workerCommand(), a.serveCommand(), a.migrateCommand(), a.auditCommand(), a.notificationsCommand(), a.deliveriesCommand(), a.linkCommand(), a.policyCommand(), a.calendarCommand(), a.tokenCommand(), a.completionCommand(), a.versionCommand(),
	}
}

func (a *app) migrateCommand() *cobra.Command {
	c := a.command("migrate", "migrate", "CLOSELOOP_DATABASE_URL=postgres://closeloop@localhost/closeloop closeloop migrate")
	c.Args = a.takes(0)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		url := a.env[envDatabase]
		if url == "" {
			return &failure{exitUsage, "usage", a.say("cli.error.no_database", nil), a.say("cli.hint.no_database", nil)}
		}
		applied, err := ledger.Migrate(cmd.Context(), url)
		if err != nil {
			return err
		}
		return a.print(applied, func(s *screen) {
			for _, f := range applied.Files {
				s.line(s.good.Render(a.say("cli.migrate.applied", nil)), " ", f)
			}
			s.line(a.say("cli.migrate.version", map[string]any{"Version": applied.Version}))
		})
	}
	return c
}

func (a *app) workerCommand() *cobra.Command {
	c := a.command("worker", "worker", "CLOSELOOP_POLICY=policy.yaml closeloop worker")
	c.Args = a.takes(0)
	c.RunE = func(cmd *cobra.Command, _ []string) error { return a.work(cmd.Context()) }
	return c
}

// work runs a worker until it is told to stop. Its log goes to standard error,
// in JSON: it is for machines to keep.
func (a *app) work(ctx context.Context) error {
	logger := slog.New(slog.NewJSONHandler(a.err, nil))
	rules, err := a.policyInForce(logger)
	if err != nil {
		return err
	}
	//nolint:contextcheck // setting a channel up sends nothing
	channels, err := channel.FromEnv(func(name string) string { return a.env[name] }, rules, logger)
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
	temporal, err := starter.Dial(ctx, starter.Options{Env: a.env, Logger: logger, Interceptor: worker.KeepAsking()})
	if err != nil {
		return err
	}
	defer temporal.Close()
	return worker.Run(ctx, worker.Config{
		Temporal: temporal.Temporal(), Namespace: temporal.Namespace(), TaskQueue: starter.TaskQueue(a.env),
		Endpoint: a.env[envNexusEndpoint], Ledger: books, Policy: rules, Channels: channels, Links: linksFrom(links, books), Logger: logger,
	})
}

// policyInForce is the policy of a worker: the built-in one, or the file that the
// environment names, whose changes are taken up.
func (a *app) policyInForce(logger *slog.Logger) (policy.InForce, error) {
	doubts := func(p *policy.Policy) {
		for _, w := range append(p.Warnings(), p.Expiring(a.now(), knownAhead)...) {
			logger.Warn("The policy is doubtful", "at", w.Error())
		}
	}
	// Read here first: its mistakes have words of their own.
	rules, err := a.policy()
	if err != nil {
		return nil, err
	}
	doubts(rules)
	path := a.env[envPolicy]
	if path == "" {
		return rules, nil
	}
	return policy.Follow(path, func(p *policy.Policy, err error) {
		if err != nil {
			logger.Error("The policy file has changed and cannot be used; the one before stays in force", "file", path, "error", err.Error())
			return
		}
		logger.Info("The policy file has changed; new requirements live by it", "file", path, "policy", p.Digest)
		doubts(p)
	})
}

// joined lists words for people.
func joined[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, ", ")
}
