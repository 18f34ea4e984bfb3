package sla

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A Mark is a point on a clock's way at which somebody is to be told: a share
// of the target (`75%`, `110%`) or a distance from the deadline in working time
// (`-30m`, `+15m`). Row L3.
type Mark struct {
	// Percent of the target, when it is not zero.
	Percent int
	// Offset from the deadline, otherwise.
	Offset time.Duration
}

// Deadline is the mark of the deadline itself; every clock has it.
var Deadline = Mark{Percent: 100}

var percentText = regexp.MustCompile(`^(\d{1,4})\s*%$`)

// ParseMark reads `75%`, `-30m` or `+15m`.
func ParseMark(text string) (Mark, error) {
	trimmed := strings.TrimSpace(text)
	if m := percentText.FindStringSubmatch(trimmed); m != nil {
		percent, err := strconv.Atoi(m[1])
		if err != nil || percent == 0 {
			return Mark{}, fmt.Errorf("%q is not a mark: a percentage is at least 1%%", text)
		}
		return Mark{Percent: percent}, nil
	}
	if strings.HasPrefix(trimmed, "-") || strings.HasPrefix(trimmed, "+") {
		d, err := ParseDuration(trimmed)
		if err == nil && d.WorkingDays == 0 && d.Time != 0 {
			return Mark{Offset: d.Time}, nil
		}
	}
	return Mark{}, fmt.Errorf("%q is not a mark: write a share of the target like 75%%, or a distance from the deadline like -30m or +15m", text)
}

// String returns the text that [ParseMark] reads.
func (m Mark) String() string {
	switch {
	case m.Percent != 0:
		return strconv.Itoa(m.Percent) + "%"
	case m.Offset > 0:
		return "+" + Exactly(m.Offset).String()
	default:
		return Exactly(m.Offset).String()
	}
}

// MarshalText returns [Mark.String].
func (m Mark) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what [ParseMark] reads.
func (m *Mark) UnmarshalText(text []byte) error {
	parsed, err := ParseMark(string(text))
	if err != nil {
		return err
	}
	*m = parsed
	return nil
}

// work returns the working time after the start at which the mark stands, for a
// clock whose target is `target` long. It may be negative: such a mark lies
// before the start and never fires.
func (m Mark) work(target time.Duration) time.Duration {
	if m.Percent != 0 {
		// Split so that a long target times a large percentage cannot overflow.
		whole, rest := target/100, target%100
		return whole*time.Duration(m.Percent) + rest*time.Duration(m.Percent)/100
	}
	return target + m.Offset
}

// A Repeat says how often a breach that lasts is told again. Row L3.
type Repeat struct {
	// Every is the working time between two repetitions.
	Every Duration `json:"every"`
	// Times is how many repetitions there are at most.
	Times int `json:"times"`
}
