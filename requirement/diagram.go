package requirement

import (
	"fmt"
	"slices"
	"strings"
)

// Diagram returns the stages and the acts that lead from one to another as a
// Mermaid state diagram. It is made from [Table] by [Moves], so it cannot be
// wrong about it; what happens without anybody's act is added.
func Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> received: submit\n")
	for _, from := range Stages {
		for _, to := range Stages {
			var acts []string
			for _, rule := range Table {
				if slices.Contains(Moves(rule.Act, from), to) {
					acts = append(acts, string(rule.Act))
				}
			}
			for _, s := range silent {
				if s.from == from && s.to == to {
					acts = append(acts, s.why)
				}
			}
			if len(acts) > 0 {
				fmt.Fprintf(&b, "    %s --> %s: %s\n", from, to, strings.Join(acts, ", "))
			}
		}
	}
	for _, s := range Stages {
		if s.Ended() {
			fmt.Fprintf(&b, "    %s --> [*]\n", s)
		}
	}
	return b.String()
}

// Moves returns the stages that the act may lead to from that stage, besides
// staying in it.
func Moves(act Name, from Stage) []Stage {
	rule := ruleOf(act)
	if !slices.Contains(rule.In, from) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(rule.To), func(to Stage) bool {
		return from == to || slices.Contains(never, move{act, from, to})
	})
}

type move struct {
	act      Name
	from, to Stage
}

// never are the moves that a row of [Table] seems to allow, because it names
// all its stages together, and that the rules never make: work begins with what
// is assigned, and another wording is asked about only where somebody was asked
// about this one.
var never = []move{
	{ActRespond, Received, Executing},
	{ActRespond, Analysing, Executing},
	{ActRespond, Reviewing, Executing},
	{ActAmend, Received, Reviewing},
	{ActAmend, Confirming, Reviewing},
	{ActDecline, Reviewing, Analysing},
	{ActDecline, Reviewing, Assigned},
	{ActDecline, Reviewing, Executing},
}

// silent are the moves that follow from a rule or from time, not from an act.
var silent = []struct {
	from, to Stage
	why      string
}{
	{Analysing, Assigned, "routing rule"},
	{Reviewing, Rejected, "time limit"},
	{Reviewing, Analysing, "time limit"},
	{Reviewing, Assigned, "time limit"},
	{Reviewing, Executing, "time limit"},
	{Confirming, Archived, "silence"},
}
