package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"closeloop/requirement"
	"closeloop/sla"
)

// maxParticulars is how much of an event's particulars a line has, in columns.
const maxParticulars = 70

// told are the particulars that people want to read on one line, in that order,
// with the kind of name their values have.
var told = []struct{ field, kind string }{
	{"clock", "clock"},
	{"mark", ""},
	{"deadline", "time"},
	{"act", "act"},
	{"title", ""},
	{"customer", ""},
	{"before", "priority"},
	{"priority", "priority"},
	{"urgency", "urgency"},
	{"type", "type"},
	{"department", ""},
	{"owner", ""},
	{"to", ""},
	{"into", ""},
	{"for", ""},
	{"method", "method"},
	{"level", "level"},
	{"lacks", "lacks"},
	{"called", ""},
	{"message", ""},
	{"reason", ""},
	{"comment", ""},
	{"solution", ""},
	{"rating", ""},
}

// particulars are the data of an event on one line of the screen.
func (a *app) particulars(e eventRow) string {
	return short(a.allParticulars(e), maxParticulars)
}

// allParticulars are the data of an event, however long.
func (a *app) allParticulars(e eventRow) string {
	var data map[string]any
	if json.Unmarshal(e.Data, &data) != nil {
		return ""
	}
	var parts []string
	for _, t := range told {
		if t.kind == "time" && !setsDeadline(e.Kind) {
			continue
		}
		if text := a.particular(t.kind, data[t.field]); text != "" {
			parts = append(parts, text)
		}
	}
	if kind := stateOf(e.Kind); kind != "" {
		parts = append(parts, a.particular(kind, data["state"]))
	}
	return strings.Join(parts, gap)
}

// setsDeadline reports whether an event says until when there is time now.
func setsDeadline(k requirement.Kind) bool {
	return k == requirement.ClockStarted || k == requirement.ClockResumed || k == requirement.ClockRetargeted
}

// stateOf is the kind of the state that an event tells, where the event's own
// name does not tell it already.
func stateOf(k requirement.Kind) string {
	switch {
	case k == requirement.RoundDecided:
		return "round_state"
	case k == requirement.ClockStopped, k == requirement.ClockRetargeted:
		return "clock_state"
	default:
		return ""
	}
}

func (a *app) particular(kind string, value any) string {
	switch v := value.(type) {
	case string:
		if kind == "time" {
			if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
				return a.at(at)
			}
		}
		if kind != "" {
			return a.text.Name(kind, clean(v))
		}
		if d, err := sla.ParseDuration(v); err == nil {
			return a.text.Target(d)
		}
		return clean(v)
	case float64:
		switch {
		case kind != "level":
			return fmt.Sprint(v)
		case v == 0:
			return ""
		default:
			return a.say("cli.level", map[string]any{"Level": v})
		}
	case map[string]any:
		if kind != "lacks" {
			return ""
		}
		return a.say("cli.lacks", map[string]any{"Calendar": v["calendar"], "Year": v["year"]})
	case []any:
		texts := make([]string, len(v))
		for i, x := range v {
			texts[i] = clean(fmt.Sprint(x))
		}
		return joined(texts)
	default:
		return ""
	}
}
