package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"

	"closeloop/contract"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/starter"
)

const (
	// adoptAtOnce is how many requirements are put under other rules at a time.
	adoptAtOnce = 16
	// adoptPatience bounds the wait for the answer of one.
	adoptPatience = 30 * time.Second
	// ledgerPatience bounds the wait for the ledger to show what was answered.
	ledgerPatience = time.Minute
	// ledgerTick is how often the ledger is asked.
	ledgerTick = 100 * time.Millisecond
)

// adopt puts the requirements under the rules and waits until the ledger shows
// them so. One that cannot be reached does not stop the others; the error says
// that none can be, or that the person may not.
func (a *app) adopt(ctx context.Context, books archive, rules policy.Process, ids []string, answer *applied) error {
	// Many at once take their time, and one answer that is late must not end it.
	a.patience = adoptPatience
	d, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	bar := a.counting(len(ids), a.say("cli.policy.apply.progress", nil))
	run := adoption{app: a, desk: d, message: contract.Adopt{Header: a.header(), Process: rules}, bar: bar}
	err = run.all(ctx, ids)
	_ = bar.Exit()
	answer.Ended += run.ended
	waiting, lookErr := settle(ctx, books, rules.Digest, run.answered)
	answer.Applied = len(run.answered) - len(waiting)
	for _, id := range waiting {
		run.failed = append(run.failed, unreached{id, a.say("cli.policy.apply.not_written", nil)})
	}
	slices.SortFunc(run.failed, func(x, y unreached) int { return strings.Compare(x.ID, y.ID) })
	answer.Failed = append(answer.Failed, run.failed...)
	if err = errors.Join(err, lookErr); err == nil {
		return nil
	}
	f := *a.failureOf(err)
	f.Message = a.say("cli.policy.apply.stopped", map[string]any{"Count": answer.Applied, "Total": len(ids), "Reason": f.Message})
	f.Hint = strings.TrimSpace(a.say("cli.policy.apply.again", nil) + "\n" + f.Hint)
	return &f
}

// adoption is many requirements on their way to other rules.
type adoption struct {
	app     *app
	desk    desk
	message contract.Adopt
	bar     *progressbar.ProgressBar

	mu       sync.Mutex
	answered []string
	failed   []unreached
	ended    int
	// silent counts those whose worker did not answer.
	silent int
	fatal  error
}

// all sends the message to every one, a few at a time.
func (r *adoption) all(ctx context.Context, ids []string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	next := make(chan string)
	var busy sync.WaitGroup
	for range min(adoptAtOnce, len(ids)) {
		busy.Go(func() {
			for id := range next {
				_, err := r.desk.Adopt(ctx, id, r.message)
				if r.note(ctx, id, err) != nil {
					stop()
				}
			}
		})
	}
	for _, id := range ids {
		select {
		case next <- id:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	busy.Wait()
	if r.fatal == nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return r.fatal
}

// note puts down what one answered. The error is one that all the others would
// meet as well.
func (r *adoption) note(ctx context.Context, id string, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.bar.Add(1)
	refused, isRefusal := errors.AsType[*requirement.Error](err)
	switch {
	case err == nil:
		r.answered = append(r.answered, id)
		return nil
	case errors.Is(err, starter.ErrOver), isRefusal && refused.Code == requirement.CodeOver:
		r.ended++
		return nil
	case ctx.Err() != nil:
		return nil
	case isRefusal && slices.Contains([]requirement.Code{requirement.CodeRole, requirement.CodeUnknown, requirement.CodeInvalid}, refused.Code),
		errors.Is(err, starter.ErrUnreachable):
		r.fatal = err
	case errors.Is(err, starter.ErrNoWorker):
		// One may be stuck for a reason of its own; when nobody answers, no worker is
		// there.
		if r.silent++; r.silent >= adoptAtOnce && len(r.answered) == 0 {
			r.fatal = err
		}
	}
	if r.fatal == nil {
		r.failed = append(r.failed, unreached{id, r.app.failureOf(err).Message})
	}
	return r.fatal
}

// settle waits until the ledger shows the requirements under the rules, and
// returns those that it does not show so in time.
func settle(ctx context.Context, books archive, digest string, ids []string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, ledgerPatience)
	defer cancel()
	tick := time.NewTicker(ledgerTick)
	defer tick.Stop()
	for {
		if len(ids) == 0 {
			return nil, nil
		}
		rules, err := books.RulesOf(ctx, ids)
		if ctx.Err() != nil {
			return ids, nil
		}
		if err != nil {
			return ids, err
		}
		ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return rules[id] == digest })
		if len(ids) == 0 {
			return nil, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ids, nil
		}
	}
}

// counting is a bar that counts on a terminal, and nothing elsewhere.
func (a *app) counting(total int, what string) *progressbar.ProgressBar {
	file, ok := a.err.(*os.File)
	if !ok || a.quiet || a.output != formatTable || !isatty.IsTerminal(file.Fd()) {
		return progressbar.DefaultSilent(int64(total))
	}
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(file),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetWidth(30),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionFullWidth(),
	)
}
