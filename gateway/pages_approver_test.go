package gateway

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/worker"
)

func TestApproverVotes(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	id := p.inReview(map[string]any{"description": "十万行导出超时", "tier": "P1", "priority": "high"})
	sent := p.mailed(id, "zhao.lei", "请审批")
	require.Contains(t, sent.Text, "批准或否决：\n"+sent.Link+"\n")
	path, ours := strings.CutPrefix(sent.Link, p.links.Base)
	require.True(t, ours)
	before := p.seq(id)
	opened := p.open(path).says(http.StatusOK, "请您审批", id, "十万行导出超时", "Acme", "P1", "高", "wang.fang", "请在 ", "第 1 轮：2 票中需 2 票同意。", "（您）", "liu.yang")
	p.send("", http.MethodHead, path, nil)
	p.open(path + "?act=approve")
	p.settled(id)
	require.Equal(t, before, p.seq(id), "whoever opens a link does nothing")

	form := opened.fill("approve", "comment", "值得做")
	for range 2 {
		opened.sendForm(form).follow().says(http.StatusOK, "您的同意票已计入", "您已表决", "值得做")
	}
	facts := p.facts(id, requirement.VoteApproved)
	require.Len(t, facts, 1)
	require.Equal(t, "zhao.lei", facts[0].Actor)
	require.Equal(t, "link:zhao.lei", facts[0].Via)
	p.open(path).says(http.StatusOK, "您已表决", "您的表决：同意")
	opened.send("decline", "reason", "doch nicht").says(http.StatusConflict, "情况已有变化", "doch nicht")

	other := p.open(p.path(id, "liu.yang", 1)+"?lang=en").says(http.StatusOK, "Your approval is needed", "值得做")
	other.send("decline").says(http.StatusUnprocessableEntity, "Please fill this in.")
	other.send("decline", "reason", strings.Repeat("x", requirement.MaxText+1)).says(http.StatusUnprocessableEntity, "10001 characters")
	other.send("decline", "reason", "not this year").follow().says(http.StatusOK, "Your no has been counted", "not approved", "not this year")
	require.Len(t, p.facts(id, requirement.VoteDeclined), 1)
	other.send("approve", "act", "assign").says(http.StatusBadRequest)
	other.send("approve", "seal", "x").says(http.StatusForbidden)
}

// TestApproverCannotVote: whatever keeps somebody from voting is said in plain
// words, in both languages, and a vote that is sent all the same is refused.
func TestApproverCannotVote(t *testing.T) {
	t.Parallel()
	p := newPageSite(t)
	type ground struct {
		name, id, person string
		round            int
		status, sending  int
		en, zh           string
	}
	var grounds []ground
	add := func(name, id, person string, round, status, sending int, en, zh string) {
		grounds = append(grounds, ground{name, id, person, round, status, sending, en, zh})
	}
	const ok, no = http.StatusOK, http.StatusConflict
	open := p.inReview()
	add("not asked", open, "li.na", 1, http.StatusForbidden, http.StatusForbidden, "You are not asked for your vote", "无需您表决")
	add("not there any more", open, "somebody.gone", 1, http.StatusGone, http.StatusGone, "This link was withdrawn", "此链接已作废")
	add("a round to come", open, "zhao.lei", 2, ok, no, "One moment, please", "请稍候")

	delegated := p.inReview()
	p.act(delegated, requirement.Delegate{Header: as("zhao.lei"), To: "chen.jing"})
	add("passed on", delegated, "zhao.lei", 1, ok, no, "chen.jing votes instead of you", "由 chen.jing 代您表决")

	over := p.inReview()
	p.act(over, requirement.Decline{Header: as("zhao.lei"), Reason: "no"})
	add("over", over, "liu.yang", 1, ok, no, "This round is over", "本轮审批已结束")
	add("cast", over, "zhao.lei", 1, ok, no, "You have voted already", "您已表决")

	changed := p.inReview()
	p.act(changed, requirement.Amend{Header: as("customer"), Description: "other words"})
	p.opened(changed, 2)
	add("another wording", changed, "zhao.lei", 1, ok, no, "There is a new round", "已有新一轮审批")

	ended := p.inReview()
	p.act(ended, requirement.Withdraw{Header: as("customer"), Reason: "no"})
	add("withdrawn", ended, "zhao.lei", 1, ok, no, "Nothing is to be decided any more", "已无需审批")

	own := p.inReview()
	p.act(own, requirement.Approve{Header: as("zhao.lei")}, requirement.Approve{Header: as("liu.yang")}, requirement.Assign{Header: as("wang.fang"), To: "zhao.lei"})
	add("their own", own, "zhao.lei", 1, ok, no, "This is your own request", "这是您自己的需求")

	good := p.open(p.path(open, "zhao.lei", 1)).form("approve")
	for _, g := range grounds {
		t.Run(g.name, func(t *testing.T) {
			path := p.path(g.id, g.person, g.round)
			before := p.seq(g.id)
			seen := p.open(path+"?lang=en", "Accept-Language", "en").says(g.status, g.en)
			p.open(path+"?lang=zh-CN").says(g.status, g.zh)
			require.False(t, seen.has("approve"))
			// A form of the same link, as if it had been opened before.
			token := strings.TrimPrefix(path, "/a/")
			form := good
			form.Set("seal", p.links.Seal(token, form.Get("nonce"), form.Get("seen")))
			form.Set("comment", "my words")
			answer := page{reply{t: t}, p, path + "?lang=en"}.sendForm(form)
			answer.says(g.sending)
			if g.sending == no {
				answer.says(no, "something has changed", "my words")
			}
			p.settled(g.id)
			require.Equal(t, before, p.seq(g.id))
		})
	}
}

// TestApproverWaitsTheirTurn: in sequence one is asked after the other.
func TestApproverWaitsTheirTurn(t *testing.T) {
	t.Parallel()
	p := newPageSiteOf(t, func(c *worker.Config) {
		rules := c.Policy.(*policy.Policy)
		for i := range rules.Approvals {
			rules.Approvals[i].InSequence = true
		}
	})
	id := p.inReview()
	path := p.path(id, "liu.yang", 1)
	p.open(path).says(http.StatusOK, "还没有轮到您")
	p.open(p.path(id, "zhao.lei", 1)).send("approve").follow().says(http.StatusOK, "您的同意票已计入")
	p.open(path).says(http.StatusOK, "请您审批").send("approve").follow().says(http.StatusOK, "您的同意票已计入")
	require.Eventually(t, func() bool { return len(p.facts(id, requirement.RoundDecided)) == 1 }, 30*time.Second, 10*time.Millisecond)
}
