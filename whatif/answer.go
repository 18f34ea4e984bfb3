package whatif

import (
	"slices"
	"strings"

	"closeloop/requirement"
	"closeloop/sla"
)

// Answer is what other rules would have made of promises. Its field names are a
// contract: `sla whatif -o json`.
type Answer struct {
	// Policy is the digest of the rules that were asked about.
	Policy string `json:"policy"`
	// Requirements were looked at; Folded of them could be folded, and only those
	// count in what follows, on both sides.
	Requirements int `json:"requirements"`
	Folded       int `json:"folded"`
	// NoStage were written before events said where they led to, Odd have events
	// that do not fit together. Examples are ids of either, the first in order.
	NoStage  int      `json:"no_stage"`
	Odd      int      `json:"odd"`
	Examples []string `json:"examples"`

	Total Group `json:"total"`
	// By clock, and by the priority and the department that requirements have in the
	// end; a department of "" is none.
	ByClock      []Group `json:"by_clock"`
	ByPriority   []Group `json:"by_priority"`
	ByDepartment []Group `json:"by_department"`

	// ChangedRequirements have a promise with another verdict; ChangedPromises are
	// those promises, and Changed the first of them, by requirement.
	ChangedRequirements int      `json:"changed_requirements"`
	ChangedPromises     int      `json:"changed_promises"`
	Changed             []Change `json:"changed"`
}

// Group is a number of promises, by what became of them.
type Group struct {
	// Key is a clock, a priority or a department; empty for the total.
	Key string `json:"key"`
	Old Tally  `json:"old"`
	New Tally  `json:"new"`
}

// Tally counts verdicts.
type Tally struct {
	Met      int `json:"met"`
	Breached int `json:"breached"`
	Running  int `json:"running"`
	Stopped  int `json:"stopped"`
	Undated  int `json:"undated"`
}

func (t *Tally) count(v Verdict) {
	switch v {
	case Met:
		t.Met++
	case Breached:
		t.Breached++
	case Running:
		t.Running++
	case Stopped:
		t.Stopped++
	case Undated:
		t.Undated++
	}
}

func (t *Tally) add(other Tally) {
	t.Met += other.Met
	t.Breached += other.Breached
	t.Running += other.Running
	t.Stopped += other.Stopped
	t.Undated += other.Undated
}

// Change is a promise with another verdict.
type Change struct {
	ID         string   `json:"id"`
	Clock      sla.Name `json:"clock"`
	Cycle      int      `json:"cycle"`
	Priority   string   `json:"priority"`
	Department string   `json:"department"`
	// Old and New have an empty verdict where the rules make no such promise.
	Old Outcome `json:"old"`
	New Outcome `json:"new"`
}

func (c Change) compare(other Change) int {
	if by := strings.Compare(c.ID, other.ID); by != 0 {
		return by
	}
	if by := place(sla.Names, c.Clock) - place(sla.Names, other.Clock); by != 0 {
		return by
	}
	return c.Cycle - other.Cycle
}

// place is where a name stands in a list; behind all when it does not.
func place[T comparable](list []T, name T) int {
	if i := slices.Index(list, name); i >= 0 {
		return i
	}
	return len(list)
}

// first returns the first n in order.
func first[T any](list []T, n int, compare func(a, b T) int) []T {
	slices.SortFunc(list, compare)
	return list[:min(len(list), n)]
}

// groups are the promises by key.
type groups map[string]*Group

func (g groups) of(key string) *Group {
	if g[key] == nil {
		g[key] = &Group{Key: key}
	}
	return g[key]
}

func (g groups) merge(other groups) {
	for key, group := range other {
		mine := g.of(key)
		mine.Old.add(group.Old)
		mine.New.add(group.New)
	}
}

// sorted returns the groups in the order of their keys: those of the list, then
// the others, and what has none at the end.
func (g groups) sorted(order []string) []Group {
	list := make([]Group, 0, len(g))
	for _, group := range g {
		list = append(list, *group)
	}
	slices.SortFunc(list, func(a, b Group) int {
		if by := place(order, a.Key) - place(order, b.Key); by != 0 {
			return by
		}
		if (a.Key == "") != (b.Key == "") {
			return len(b.Key) - len(a.Key)
		}
		return strings.Compare(a.Key, b.Key)
	})
	return list
}

// sum is an answer on its way.
type sum struct {
	Answer
	clocks, priorities, departments groups
}

func newSum() *sum {
	return &sum{clocks: groups{}, priorities: groups{}, departments: groups{}}
}

// keep bounds what is kept of lists that grow with the number of lives.
func (s *sum) keep(changes int, all bool) {
	if all || len(s.Changed) > 2*changes+100 {
		s.Changed = first(s.Changed, changes, Change.compare)
	}
	if all || len(s.Examples) > 2*maxExamples {
		s.Examples = first(s.Examples, maxExamples, strings.Compare)
	}
}

func (s *sum) merge(other *sum) {
	s.Requirements += other.Requirements
	s.Folded += other.Folded
	s.NoStage += other.NoStage
	s.Odd += other.Odd
	s.Examples = append(s.Examples, other.Examples...)
	s.Total.Old.add(other.Total.Old)
	s.Total.New.add(other.Total.New)
	s.clocks.merge(other.clocks)
	s.priorities.merge(other.priorities)
	s.departments.merge(other.departments)
	s.ChangedRequirements += other.ChangedRequirements
	s.ChangedPromises += other.ChangedPromises
	s.Changed = append(s.Changed, other.Changed...)
}

func (s *sum) answer(q Question) Answer {
	s.keep(q.Limit, true)
	a := s.Answer
	a.Policy = q.Rules.Digest
	names := make([]string, len(sla.Names))
	for i, name := range sla.Names {
		names[i] = string(name)
	}
	a.ByClock = s.clocks.sorted(names)
	a.ByPriority = s.priorities.sorted(requirement.Priorities)
	a.ByDepartment = s.departments.sorted(nil)
	if a.Changed == nil {
		a.Changed = []Change{}
	}
	if a.Examples == nil {
		a.Examples = []string{}
	}
	return a
}
