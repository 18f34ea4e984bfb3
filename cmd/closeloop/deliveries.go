package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"closeloop/access"
	"closeloop/ledger"
	"closeloop/starter"
	"closeloop/upstream"
)

// deliveryBook is what the commands on deliveries ask of the ledger.
type deliveryBook interface {
	upstream.Register
	Deliveries(ctx context.Context, f ledger.DeliveryFilter) ([]upstream.Kept, error)
	TakeUp(ctx context.Context, system, id string) (upstream.Kept, error)
}

// deliveryRow is a delivery as scripts see it.
type deliveryRow struct {
	Upstream   string                 `json:"upstream"`
	Delivery   string                 `json:"delivery"`
	Event      string                 `json:"event"`
	Tickets    []string               `json:"tickets"`
	State      upstream.DeliveryState `json:"state"`
	Outcome    string                 `json:"outcome"`
	Reason     string                 `json:"reason"`
	Attempts   int                    `json:"attempts"`
	ReceivedAt time.Time              `json:"received_at"`
	SettledAt  *time.Time             `json:"settled_at"`
}

var deliveryColumns = []string{
	"upstream", "delivery", "event", "tickets", "state", "outcome", "reason", "attempts", "received_at", "settled_at",
}

func deliveryRowOf(k upstream.Kept) deliveryRow {
	row := deliveryRow{
		Upstream: k.Upstream, Delivery: k.ID, Event: k.Event, Tickets: k.Refs, State: k.State, Outcome: k.Outcome,
		Reason: k.Reason, Attempts: k.Attempts, ReceivedAt: k.ReceivedAt, SettledAt: k.SettledAt,
	}
	if row.Tickets == nil {
		row.Tickets = []string{}
	}
	return row
}

func (a *app) deliveriesCommand() *cobra.Command {
	c := a.command("deliveries", "deliveries", "closeloop deliveries list --state failed\ncloseloop deliveries retry jira 1ff7a5a0-2f9c")
	a.parent(c)
	c.AddCommand(a.deliveriesListCommand(), a.deliveriesRetryCommand())
	return c
}

func (a *app) deliveriesListCommand() *cobra.Command {
	var system, state string
	var limit int
	c := a.command("deliveries.list", "list", "closeloop deliveries list --upstream jira\ncloseloop deliveries list --state refused -o csv")
	c.Args = a.takes(0)
	c.Annotations[listing] = "yes"
	f := a.flags(c)
	f.text(&system, "upstream")
	f.complete("upstream", a.completeUpstreams)
	f.choice(&state, "state", words(upstream.DeliveryStates))
	f.number(&limit, "limit")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		filter := ledger.DeliveryFilter{Upstream: system, State: upstream.DeliveryState(state), Limit: limit}
		if state != "" && !slices.Contains(upstream.DeliveryStates, filter.State) {
			return a.misused(cmd, "not_one_of", map[string]any{"Flag": "state", "Value": state, "Allowed": joined(upstream.DeliveryStates)})
		}
		if limit < 0 || limit > ledger.MaxLimit {
			return a.misused(cmd, "invalid", map[string]any{"Flag": "limit", "Reason": fmt.Sprintf("%d: 1 … %d", limit, ledger.MaxLimit)})
		}
		books, err := a.open(cmd.Context())
		if err != nil {
			return err
		}
		defer books.Close()
		kept, err := books.Deliveries(cmd.Context(), filter)
		if err != nil {
			return err
		}
		rows := make([]deliveryRow, len(kept))
		for i, k := range kept {
			rows[i] = deliveryRowOf(k)
		}
		return printList(a, rows, deliveryColumns, func(s *screen) { a.showDeliveries(s, rows) })
	}
	return c
}

func (a *app) showDeliveries(s *screen, rows []deliveryRow) {
	if len(rows) == 0 {
		if !a.quiet {
			s.line(a.say("cli.deliveries.none", nil))
		}
		return
	}
	table := make([][]string, len(rows))
	for i, r := range rows {
		table[i] = []string{
			clean(r.Upstream), s.strong.Render(clean(r.Delivery)), r.ReceivedAt.In(a.zone).Format("2006-01-02 15:04:05"), clean(r.Event),
			short(joined(r.Tickets), 40), a.deliveryState(s, r.State), clean(r.Outcome), strconv.Itoa(r.Attempts), short(r.Reason, 60),
		}
	}
	s.table(a.headers("upstream", "delivery", "received", "event", "tickets", "state", "outcome", "attempts", "reason"), table, 4, 8)
}

func (a *app) deliveryState(s *screen, state upstream.DeliveryState) string {
	text := a.text.Name("delivery_state", string(state))
	switch state {
	case upstream.Failed, upstream.Refused:
		return s.bad.Render(text)
	case upstream.Received:
		return s.warn.Render(text)
	case upstream.Ignored:
		return s.faint.Render(text)
	default:
		return text
	}
}

func (a *app) deliveriesRetryCommand() *cobra.Command {
	c := a.command("deliveries.retry", "retry UPSTREAM DELIVERY", "closeloop deliveries retry jira 1ff7a5a0-2f9c")
	c.Args = a.takes(2, "UPSTREAM", "DELIVERY")
	c.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.completeUpstreams(cmd, args, typed)
	}
	c.RunE = func(cmd *cobra.Command, args []string) error { return a.retryDelivery(cmd.Context(), args[0], args[1]) }
	return c
}

// retryDelivery processes a delivery once more, by the policy as it is here now.
func (a *app) retryDelivery(ctx context.Context, system, id string) error {
	p, err := a.policy()
	if err != nil {
		return err
	}
	u, ok := p.Upstream(system)
	if !ok {
		return &failure{exitNotFound, "not_found", a.say("cli.error.no_upstream", map[string]any{"Name": system}), a.say("cli.hint.no_upstream", nil)}
	}
	books, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer books.Close()
	d, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	k, err := books.TakeUp(ctx, system, id)
	if errors.Is(err, ledger.ErrNotFound) {
		params := map[string]any{"Upstream": system, "Delivery": id}
		return &failure{exitNotFound, "not_found", a.say("cli.error.no_delivery", params), a.say("cli.hint.no_delivery", params)}
	}
	if err != nil {
		return err
	}
	clerk := upstream.Clerk{Desk: starter.Counter{Desk: d}, Register: books, Who: access.System(system, access.ViaWebhook+system)}
	result, err := clerk.Process(ctx, u, p.Process, k)
	if err != nil {
		return err
	}
	k.State, k.Outcome, k.Reason = result.State, result.Outcome(), result.Reason()
	row := deliveryRowOf(k)
	if result.State.Settled() || result.State == upstream.Failed {
		now := a.now()
		row.SettledAt = &now
	}
	err = a.print(row, func(s *screen) {
		if !a.quiet {
			s.line(a.say("cli.deliveries.retried", map[string]any{
				"Upstream": system, "Delivery": id, "State": a.deliveryState(s, row.State), "Outcome": clean(row.Outcome), "Reason": clean(row.Reason),
			}))
		}
	})
	switch {
	case err != nil:
		return err
	case result.State == upstream.Refused:
		return &failure{exitRefused, "refused", a.say("cli.deliveries.came_to_nothing", map[string]any{"Reason": row.Reason}), ""}
	case result.State == upstream.Failed:
		return &failure{exitFailure, "failed", a.say("cli.deliveries.came_to_nothing", map[string]any{"Reason": row.Reason}), a.say("cli.hint.mapping", nil)}
	default:
		return nil
	}
}

// completeUpstreams are the names of the policy's upstream systems.
func (a *app) completeUpstreams(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if p, err := a.policy(); err == nil {
		for _, u := range p.Upstreams {
			names = append(names, u.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
