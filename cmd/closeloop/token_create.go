package main

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"closeloop/access"
	"closeloop/requirement"
	"closeloop/sla"
)

// tokenFlags are those of a new token as they are typed.
type tokenFlags struct {
	person, upstream string
	auditor          bool
	scopes           []string
	expires          string
}

// newToken answers with a new token. It is the one time that its text is told.
type newToken struct {
	tokenRow
	Text string `json:"token"`
}

func (a *app) tokenCreateCommand() *cobra.Command {
	var f tokenFlags
	c := a.command("token.create", "create NAME",
		"closeloop token create 'Li Na, laptop' --person li.na --expires 720h\n"+
			"closeloop token create jira-bridge --upstream jira --scope submit,read\n"+
			"closeloop token create audit-2026 --auditor --expires 2026-12-31 -o json")
	c.Args = a.takes(1, "NAME")
	fs := a.flags(c)
	fs.person(&f.person, "person")
	fs.text(&f.upstream, "upstream")
	fs.truth(&f.auditor, "auditor")
	fs.choices(&f.scopes, "scope", words(access.Scopes))
	fs.text(&f.expires, "expires")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		token, err := a.tokenAsked(cmd, args[0], f)
		if err != nil {
			return err
		}
		books, err := a.open(cmd.Context())
		if err != nil {
			return err
		}
		defer books.Close()
		id, text := access.NewTokenText()
		token.ID, token.Hash = id, access.HashToken(text)
		if err := books.KeepAPIToken(cmd.Context(), token); err != nil {
			return err
		}
		return a.print(newToken{a.tokenRow(token), text}, func(s *screen) {
			// What is told besides goes elsewhere, so that the output is the token alone.
			s.line(text)
			a.remark("cli.token.created", map[string]any{
				"ID": id, "Name": clean(token.Name), "Owner": a.tokenOwner(a.people(), token), "Expires": a.at(token.ExpiresAt),
			})
			a.remark("cli.token.once", nil)
		})
	}
	return c
}

// tokenAsked checks what is asked for; id and hash are still to be made.
func (a *app) tokenAsked(cmd *cobra.Command, name string, f tokenFlags) (access.Token, error) {
	now := a.now().UTC()
	t := access.Token{Name: strings.TrimSpace(name), Person: f.person, Upstream: f.upstream, Auditor: f.auditor, CreatedAt: now, CreatedBy: a.tokenActor()}
	if t.Name == "" || utf8.RuneCountInString(t.Name) > requirement.MaxName || clean(t.Name) != t.Name {
		return t, a.misused(cmd, "token_name", map[string]any{"Max": requirement.MaxName})
	}
	if err := a.tokenFor(cmd, t); err != nil {
		return t, err
	}
	for _, typed := range f.scopes {
		scope := access.Scope(typed)
		allowed := access.Scopes
		if t.Auditor {
			allowed = []access.Scope{access.ScopeRead}
		}
		if !slices.Contains(allowed, scope) {
			return t, a.misused(cmd, "not_one_of", map[string]any{"Flag": "scope", "Value": typed, "Allowed": joined(allowed)})
		}
		if !slices.Contains(t.Scopes, scope) {
			t.Scopes = append(t.Scopes, scope)
		}
	}
	ends, err := a.tokenEnd(cmd, now, f.expires)
	t.ExpiresAt = ends
	return t, err
}

// systemName is what may stand before the colon of a reference.
var systemName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// tokenFor checks that the token is for one, whom the policy knows when it is a
// person.
func (a *app) tokenFor(cmd *cobra.Command, t access.Token) error {
	given := 0
	for _, flag := range []string{"person", "upstream", "auditor"} {
		if cmd.Flags().Changed(flag) {
			given++
		}
	}
	switch {
	case given != 1 || t.Person == "" && t.Upstream == "" && !t.Auditor:
		return a.misused(cmd, "token_for_one", nil)
	case t.Upstream != "" && !systemName.MatchString(t.Upstream):
		return a.misused(cmd, "token_system", map[string]any{"System": t.Upstream})
	case t.Person == "":
		return nil
	}
	rules, err := a.policy()
	if err != nil {
		return err
	}
	if _, known := access.Person(rules, t.Person, ""); !known {
		params := map[string]string{"person": t.Person}
		return &failure{
			exitRefused, string(requirement.CodeUnknown),
			a.text.Error(string(requirement.CodeUnknown), "", params), a.text.Hint(string(requirement.CodeUnknown), "", params),
		}
	}
	return nil
}

// tokenEnd is when a token ends: so long from now, at an instant, or with the
// last moment of a day.
func (a *app) tokenEnd(cmd *cobra.Command, now time.Time, typed string) (time.Time, error) {
	ends := now.Add(access.DefaultTokenLife)
	if typed != "" {
		if day, err := time.ParseInLocation(time.DateOnly, typed, a.zone); err == nil {
			ends = day.AddDate(0, 0, 1).UTC()
		} else if at, err := time.Parse(time.RFC3339, typed); err == nil {
			ends = at.UTC()
		} else if life, err := sla.ParseDuration(typed); err == nil && life.WorkingDays == 0 {
			// Longer than any token may live is told below, and must not come round.
			ends = now.Add(min(life.Time, 2*access.MaxTokenLife))
		} else {
			return ends, a.misused(cmd, "token_expires", map[string]any{"Value": typed})
		}
	}
	switch {
	case !ends.After(now):
		return ends, a.misused(cmd, "token_over", map[string]any{"Value": typed})
	case ends.After(now.Add(access.MaxTokenLife)):
		return ends, a.misused(cmd, "token_too_long", map[string]any{"Value": typed, "Latest": a.at(now.Add(access.MaxTokenLife))})
	default:
		return ends, nil
	}
}
