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
// (`-30m`, `+15m`, `-2wd`). Row L3.
type Mark struct {
	// Percent of the target, when it is not zero.
	Percent int
	// Offset from the deadline, otherwise.
	Offset Duration
}

// Deadline is the mark of the deadline itself; every clock has it.
var Deadline = Mark{Percent: 100}

var percentText = regexp.MustCompile(`^(\d{1,4})\s*%$`)

// ParseMark reads `75%`, `-30m`, `+15m` or `-2wd`.
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
		if err == nil && !d.IsZero() && !d.Close {
			return Mark{Offset: d}, nil
		}
	}
	return Mark{}, fmt.Errorf("%q is not a mark: write a share of the target like 75%%, or a distance from the deadline like -30m or +15m", text)
}

// String returns the text that [ParseMark] reads.
func (m Mark) String() string {
	switch {
	case m.Percent != 0:
		return strconv.Itoa(m.Percent) + "%"
	case m.Offset.Negative():
		return m.Offset.String()
	default:
		return "+" + m.Offset.String()
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

// share returns the part of the target at which the mark stands. It is false
// for a mark that is a distance from the deadline.
func (m Mark) share(target time.Duration) (time.Duration, bool) {
	// Split so that a long target times a large percentage cannot overflow.
	whole, rest := target/100, target%100
	return whole*time.Duration(m.Percent) + rest*time.Duration(m.Percent)/100, m.Percent != 0
}

// A Repeat says how often a breach that lasts is told again. Row L3.
type Repeat struct {
	// Every is the working time between two repetitions.
	Every Duration `json:"every"`
	// Times is how many repetitions there are at most.
	Times int `json:"times"`
}
