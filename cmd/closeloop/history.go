package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"closeloop/access"
	"closeloop/ledger"
	"closeloop/requirement"
)

// eventRow is a fact as scripts see it.
type eventRow struct {
	// ID of the requirement, where events of several are mixed.
	ID    string           `json:"id,omitempty"`
	Seq   int              `json:"seq"`
	At    time.Time        `json:"at"`
	Kind  requirement.Kind `json:"kind"`
	Actor string           `json:"actor"`
	// Via is how the actor was known; left out when nobody said.
	Via string `json:"via,omitempty"`
	// Data are the particulars; an object without fields when there are none.
	Data json.RawMessage `json:"data"`
}

var historyColumns = []string{"seq", "at", "kind", "actor", "data", "via"}

func rowOf(e requirement.Event) eventRow {
	row := eventRow{Seq: e.Seq, At: e.At, Kind: e.Kind, Actor: e.Actor, Via: e.Via, Data: e.Data}
	if len(row.Data) == 0 || string(row.Data) == "null" {
		row.Data = json.RawMessage("{}")
	}
	return row
}

func (a *app) historyCommand() *cobra.Command {
	c := a.command("history", "history ID", "closeloop history REQ-7K2M9QXA\ncloseloop history REQ-7K2M9QXA -o ndjson")
	c.Args = a.takes(1, "ID")
	c.Annotations[listing] = "yes"
	c.ValidArgsFunction = a.completeIDs("")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		id, err := a.requirementID(args[0])
		if err != nil {
			return err
		}
		books, err := a.open(cmd.Context())
		if err != nil {
			return err
		}
		defer books.Close()
		events, err := allEvents(cmd.Context(), books, id, 0)
		if err != nil {
			return err
		}
		rows := make([]eventRow, len(events))
		for i, e := range events {
			rows[i] = rowOf(e)
		}
		return printList(a, rows, historyColumns, func(s *screen) { a.showHistory(s, rows) })
	}
	return c
}

// allEvents reads the events after a number, however many there are.
func allEvents(ctx context.Context, books archive, id string, after int) ([]requirement.Event, error) {
	var all []requirement.Event
	for {
		some, err := books.Events(ctx, id, after, ledger.MaxEvents)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(some) < ledger.MaxEvents {
			return all, nil
		}
		after = some[len(some)-1].Seq
	}
}

func (a *app) showHistory(s *screen, rows []eventRow) {
	people := a.people()
	table := make([][]string, len(rows))
	for i, r := range rows {
		table[i] = []string{
			fmt.Sprint(r.Seq), a.stamp(r.At), a.kind(s, r.Kind), a.withName(people, a.actor(r.Actor)) + a.knownBy(s, r), a.particulars(r),
		}
	}
	s.table(a.headers("number", "time", "event", "actor", "particulars"), table, 4, 3)
}

// knownBy is how the actor of an event was known, behind their name: at the
// command line, as it mostly is, goes without saying, and the system is known to
// itself.
func (a *app) knownBy(s *screen, r eventRow) string {
	switch {
	case r.Via == access.ViaCLI, r.Via == "" && r.Actor == requirement.SystemActor:
		return ""
	case r.Via == "":
		return s.faint.Render(gap + a.say("cli.history.unsaid", nil))
	default:
		return s.faint.Render(gap + clean(r.Via))
	}
}

// stamp is an instant to the second: events follow each other fast.
func (a *app) stamp(t time.Time) string { return t.In(a.zone).Format("2006-01-02 15:04:05") }

// actor is who did it; what falls due is done by the system.
func (a *app) actor(id string) string {
	switch id {
	case requirement.SystemActor, requirement.CustomerActor:
		return a.text.Name("role", id)
	default:
		return clean(id)
	}
}

func (a *app) kind(s *screen, k requirement.Kind) string {
	text := a.text.Name("event", string(k))
	switch k {
	case requirement.ClockBreached, requirement.ClockRepeated, requirement.EscalationAlarm, requirement.ActRefused,
		requirement.RequestDenied, requirement.Terminated:
		return s.bad.Render(text)
	case requirement.ClockMarked, requirement.EscalationStarted, requirement.EscalationRaised, requirement.Disputed:
		return s.warn.Render(text)
	case requirement.Resolved, requirement.Confirmed, requirement.WasArchived:
		return s.good.Render(text)
	default:
		return text
	}
}
