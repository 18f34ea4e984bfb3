package policy

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"closeloop/sla"
)

// HolidaysYAML returns the year as an entry of `holidays:` in a policy file.
func HolidaysYAML(y sla.HolidayYear) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  - set: %s\n    year: %d\n", y.Set, y.Year)
	if y.Source != "" {
		fmt.Fprintf(&b, "    source: %s\n", quoted(y.Source))
	}
	for _, list := range []struct {
		field string
		days  []sla.Day
	}{{"off", y.Off}, {"work", y.Work}} {
		if len(list.days) == 0 && list.field == "work" {
			continue
		}
		fmt.Fprintf(&b, "    %s:\n", list.field)
		for _, d := range list.days {
			text := d.String()
			if d.Name != "" && !plainName(d.Name) {
				text = quoted(text)
			}
			fmt.Fprintf(&b, "      - %s\n", text)
		}
	}
	return b.String()
}

// plainName reports whether a name needs no quotes after a date.
func plainName(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool {
		return r < ' ' || strings.ContainsRune(":#{}[],&*?|<>=!%@`\"\\", r)
	})
}

// quoted returns the text between quotes, as YAML reads it.
func quoted(text string) string { return strconv.QuoteToGraphic(text) }

// PutHolidays returns the text of a policy file with the year in it, in place of
// one of the same set and year. Everything else stays as it is written, comments
// included. The name stands in errors as the file; the error is a [Problems]
// when the file or what came of it is no policy.
func PutHolidays(name string, text []byte, y sla.HolidayYear) ([]byte, *Policy, error) {
	before, err := Parse(name, text)
	if err != nil {
		return nil, nil, err
	}
	edited, err := withHolidays(string(text), y)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	after, err := Parse(name, []byte(edited))
	if err != nil {
		return nil, nil, err
	}
	// Lines are edited, so this makes certain that nothing else has changed.
	if !sameBut(before, after, y) {
		return nil, nil, fmt.Errorf("%s: the year cannot be put in without touching other things; write holidays as a plain list, one entry after the other", name)
	}
	return []byte(edited), after, nil
}

// sameBut reports whether the year is in the policy and the policies are the
// same otherwise.
func sameBut(before, after *Policy, y sla.HolidayYear) bool {
	rest := func(p *Policy) ([]sla.HolidayYear, Policy) {
		q := *p
		q.Holidays, q.warnings, q.uses, q.Digest, q.Process.Calendars = nil, nil, nil, "", nil
		return slices.DeleteFunc(slices.Clone(p.Holidays), func(h sla.HolidayYear) bool { return h.Set == y.Set && h.Year == y.Year }), q
	}
	yearsBefore, restBefore := rest(before)
	yearsAfter, restAfter := rest(after)
	return len(yearsAfter) == len(after.Holidays)-1 && slices.ContainsFunc(after.Holidays, func(h sla.HolidayYear) bool { return reflect.DeepEqual(h, y) }) &&
		len(yearsBefore) == len(yearsAfter) && (len(yearsBefore) == 0 || reflect.DeepEqual(yearsBefore, yearsAfter)) &&
		reflect.DeepEqual(restBefore, restAfter)
}

var errFlowList = errors.New("holidays is a list in brackets; write it with one entry after the other, each beginning with a hyphen")

// withHolidays puts the year among the lines of the file, which is valid.
func withHolidays(text string, y sla.HolidayYear) (string, error) {
	ending := "\n"
	if strings.Contains(text, "\r\n") {
		ending = "\r\n"
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	lines := strings.Split(text, "\n")
	entry := strings.Split(strings.TrimSuffix(HolidaysYAML(y), "\n"), "\n")
	ignore := func(int, int, string, string, ...any) {}
	r := &reader{anchors: map[string]*node{}, lost: map[string]bool{}, wrong: ignore}
	root := r.read(syntax([]byte(text), ignore), "$", 0)

	held, there := root.field("holidays")
	switch {
	case !there:
		at := len(lines)
		if clocks, ok := root.field("clocks"); ok {
			at = aboveComment(lines, clocks.line-1)
		}
		block := append([]string{"# Public holidays by year; closeloop calendar import writes them.", "holidays:"}, entry...)
		if at < len(lines) {
			block = append(block, "")
		}
		lines = slices.Insert(lines, at, block...)
	case len(held.value.items) == 0:
		if strings.TrimSpace(strings.SplitN(lines[held.line-1], "#", 2)[0]) != "holidays: []" {
			return "", errFlowList
		}
		lines[held.line-1] = strings.Replace(lines[held.line-1], ": []", ":", 1)
		lines = slices.Insert(lines, held.line, entry...)
	default:
		items := held.value.items
		hyphen := strings.Index(lines[items[0].line-1], "-")
		if hyphen < 0 || strings.TrimSpace(lines[items[0].line-1][:hyphen]) != "" {
			return "", errFlowList
		}
		for i := range entry {
			entry[i] = strings.Repeat(" ", hyphen) + entry[i][2:]
		}
		from := endOf(lines, items[len(items)-1].line-1, hyphen)
		to := from
		for _, item := range items {
			if is(item, "set", y.Set) && is(item, "year", strconv.Itoa(y.Year)) {
				from = item.line - 1
				to = endOf(lines, from, hyphen)
			}
		}
		lines = slices.Replace(lines, from, to, entry...)
	}
	return strings.Join(lines, ending), nil
}

// is reports whether a field has the value.
func is(n *node, field, value string) bool {
	f, ok := n.field(field)
	return ok && fmt.Sprint(f.value.scalar) == value
}

// endOf returns the line after the entry that begins on a line, without blank
// lines and comments that belong to what comes next.
func endOf(lines []string, begin, hyphen int) int {
	end := begin + 1
	for i := begin + 1; i < len(lines); i++ {
		content := strings.TrimLeft(lines[i], " ")
		if content == "" || strings.HasPrefix(content, "#") {
			continue
		}
		if len(lines[i])-len(content) <= hyphen {
			break
		}
		end = i + 1
	}
	return end
}

// aboveComment returns the first line of the comment that stands above a line.
func aboveComment(lines []string, at int) int {
	for at > 0 && strings.HasPrefix(lines[at-1], "#") {
		at--
	}
	return at
}
