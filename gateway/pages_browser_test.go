package gateway

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"closeloop/link"
	"closeloop/requirement"
)

// EnvScreenshots names the directory in which tests leave pictures of what they
// saw; none are taken when it is not set.
const EnvScreenshots = "CLOSELOOP_SCREENSHOTS"

// browser is a tab of a real Chromium.
type browser struct {
	t   testing.TB
	ctx context.Context
	// taken counts the pictures.
	taken int
	name  string
}

// newBrowser opens Chromium, or skips the test where there is none.
func newBrowser(t testing.TB, name string) *browser {
	t.Helper()
	program := ""
	for _, known := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(known); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		t.Skip("needs Chromium: apt-get install chromium")
	}
	options := append(
		chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-background-networking", true),
	)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx, name: name}
	b.do(phone)
	// The pages need no script, and have none to offer.
	_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	require.NoError(t, err)
	return b
}

var (
	phone   = chromedp.EmulateViewport(375, 812, chromedp.EmulateScale(2))
	small   = chromedp.EmulateViewport(320, 640, chromedp.EmulateScale(2))
	desktop = chromedp.EmulateViewport(1280, 900)
)

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, steps...))
}

// loads does what leads to another page, and checks its status.
func (b *browser) loads(status int, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	answer, err := chromedp.RunResponse(b.ctx, steps...)
	require.NoError(b.t, err)
	require.EqualValues(b.t, status, answer.Status)
	b.fits()
}

// reads checks what the page says.
func (b *browser) reads(texts ...string) {
	b.t.Helper()
	seen, err := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS("body")))
	require.NoError(b.t, err)
	for _, text := range texts {
		require.Contains(b.t, seen, text)
	}
}

// fits checks that nobody has to scroll sideways, and that whatever is touched is
// large enough for a finger.
func (b *browser) fits() {
	b.t.Helper()
	const wide = `document.documentElement.scrollWidth - document.documentElement.clientWidth`
	beyond, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](wide))
	require.NoError(b.t, err)
	require.LessOrEqual(b.t, beyond, 0, "the page is wider than the screen")
	const tiny = `Array.from(document.querySelectorAll("main button, main summary, main label:has(input), main a, header a"))
		.map(e => [e, e.getBoundingClientRect()]).filter(([e, r]) => r.height > 0 && r.height < 40).map(([e]) => e.outerHTML)`
	small, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](tiny))
	require.NoError(b.t, err)
	require.Empty(b.t, small, "too small to touch")
}

// contrast checks that all text of the page can be read: 4.5 to 1 against what is
// behind it, as WCAG 2 wants it.
func (b *browser) contrast() {
	b.t.Helper()
	const faint = `(() => {
		const parts = c => c.match(/[\d.]+/g).map(Number);
		const light = ([r, g, b]) => { const f = v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 }; return .2126 * f(r) + .7152 * f(g) + .0722 * f(b) };
		const behind = e => { for (; e; e = e.parentElement) { const c = parts(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c } return [255, 255, 255] };
		const found = [];
		const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		while (walker.nextNode()) {
			const e = walker.currentNode.parentElement;
			if (!walker.currentNode.data.trim() || e.closest("[aria-hidden]") || !e.getClientRects().length) continue;
			const [a, b] = [light(parts(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
			const ratio = (a + .05) / (b + .05);
			if (ratio < 4.5) found.push(ratio.toFixed(2) + " " + walker.currentNode.data.trim());
		}
		return found;
	})()`
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](faint))
	require.NoError(b.t, err)
	require.Empty(b.t, found, "too faint to read")
}

// looks takes a picture of the whole page on a phone and on a desktop, light and
// dark, and checks that it can be read and fits, also on the smallest phone.
func (b *browser) looks(what string) {
	b.t.Helper()
	for _, scheme := range []string{"dark", "light"} {
		_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		require.NoError(b.t, err)
		for name, size := range map[string]chromedp.Action[chromedp.Void]{"small": small, "desktop": desktop, "phone": phone} {
			b.do(size)
			b.fits()
			b.contrast()
			if name != "small" {
				b.picture(what + "-" + name + "-" + scheme)
			}
		}
	}
	b.do(phone)
}

func (b *browser) picture(what string) {
	b.t.Helper()
	dir := os.Getenv(EnvScreenshots)
	if dir == "" {
		return
	}
	b.taken++
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	require.NoError(b.t, err)
	require.NoError(b.t, os.MkdirAll(dir, 0o750))
	require.NoError(b.t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%02d-%s.png", b.name, b.taken, what)), picture, 0o600))
}

// letter opens a notice as a mail program shows it, with its link leading here.
func (b *browser) letter(p *pageSite, html string) {
	b.t.Helper()
	reader := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(strings.ReplaceAll(html, p.links.Base, p.server.URL)))
	}))
	b.t.Cleanup(reader.Close)
	b.do(chromedp.Navigate(reader.URL))
}

func TestBrowserCustomer(t *testing.T) {
	t.Parallel()
	for _, lang := range []struct{ code, about, description, solution, reason, answer, comment string }{
		{"zh-CN", "请确认", "导出十万行的报表时经常超时，页面提示“请求失败”。我们每月月底都要导出一次，请尽快解决。", "已改为分批导出：十万行约需两分钟，完成后会发邮件给您。", "五十万行的报表仍然超时。", "版本 3.2，浏览器是 Chrome。", "比以前快多了，谢谢！"},
		{"en", "please confirm", "Exports of more than 10,000 rows time out with “request failed”. We need one at the end of every month.", "Exports are now made in batches: 100,000 rows take about two minutes, and you get a message when they are ready.", "Half a million rows still time out.", "Version 3.2, in Chrome.", "Much faster than before, thank you!"},
	} {
		t.Run(lang.code, func(t *testing.T) {
			t.Parallel()
			p := newPageSite(t)
			b := newBrowser(t, "customer-"+lang.code)
			id := p.submit(map[string]any{"language": lang.code, "description": lang.description, "title": map[string]string{"zh-CN": "报表导出超时", "en": "Report export times out"}[lang.code], "customer": "云栖科技 Acme"})
			p.act(id, requirement.Triage{Header: as("wang.fang")}, requirement.Assign{Header: as("wang.fang"), To: "li.na"},
				requirement.Respond{Header: as("li.na"), Method: "email", Message: lang.solution, Options: []string{lang.reason, lang.answer}})
			b.loads(http.StatusOK, chromedp.Navigate(p.server.URL+p.path(id, "customer", 0)))
			b.looks("working")
			b.do(chromedp.Click(chromedp.CSS(`.options label:nth-of-type(2) input`)))
			b.loads(http.StatusOK, chromedp.Click(chromedp.CSS(`form:has([value=comment]) button`)))
			b.picture("thanks")

			// A question, and its answer.
			p.act(id, requirement.PutOnHold{Header: as("li.na"), Reason: lang.comment})
			b.loads(http.StatusOK, chromedp.Navigate(p.server.URL+p.path(id, "customer", 0)))
			b.looks("question")
			b.do(chromedp.SendKeys(chromedp.CSS("#resume-message"), lang.answer))
			b.loads(http.StatusOK, chromedp.Click(chromedp.CSS(`form:has([value=resume]) button`)))
			b.reads(lang.answer)

			// A solution that is none.
			p.act(id, requirement.Resolve{Header: as("li.na"), Solution: lang.solution})
			sent := p.mailed(id, "customer", lang.about)
			b.letter(p, sent.HTML)
			b.picture("letter")
			b.loads(http.StatusOK, chromedp.Click(chromedp.CSS(`a[href*="/r/"]`)))
			b.looks("resolved")
			b.do(
				chromedp.Click(chromedp.CSS("details:has([value=dispute]) > summary")),
				chromedp.SendKeys(chromedp.CSS("#dispute-reason"), lang.reason),
			)
			b.picture("dispute-phone")
			b.loads(http.StatusOK, chromedp.Click(chromedp.CSS(`form:has([value=dispute]) button`)))
			b.reads(lang.reason)
			require.Len(t, p.facts(id, requirement.Disputed), 1)
			b.looks("disputed")

			// One that is one.
			p.act(id, requirement.Resolve{Header: as("li.na"), Solution: lang.solution})
			b.loads(http.StatusOK, chromedp.Navigate(p.server.URL+p.path(id, "customer", 0)))
			b.do(
				chromedp.Click(chromedp.CSS(".stars label:nth-of-type(4) input")),
				chromedp.SendKeys(chromedp.CSS("#confirm-comment"), lang.comment),
			)
			b.picture("confirm-phone")
			b.loads(http.StatusOK, chromedp.Click(chromedp.CSS(`form:has([value=confirm]) button`)))
			b.reads(lang.comment)
			b.looks("confirmed")
			facts := p.facts(id, requirement.Confirmed)
			require.Len(t, facts, 1)
			require.Contains(t, string(facts[0].Data), `"rating":4`)
			require.Contains(t, string(facts[0].Data), lang.comment)
			require.Equal(t, "link:customer", facts[0].Via)
			// Reloading sends nothing again.
			b.do(chromedp.Reload())
			p.settled(id)
			require.Len(t, p.facts(id, requirement.Confirmed), 1)

			b.loads(http.StatusForbidden, chromedp.Navigate(p.server.URL+"/r/tampered?lang="+lang.code))
			b.looks("tampered")
		})
	}
}

func TestBrowserWrongField(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	b := newBrowser(t, "wrong")
	id := p.resolved(map[string]any{"language": "en"})
	path := p.path(id, "customer", 0)
	b.loads(http.StatusOK, chromedp.Navigate(p.server.URL+path))
	long := strings.Repeat("word ", requirement.MaxText/5) + "and more"
	b.do(chromedp.Click(chromedp.CSS(".stars label:nth-of-type(2) input")), chromedp.SetValue(chromedp.CSS("#confirm-comment"), long))
	b.loads(http.StatusUnprocessableEntity, chromedp.Click(chromedp.CSS(`form:has([value=confirm]) button`)))
	b.looks("too-long")
	kept, err := chromedp.Run(b.ctx, chromedp.Value(chromedp.CSS("#confirm-comment")))
	require.NoError(t, err)
	require.Equal(t, long, kept)
	require.Empty(t, p.facts(id, requirement.Confirmed))

	expired, err := p.links.Sign(link.Link{Requirement: id, Recipient: "customer", Purpose: link.ForCustomer, Version: 1, Expires: time.Now()})
	require.NoError(t, err)
	b.loads(http.StatusGone, chromedp.Navigate(p.server.URL+"/r/"+expired+"?lang=zh-CN"))
	b.looks("expired")
}

func TestBrowserApprover(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	b := newBrowser(t, "approver")
	id := p.inReview(map[string]any{
		"title": "年度合同改为按季度付款", "description": "客户希望把年度预付改为按季度付款，并保留现有折扣。", "customer": "云栖科技", "tier": "P1", "priority": "high",
		"attachments": []string{"https://files.example.com/contracts/2026/a-very-long-name-of-a-contract-that-does-not-fit-on-one-line.pdf"},
	})
	p.act(id, requirement.Approve{Header: as("zhao.lei"), Comment: "同意，但折扣减半。"})
	sent := p.mailed(id, "liu.yang", "请审批")
	b.letter(p, sent.HTML)
	b.picture("letter")
	b.loads(http.StatusOK, chromedp.Click(chromedp.CSS(`a[href*="/a/"]`)))
	b.looks("asked")
	b.do(
		chromedp.Click(chromedp.CSS("details:has([value=decline]) > summary")),
		chromedp.SendKeys(chromedp.CSS("#decline-reason"), "现金流不允许"),
	)
	b.picture("decline-phone")
	b.loads(http.StatusOK, chromedp.Click(chromedp.CSS(`form:has([value=decline]) button`)))
	b.reads("您的反对票及理由已计入", "现金流不允许")
	b.looks("declined")
	facts := p.facts(id, requirement.VoteDeclined)
	require.Len(t, facts, 1)
	require.Equal(t, "link:liu.yang", facts[0].Via)
	b.loads(http.StatusOK, chromedp.Click(chromedp.CSS("header a")))
	b.reads("You have voted already")
	b.looks("voted-en")

	path := p.path(id, "customer", 0)
	b.loads(http.StatusOK, chromedp.Navigate(p.server.URL+path))
	b.looks("rejected")
}
