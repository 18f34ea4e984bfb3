package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"closeloop/access"
	"closeloop/ledger"
	"closeloop/requirement"
)

// tokenKeeper is what the commands on API tokens ask of the ledger.
type tokenKeeper interface {
	KeepAPIToken(ctx context.Context, t access.Token) error
	APITokens(ctx context.Context) ([]access.Token, error)
	RevokeAPIToken(ctx context.Context, id, by string, at time.Time) (access.Token, error)
}

// tokenRow is an API token as scripts see it.
type tokenRow struct {
	access.Token
	State access.TokenState `json:"state"`
}

var tokenColumns = []string{
	"id", "name", "person", "upstream", "auditor", "scopes", "state", "created_at", "created_by", "expires_at", "revoked_at",
	"revoked_by", "last_used_at",
}

func (a *app) tokenRow(t access.Token) tokenRow {
	if t.Scopes == nil {
		t.Scopes = access.Scopes
		if t.Auditor {
			t.Scopes = []access.Scope{access.ScopeRead}
		}
	}
	return tokenRow{t, t.State(a.now())}
}

// tokenCommand holds what is done with API tokens: row N1.
func (a *app) tokenCommand() *cobra.Command {
	c := a.command("token", "token", "closeloop token create billing --upstream billing\ncloseloop token list")
	a.parent(c)
	c.AddCommand(a.tokenCreateCommand(), a.tokenListCommand(), a.tokenRevokeCommand())
	return c
}

func (a *app) tokenListCommand() *cobra.Command {
	var all bool
	c := a.command("token.list", "list", "closeloop token list\ncloseloop token list --all -o csv")
	c.Args = a.takes(0)
	c.Annotations[listing] = "yes"
	a.flags(c).truth(&all, "all")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		books, err := a.open(cmd.Context())
		if err != nil {
			return err
		}
		defer books.Close()
		tokens, err := books.APITokens(cmd.Context())
		if err != nil {
			return err
		}
		var rows []tokenRow
		for _, t := range tokens {
			if row := a.tokenRow(t); all || row.State == access.TokenLive {
				rows = append(rows, row)
			}
		}
		return printList(a, rows, tokenColumns, func(s *screen) { a.showTokens(s, rows) })
	}
	return c
}

func (a *app) showTokens(s *screen, rows []tokenRow) {
	if len(rows) == 0 {
		if !a.quiet {
			s.line(a.say("cli.token.none", nil))
		}
		return
	}
	people := a.people()
	table := make([][]string, len(rows))
	for i, r := range rows {
		state := a.text.Name("token_state", string(r.State))
		if r.State != access.TokenLive {
			state = s.faint.Render(state)
		}
		used := a.say("cli.token.never", nil)
		if r.LastUsedAt != nil {
			used = a.at(*r.LastUsedAt)
		}
		table[i] = []string{
			s.strong.Render(r.ID), clean(r.Name), a.tokenOwner(people, r.Token), joined(r.Scopes), state, a.at(r.ExpiresAt), used,
			a.withName(people, a.actor(r.CreatedBy)),
		}
	}
	s.table(a.headers("id", "token_name", "token_for", "scopes", "state", "expires", "last_used", "created_by"), table, 1, 7)
}

// tokenOwner is who a token speaks for.
func (a *app) tokenOwner(people []person, t access.Token) string {
	switch {
	case t.Person != "":
		return a.withName(people, clean(t.Person))
	case t.Upstream != "":
		return a.say("cli.token.upstream", map[string]any{"System": clean(t.Upstream)})
	default:
		return a.say("cli.token.auditor", nil)
	}
}

func (a *app) tokenRevokeCommand() *cobra.Command {
	c := a.command("token.revoke", "revoke ID", "closeloop token revoke mzxw6ytboi4tg --as li.na")
	c.Args = a.takes(1, "ID")
	c.ValidArgsFunction = a.completeTokens
	c.RunE = func(cmd *cobra.Command, args []string) error {
		id := tokenID(args[0])
		books, err := a.open(cmd.Context())
		if err != nil {
			return err
		}
		defer books.Close()
		t, err := books.RevokeAPIToken(cmd.Context(), id, a.tokenActor(), a.now())
		if errors.Is(err, ledger.ErrNotFound) {
			return &failure{exitNotFound, "not_found", a.say("cli.token.unknown", map[string]any{"ID": id}), "closeloop token list --all"}
		}
		if err != nil {
			return err
		}
		return a.print(a.tokenRow(t), func(s *screen) {
			if !a.quiet {
				s.line(s.facts(
					s.good.Render(a.text.Name("token_state", string(access.TokenRevoked))), s.strong.Render(t.ID), clean(t.Name),
					a.at(*t.RevokedAt), a.withName(a.people(), a.actor(t.RevokedBy)),
				))
			}
		})
	}
	return c
}

// tokenID is the id that somebody means: who has nothing but the token itself,
// found where it should not be, may give that.
func tokenID(typed string) string {
	if id, _, ok := access.ReadToken(typed); ok {
		return id
	}
	return strings.TrimPrefix(strings.ToLower(typed), access.TokenPrefix)
}

// tokenActor is who makes and revokes tokens.
func (a *app) tokenActor() string {
	if a.as == "" {
		return requirement.SystemActor
	}
	return a.as
}

// completeTokens offers the tokens that are good.
func (a *app) completeTokens(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	if len(args) > 0 {
		return nil, none
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completeTimeout)
	defer cancel()
	books, err := a.open(ctx)
	if err != nil {
		return nil, none
	}
	defer books.Close()
	tokens, err := books.APITokens(ctx)
	if err != nil {
		return nil, none
	}
	tokens = slices.DeleteFunc(tokens, func(t access.Token) bool { return t.State(a.now()) != access.TokenLive })
	found := make([]cobra.Completion, len(tokens))
	for i, t := range tokens {
		found[i] = cobra.CompletionWithDesc(t.ID, clean(t.Name))
	}
	return found, none
}
