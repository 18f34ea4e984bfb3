package gateway

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"closeloop/ledger"
	"closeloop/link"
	"closeloop/locale"
	"closeloop/requirement"
	"closeloop/starter"
)

// visit is one request with a link that is good.
type visit struct {
	*pages
	w     http.ResponseWriter
	r     *http.Request
	token string
	link  link.Link
	// now is when the request came.
	now time.Time
	// text is the language that the visitor reads.
	text *locale.Localizer
	held *requirement.Requirement
	// sent is what a form sent.
	sent form
}

// readerOf returns the one that is asked for in the address, then the first of
// the others that there are words in, then the browser's.
func readerOf(r *http.Request, others ...string) *locale.Localizer {
	asked := r.URL.Query().Get("lang")
	if !slices.Contains(locale.Languages, asked) {
		asked = ""
	}
	return locale.For(locale.Match(append(append([]string{asked}, others...), r.Header.Get("Accept-Language"))...))
}

// enter finds out whether a link is good, and for what. When it is not it has
// answered with a page that says so, and false is returned. Nothing but the
// ledger is asked, so that opening links costs no workflow anything.
func (p *pages) enter(w http.ResponseWriter, r *http.Request, purpose link.Purpose) (*visit, bool) {
	pageHeaders(w.Header())
	v := &visit{pages: p, w: w, r: r, token: r.PathValue("token"), now: p.Now(), text: readerOf(r)}
	if p.Links == nil {
		return nil, v.note("unknown", http.StatusNotFound)
	}
	var err error
	v.link, err = p.Links.Open(v.token, v.now)
	switch {
	case errors.Is(err, link.ErrExpired):
		return nil, v.note("expired", http.StatusGone)
	case err != nil, v.link.Purpose != purpose:
		// Whether it was changed or its key was taken away is nobody's business.
		return nil, v.note("invalid", http.StatusForbidden)
	}
	if r.Method == http.MethodPost {
		if p.foreign(r) {
			return nil, v.note("foreign", http.StatusForbidden)
		}
		switch v.sent, err = readForm(w, r); {
		case errors.Is(err, errTooBig):
			return nil, v.note("too_big", http.StatusRequestEntityTooLarge)
		case err != nil:
			return nil, v.note("unreadable", http.StatusBadRequest)
		}
	}
	limit := p.looks
	if r.Method == http.MethodPost {
		limit = p.acts
	}
	if _, ok := limit.take(v.link.Requirement + " " + v.link.Recipient); !ok {
		w.Header().Set("Retry-After", "60")
		return nil, v.note("too_often", http.StatusTooManyRequests)
	}
	return v, v.find()
}

// find reads what the link is about, and whether it was revoked; false when it
// has answered.
func (v *visit) find() bool {
	ctx := v.r.Context()
	version, err := v.Books.LinkVersion(ctx, v.link.Requirement, v.link.Recipient)
	if err != nil {
		return v.unreachable(err)
	}
	if v.link.Version < version {
		return v.note("revoked", http.StatusGone)
	}
	v.held, err = v.Books.Get(ctx, v.link.Requirement)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return v.note("gone", http.StatusNotFound)
	case err != nil:
		return v.unreachable(err)
	}
	return true
}

// dead are the notes about links that will never lead to anything again.
var dead = []string{"unknown", "invalid", "expired", "revoked", "gone", "not_asked"}

// note answers with a page that says in plain words what is the matter and what
// to do. What was typed is on it, to be sent again. It returns false.
func (v *visit) note(name string, status int) bool {
	n := noteView{frame: v.frame(v.text.Text("page.note."+name+".title", nil)), Says: v.text.Text("page.note."+name+".text", nil), Dead: slices.Contains(dead, name)}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		n.Again = v.again()
	}
	show(v.w, status, noteTemplate, n)
	return false
}

// unreachable answers that something we need does not answer now.
func (v *visit) unreachable(err error) bool {
	v.Logger.Warn("A page could not be answered", "page", v.r.Pattern, "requirement", v.link.Requirement, "error", err.Error())
	v.w.Header().Set("Retry-After", "30")
	return v.note("busy", http.StatusServiceUnavailable)
}

// noteView is a page that says one thing.
type noteView struct {
	frame
	Says string
	// Dead: the link leads nowhere else, so there is no looking again.
	Dead bool
	// Again are the fields of a form that was not taken, to be sent again.
	Again *again
}

// again is a form that was not taken, as it was: sent again it is the same act.
type again struct {
	Hidden hidden
	Act    string
	// Kept are fields that nobody typed, Texts those that somebody did.
	Kept, Texts []input
}

func (v *visit) again() *again {
	if v.r.Method != http.MethodPost {
		return nil
	}
	a := &again{Act: v.sent.Act, Hidden: hidden{v.sent.nonce, v.sent.seen, v.sent.seal}}
	for _, name := range typed {
		value := v.sent.values[name]
		one := input{ID: "again-" + name, Name: name, Value: value}
		switch {
		case value == "":
		case name == fieldRating || name == fieldOption:
			a.Kept = append(a.Kept, one)
		default:
			one.Label = v.text.Text("page.yours", nil)
			a.Texts = append(a.Texts, one)
		}
	}
	return a
}

// frame is what every page has.
type frame struct {
	text *locale.Localizer
	// Title is the headline and the name of the page.
	Title string
	// Lang is the language of the page, Other the one to switch to and OtherName
	// what that calls itself.
	Lang, Other, OtherName string
	// Banner says what came of what the visitor just did; Tone is good or bad.
	Banner, Tone string
}

func (v *visit) frame(title string) frame {
	f := frame{text: v.text, Title: title, Lang: v.text.Language(), Other: locale.English}
	if f.Lang == locale.English {
		f.Other = locale.Chinese
	}
	f.OtherName = locale.For(f.Other).Text("page.language", nil)
	return f
}

// T returns a text of the page's language; pairs are the names and values of its
// params.
func (f frame) T(key string, pairs ...any) string {
	params := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		params[pairs[i].(string)] = pairs[i+1]
	}
	return f.text.Text("page."+key, params)
}

// input is a field of a form as the templates show it.
type input struct {
	ID, Name, Label, Hint, Value string
	// Problem says what is wrong with it.
	Problem  string
	Required bool
}

// when words an instant for the visitor.
func (v *visit) when(t time.Time) string { return v.text.Time(t, v.Zone) }

// do does the act and answers: with a redirection to the page that thanks for
// it, or by one of the ways given when it was refused.
func (v *visit) do(act requirement.Act, seen bool, refused func(err error)) {
	if v.happened(v.held, act) {
		v.thank(act)
		return
	}
	if !seen {
		refused(errChanged)
		return
	}
	verdict, err := v.Desk.Do(v.r.Context(), v.held.ID, act)
	_, process := errors.AsType[*requirement.Error](err)
	switch {
	case err == nil:
		v.written(func(r ledger.Receipt) bool { return r.Seq >= verdict.Seq })
		v.thank(act)
	case errors.Is(err, starter.ErrOver), errors.Is(err, starter.ErrNotFound):
		// The same act may have ended it a moment ago.
		v.written(func(r ledger.Receipt) bool { return r.ClosedAt != nil })
		if now, err := v.Books.Get(v.r.Context(), v.held.ID); err == nil {
			v.held = now
		}
		if v.happened(v.held, act) {
			v.thank(act)
			return
		}
		refused(errChanged)
	case process:
		if now, err := v.Books.Get(v.r.Context(), v.held.ID); err == nil {
			v.held = now
		}
		refused(err)
	default:
		v.unreachable(err)
	}
}

// errChanged says that what the visitor answered to is no longer so.
var errChanged = errors.New("it has changed meanwhile")

// happened reports whether the act was done before, under the same id.
func (v *visit) happened(r *requirement.Requirement, act requirement.Act) bool {
	return slices.ContainsFunc(r.Done, func(d requirement.Verdict) bool { return d.ActID == act.ID() && d.Act == act.Name() })
}

// How long the answer to an act waits for the ledger, and how often it looks.
const (
	writtenWithin = 3 * time.Second
	writtenEvery  = 25 * time.Millisecond
)

// written waits until the ledger has it, so that the page that is shown next
// shows it. It gives up after a while: the act has happened either way.
func (v *visit) written(has func(ledger.Receipt) bool) {
	ctx, cancel := context.WithTimeout(v.r.Context(), writtenWithin)
	defer cancel()
	look := time.NewTicker(writtenEvery)
	defer look.Stop()
	for {
		if r, err := v.Books.Receipt(ctx, v.held.ID); err == nil && has(r) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

// thank sends the browser to the page again, so that reloading it sends nothing.
// The address is relative: a proxy may serve the pages under a path of its own.
func (v *visit) thank(act requirement.Act) {
	v.w.Header().Set("Location", "?lang="+v.text.Language()+"&done="+string(act.Name()))
	v.w.WriteHeader(http.StatusSeeOther)
}

// thanks returns what the page says after an act, empty when it was just opened.
func (v *visit) thanks(acts ...requirement.Name) string {
	done := requirement.Name(v.r.URL.Query().Get("done"))
	if v.r.Method == http.MethodPost || !slices.Contains(acts, done) {
		return ""
	}
	return v.text.Text("page.done."+string(done), nil)
}

// worded says what is wrong with a field.
func worded(text *locale.Localizer, e *requirement.Error) string {
	params := map[string]any{}
	for name, value := range e.Params {
		params[name] = value
	}
	if key := "page.problem." + e.Params["problem"]; text.Has(key) {
		return text.Text(key, params)
	}
	return text.Problem(e.Message, e.Params)
}
