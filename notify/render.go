package notify

import (
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"strings"
	"sync"
	"text/template"
	"time"

	"closeloop/locale"
	"closeloop/policy"
	"closeloop/requirement"
)

//go:embed templates
var embedded embed.FS

// Renderer words notices. It is safe for concurrent use.
type Renderer struct {
	languages map[string]wording
	zone      *time.Location
}

// wording is everything in one language.
type wording struct {
	texts    *locale.Localizer
	internal audience
	customer audience
}

// audience is the templates for people of one kind: what is said, one template
// for each kind of event, and the frame around it.
type audience struct {
	said *template.Template
	text *template.Template
	html *htmltemplate.Template
}

// Standard returns the renderer with the templates of the program and times in
// the zone of the machine.
var Standard = sync.OnceValue(func() *Renderer {
	r, err := NewRenderer(nil, time.Local)
	if err != nil {
		panic("closeloop: templates: " + err.Error())
	}
	return r
})

// NewRenderer returns a renderer whose times are in that zone. Files in
// overrides take the place of those of the program under the same path, such as
// zh-CN/customer.tmpl or layout/internal.html.tmpl; nil overrides none. The
// error names the file that cannot be read.
func NewRenderer(overrides fs.FS, zone *time.Location) (*Renderer, error) {
	r := &Renderer{languages: map[string]wording{}, zone: zone}
	for _, language := range locale.Languages {
		w := wording{texts: locale.For(language)}
		var err error
		if w.internal, err = load(overrides, w.texts, "internal"); err != nil {
			return nil, err
		}
		if w.customer, err = load(overrides, w.texts, "customer"); err != nil {
			return nil, err
		}
		r.languages[language] = w
	}
	return r, nil
}

// load reads the templates of one language for one kind of people.
func load(overrides fs.FS, texts *locale.Localizer, who string) (audience, error) {
	label := func(key string) string { return texts.Text(key, nil) }
	var errs []error
	source := func(path string) string {
		text, err := read(overrides, path)
		errs = append(errs, err)
		return text
	}
	parsed := func(path string) *template.Template {
		t, err := template.New(path).Option("missingkey=error").
			Funcs(template.FuncMap{"label": label, "indent": indent}).Parse(source(path))
		errs = append(errs, err)
		return t
	}
	frame := "layout/" + who
	html, err := htmltemplate.New(frame + ".html.tmpl").Option("missingkey=error").
		Funcs(htmltemplate.FuncMap{"label": label}).Parse(source(frame + ".html.tmpl"))
	a := audience{
		said: parsed(texts.Language() + "/" + who + ".tmpl"),
		text: parsed(frame + ".txt.tmpl"),
		html: html,
	}
	return a, errors.Join(append(errs, err)...)
}

func read(overrides fs.FS, path string) (string, error) {
	if overrides != nil {
		text, err := fs.ReadFile(overrides, path)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return string(text), err
		}
	}
	text, err := fs.ReadFile(embedded, "templates/"+path)
	return string(text), err
}

// indent marks every line of a quoted text as such, so that no text can pass
// for a part of the frame.
func indent(text string) string { return "> " + strings.ReplaceAll(text, "\n", "\n> ") }

// letter is what a frame is filled with.
type letter struct {
	Language string
	Headline string
	Colour   htmltemplate.CSS
	// Lead comes before what is quoted, Rest after it.
	Lead   string
	Quotes []quoted
	Rest   []string
	// Link is the address of the page on which the recipient can answer, Does what
	// they can do there; both empty when there is none.
	Link, Does string
	Page       any
}

// quoted is a text that somebody wrote.
type quoted struct{ Label, Text string }

// Render words a notice: the event, seen from the requirement as it stands at
// now, with the names that the directory has. Texts of people are bounded and
// can break neither the HTML nor a header; a customer gets templates and facts
// of their own, without our names, reasons of delays and root causes, and so does
// a system. The error says which template failed.
func (r *Renderer) Render(n Notice, req *requirement.Requirement, e requirement.Event, d policy.Directory, now time.Time) (Message, error) {
	// A requirement looks calendars up as it is read, and several recipients are
	// written to at once.
	req = requirement.Restore(req.State, req.Process())
	if toSystem(n.Recipient) {
		return tellSystem(n, req, e, now)
	}
	w := r.languages[locale.Match(n.Language)]
	p := newPages(w.texts, r.zone, n, req, e, d, now)
	var l letter
	who := w.internal
	if p.toCustomer() {
		who, l = w.customer, letter{Page: p.customer(), Quotes: p.customerQuotes()}
	} else {
		l = letter{Page: p.internal(), Quotes: p.internalQuotes()}
	}
	if n.Link != "" {
		l.Link, l.Does = n.Link, w.texts.Text(p.linkLabel(), nil)
	}
	l.Language, l.Colour = w.texts.Language(), colour(e.Kind)
	said, err := who.say(e.Kind, string(p.said.Clock), l.Page)
	if err != nil {
		return Message{}, err
	}
	l.Headline, l.Lead, l.Rest = split(said)
	var text, html strings.Builder
	if err := who.text.Execute(&text, l); err != nil {
		return Message{}, fmt.Errorf("template: %w", err)
	}
	if err := who.html.Execute(&html, l); err != nil {
		return Message{}, fmt.Errorf("template: %w", err)
	}
	subject := w.texts.Text("message.subject", map[string]any{"ID": p.id, "Headline": l.Headline, "Title": p.title})
	return Message{
		Key: n.Key, Address: n.Address, Subject: line(subject, maxSubject),
		Text: text.String(), HTML: html.String(), Link: n.Link, Language: l.Language, At: now,
	}, nil
}

// say words what happened: by the template for this kind and clock, for this
// kind, or the one for all others.
func (a audience) say(kind requirement.Kind, clock string, page any) (string, error) {
	for _, name := range []string{string(kind) + "." + clock, string(kind), "default"} {
		if t := a.said.Lookup(name); t != nil {
			var said strings.Builder
			if err := t.Execute(&said, page); err != nil {
				return "", fmt.Errorf("template: %w", err)
			}
			return said.String(), nil
		}
	}
	return "", fmt.Errorf("template %s has no %q and no default", a.said.Name(), kind)
}

// split takes the headline, the first paragraph and the others out of a text.
func split(said string) (headline, lead string, rest []string) {
	var lines []string
	for l := range strings.Lines(said) {
		if l = strings.TrimSpace(l); l != "" {
			lines = append(lines, l)
		}
	}
	if len(lines) > 0 {
		headline = line(lines[0], maxSubject)
	}
	if len(lines) > 1 {
		lead, rest = lines[1], lines[2:]
	}
	return headline, lead, rest
}

// The colours of headlines.
const (
	blue  = "#0b57d0"
	amber = "#8a5a00"
	red   = "#b3261e"
	green = "#1a7f37"
)

// colour tells at a glance how serious it is.
func colour(k requirement.Kind) htmltemplate.CSS {
	switch k {
	case requirement.ClockBreached, requirement.ClockRepeated, requirement.EscalationRaised,
		requirement.EscalationAlarm, requirement.Terminated, requirement.NoticeParked:
		return red
	case requirement.ClockMarked, requirement.HandedBack, requirement.Disputed, requirement.RequestDenied,
		requirement.RoutingFailed, requirement.WasHeld, requirement.Cancelled, requirement.MergeUndone,
		requirement.WasAppealed, requirement.ActRefused, requirement.EscalationStarted:
		return amber
	case requirement.Resolved, requirement.Confirmed, requirement.WasArchived, requirement.EscalationAcknowledged,
		requirement.EscalationEnded:
		return green
	default:
		return blue
	}
}
