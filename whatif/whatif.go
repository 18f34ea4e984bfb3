package whatif

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// Question is what is asked.
type Question struct {
	// Rules that are tried.
	Rules policy.Process
	// At is the present: clocks that are open are judged as they stand then. It must
	// not be before the latest event.
	At time.Time
	// Clocks that are of interest; all when empty.
	Clocks []sla.Name
	// Limit is how many changed promises are listed.
	Limit int
}

// maxExamples is how many ids of lives that cannot be folded are told.
const maxExamples = 5

// waiting is how many lives wait to be folded, so that reading and folding go
// on side by side in bounded memory.
const waiting = 256

// Ask folds all lives that read yields, and compares. It stops at the first
// error of read. The rules must have calendars that can be compiled.
func Ask(ctx context.Context, q Question, read func(context.Context, func(Life) error) error) (Answer, error) {
	f, err := requirement.NewFold(q.Rules)
	if err != nil {
		return Answer{}, err
	}
	f = f.Quiet()
	lives := make(chan Life, waiting)
	sums := make([]*sum, runtime.GOMAXPROCS(0))
	var group sync.WaitGroup
	for i := range sums {
		sums[i] = newSum()
		group.Go(func() {
			for life := range lives {
				sums[i].fold(q, f, life)
			}
		})
	}
	err = read(ctx, func(life Life) error {
		select {
		case lives <- life:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	close(lives)
	group.Wait()
	if err != nil {
		return Answer{}, err
	}
	all := newSum()
	for _, s := range sums {
		all.merge(s)
	}
	return all.answer(q), nil
}

// fold compares one life.
func (s *sum) fold(q Question, f *requirement.Fold, life Life) {
	s.Requirements++
	folded, err := f.Life(life.Events, q.At, nil)
	if err != nil {
		if errors.Is(err, requirement.ErrNoStage) {
			s.NoStage++
		} else {
			s.Odd++
		}
		s.Examples = append(s.Examples, life.ID)
		s.keep(q.Limit, false)
		return
	}
	s.Folded++
	changed := s.ChangedPromises
	for _, c := range promises(q, life, folded) {
		c.ID, c.Priority, c.Department = life.ID, folded.Priority, folded.Department
		s.compare(c)
	}
	if s.ChangedPromises > changed {
		s.ChangedRequirements++
	}
	s.keep(q.Limit, false)
}

// promises are those of a life under the old rules, the new ones, or both.
func promises(q Question, life Life, folded requirement.Reckoning) []Change {
	all := make([]Change, 0, len(life.Clocks))
	asked := func(name sla.Name) bool { return len(q.Clocks) == 0 || slices.Contains(q.Clocks, name) }
	for _, c := range life.Clocks {
		if asked(c.Clock) {
			all = append(all, Change{Clock: c.Clock, Cycle: c.Cycle, Old: c.judge(q.At)})
		}
	}
	for i := range folded.Clocks {
		c := &folded.Clocks[i]
		if !asked(c.Name) {
			continue
		}
		at := slices.IndexFunc(all, func(was Change) bool { return was.Clock == c.Name && was.Cycle == c.Cycle })
		if at < 0 {
			all = append(all, Change{Clock: c.Name, Cycle: c.Cycle})
			at = len(all) - 1
		}
		all[at].New = judged(folded, c, q.At)
	}
	return all
}

func (s *sum) compare(c Change) {
	for _, g := range []*Group{
		&s.Total, s.clocks.of(string(c.Clock)), s.priorities.of(c.Priority), s.departments.of(c.Department),
	} {
		g.Old.count(c.Old.Verdict)
		g.New.count(c.New.Verdict)
	}
	if c.Old.Verdict != c.New.Verdict {
		s.ChangedPromises++
		s.Changed = append(s.Changed, c)
	}
}
