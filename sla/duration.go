package sla

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A Duration is a length of working time: either an exact length, or a number
// of whole working days. Days exist only where the unit says so (`2wd`), never
// by conversion, because a working day has no fixed length.
type Duration struct {
	// Time is the exact length; zero when WorkingDays is set.
	Time time.Duration
	// WorkingDays is the number of working days; zero when Time is set. They end
	// at the time of day at which they began.
	WorkingDays int
	// Close says that the working days end with the last of them, not at the time
	// of day at which they began: `3wd close`.
	Close bool
}

// Exactly returns the Duration of the exact length d.
func Exactly(d time.Duration) Duration { return Duration{Time: d} }

// IsZero reports whether the duration is empty, as in "none given".
func (d Duration) IsZero() bool { return d == Duration{} }

// Negative reports whether the duration counts backwards.
func (d Duration) Negative() bool { return d.Time < 0 || d.WorkingDays < 0 }

// String returns the canonical text: `1h30m`, `90s`, `5wd`.
func (d Duration) String() string {
	if d.WorkingDays != 0 {
		text := strconv.Itoa(d.WorkingDays) + "wd"
		if d.Close {
			text += " close"
		}
		return text
	}
	if d.Time == 0 {
		return "0s"
	}
	text := d.Time.String()
	// time.Duration prints 2h0m0s; people write 2h.
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText returns the canonical text, for JSON and YAML.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [ParseDuration] reads.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := ParseDuration(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

var (
	workingDays = regexp.MustCompile(`^([+-]?\d+)\s*(?:wd|working\s*days?|个?工作日)(\s+close|\s*下班前)?$`)
	plainDays   = regexp.MustCompile(`^[+-]?\d+\s*(?:d|days?|天|日)$`)
	isoTime     = regexp.MustCompile(`^([+-]?)PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?$`)
	chineseTime = regexp.MustCompile(`^([+-]?)(?:(\d+)\s*个?小时)?\s*(?:(\d+)\s*分钟?)?\s*(?:(\d+)\s*秒)?$`)
)

// ParseDuration reads `90s`, `2h`, `1h30m`, `PT2H`, `3wd`, `3 working days`,
// `3个工作日`, `2小时`, and `3wd close` or `3个工作日下班前` for the end of the third
// working day. A bare day (`1d`) is refused, because it means 24 hours
// to one reader and one working day to the next; the error offers both.
func ParseDuration(text string) (Duration, error) {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return Duration{}, errors.New(`a duration is missing: write it like 90s, 2h or 3wd`)
	}
	if m := workingDays.FindStringSubmatch(trimmed); m != nil {
		days, err := strconv.Atoi(m[1])
		if err != nil || days > 10_000 || days < -10_000 {
			return Duration{}, fmt.Errorf("%q: at most 10000 working days", text)
		}
		atClose := m[2] != "" && days != 0
		if atClose && days < 0 {
			return Duration{}, fmt.Errorf("%q counts backwards and has no close: write %dwd", text, days)
		}
		return Duration{WorkingDays: days, Close: atClose}, nil
	}
	if plainDays.MatchString(trimmed) {
		n := strings.TrimRight(trimmed, "days天日 ")
		days, err := strconv.Atoi(n)
		if err != nil {
			return Duration{}, fmt.Errorf("%q is not a duration", text)
		}
		return Duration{}, fmt.Errorf("%q is ambiguous: write %dwd for working days, or %dh for %d times 24 hours", text, days, 24*days, days)
	}
	if d, err := time.ParseDuration(trimmed); err == nil {
		return Exactly(d), nil
	}
	if m := isoTime.FindStringSubmatch(trimmed); m != nil && trimmed[len(trimmed)-1] != 'T' {
		return fromParts(text, m)
	}
	if m := chineseTime.FindStringSubmatch(trimmed); m != nil {
		return fromParts(text, m)
	}
	return Duration{}, fmt.Errorf("%q is not a duration: write it like 90s, 2h, 1h30m, PT2H or 3wd", text)
}

// fromParts adds up sign, hours, minutes and seconds as a pattern found them.
func fromParts(text string, m []string) (Duration, error) {
	var total float64
	for i, unit := range []time.Duration{time.Hour, time.Minute, time.Second} {
		if m[i+2] == "" {
			continue
		}
		n, err := strconv.ParseFloat(m[i+2], 64)
		if err != nil {
			return Duration{}, fmt.Errorf("%q is not a duration: %w", text, err)
		}
		total += n * float64(unit)
	}
	if total >= math.MaxInt64 {
		return Duration{}, fmt.Errorf("%q is too long", text)
	}
	d := time.Duration(math.Round(total))
	if m[1] == "-" {
		d = -d
	}
	return Exactly(d), nil
}
