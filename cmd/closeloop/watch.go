package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"closeloop/ledger"
	"closeloop/requirement"
)

func (a *app) watchCommand() *cobra.Command {
	var after int
	c := a.command("watch", "watch [ID]", "closeloop watch\ncloseloop watch REQ-7K2M9QXA --after 0\ncloseloop watch -o ndjson")
	c.Args = a.takes(0, "ID")
	c.Annotations[listing] = "yes"
	c.ValidArgsFunction = a.completeIDs("")
	f := a.flags(c)
	f.set.IntVar(&after, "after", fromNowOn, f.usage("after"))
	f.set.Lookup("after").DefValue = "0"
	c.RunE = func(cmd *cobra.Command, args []string) error {
		w := watcher{app: a, seen: map[string]int{}, screen: a.screen(a.out), people: a.people()}
		if a.output == formatCSV || a.output == formatYAML {
			return a.misused(cmd, "invalid", map[string]any{"Flag": "output", "Reason": a.output + ": table, json, ndjson"})
		}
		if len(args) == 1 {
			id, err := a.requirementID(args[0])
			if err != nil {
				return err
			}
			w.only = id
		}
		books, err := a.open(cmd.Context())
		if err != nil {
			return err
		}
		defer books.Close()
		w.books = books
		return w.run(cmd.Context(), after)
	}
	return c
}

// fromNowOn is the value of --after that nobody gave.
const fromNowOn = -1

// watcher follows the ledger. The database tells which requirement was written;
// nothing is asked again and again.
type watcher struct {
	*app
	books  archive
	screen *screen
	people []person
	// only is the one requirement that is watched; all when empty.
	only string
	// seen is the last event of each requirement that was printed, since the
	// watching began.
	seen  map[string]int
	since time.Time
}

// The pauses between attempts to listen again, once the database was lost.
const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// run follows until it is told to stop, which is no failure. A database that is
// lost on the way is waited for; one that was never there is an error.
func (w *watcher) run(ctx context.Context, after int) error {
	w.since = w.now().Add(-time.Second)
	if w.only != "" {
		if err := w.begin(ctx, after); err != nil {
			return interrupted(ctx, err)
		}
	}
	heard, pause := false, firstRetry
	for {
		err := w.books.Listen(ctx, func(id string) {
			if id == "" {
				heard, pause = true, firstRetry
				w.catchUp(ctx)
				return
			}
			w.follow(ctx, id)
		})
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // being told to stop is no failure
		case err == nil:
			return nil
		case !heard || !errors.Is(err, ledger.ErrUnreachable):
			return err
		}
		s := w.app.screen(w.err)
		s.line(s.warn.Render(w.say("cli.watch.lost", map[string]any{"Reason": clean(err.Error()), "Pause": w.text.Duration(pause)})))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, lastRetry)
	}
}

// interrupted makes being told to stop no failure.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // see above
	}
	return err
}

// begin finds where to start with the one requirement that is watched.
func (w *watcher) begin(ctx context.Context, after int) error {
	if after == fromNowOn {
		r, err := w.books.Get(ctx, w.only)
		if err != nil {
			return err
		}
		w.seen[w.only] = r.Seq
		return nil
	}
	w.seen[w.only] = after
	_, err := w.books.Events(ctx, w.only, 0, 1)
	return err
}

// catchUp prints what was written before the listening began.
func (w *watcher) catchUp(ctx context.Context) {
	for id := range w.seen {
		w.follow(ctx, id)
	}
}

// follow prints what is new of a requirement.
func (w *watcher) follow(ctx context.Context, id string) {
	if w.only != "" && id != w.only {
		return
	}
	seen, known := w.seen[id]
	events, err := allEvents(ctx, w.books, id, seen)
	if err != nil {
		if ctx.Err() == nil {
			s := w.app.screen(w.err)
			s.line(s.warn.Render(clean(err.Error())))
		}
		return
	}
	if len(events) == 0 {
		return
	}
	last := events[len(events)-1]
	w.seen[id] = last.Seq
	for _, e := range events {
		// Of a requirement that is seen for the first time, what lies before the
		// watching is history.
		if known || e.At.After(w.since) || e.At.Equal(last.At) {
			w.print(id, e)
		}
	}
}

func (w *watcher) print(id string, e requirement.Event) {
	row := rowOf(e)
	row.ID = id
	if w.output != formatTable {
		// A reader that is gone ends the program by its signal.
		_ = w.printJSON(row, "")
		return
	}
	w.screen.line(
		w.screen.faint.Render(e.At.In(w.zone).Format("15:04:05")), " ", w.screen.strong.Render(id), " ",
		w.screen.facts(w.kind(w.screen, e.Kind), w.withName(w.people, w.actor(e.Actor)), w.particulars(row)),
	)
}
