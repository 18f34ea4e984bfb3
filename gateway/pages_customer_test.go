package gateway

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"closeloop/link"
	"closeloop/locale"
	"closeloop/requirement"
	"closeloop/starter"
)

func TestCustomerConfirms(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	id := p.resolved()
	sent := p.mailed(id, "customer", "请确认")
	require.Contains(t, sent.Text, "确认或反馈问题：\n"+sent.Link+"\n")
	require.Contains(t, sent.HTML, `href="`+sent.Link+`"`)
	path, ours := strings.CutPrefix(sent.Link, p.links.Base)
	require.True(t, ours)

	before := p.seq(id)
	opened := p.open(path).says(http.StatusOK, "您的需求解决了吗？", id, "导出报表", "已修复：分批导出", "待您确认", "请在 ", "我们已于 ")
	require.NotContains(t, opened.body, "SECRET-ROOT")
	for _, method := range []string{http.MethodHead, http.MethodGet, http.MethodOptions, http.MethodPut, http.MethodDelete} {
		for range 3 {
			p.send("", method, path, nil, "Sec-Purpose", "prefetch")
			p.send("", method, path+"?act=confirm&rating=1&done=confirm", nil)
		}
	}
	p.settled(id)
	require.Equal(t, before, p.seq(id), "whoever opens a link does nothing")

	form := opened.fill("confirm", "rating", "4", "comment", "很快，谢谢\r\n好评")
	// A click that is doubled, by an impatient finger or a proxy that repeats.
	var group sync.WaitGroup
	answers := make([]page, 4)
	for i := range answers {
		group.Go(func() { answers[i] = opened.sendForm(form) })
	}
	group.Wait()
	for _, a := range answers {
		a.follow().says(http.StatusOK, "感谢您！我们已收到您的确认。", "您的评分：4 / 5", "很快，谢谢\n好评", "您的需求已关闭")
	}
	facts := p.facts(id, requirement.Confirmed)
	require.Len(t, facts, 1)
	require.Equal(t, "customer", facts[0].Actor)
	require.Equal(t, "link:customer", facts[0].Via)

	require.NotContains(t, answers[0].follow().seen(), "查看我的需求", "nothing is left to be done")
	again := p.open(path).says(http.StatusOK, "您的需求已关闭", "您已于 ", "您的评分：4 / 5")
	for _, act := range customerActs {
		require.False(t, again.has(string(act)), act)
	}
	// An old page, with other words.
	form.Set("comment", "and one thing more")
	opened.sendForm(form).says(http.StatusConflict, "情况已有变化", "and one thing more", "您的需求已关闭")
	require.Len(t, p.facts(id, requirement.Confirmed), 1)
}

func TestCustomerSaysNo(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	id := p.resolved(map[string]any{"language": "en"})
	path := p.path(id, "customer", 0)
	opened := p.open(path).says(http.StatusOK, "Is your request resolved?", "No, it is not resolved")
	opened.send("dispute").says(http.StatusUnprocessableEntity, "Please fill this in.", "Nothing that you wrote is lost.")
	opened.send("dispute", "reason", "still slow").follow().says(http.StatusOK, "We are taking it up again", "We are working on your request", "Show my request")
	facts := p.facts(id, requirement.Disputed)
	require.Len(t, facts, 1)
	require.Equal(t, "link:customer", facts[0].Via)

	// The page that was open before is about a solution that is no more, also when
	// there is another one by now.
	p.act(id, requirement.Resolve{Header: as("li.na"), Solution: "another way"})
	opened.send("confirm", "rating", "5", "comment", "my words").says(http.StatusConflict, "something has changed", "another way", "my words")
	require.Empty(t, p.facts(id, requirement.Confirmed))
	p.open(path).says(http.StatusOK, "another way", "still slow", "What was said")
}

func TestCustomerAnswersAQuestion(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	id := p.submit()
	path := p.path(id, "customer", 0)
	p.open(path).says(http.StatusOK, "我们已收到您的需求", "我们将在 ", " 前给您首次答复。")
	p.act(id, requirement.PutOnHold{Header: as("li.na"), Reason: "请问是哪个版本？"})
	opened := p.open(path).says(http.StatusOK, "我们需要您提供信息", "我们想向您确认", "请问是哪个版本？")
	require.False(t, opened.has("comment"), "the answer is the message")
	opened.send("resume", "message", "  ").says(http.StatusUnprocessableEntity, "请填写此项。")
	opened.send("resume", "message", "版本 3.2").follow().says(http.StatusOK, "我们已收到您的答复", "版本 3.2")
	facts := p.facts(id, requirement.WasResumed)
	require.Len(t, facts, 1)
	require.Contains(t, string(facts[0].Data), "版本 3.2")
	// Asked for somebody else's sake, the customer has nothing to answer.
	opened.send("resume", "message", "once more").says(http.StatusConflict, "once more")
}

func TestCustomerWrites(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	id := p.submit()
	path := p.path(id, "customer", 0)
	p.act(
		id, requirement.Triage{Header: as("wang.fang")}, requirement.Assign{Header: as("wang.fang"), To: "li.na"},
		requirement.Respond{Header: as("li.na"), Method: "email", Message: "两个办法", Options: []string{"换新", "退款"}},
		requirement.Comment{Header: as("li.na"), Message: "INTERNAL-REMARK"},
		requirement.Amend{Header: as("customer"), Description: "第二版"},
	)
	opened := p.open(path).says(http.StatusOK, "我们正在处理您的需求", "两个办法", "2. 退款", "历史版本", "第二版")
	require.NotContains(t, opened.body, "INTERNAL-REMARK")
	opened.send("comment", "option", "2").follow().says(http.StatusOK, "我们已收到您的留言", "我选择方案2。")
	// The same page with other words is another message.
	opened.send("comment", "message", "尽快").follow()
	require.Len(t, slices.DeleteFunc(p.facts(id, requirement.Commented), func(e requirement.Event) bool { return e.Actor != "customer" }), 2)

	opened = p.open(path)
	opened.send("withdraw").says(http.StatusUnprocessableEntity, "请填写此项。")
	opened.send("withdraw", "reason", "不用了").follow().says(http.StatusOK, "您的需求已撤回，我们将停止处理。")
	p.open(path).says(http.StatusOK, "您的需求已撤回")
	opened.send("comment", "message", "等等").says(http.StatusConflict, "等等")
}

func TestCustomerAppeals(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	id := p.inReview()
	p.act(id, requirement.Decline{Header: as("zhao.lei"), Reason: "今年不做"})
	path := p.path(id, "customer", 0)
	opened := p.open(path).says(http.StatusOK, "您的需求暂不能采纳", "今年不做", "申诉一次")
	require.NotContains(t, opened.body, "zhao.lei")
	opened.send("appeal", "reason", "很重要").follow().says(http.StatusOK, "我们已收到您的申诉", "我们正在评估您的需求")
	p.opened(id, 2)
	p.act(id, requirement.Decline{Header: as("liu.yang"), Reason: "仍然不做"})
	last := p.open(path).says(http.StatusOK, "仍然不做")
	require.False(t, last.has("appeal"), "once")
	opened.send("appeal", "reason", "真的很重要").says(http.StatusConflict, "真的很重要")
}

// TestMergedCustomer: the customer of a merged requirement learns the outcome,
// and nothing that the other customer wrote.
func TestMergedCustomer(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	first := p.submit(map[string]any{"title": "OTHER-TITLE", "customer": "OTHER-CUSTOMER", "contact": "other@example.com", "description": "OTHER-WORDS"})
	second := p.submit(map[string]any{"title": "mine", "language": "en"})
	p.act(second, requirement.Merge{Header: as("wang.fang"), Into: first})
	path := p.path(second, "customer", 0)
	require.Eventually(t, func() bool {
		r, err := p.books.Get(t.Context(), second)
		return err == nil && r.Over()
	}, 30*time.Second, 10*time.Millisecond)
	secret := func(opened page) {
		t.Helper()
		for _, text := range []string{"OTHER", "other@example.com", first, "SECRET-ROOT"} {
			require.NotContains(t, opened.body, text)
		}
		for _, act := range customerActs {
			require.False(t, opened.has(string(act)), act)
		}
	}
	secret(p.open(path).says(http.StatusOK, "handled together with another one", "mine", "Received"))
	p.act(
		first, requirement.Triage{Header: as("wang.fang")}, requirement.Assign{Header: as("wang.fang"), To: "li.na"},
		requirement.Comment{Header: as("customer"), Message: "OTHER-MESSAGE"},
		requirement.Resolve{Header: as("li.na"), Solution: "the solution", RootCause: "SECRET-ROOT"},
	)
	secret(p.open(path).says(http.StatusOK, "there is a solution", "the solution"))
	sent := p.mailed(first, "customer:"+second, "resolved")
	require.Equal(t, second, opened(t, p, sent.Link).Requirement)
	p.act(first, requirement.Confirm{Header: as("customer"), Rating: 2, Comment: "OTHER-COMMENT"})
	secret(p.open(path).says(http.StatusOK, "there is a solution", "Done"))
}

func opened(t *testing.T, p *pageSite, address string) link.Link {
	t.Helper()
	l, err := p.links.Open(address[strings.LastIndex(address, "/")+1:], time.Now())
	require.NoError(t, err)
	return l
}

// TestCustomerSeesNothingInternal goes through a life with everything in it.
func TestCustomerSeesNothingInternal(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	id := p.inReview(map[string]any{"type": "complaint", "priority": "high"})
	path := p.path(id, "customer", 0)
	internal := []string{"li.na", "wang.fang", "zhao.lei", "liu.yang", "chen.jing", "客服部", "Service", "SECRET", "escalat", "升级", "closeloop", "operator", "负责人"}
	look := func() {
		t.Helper()
		for _, lang := range locale.Languages {
			seen := p.open(path+"?lang="+lang).says(http.StatusOK, id)
			for _, text := range internal {
				require.NotContains(t, seen.body, text)
			}
		}
	}
	look()
	p.act(id, requirement.Approve{Header: as("zhao.lei"), Comment: "SECRET-VOTE"}, requirement.Approve{Header: as("liu.yang")})
	for _, act := range []requirement.Act{
		requirement.Assign{Header: as("wang.fang"), To: "li.na", Reason: "SECRET-REASON"},
		requirement.HandBack{Header: as("li.na"), Reason: "SECRET-HANDBACK"},
		requirement.Assign{Header: as("wang.fang"), To: "li.na"},
		requirement.Plan{Header: as("li.na"), Steps: []requirement.PlanStep{{What: "SECRET-STEP", Due: time.Now().Add(time.Hour)}}},
		requirement.Reprioritise{Header: as("wang.fang"), Priority: "low", Reason: "SECRET-PRIORITY"},
		requirement.PutOnHold{Header: as("li.na"), Reason: "for you"},
		requirement.Resume{Header: as("li.na"), Message: "SECRET-RESUME"},
		requirement.Resolve{Header: as("li.na"), Solution: "done", RootCause: "SECRET-ROOT"},
		requirement.Confirm{Header: as("customer"), Rating: 5},
	} {
		p.act(id, act)
		look()
	}
}

// TestHostileWords: no text of anybody is markup, on any page.
func TestHostileWords(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	const nasty = `</textarea></style><script>alert(1)</script><img src=x onerror=alert(1)>"'><svg/onload=alert(1)> javascript:alert(1) {{.ID}} ` + "\u202eevil\u2066"
	life := func(words string) []page {
		id := p.inReview(map[string]any{
			"title": words, "customer": words[:min(len(words), 190)], "description": words, "scenario": words, "outcome": words, "pain": words,
			"background": words, "attachments": []string{words}, "language": "en",
		})
		customer, approver := p.path(id, "customer", 0), p.path(id, "liu.yang", 1)
		p.act(id, requirement.Approve{Header: as("zhao.lei"), Comment: words})
		pages := []page{p.open(approver), p.open(customer)}
		p.act(id, requirement.Decline{Header: as("liu.yang"), Reason: words})
		pages = append(pages, p.open(approver), p.open(customer))
		p.act(id, requirement.Appeal{Header: as("customer"), Reason: words})
		p.opened(id, 2)
		p.act(id, requirement.Approve{Header: as("zhao.lei")}, requirement.Approve{Header: as("liu.yang")}, requirement.Assign{Header: as("wang.fang"), To: "li.na"},
			requirement.Respond{Header: as("li.na"), Method: "phone", Message: words, Options: []string{words, words}},
			requirement.Progress{Header: as("li.na"), Message: words}, requirement.Amend{Header: as("customer"), Title: words, Description: words},
		)
		p.opened(id, 3)
		p.act(id, requirement.Approve{Header: as("zhao.lei")}, requirement.Approve{Header: as("liu.yang")}, requirement.PutOnHold{Header: as("li.na"), Reason: words})
		pages = append(pages, p.open(customer), p.open(customer).send("resume", "message", words).follow())
		wrong := p.open(customer).fill("comment", "message", words)
		wrong.Set("seal", words)
		pages = append(pages, p.open(customer).sendForm(wrong))
		p.act(id, requirement.Resolve{Header: as("li.na"), Solution: words})
		asked := p.open(customer)
		pages = append(pages, asked, asked.send("confirm", "rating", words, "comment", words), asked.send("confirm", "rating", "1", "comment", words).follow())
		return append(pages, p.open(customer+"?lang="+url.QueryEscape(words)+"&done="+url.QueryEscape(words)), asked.send("dispute", "reason", words))
	}
	tame := life("harmless words")
	for i, hostile := range life(nasty) {
		require.Equal(t, tame[i].status, hostile.status)
		require.Equal(t, elements(tame[i].body), elements(hostile.body), "page %d", i)
		for _, bad := range []string{"<script", "<img", "<svg"} {
			require.NotContains(t, strings.ToLower(hostile.body), bad, "page %d", i)
		}
		if hostile.status == http.StatusOK {
			// Elsewhere it is in a field, for whoever typed it.
			require.NotContains(t, hostile.body, "\u202e")
			require.NotContains(t, hostile.body, "\u2066")
		}
		wellFormed(t, hostile.body)
	}
}

// TestWrongFields: what cannot be taken is said beside its field, and nothing
// that was typed is lost.
func TestWrongFields(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	id := p.resolved(map[string]any{"language": "en"})
	path := p.path(id, "customer", 0)
	opened := p.open(path)
	long := strings.Repeat("很长", requirement.MaxText/2) + "!"
	for _, c := range []struct {
		name, act, field, value string
		rest                    []string
		says                    []string
	}{
		{"too long", "confirm", "comment", long, []string{"rating", "3"}, []string{"10001 characters"}},
		{"a control character", "confirm", "comment", "bell \a rings", []string{"rating", "3"}, []string{"invisible character"}},
		{"no such rating", "confirm", "rating", "9", []string{"comment", "my comment"}, []string{"Please choose one of 1 to 5.", "my comment"}},
		{"a rating in words", "confirm", "rating", "best", []string{"comment", "my comment"}, []string{"Please choose one of 1 to 5.", "my comment"}},
		{"nothing", "dispute", "reason", " \r\n ", nil, []string{"Please fill this in."}},
		{"too long a reason", "dispute", "reason", long, nil, []string{"10001 characters"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := opened.send(c.act, append([]string{c.field, c.value}, c.rest...)...).says(http.StatusUnprocessableEntity, c.says...)
			kept := answer.form(c.act)
			if c.field != "rating" {
				require.Equal(t, strings.TrimSpace(c.value), strings.ReplaceAll(kept.Get(c.field), "\uFFFD", "\a"))
			}
			if len(c.rest) > 0 {
				require.Equal(t, c.rest[1], kept.Get(c.rest[0]))
			}
		})
	}
	require.Empty(t, p.facts(id, requirement.Confirmed, requirement.Disputed))
	// More than anybody types.
	opened.send("confirm", "comment", strings.Repeat("x", maxForm)).says(http.StatusRequestEntityTooLarge, "That is too much at once")
	opened.send("confirm", "comment", "x", "act", "explode").says(http.StatusBadRequest)
	opened.send("confirm", "act", "triage").says(http.StatusBadRequest)
}

// TestForeignForms: only a form that the page itself had acts.
func TestForeignForms(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	id, other := p.resolved(map[string]any{"language": "en"}), p.resolved(map[string]any{"language": "en"})
	path := p.path(id, "customer", 0)
	opened := p.open(path)
	before := p.seq(id)
	for _, c := range []struct {
		name   string
		change []string
		header []string
		status int
		says   []string
	}{
		{"no seal", []string{"seal", ""}, nil, http.StatusForbidden, []string{"too old", "my words"}},
		{"no nonce", []string{"nonce", ""}, nil, http.StatusForbidden, []string{"too old", "my words"}},
		{"a nonce of their own", []string{"nonce", "AAAA"}, nil, http.StatusForbidden, []string{"too old", "my words"}},
		{"another cycle", []string{"seen", "2"}, nil, http.StatusForbidden, []string{"too old", "my words"}},
		{"the seal of another link", []string{"seal", p.open(p.path(other, "customer", 0)).form("confirm").Get("seal")}, nil, http.StatusForbidden, []string{"too old", "my words"}},
		{"from another site", nil, []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden, []string{"did not come from our page"}},
		{"from a neighbour", nil, []string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden, []string{"did not come from our page"}},
		{"from another origin", nil, []string{"Origin", "https://evil.example"}, http.StatusForbidden, []string{"did not come from our page"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			form := opened.fill("confirm", append([]string{"comment", "my words"}, c.change...)...)
			opened.sendForm(form, c.header...).says(c.status, c.says...)
		})
	}
	p.settled(id)
	require.Equal(t, before, p.seq(id))
	// As a browser sends it: it was told to send no referrer, so it names no origin.
	form := opened.fill("confirm", "comment", "my words")
	opened.sendForm(form, "Sec-Fetch-Site", "same-origin", "Origin", "null").follow().says(http.StatusOK, "Thank you!")
	opened.sendForm(form, "Origin", p.links.Base).follow()
	opened.sendForm(form, "Origin", p.server.URL).follow()
}

// TestKindPages: whatever is wrong with a link, there is a page that says what to
// do, in both languages.
func TestKindPages(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	id := p.submit()
	good := p.path(id, "customer", 0)
	sign := func(keys link.Keys, l link.Link) string {
		token, err := keys.Sign(l)
		require.NoError(t, err)
		return token
	}
	soon := time.Now().Add(time.Hour)
	strange, err := link.ParseKeys("k9:" + strings.Repeat("A", 44))
	require.NoError(t, err)
	revoked := p.path(p.submit(), "customer", 0)
	_, err = p.books.RevokeLinks(t.Context(), opened(t, p, revoked).Requirement, "customer", "li.na")
	require.NoError(t, err)
	for _, c := range []struct {
		name, path string
		status     int
		en, zh     string
	}{
		{"tampered", good[:len(good)-5] + "AAAAA", http.StatusForbidden, "This link does not work", "此链接无法使用"},
		{"cut off", good[:40], http.StatusForbidden, "This link does not work", "此链接无法使用"},
		{"a word", "/r/hello", http.StatusForbidden, "This link does not work", "此链接无法使用"},
		{"a key that was taken out", "/r/" + sign(strange, link.Link{Requirement: id, Recipient: "customer", Purpose: link.ForCustomer, Version: 1, Expires: soon}), http.StatusForbidden, "This link does not work", "此链接无法使用"},
		{"a customer's for a vote", "/a/" + strings.TrimPrefix(good, "/r/"), http.StatusForbidden, "This link does not work", "此链接无法使用"},
		{"an approver's for a customer's", "/r/" + strings.TrimPrefix(p.path(id, "zhao.lei", 1), "/a/"), http.StatusForbidden, "This link does not work", "此链接无法使用"},
		{"expired", "/r/" + sign(p.links.Keys, link.Link{Requirement: id, Recipient: "customer", Purpose: link.ForCustomer, Version: 1, Expires: time.Now()}), http.StatusGone, "This link has expired", "此链接已过期"},
		{"revoked", revoked, http.StatusGone, "This link was withdrawn", "此链接已作废"},
		{"a requirement that is not here", p.path("REQ-N0TH1NG0", "customer", 0), http.StatusNotFound, "This request is not here any more", "该需求已不在这里"},
	} {
		t.Run(c.name, func(t *testing.T) {
			english := p.open(c.path, "Accept-Language", "en-GB,en;q=0.8").says(c.status, c.en, "中文")
			require.Contains(t, english.body, `<html lang="en">`)
			chinese := p.open(c.path, "Accept-Language", "zh-CN,zh;q=0.9").says(c.status, c.zh, "English")
			require.Contains(t, chinese.body, `<html lang="zh-CN">`)
			p.open(c.path+"?lang=zh-CN", "Accept-Language", "en").says(c.status, c.zh)
			for _, seen := range []page{english, chinese} {
				require.NotContains(t, seen.body, `class="button"`, "a button would lead to this page again")
				for _, secret := range []string{id, "k1", "k9", "HMAC", "signature"} {
					require.NotContains(t, seen.seen(), secret)
				}
			}
			page{reply{t: t}, p, c.path}.sendForm(map[string][]string{"act": {"confirm"}, "comment": {"x"}}, "Accept-Language", "en").says(c.status, c.en)
		})
	}
	// A new link of somebody whose links were revoked is good.
	p.open(p.path(opened(t, p, revoked).Requirement, "customer", 0)).says(http.StatusOK)

	p.serve(func(c *Config) { c.Links = nil })
	p.open(good, "Accept-Language", "en").says(http.StatusNotFound, "There is no page here")
	p.open(good, "Accept-Language", "zh").says(http.StatusNotFound, "这里没有页面")
}

// TestLanguages: the customer's own, unless they choose another.
func TestLanguages(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	english := p.path(p.submit(map[string]any{"language": "en"}), "customer", 0)
	p.open(english, "Accept-Language", "zh-CN").says(http.StatusOK, "We have received your request")
	seen := p.open(english+"?lang=zh-CN").says(http.StatusOK, "我们已收到您的需求", "English")
	require.Contains(t, seen.body, `action="?lang=zh-CN"`, "a form stays in the language that was chosen")
	seen.send("comment", "message", "hi").follow().says(http.StatusOK, "我们已收到您的留言")
	p.open(english+"?lang=fr").says(http.StatusOK, "We have received your request")
}

// TestTemporalIsDown: the page can still be read, and what was typed is on the
// page that says to try again, from where it arrives once.
func TestTemporalIsDown(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	id := p.resolved(map[string]any{"language": "en"})
	path := p.path(id, "customer", 0)
	dead, err := client.NewLazyClient(client.Options{HostPort: "127.0.0.1:1", Logger: silent{}})
	require.NoError(t, err)
	t.Cleanup(dead.Close)
	p.serve(func(c *Config) { c.Desk = starter.New(dead, "nowhere", 300*time.Millisecond) })
	opened := p.open(path).says(http.StatusOK, "Is your request resolved?")
	failed := opened.send("confirm", "rating", "5", "comment", "all my\nwords").says(http.StatusServiceUnavailable, "We cannot be reached right now", "all my\nwords")
	require.NotEmpty(t, failed.header.Get("Retry-After"))
	require.Empty(t, p.facts(id, requirement.Confirmed))

	p.serve(func(c *Config) { c.Desk = p.desk })
	for range 2 {
		failed.send("confirm").follow().says(http.StatusOK, "Thank you!", "all my\nwords", "5 of 5")
	}
	require.Len(t, p.facts(id, requirement.Confirmed), 1)
}

type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

// TestLedgerIsDown: then nothing can be shown, and what was typed is kept.
func TestLedgerIsDown(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	id := p.resolved(map[string]any{"language": "en"})
	path := p.path(id, "customer", 0)
	opened := p.open(path)
	other := newStack(t)
	other.books.Close()
	p.serve(func(c *Config) { c.Books = other.books })
	p.open(path, "Accept-Language", "en").says(http.StatusServiceUnavailable, "We cannot be reached right now")
	failed := opened.send("dispute", "reason", "all my words").says(http.StatusServiceUnavailable, "all my words")
	require.Equal(t, opened.form("dispute").Get("nonce"), failed.form("dispute").Get("nonce"))
}

// TestTooOften: a link has its bounds, others are not touched, and what was typed
// is kept.
func TestTooOften(t *testing.T) {
	t.Parallel()
	now := time.Now()
	p := newPageSite(t, func(c *Config) { c.Now = func() time.Time { return now } })
	id, other := p.submit(map[string]any{"language": "en"}), p.submit(map[string]any{"language": "en"})
	opened := p.open(p.path(id, "customer", 0))
	for range actsPerMinute {
		opened.sendForm(nil).says(http.StatusForbidden)
	}
	failed := opened.send("comment", "message", "all my words").says(http.StatusTooManyRequests, "A little too fast", "all my words")
	require.Equal(t, "60", failed.header.Get("Retry-After"))
	opened.site.open(opened.path).says(http.StatusOK)
	p.open(p.path(other, "customer", 0)).send("comment", "message", "hi").follow()
	now = now.Add(time.Minute)
	failed.send("comment").follow().says(http.StatusOK, "Your message has arrived")
	for range looksPerMinute {
		p.open(opened.path)
	}
	p.open(opened.path, "Accept-Language", "en").says(http.StatusTooManyRequests, "A little too fast")
}

// TestPromises: times that we named, open and passed, as they are.
func TestPromises(t *testing.T) {
	t.Parallel()
	now := time.Now()
	p := newPageSite(t, func(c *Config) { c.Now = func() time.Time { return now } })
	id := p.submit(map[string]any{"language": "en"})
	path := p.path(id, "customer", 0)
	p.open(path).says(http.StatusOK, "You will have our first answer by ")
	// The page is asked later than the promise was for.
	now = now.Add(3 * time.Hour)
	late := p.open(path).says(http.StatusOK, "We promised you a first answer by ", "That time has passed, and we are sorry.")
	require.Contains(t, late.body, `class="late"`)
	p.act(id, requirement.Respond{Header: as("li.na"), Method: "phone", Message: "hello"})
	p.open(path).says(http.StatusOK, "Our first answer came ", "; we had promised it by ")
	now = time.Now()
	var held requirement.State
	r, err := p.books.Get(t.Context(), id)
	require.NoError(t, err)
	text, err := json.Marshal(r.State)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &held))
	held.Response.At = held.Response.At.Add(5 * time.Hour)
	v := &visit{pages: &pages{Gateway: p.gate}, now: now, text: locale.For("en")}
	process, err := p.books.Process(t.Context(), held.Policy)
	require.NoError(t, err)
	var says []string
	for _, promise := range v.promises(requirement.Restore(held, process)) {
		says = append(says, promise.Says)
	}
	require.Contains(t, strings.Join(says, "\n"), "later than the ")
}
