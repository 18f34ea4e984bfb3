package sla

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const minutesPerDay = 24 * 60

// A Window is a stretch of a day in which work is done, in minutes after
// midnight by the calendar's clocks: from From, up to but without To. To is
// beyond [minutesPerDay] when the window runs over midnight into the next day.
type Window struct{ From, To int }

var clockText = regexp.MustCompile(`^(\d{1,2}):(\d{2})$`)

// parseMinute reads `09:00` or `24:00`.
func parseMinute(text string) (int, error) {
	m := clockText.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return 0, fmt.Errorf("%q is not a time of day: write it like 09:00 or 18:30", text)
	}
	hour, _ := strconv.Atoi(m[1])
	minute, _ := strconv.Atoi(m[2])
	if total := hour*60 + minute; minute < 60 && total <= minutesPerDay {
		return total, nil
	}
	return 0, fmt.Errorf("%q is not a time of day: it is 00:00 to 24:00", text)
}

// NewWindow returns the window between two times of day. `24:00` and `23:59` at
// the end mean midnight; an end at or before the start is on the next day.
func NewWindow(from, to string) (Window, error) {
	start, err := parseMinute(from)
	if err != nil {
		return Window{}, err
	}
	end, err := parseMinute(to)
	if err != nil {
		return Window{}, err
	}
	if start == minutesPerDay {
		return Window{}, fmt.Errorf("%q is the end of a day, and nothing begins there: write 00:00", from)
	}
	if end == minutesPerDay-1 {
		end = minutesPerDay
	}
	if end <= start {
		end += minutesPerDay
	}
	return Window{From: start, To: end}, nil
}

// Texts returns the two times of day, as [NewWindow] reads them.
func (w Window) Texts() (from, to string) {
	end := w.To
	if end > minutesPerDay {
		end -= minutesPerDay
	}
	return minuteText(w.From), minuteText(end)
}

func minuteText(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }

// String returns `09:00–18:00`.
func (w Window) String() string {
	from, to := w.Texts()
	return from + "–" + to
}

// MarshalJSON returns `["09:00","18:00"]`.
func (w Window) MarshalJSON() ([]byte, error) {
	from, to := w.Texts()
	return json.Marshal([2]string{from, to})
}

// UnmarshalJSON reads `["09:00","18:00"]`; like other types it leaves null alone.
func (w *Window) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var texts []string
	if err := json.Unmarshal(data, &texts); err != nil || len(texts) != 2 {
		return fmt.Errorf(`%s is not a window: write two times of day like ["09:00","18:00"]`, data)
	}
	parsed, err := NewWindow(texts[0], texts[1])
	if err != nil {
		return err
	}
	*w = parsed
	return nil
}

// merged returns the windows in order, those that touch or overlap as one and
// without empty ones.
func merged(windows []Window) []Window {
	sorted := slices.Clone(windows)
	slices.SortFunc(sorted, func(a, b Window) int { return a.From - b.From })
	var joined []Window
	for _, w := range sorted {
		if w.From >= w.To {
			continue
		}
		if n := len(joined); n > 0 && w.From <= joined[n-1].To {
			joined[n-1].To = max(joined[n-1].To, w.To)
			continue
		}
		joined = append(joined, w)
	}
	return joined
}

// without returns what the cuts leave of the windows.
func without(windows, cuts []Window) []Window {
	for _, cut := range cuts {
		var left []Window
		for _, w := range windows {
			if before := (Window{w.From, min(w.To, cut.From)}); before.From < before.To {
				left = append(left, before)
			}
			if after := (Window{max(w.From, cut.To), w.To}); after.From < after.To {
				left = append(left, after)
			}
		}
		windows = left
	}
	return windows
}

// within returns the part of the windows in the day that begins `start` minutes
// after the day they belong to.
func within(windows []Window, start int) []Window {
	var part []Window
	for _, w := range windows {
		clipped := Window{max(0, w.From-start), min(minutesPerDay, w.To-start)}
		if clipped.From < clipped.To {
			part = append(part, clipped)
		}
	}
	return part
}
