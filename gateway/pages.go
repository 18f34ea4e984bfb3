package gateway

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"

	"closeloop/link"
)

//go:embed pages
var pageFiles embed.FS

// style is in every page, so that a page is one answer and needs nothing else.
var style = func() string {
	css, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		panic("closeloop: pages: " + err.Error())
	}
	return string(css)
}()

// pagePolicy lets a page do nothing but show itself and send its own forms.
var pagePolicy = func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}()

// The pages. Each is in the frame of layout.html.tmpl.
var (
	customerTemplate = pageTemplate("customer")
	approverTemplate = pageTemplate("approver")
	noteTemplate     = pageTemplate("note")
)

func pageTemplate(name string) *template.Template {
	functions := template.FuncMap{
		//nolint:gosec // our own file, and no part of it is anybody's input
		"style": func() template.CSS { return template.CSS(style) },
	}
	return template.Must(template.New("layout.html.tmpl").Funcs(functions).Option("missingkey=error").
		ParseFS(pageFiles, "pages/layout.html.tmpl", "pages/parts.html.tmpl", "pages/"+name+".html.tmpl"))
}

// pages are for customers and approvers (C1 to C3, E5, R2, R3): HTML without a
// script, in the reader's language, reached by a signed link. Opening a page
// never does anything, because mail scanners and previews open links too: only a
// form that the page itself had in it acts.
type pages struct {
	*Gateway
	// looks and acts bound how often a link may be opened, and sent from.
	looks, acts *limits
}

// How often one link may be used in a minute. Nobody reads or writes that fast by
// hand; scanners that open links do not either.
const (
	looksPerMinute = 120
	actsPerMinute  = 12
)

// mountPages adds the pages. Without links in the configuration every link
// leads to a page that says that it is not known.
func (g *Gateway) mountPages(mux *http.ServeMux) {
	p := &pages{
		Gateway: g,
		looks:   newLimits(looksPerMinute/60.0, looksPerMinute, g.Now), acts: newLimits(actsPerMinute/60.0, actsPerMinute, g.Now),
	}
	for pattern, answer := range map[string]http.HandlerFunc{
		"GET " + link.CustomerPath + "{token}":  p.customerPage,
		"POST " + link.CustomerPath + "{token}": p.customerAct,
		"GET " + link.ApproverPath + "{token}":  p.approverPage,
		"POST " + link.ApproverPath + "{token}": p.approverAct,
	} {
		mux.HandleFunc(pattern, answer)
	}
}

// show writes a page. A page that cannot be made is a mistake in the program,
// and the guard answers for it.
func show(w http.ResponseWriter, status int, t *template.Template, view any) {
	var page bytes.Buffer
	if err := t.Execute(&page, view); err != nil {
		panic("page: " + err.Error())
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes())
}

// pageHeaders are those of every page besides the guard's.
func pageHeaders(h http.Header) {
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Vary", "Accept-Language")
}

// sentence joins texts that follow each other on one line.
func sentence(parts ...string) string {
	var some []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			some = append(some, p)
		}
	}
	return strings.Join(some, " · ")
}
