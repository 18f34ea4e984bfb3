package notify

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"closeloop/locale"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// pages makes what the templates are filled with, for one notice. Every text
// that somebody wrote is cleaned and bounded here.
type pages struct {
	l         *locale.Localizer
	zone      *time.Location
	notice    Notice
	r         *requirement.Requirement
	event     requirement.Event
	said      particulars
	directory policy.Directory
	now       time.Time

	// id, title and asker are those of the requirement that the recipient knows:
	// for the customer of a merged one, that one.
	id, title, asker string
	merged           bool
}

func newPages(l *locale.Localizer, zone *time.Location, n Notice, r *requirement.Requirement, e requirement.Event, d policy.Directory, now time.Time) *pages {
	// What cannot be read is left out.
	said, _ := particularsOf(e)
	p := &pages{
		l: l, zone: zone, notice: n, r: r, event: e, said: said, directory: d, now: now,
		id: r.ID, title: r.Title, asker: r.Customer,
	}
	if id, ok := mergedFrom(n.Recipient); ok {
		p.merged, p.id, p.title, p.asker = true, id, "", ""
		for _, a := range r.Absorbed {
			if a.ID == id {
				p.title, p.asker = a.Title, a.Customer
			}
		}
	}
	p.title, p.asker = line(p.title, maxLine), line(p.asker, maxLine)
	return p
}

// toCustomer reports whether the recipient is a customer.
func (p *pages) toCustomer() bool {
	return p.notice.Recipient == ToCustomer || p.merged
}

func (p *pages) text(key string, params map[string]any) string { return p.l.Text(key, params) }

func (p *pages) when(t time.Time) string { return p.l.Time(t, p.zone) }

func (p *pages) whenever(t *time.Time) string {
	if t == nil {
		return ""
	}
	return p.when(*t)
}

// person returns the name of somebody by whom they are known in the language.
func (p *pages) person(id string) string {
	switch id {
	case "":
		return ""
	case requirement.CustomerActor, p.r.Contact, p.r.Customer:
		return p.l.Name("role", requirement.CustomerActor)
	}
	if person, ok := p.directory.Person(id); ok {
		return line(p.either(person.Name, person.NameEN, id), maxLine)
	}
	return line(p.l.Name("role", id), maxLine)
}

func (p *pages) department(id string) string {
	if dep, ok := p.directory.Department(id); ok {
		return line(p.either(dep.Name, dep.NameEN, id), maxLine)
	}
	return line(id, maxLine)
}

// either returns the name in the language; where there is none the other one.
func (p *pages) either(name, english, id string) string {
	if p.l.Language() == locale.English {
		name, english = english, name
	}
	for _, n := range []string{name, english} {
		if n != "" {
			return n
		}
	}
	return id
}

// openUntil returns the deadline of the open clock of that name, for people;
// empty when there is none, or it has passed.
func (p *pages) openUntil(name sla.Name) string {
	for i := range p.r.Clocks {
		c := &p.r.Clocks[i]
		if c.Name != name || !c.Ticking() {
			continue
		}
		if at, ok := c.Deadline(p.r.CalendarOf(c)); ok && at.After(p.now) {
			return p.when(at)
		}
	}
	return ""
}

// left says how much working time a clock has left, or by how much it is late.
func (p *pages) left(c *sla.Clock) (text string, late bool) {
	cal := p.r.CalendarOf(c)
	at, ok := c.Deadline(cal)
	if !ok || !c.Ticking() {
		return "", false
	}
	rest, err := cal.Between(p.now, at)
	if err != nil {
		return "", false
	}
	return p.l.Left(rest), rest < 0
}

// aboutClock returns the clock that the event is about, if the requirement
// still has it.
func (p *pages) aboutClock() *sla.Clock {
	for i := range p.r.Clocks {
		if c := &p.r.Clocks[i]; c.Name == p.said.Clock && c.Cycle == p.said.Cycle {
			return c
		}
	}
	return nil
}

// label is the name of a field at the beginning of a line.
func (p *pages) label(field string) string { return capital(p.l.Name("field", field)) }

// capital begins a text with a capital letter.
func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// labelled adds a quote when there is something to quote.
func (p *pages) labelled(list []quoted, field, text string) []quoted {
	if text = quote(text); text == "" {
		return list
	}
	return append(list, quoted{Label: p.label(field), Text: text})
}

// options are the ways out that a complaint is offered (E7), one a line.
func (p *pages) options() string {
	lines := make([]string, len(p.said.Options))
	for i, o := range p.said.Options {
		lines[i] = p.text("message.option", map[string]any{"N": i + 1, "Text": line(o, maxQuote)})
	}
	return strings.Join(lines, "\n")
}
