package ledger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/ledger"
	"closeloop/requirement"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		text string
		want []string
	}{
		{"pairs of characters", "导出报表", []string{"导出", "出报", "报表"}},
		{"words", "Export is SLOW", []string{"export", "is", "slow"}},
		{"both", "导出report太慢", []string{"导出", "report", "太慢"}},
		{"full width", "ＥＸＣＥＬ２０２６", []string{"excel2026"}},
		{"each once", "报表 报表", []string{"报表"}},
		{"punctuation parts", "登录，失败。", []string{"登录", "失败"}},
		{"one character alone", "慢", []string{"慢"}},
		{"compatibility ideographs", "\uF90A", []string{"金"}},
		{"accents", "Café", []string{"café"}},
		{"nothing", " ，。!\x00", []string{}},
		{"a word that is none", strings.Repeat("x", 65), []string{}},
	} {
		require.Equal(t, c.want, ledger.Tokens(c.text), c.name)
	}
	require.Len(t, ledger.Tokens(longText()), 4000, "bounded")
}

// longText has 6,001 different characters.
func longText() string {
	var b strings.Builder
	for c := '一'; c <= '一'+6000; c++ {
		b.WriteRune(c)
	}
	return b.String()
}

func archive(t *testing.T, l *ledger.Ledger, id, title, problem, cause, solution string) {
	t.Helper()
	r := submit(t, id, func(s *requirement.Submission) { s.Title, s.Description = title, problem })
	do(t, r, time.Minute,
		requirement.Triage{Header: as("zhou")}, requirement.Assign{Header: as("zhou"), To: "li"},
		requirement.Resolve{Header: as("li"), Solution: solution, RootCause: cause},
		requirement.Confirm{Header: as("customer")})
	write(t, l, r)
}

func TestSearchOfTheKnowledgeBase(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	archive(t, l, "REQ-1", "导出报表太慢", "导出 Excel 要十分钟", "全表扫描", "为订单表加索引")
	archive(t, l, "REQ-2", "Login fails after password reset", "Single sign-on answers 500", "clock skew of the SAML server", "synchronise with NTP")
	archive(t, l, "REQ-3", "扫码登录失败", "手机端扫码没有反应", "证书过期", "更换证书并监控到期日")
	archive(t, l, "REQ-4", "报表数字不对", "导出的金额少一位", "四舍五入", "改用定点数")
	withdrawn := submit(t, "REQ-5", func(s *requirement.Submission) { s.Title = "导出报表" })
	do(t, withdrawn, time.Minute, requirement.Withdraw{Header: as("zhou"), Reason: "不要了"})
	write(t, l, withdrawn)

	ids := func(query string, limit int) []string {
		found, err := l.Search(t.Context(), query, limit)
		require.NoError(t, err)
		var ids []string
		for i, k := range found {
			ids = append(ids, k.ID)
			require.Positive(t, k.Score)
			require.LessOrEqual(t, k.Score, 1.0)
			require.True(t, i == 0 || k.Score <= found[i-1].Score, "best first")
		}
		return ids
	}
	for _, c := range []struct {
		name, query string
		limit       int
		want        []string
	}{
		{"Chinese words", "导出报表", 0, []string{"REQ-1", "REQ-4"}},
		{"a rare word counts more", "报表 金额", 0, []string{"REQ-4", "REQ-1"}},
		{"a word of the solution", "证书", 0, []string{"REQ-3"}},
		{"a word of the cause", "全表扫描", 0, []string{"REQ-1"}},
		{"English", "password login", 0, []string{"REQ-2"}},
		{"English in capitals", "SAML", 0, []string{"REQ-2"}},
		{"both languages", "excel 导出", 0, []string{"REQ-1", "REQ-4"}},
		{"not every word is there", "登录 vpn 隧道", 0, []string{"REQ-3"}},
		{"one character", "码", 0, []string{"REQ-3"}},
		{"several characters, each alone", "码 机", 0, []string{"REQ-3"}},
		{"limited", "导出报表", 1, []string{"REQ-1"}},
		{"unknown", "区块链", 0, nil},
		{"nothing", "，。", 0, nil},
		{"a very long query", strings.Repeat("导出报表", 1_000), 0, []string{"REQ-1", "REQ-4"}},
	} {
		require.Equal(t, c.want, ids(c.query, c.limit), c.name)
	}
	found, err := l.Search(t.Context(), "证书", 0)
	require.NoError(t, err)
	require.Equal(t, ledger.Knowledge{
		ID: "REQ-3", Title: "扫码登录失败", Problem: "手机端扫码没有反应", RootCause: "证书过期", Solution: "更换证书并监控到期日",
		Type: "functional", Tier: "P3", Customer: "华东物流", Owner: "li",
		ArchivedAt: start.Add(time.Minute).Truncate(time.Microsecond), Score: 1,
	}, found[0])
}

// Words that are everywhere do not make the search read everything.
func TestSearchWithCommonWords(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	archive(t, l, "REQ-1", "导出报表", "导出报表很慢", "扫描", "索引")
	_, err := conn.Exec(t.Context(), `INSERT INTO requirement
		SELECT (jsonb_populate_record(r, jsonb_build_object('id', 'X-' || n))).* FROM requirement r, generate_series(1, 1200) n`)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `INSERT INTO knowledge
		SELECT (jsonb_populate_record(k, jsonb_build_object('requirement_id', 'X-' || n, 'tokens', '["报表"]'::jsonb))).*
		FROM knowledge k, generate_series(1, 1200) n`)
	require.NoError(t, err)
	found, err := l.Search(t.Context(), "报表 扫描", 5)
	require.NoError(t, err)
	require.Len(t, found, 1, "looked up by the rare word alone")
	require.Equal(t, "REQ-1", found[0].ID)
	found, err = l.Search(t.Context(), "报表", 5)
	require.NoError(t, err)
	require.Len(t, found, 5)
}
