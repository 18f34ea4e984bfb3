package activities

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"closeloop/contract"
	"closeloop/ledger"
	"closeloop/requirement"
)

// Audit compares the ledger's open requirements with the workflows that run, and
// repairs what is safe to repair.
//
// It costs little when all is well: what the ledger has and what Temporal lists
// are read page by page and laid side by side. Only what does not match, or what
// is late, is looked at closely, some time later: a transition on its way is no
// finding.
type Audit struct {
	Ledger   *ledger.Ledger
	Temporal client.Client
	// TaskQueue of the requirements that should be in the ledger. Other
	// installations may share the namespace.
	TaskQueue string
	// Retell returns the transitions that the histories of a requirement's workflow
	// say were written, in order, from the one with the event after that number on,
	// the first with the rules it was under. None are there yet while the workflow
	// still writes them.
	Retell func(ctx context.Context, id string, after int) ([]requirement.Transition, error)
	// Tolerance is how late something may be, or how long on its way. Default: a
	// minute.
	Tolerance time.Duration
	// Patience is how long a workflow may take to answer, and a repair to show.
	// Default: five seconds.
	Patience time.Duration
	// Pause is the time between the first look and the second. Default: two seconds.
	Pause time.Duration
	// LongHistory is how many events a run may have. Default: 10,000.
	LongHistory int
	// Page is how many rows are read at once, from either side. Default: 1,000.
	Page int
}

const (
	// partPages is how many pages of open requirements one activity looks at.
	partPages = 10
	// batchRows is how many suspects are looked at together.
	batchRows = 200
	// atOnce is how many calls are under way at a time.
	atOnce = 8
	// maxRetold bounds how many histories are replayed in a part: should the ledger
	// have lost everything, the audits that follow go on.
	maxRetold = 500
	// maxSilent is after how many workflows without an answer no other is asked:
	// then no worker is there.
	maxSilent = 24
	// maxWaiting bounds the time that a part waits for its repairs to show.
	maxWaiting = time.Minute
	// eventsPerFact is how many events of a history one fact costs at most: with few
	// facts there is no long history.
	eventsPerFact = 20
)

// audit is one part at work.
type audit struct {
	*Audit
	req  contract.AuditPartRequest
	part contract.AuditPart
	log  log.Logger

	suspects []*suspect
	retold   atomic.Int64
	silent   atomic.Int64
	waiting  time.Duration
}

// Part audits the requirements whose ids come after that of the request, up to a
// number of them.
func (a *Audit) Part(ctx context.Context, req contract.AuditPartRequest) (contract.AuditPart, error) {
	stop := beat(ctx)
	defer stop()
	run := audit{
		Audit: a, req: req, log: activity.GetLogger(ctx), waiting: maxWaiting,
		part: contract.AuditPart{Audited: contract.NewAudited()},
	}
	if err := run.walk(ctx); err != nil {
		return contract.AuditPart{}, err
	}
	return run.part, nil
}

// page is how many rows are read at once.
func (a *audit) page() int { return orElse(a.Page, 1_000) }

// patience is how long a workflow may take.
func (a *audit) patience() time.Duration { return orElse(a.Patience, 5*time.Second) }

// old reports whether an instant is further back than is tolerated.
func (a *audit) old(at time.Time) bool { return time.Since(at) > orElse(a.Tolerance, time.Minute) }

func orElse[T comparable](value, usual T) T {
	var none T
	if value == none {
		return usual
	}
	return value
}

// note puts a finding into the report, and what nobody has repaired into the log.
func (a *audit) note(f contract.Finding) {
	a.part.Note(f)
	if a.part.Found > contract.MaxFindings {
		return
	}
	facts := []any{"Kind", f.Kind, "Requirement", f.ID, "Since", f.Since, "Repair", f.Repair}
	for _, name := range []string{"Obstacle", "Error"} {
		if value := map[string]string{"Obstacle": string(f.Obstacle), "Error": f.Error}[name]; value != "" {
			facts = append(facts, name, value)
		}
	}
	if f.Repaired {
		a.log.Info("The audit repaired a finding", facts...)
		return
	}
	a.log.Warn("The audit found what is not repaired", facts...)
}

// each calls f for every item, some at a time, and returns the first error.
func each[T any](ctx context.Context, items []T, f func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, atOnce)
	var group sync.WaitGroup
	for _, item := range items {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			if err := f(ctx, item); err != nil {
				cancel(err)
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// pause waits, or returns the error of a context that ends meanwhile.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
