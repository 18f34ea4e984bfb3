package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"closeloop/link"
	"closeloop/notify"
	"closeloop/requirement"
	"closeloop/worker"
)

// pageSite is a site with pages, and a mailbox in which notices with links
// arrive.
type pageSite struct {
	*site
	links *link.Issuer
	mail  *mailbox
}

// mailbox is the e-mail of everybody.
type mailbox struct {
	mu   sync.Mutex
	sent []notify.Message
}

func (*mailbox) Name() string { return "email" }

func (b *mailbox) Send(_ context.Context, m notify.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent = append(b.sent, m)
	return nil
}

func issuer(t testing.TB) *link.Issuer {
	t.Helper()
	keys, err := link.ParseKeys("k1:" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32)))
	require.NoError(t, err)
	return &link.Issuer{Keys: keys, Base: "https://care.example.com", Customer: 90 * 24 * time.Hour, Approver: 14 * 24 * time.Hour}
}

func newPageSite(t testing.TB, change ...func(*Config)) *pageSite {
	t.Helper()
	return newPageSiteOf(t, func(*worker.Config) {}, change...)
}

// newPageSiteOf is one with a worker of its own kind.
func newPageSiteOf(t testing.TB, works func(*worker.Config), change ...func(*Config)) *pageSite {
	t.Helper()
	p := &pageSite{links: issuer(t), mail: &mailbox{}}
	p.site = newStack(t, works, func(c *worker.Config) {
		c.Links, c.Channels = link.Writer{Issuer: p.links, Versions: c.Ledger}, notify.Channels{"email": p.mail}
	})
	p.serve(append([]func(*Config){func(c *Config) {
		c.Links, c.Zone = p.links, time.FixedZone("CST", 8*3600)
	}}, change...)...)
	// What the pages do is never in the log under the name by which it was done.
	t.Cleanup(func() { require.NotContains(t, p.log.String(), "AQJrMW") }) // what every token of this key begins with
	return p
}

// path is the link of the recipient, as it is in a notice, without the host.
func (p *pageSite) path(id, recipient string, round int) string {
	p.t.Helper()
	issued, err := link.Writer{Issuer: p.links, Versions: p.books}.Issue(p.t.Context(), id, recipient, round, time.Now())
	require.NoError(p.t, err)
	return strings.TrimPrefix(issued.URL, p.links.Base)
}

// mailed waits for a message to somebody about an event.
func (p *pageSite) mailed(id, recipient string, about string) notify.Message {
	p.t.Helper()
	var found notify.Message
	require.Eventually(p.t, func() bool {
		p.mail.mu.Lock()
		defer p.mail.mu.Unlock()
		i := slices.IndexFunc(p.mail.sent, func(m notify.Message) bool {
			return m.Requirement == id && m.Recipient == recipient && strings.Contains(m.Subject, about)
		})
		if i >= 0 {
			found = p.mail.sent[i]
		}
		return i >= 0
	}, 30*time.Second, 10*time.Millisecond, "a message to %s about %s", recipient, about)
	return found
}

// act does an act as somebody at the desk.
func (p *pageSite) act(id string, acts ...requirement.Act) {
	p.t.Helper()
	for _, a := range acts {
		_, err := p.desk.Do(p.t.Context(), id, a)
		require.NoError(p.t, err, a.Name())
	}
	p.settled(id)
}

func as(person string) requirement.Header { return requirement.Header{Actor: person} }

// resolved is a requirement that waits for the customer.
func (p *pageSite) resolved(more ...map[string]any) string {
	p.t.Helper()
	id := p.submit(more...)
	p.act(
		id, requirement.Triage{Header: as("wang.fang")}, requirement.Assign{Header: as("wang.fang"), To: "li.na"},
		requirement.Resolve{Header: as("li.na"), Solution: "已修复：分批导出", RootCause: "SECRET-ROOT"},
	)
	return id
}

// inReview is a requirement that two people have to approve, zhao.lei and
// liu.yang.
func (p *pageSite) inReview(more ...map[string]any) string {
	p.t.Helper()
	id := p.submit(more...)
	p.act(id, requirement.Triage{Header: as("wang.fang"), NeedApproval: true})
	p.opened(id, 1)
	return id
}

// opened waits until a round of approval is.
func (p *pageSite) opened(id string, round int) {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		r, err := p.books.Get(p.t.Context(), id)
		return err == nil && r.Approval != nil && r.Approval.Round == round && r.Approval.State == requirement.RoundOpen
	}, 30*time.Second, 10*time.Millisecond, "round %d of %s", round, id)
}

// page is a page that was opened.
type page struct {
	reply
	site *pageSite
	path string
}

func (p *pageSite) open(path string, header ...string) page {
	p.t.Helper()
	r := p.send("", http.MethodGet, path, nil, header...)
	return page{r, p, path}
}

// form are the fields of the form of an act on the page, as a browser sends them.
func (p page) form(act string) url.Values {
	p.t.Helper()
	document, err := html.Parse(strings.NewReader(p.body))
	require.NoError(p.t, err)
	for n := range document.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" {
			continue
		}
		fields := url.Values{}
		for f := range n.Descendants() {
			switch name := attribute(f, "name"); {
			case name == "":
			case f.Data == "textarea":
				fields.Set(name, strings.TrimPrefix(textOf(f), "\n"))
			case attribute(f, "type") == "radio":
				if hasAttribute(f, "checked") {
					fields.Set(name, attribute(f, "value"))
				}
			default:
				fields.Set(name, attribute(f, "value"))
			}
		}
		if fields.Get("act") == act {
			return fields
		}
	}
	require.Fail(p.t, "no such form", "%s on %s", act, p.body)
	return nil
}

// has reports whether the page has a form for the act.
func (p page) has(act string) bool {
	return strings.Contains(p.body, `name="act" value="`+act+`"`)
}

// send fills the form of an act in and sends it; pairs are fields and values.
func (p page) send(act string, pairs ...string) page {
	p.t.Helper()
	return p.sendForm(p.fill(act, pairs...))
}

func (p page) fill(act string, pairs ...string) url.Values {
	p.t.Helper()
	fields := p.form(act)
	for i := 0; i+1 < len(pairs); i += 2 {
		fields.Set(pairs[i], pairs[i+1])
	}
	return fields
}

func (p page) sendForm(fields url.Values, header ...string) page {
	p.t.Helper()
	client := *p.site.server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return page{p.site.sendBy(&client, p.path, fields, header...), p.site, p.path}
}

func (p *pageSite) sendBy(client *http.Client, path string, fields url.Values, header ...string) reply {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.server.URL+path, strings.NewReader(fields.Encode()))
	require.NoError(p.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	require.NoError(p.t, err)
	defer func() { _ = resp.Body.Close() }()
	var body bytes.Buffer
	_, err = body.ReadFrom(resp.Body)
	require.NoError(p.t, err)
	return reply{p.t, resp.StatusCode, resp.Header, body.String()}
}

// follow opens the page that a form led to.
func (p page) follow() page {
	p.t.Helper()
	require.Equal(p.t, http.StatusSeeOther, p.status, p.body)
	to := p.header.Get("Location")
	require.True(p.t, strings.HasPrefix(to, "?"), "relative, for proxies with a path of their own: %s", to)
	path, _, _ := strings.Cut(p.path, "?")
	return p.site.open(path + to)
}

// says checks that the page has the texts; it is as people see them.
func (p page) says(status int, texts ...string) page {
	p.t.Helper()
	require.Equal(p.t, status, p.status, p.body)
	seen := p.seen()
	for _, text := range texts {
		require.Contains(p.t, seen, text)
	}
	wellFormed(p.t, p.body)
	require.NotRegexp(p.t, `page\.[a-z_]+\.|page\.[a-z_]+$`, seen, "a text is missing")
	require.NotContains(p.t, seen, "no value")
	for name, value := range map[string]string{
		"Content-Security-Policy": pagePolicy, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
		"X-Robots-Tag": "noindex, nofollow", "Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8", "Set-Cookie": "",
	} {
		require.Equal(p.t, value, p.header.Get(name), name)
	}
	require.NotContains(p.t, p.body, "<script")
	require.NotContains(p.t, p.body, " style=")
	return p
}

// seen is the text of the page, with what is typed into its fields.
func (p page) seen() string {
	p.t.Helper()
	document, err := html.Parse(strings.NewReader(p.body))
	require.NoError(p.t, err)
	return textOf(document)
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "style" {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hasAttribute(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// elements returns the start tags of a page in their order.
func elements(text string) []string {
	var tags []string
	z := html.NewTokenizer(strings.NewReader(text))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return tags
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			tags = append(tags, string(name))
		}
	}
}

// wellFormed checks that every element is closed, in order, that ids are there
// once, and that every label has its field.
func wellFormed(t testing.TB, text string) {
	t.Helper()
	void := []string{"meta", "input"}
	var open, ids, labels []string
	z := html.NewTokenizer(strings.NewReader(text))
	for {
		switch z.Next() {
		case html.ErrorToken:
			require.Empty(t, open)
			for _, l := range labels {
				require.Contains(t, ids, l)
			}
			return
		case html.StartTagToken:
			token := z.Token()
			for _, a := range token.Attr {
				switch a.Key {
				case "id":
					require.NotContains(t, ids, a.Val)
					ids = append(ids, a.Val)
				case "for", "aria-describedby":
					labels = append(labels, a.Val)
				}
			}
			if !slices.Contains(void, token.Data) {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			require.NotEmpty(t, open)
			require.Equal(t, open[len(open)-1], string(name))
			open = open[:len(open)-1]
		}
	}
}

// facts are the events of a kind.
func (p *pageSite) facts(id string, kinds ...requirement.Kind) []requirement.Event {
	p.t.Helper()
	events, err := p.books.LatestOf(p.t.Context(), id, kinds, 100)
	require.NoError(p.t, err)
	return events
}

// seq is how much has happened.
func (p *pageSite) seq(id string) int {
	p.t.Helper()
	r, err := p.books.Receipt(p.t.Context(), id)
	require.NoError(p.t, err)
	return r.Seq
}
