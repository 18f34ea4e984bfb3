package requirement

import (
	"fmt"
	"slices"
	"strings"
)

// Diagram returns the stages and the acts that lead from one to another as a
// Mermaid state diagram. It is made from [Table], so it cannot be wrong about
// it; what happens without anybody's act is added.
func Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> received: submit\n")
	for _, from := range Stages {
		for _, to := range Stages {
			var acts []string
			for _, rule := range Table {
				if from != to && slices.Contains(rule.In, from) && slices.Contains(rule.To, to) {
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

// silent are the moves that follow from a rule or from time, not from an act.
var silent = []struct {
	from, to Stage
	why      string
}{
	{Analysing, Assigned, "routing rule"},
	{Reviewing, Rejected, "time limit"},
	{Reviewing, Analysing, "time limit"},
	{Confirming, Archived, "silence"},
}
