package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"closeloop/contract"
	"closeloop/ledger"
	"closeloop/link"
	"closeloop/notify"
	"closeloop/policy"
	"closeloop/requirement"
)

// linkIssuer makes links as the environment says, for a worker and a gateway.
// Where it says nothing there are none, which the log tells once.
func (a *app) linkIssuer(logger *slog.Logger) (*link.Issuer, error) {
	issuer, err := link.FromEnv(func(name string) string { return a.env[name] })
	if errors.Is(err, link.ErrNotSetUp) {
		logger.Warn("There are no links for customers and approvers: notices have none, and the pages are off",
			"set", link.EnvURL+"=https://care.example.com and "+link.EnvKeys+"=NAME:BASE64")
		return nil, nil
	}
	return issuer, err
}

// linksFrom are the links that notices carry: none where there is no issuer.
func linksFrom(issuer *link.Issuer, books *ledger.Ledger) notify.Links {
	if issuer == nil {
		return nil
	}
	return link.Writer{Issuer: issuer, Versions: books}
}

// linkCommand is about the links by which customers and approvers reach their
// pages.
func (a *app) linkCommand() *cobra.Command {
	c := a.command("link", "link", "closeloop link show REQ-7K2M9QXA")
	a.parent(c)
	c.AddCommand(a.linkShowCommand(), a.linkRevokeCommand())
	return c
}

func (a *app) linkShowCommand() *cobra.Command {
	var recipient string
	c := a.command("link.show", "show ID", "closeloop link show REQ-7K2M9QXA\ncloseloop link show REQ-7K2M9QXA --for zhang.wei")
	c.Args = a.takes(1, "ID")
	c.ValidArgsFunction = a.completeIDs("")
	a.flags(c).person(&recipient, "for")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.showLink(cmd.Context(), contract.NormalID(args[0]), recipientOf(recipient))
	}
	return c
}

func (a *app) linkRevokeCommand() *cobra.Command {
	var recipient string
	c := a.command("link.revoke", "revoke ID", "closeloop link revoke REQ-7K2M9QXA --as li.na\ncloseloop link revoke REQ-7K2M9QXA --for zhang.wei")
	c.Args = a.takes(1, "ID")
	c.ValidArgsFunction = a.completeIDs("")
	a.flags(c).person(&recipient, "for")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.revokeLinks(cmd.Context(), contract.NormalID(args[0]), recipientOf(recipient))
	}
	return c
}

// recipientOf is who a link is for: the customer when nobody is named.
func recipientOf(name string) string {
	if name == "" {
		return link.ToCustomer
	}
	return name
}

// shownLink is the answer to link show.
type shownLink struct {
	ID      string `json:"id"`
	For     string `json:"for"`
	URL     string `json:"url"`
	Version int    `json:"version"`
	// Round of approval; zero for the customer.
	Round     int       `json:"round,omitempty"`
	ExpiresAt time.Time `json:"expires_at"`
}

// showLink makes a link for somebody who has lost theirs.
func (a *app) showLink(ctx context.Context, id, recipient string) error {
	issuer, err := link.FromEnv(func(name string) string { return a.env[name] })
	if err != nil {
		return &failure{exitUsage, "no_links", err.Error(), a.say("cli.hint.no_links", nil)}
	}
	books, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer books.Close()
	r, err := books.Get(ctx, id)
	if err != nil {
		return err
	}
	round, err := a.roundFor(r, recipient)
	if err != nil {
		return err
	}
	issued, err := link.Writer{Issuer: issuer, Versions: books}.Issue(ctx, id, recipient, round, a.now())
	if err != nil {
		return err
	}
	answer := shownLink{ID: id, For: recipient, URL: issued.URL, Version: issued.Version, Round: round, ExpiresAt: issued.Expires}
	return a.print(answer, func(s *screen) {
		s.line(issued.URL)
		a.remark("cli.link.until", map[string]any{"Expires": a.text.Time(issued.Expires, a.zone)})
	})
}

// roundFor is the round of approval that a person's link is for. Somebody who is
// not asked in it gets none.
func (a *app) roundFor(r *requirement.Requirement, recipient string) (int, error) {
	if recipient == link.ToCustomer {
		return 0, nil
	}
	if r.Approval != nil && r.Approval.State == requirement.RoundOpen {
		for _, vote := range r.Approval.Votes {
			if vote.Person == recipient {
				return r.Approval.Round, nil
			}
		}
	}
	return 0, &failure{
		exitRefused, "not_asked", a.say("cli.link.not_asked", map[string]any{"ID": r.ID, "Person": recipient}),
		a.say("cli.link.not_asked_hint", map[string]any{"ID": r.ID}),
	}
}

// revokedLinks is the answer to link revoke.
type revokedLinks struct {
	ID  string `json:"id"`
	For string `json:"for"`
	ledger.Revoked
}

// hasLinks refuses somebody who was never sent a link: whoever mistypes a name
// must not believe that the links of another are revoked.
func (a *app) hasLinks(ctx context.Context, books archive, id, recipient string) error {
	if recipient == link.ToCustomer {
		return nil
	}
	target, err := books.Target(ctx, id)
	if err != nil || slices.Contains(target.Voters, recipient) {
		return err
	}
	return &failure{
		exitNotFound, "not_found", a.say("cli.link.never_asked", map[string]any{"ID": id, "Person": recipient}),
		a.say("cli.link.not_asked_hint", map[string]any{"ID": id}),
	}
}

// revokeLinks ends the links that a recipient has.
func (a *app) revokeLinks(ctx context.Context, id, recipient string) error {
	books, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer books.Close()
	if err := a.hasLinks(ctx, books, id, recipient); err != nil {
		return err
	}
	by := a.as
	if by == "" {
		by = requirement.SystemActor
	}
	revoked, err := books.RevokeLinks(ctx, id, recipient, by)
	if err != nil {
		return err
	}
	return a.print(revokedLinks{id, recipient, revoked}, func(s *screen) {
		who := recipient
		if who == policy.SeatCustomer {
			who = a.text.Name("role", who)
		}
		s.line(s.good.Render(a.say("cli.link.revoked", map[string]any{"ID": id, "For": who})))
	})
}
