package upstream

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// clean takes out of a text what no person wrote: control characters, and ends
// of lines in other forms. Runs of empty lines become one.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n\n", "\u00a0", " ").Replace(s)
	s = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
	for strings.Contains(s, "\n\n\n") {
		s = strings.ReplaceAll(s, "\n\n\n", "\n\n")
	}
	return strings.TrimSpace(s)
}

// line is a text on one line.
func line(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

// cutMark stands at the end of a text that was too long; the ticket itself is
// linked in the attachments.
const cutMark = "…"

// cut bounds a text to so many characters.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	runes := []rune(s)
	return strings.TrimSpace(string(runes[:most-utf8.RuneCountInString(cutMark)])) + cutMark
}

// blocks are the elements that begin on a line of their own.
var blocks = map[string]bool{
	"address": true, "article": true, "blockquote": true, "div": true, "dl": true, "dt": true, "dd": true, "fieldset": true,
	"footer": true, "form": true, "h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true, "header": true,
	"hr": true, "main": true, "ol": true, "p": true, "pre": true, "section": true, "table": true, "tr": true, "ul": true,
}

// unseen are the elements whose contents nobody sees.
var unseen = map[string]bool{"script": true, "style": true, "head": true, "title": true, "template": true, "noscript": true}

// fromHTML is what a person reads in a piece of HTML.
func fromHTML(s string) string {
	if !strings.ContainsAny(s, "<&") {
		return clean(s)
	}
	var b strings.Builder
	hidden := 0
	tokens := html.NewTokenizer(strings.NewReader(s))
	for {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			return clean(tidied(b.String()))
		}
		token := tokens.Token()
		switch kind {
		case html.TextToken:
			if hidden == 0 {
				b.WriteString(token.Data)
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			switch {
			case unseen[token.Data] && kind == html.StartTagToken:
				hidden++
			case token.Data == "br":
				b.WriteByte('\n')
			case token.Data == "li":
				b.WriteString("\n- ")
			case token.Data == "td", token.Data == "th":
				b.WriteByte('\t')
			case blocks[token.Data]:
				b.WriteByte('\n')
			}
		case html.EndTagToken:
			switch {
			case unseen[token.Data] && hidden > 0:
				hidden--
			case blocks[token.Data]:
				b.WriteByte('\n')
			}
		}
	}
}

// tidied takes spaces from the ends of lines.
func tidied(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	return strings.Join(lines, "\n")
}

// fromDocument is what a person reads in an Atlassian document, which Jira sends
// in place of a text in its newer interfaces.
func fromDocument(n node) string {
	var b strings.Builder
	var walk func(node, int)
	walk = func(n node, depth int) {
		if depth > maxDepth {
			return
		}
		switch kind := n.at("type").text(); kind {
		case "text":
			b.WriteString(n.at("text").text())
		case "hardBreak":
			b.WriteByte('\n')
		case "mention", "emoji":
			b.WriteString(n.first("attrs.text", "attrs.shortName"))
		case "inlineCard", "blockCard":
			b.WriteString(n.first("attrs.url"))
		case "listItem":
			b.WriteString("- ")
		}
		for _, child := range n.at("content").list() {
			walk(child, depth+1)
		}
		switch n.at("type").text() {
		case "paragraph", "heading", "codeBlock", "rule", "tableRow":
			b.WriteByte('\n')
		}
	}
	walk(n, 0)
	return clean(b.String())
}
