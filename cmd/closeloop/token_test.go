package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/access"
	"closeloop/ledger"
)

// fakeTokens are API tokens in memory.
type fakeTokens struct {
	tokens   []access.Token
	tokenErr error
}

func (f *fakeTokens) KeepAPIToken(_ context.Context, t access.Token) error {
	f.tokens = append(f.tokens, t)
	return f.tokenErr
}

func (f *fakeTokens) APITokens(context.Context) ([]access.Token, error) { return f.tokens, f.tokenErr }

func (f *fakeTokens) RevokeAPIToken(_ context.Context, id, by string, at time.Time) (access.Token, error) {
	for i := range f.tokens {
		if t := &f.tokens[i]; t.ID == id {
			if t.RevokedAt == nil {
				t.RevokedAt, t.RevokedBy = &at, by
			}
			return *t, f.tokenErr
		}
	}
	return access.Token{}, ledger.ErrNotFound
}

var tokenLine = regexp.MustCompile(`^` + access.TokenPattern + `\n$`)

func TestTokenCreate(t *testing.T) {
	t.Parallel()
	lenient := filepath.Join("..", "..", "examples", "policy-fast.yaml")
	days := func(n int) time.Time { return noon.AddDate(0, 0, n) }
	for name, c := range map[string]struct {
		args   []string
		env    []string
		zone   *time.Location
		want   access.Token
		stderr []string
	}{
		"a person": {
			args: []string{"laptop", "--person", "li.na", "--as", "zhang.wei"},
			want: access.Token{Name: "laptop", Person: "li.na", CreatedBy: "zhang.wei", ExpiresAt: days(90)},
			stderr: []string{
				" · laptop · Li Na (li.na) · good until Sun 21 Feb 2027, 12:00 (UTC)\n", "Keep it now: it is not shown again.\n",
			},
		},
		"a person, in Chinese": {
			args:   []string{"笔记本", "--person", "li.na", "--lang", "zh-CN"},
			want:   access.Token{Name: "笔记本", Person: "li.na", CreatedBy: "system", ExpiresAt: days(90)},
			stderr: []string{" · 笔记本 · 李娜 (li.na) · 有效期至 2027-02-21 周日 12:00 (UTC)\n", "请立即保存：不会再次显示。\n"},
		},
		"a system, narrowed": {
			args: []string{"bridge", "--upstream", "jira", "--scope", "submit,read", "--scope", "read", "--expires", "720h"},
			want: access.Token{
				Name: "bridge", Upstream: "jira", CreatedBy: "system", ExpiresAt: days(30),
				Scopes: []access.Scope{access.ScopeSubmit, access.ScopeRead},
			},
			stderr: []string{" · system jira · "},
		},
		"an auditor, to the end of a day where they are": {
			args: []string{"audit", "--auditor", "--scope", "read", "--expires", "2026-12-31"}, zone: time.FixedZone("CST", 8*3600),
			want: access.Token{
				Name: "audit", Auditor: true, CreatedBy: "system", Scopes: []access.Scope{access.ScopeRead},
				ExpiresAt: time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC),
			},
			stderr: []string{" · auditor · good until Fri 1 Jan 2027, 00:00 (UTC+8)"},
		},
		"to an instant": {
			args: []string{"x", "--auditor", "--expires", "2026-12-01T18:00:00+08:00"},
			want: access.Token{Name: "x", Auditor: true, CreatedBy: "system", ExpiresAt: time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)},
		},
		"as long as may be": {
			args: []string{"x", "--auditor", "--expires", "17544h"},
			want: access.Token{Name: "x", Auditor: true, CreatedBy: "system", ExpiresAt: days(731)},
		},
		"a stranger, where these are agents": {
			args: []string{"x", "--person", "stranger"}, env: []string{"CLOSELOOP_POLICY=" + lenient},
			want: access.Token{Name: "x", Person: "stranger", CreatedBy: "system", ExpiresAt: days(90)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			books := &fakeArchive{}
			got := calling{args: append([]string{"token", "create"}, c.args...), env: c.env, zone: c.zone, books: books}.run(t)
			require.Zero(t, got.status, got.err)
			require.Regexp(t, tokenLine, got.out, "the token alone, for scripts to take")
			require.Len(t, books.tokens, 1)
			text := strings.TrimSpace(got.out)
			id, hash, ok := access.ReadToken(text)
			require.True(t, ok)
			c.want.ID, c.want.Hash, c.want.CreatedAt = id, hash, noon
			require.Equal(t, c.want, books.tokens[0])
			for _, line := range c.stderr {
				require.Contains(t, got.err, line)
			}
			require.NotContains(t, got.err, text[len("cl_")+len(id):], "the secret is told once")
		})
	}
}

func TestTokenCreateRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args   []string
		status int
		said   string
	}{
		"no name":              {nil, 2, "NAME"},
		"an empty name":        {[]string{" ", "--auditor"}, 2, "a token needs a name"},
		"a name of two lines":  {[]string{"a\nb", "--auditor"}, 2, "a token needs a name"},
		"a name too long":      {[]string{strings.Repeat("长", 201), "--auditor"}, 2, "at most 200"},
		"for nobody":           {[]string{"x"}, 2, "exactly one of"},
		"for an empty person":  {[]string{"x", "--person", ""}, 2, "exactly one of"},
		"for nobody, plainly":  {[]string{"x", "--auditor=false"}, 2, "exactly one of"},
		"for two":              {[]string{"x", "--person", "li.na", "--upstream", "jira"}, 2, "exactly one of"},
		"for two, one empty":   {[]string{"x", "--person", "li.na", "--upstream", ""}, 2, "exactly one of"},
		"a stranger":           {[]string{"x", "--person", "stranger"}, 4, "stranger is not in the policy's people"},
		"the system":           {[]string{"x", "--person", "system"}, 4, "system is not in the policy's people"},
		"the customer":         {[]string{"x", "--person", "customer"}, 4, "customer is not in the policy's people"},
		"no system's name":     {[]string{"x", "--upstream", "jira:1"}, 2, "jira:1 is not what stands before the colon"},
		"a scope that is none": {[]string{"x", "--auditor", "--scope", "write"}, 2, `“write” is not one of read`},
		"an auditor who acts":  {[]string{"x", "--auditor", "--scope", "read,act"}, 2, `“act” is not one of read`},
		"a person's bad scope": {[]string{"x", "--person", "li.na", "--scope", "all"}, 2, `“all” is not one of submit, read, act`},
		"no end":               {[]string{"x", "--auditor", "--expires", "never"}, 2, "never is neither"},
		"working days":         {[]string{"x", "--auditor", "--expires", "3wd"}, 2, "3wd is neither"},
		"over":                 {[]string{"x", "--auditor", "--expires", "2026-11-22"}, 2, "over already"},
		"no time":              {[]string{"x", "--auditor", "--expires", "0s"}, 2, "over already"},
		"backwards":            {[]string{"x", "--auditor", "--expires=-1h"}, 2, "over already"},
		"too long":             {[]string{"x", "--auditor", "--expires", "17545h"}, 2, "until Thu 23 Nov 2028, 12:00"},
		"too long a date":      {[]string{"x", "--auditor", "--expires", "2099-01-01"}, 2, "two years at most"},
		"as long as can be":    {[]string{"x", "--auditor", "--expires", "2562047h"}, 2, "two years at most"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			books := &fakeArchive{}
			got := calling{args: append([]string{"token", "create"}, c.args...), books: books}.run(t)
			require.Equal(t, c.status, got.status, got.err)
			require.Contains(t, got.err, c.said)
			require.Empty(t, got.out)
			require.Empty(t, books.tokens)
		})
	}
	got := calling{args: []string{"token", "create", "x", "--person", "stranger", "-o", "json"}, books: &fakeArchive{}}.run(t)
	require.Equal(t, "unknown_person", got.told(t).Code)
}

// TestTokenForPrograms: the names of the fields are a contract.
func TestTokenForPrograms(t *testing.T) {
	t.Parallel()
	books := &fakeArchive{}
	got := calling{args: []string{"token", "create", "bridge", "--upstream", "jira", "--scope", "submit", "-o", "json"}, books: books}.run(t)
	require.Zero(t, got.status, got.err)
	require.Empty(t, got.err)
	var answer map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.out), &answer))
	text := answer["token"].(string)
	require.Regexp(t, tokenLine, text+"\n")
	delete(answer, "token")
	want := map[string]any{
		"id": books.tokens[0].ID, "name": "bridge", "upstream": "jira", "scopes": []any{"submit"}, "state": "live",
		"created_at": "2026-11-23T12:00:00Z", "created_by": "system", "expires_at": "2027-02-21T12:00:00Z",
		"revoked_at": nil, "last_used_at": nil,
	}
	require.Equal(t, want, answer)

	got = calling{args: []string{"token", "list", "-o", "json"}, books: books}.run(t)
	require.Zero(t, got.status, got.err)
	var list []map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.out), &list))
	require.Equal(t, []map[string]any{want}, list)
	require.NotContains(t, got.out, text[16:])

	got = calling{args: []string{"token", "revoke", text, "-o", "yaml", "--as", "li.na"}, books: books}.run(t)
	require.Zero(t, got.status, got.err)
	require.Contains(t, got.out, "state: revoked\n")
	require.Contains(t, got.out, "revoked_by: li.na\n")
}

// someTokens are one of each kind and state.
func someTokens() []access.Token {
	used, revoked := noon.Add(-time.Hour), noon.Add(-time.Minute)
	return []access.Token{
		{ID: "aaaaaaaaaaaaa", Name: "laptop\x1b[31m", Person: "li.na", CreatedBy: "zhang.wei", ExpiresAt: noon.Add(time.Hour), LastUsedAt: &used},
		{ID: "bbbbbbbbbbbbb", Name: "bridge", Upstream: "jira", CreatedBy: "system", ExpiresAt: noon, Scopes: []access.Scope{"submit"}},
		{ID: "ccccccccccccc", Name: "audit", Auditor: true, CreatedBy: "system", ExpiresAt: noon.Add(time.Hour), RevokedAt: &revoked, RevokedBy: "li.na"},
	}
}

func TestTokenList(t *testing.T) {
	t.Parallel()
	list := func(lang string, args ...string) string {
		got := calling{args: append([]string{"token", "list", "--lang", lang}, args...), books: &fakeArchive{fakeTokens: fakeTokens{tokens: someTokens()}}}.run(t)
		require.Zero(t, got.status, got.err)
		return got.out
	}
	golden(t, "token.list.en", list("en", "--all"))
	golden(t, "token.list.zh-CN", list("zh-CN", "--all"))
	require.Contains(t, list("en"), "laptop")
	require.NotContains(t, list("en"), "bridge", "it has expired")
	require.NotContains(t, list("en"), "audit", "it was revoked")
	require.Equal(t, 2, strings.Count(list("en", "-o", "csv"), "\n"))

	none := calling{args: []string{"token", "list"}, books: &fakeArchive{}}.run(t)
	require.Equal(t, "There are no such tokens.\n", none.out)
	require.Equal(t, "[]\n", calling{args: []string{"token", "list", "-o", "json"}, books: &fakeArchive{}}.run(t).out)
	require.Empty(t, calling{args: []string{"token", "list", "-q"}, books: &fakeArchive{}}.run(t).out)
}

func TestTokenRevoke(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args     []string
		tokenErr error
		status   int
		out, err string
	}{
		"by id":             {args: []string{"aaaaaaaaaaaaa", "--as", "li.na"}, out: "revoked · aaaaaaaaaaaaa · laptop\ufffd[31m · Mon 23 Nov 2026, 12:00 (UTC) · Li Na (li.na)\n"},
		"as people type":    {args: []string{"CL_AAAAAAAAAAAAA"}, out: "revoked · aaaaaaaaaaaaa · laptop\ufffd[31m · Mon 23 Nov 2026, 12:00 (UTC) · system\n"},
		"in Chinese":        {args: []string{"aaaaaaaaaaaaa", "--lang", "zh-CN"}, out: "已吊销 · aaaaaaaaaaaaa · laptop\ufffd[31m · 2026-11-23 周一 12:00 (UTC) · 系统\n"},
		"by itself":         {args: []string{"cl_aaaaaaaaaaaaa_" + strings.Repeat("b", 52)}, out: "revoked · aaaaaaaaaaaaa · laptop\ufffd[31m · Mon 23 Nov 2026, 12:00 (UTC) · system\n"},
		"a second time":     {args: []string{"ccccccccccccc", "--as", "zhang.wei"}, out: "revoked · ccccccccccccc · audit · Mon 23 Nov 2026, 11:59 (UTC) · Li Na (li.na)\n"},
		"quietly":           {args: []string{"aaaaaaaaaaaaa", "-q"}},
		"one there is not":  {args: []string{"zzzzzzzzzzzzz"}, status: 3, err: "there is no token zzzzzzzzzzzzz"},
		"none":              {status: 2, err: "ID is missing"},
		"the ledger is off": {args: []string{"aaaaaaaaaaaaa"}, tokenErr: ledger.ErrUnreachable, status: 5, err: "ledger"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			books := &fakeArchive{fakeTokens: fakeTokens{tokens: someTokens(), tokenErr: c.tokenErr}}
			got := calling{args: append([]string{"token", "revoke"}, c.args...), books: books}.run(t)
			require.Equal(t, c.status, got.status, got.err)
			require.Equal(t, c.out, got.out)
			require.Contains(t, got.err, c.err)
			require.NotContains(t, got.err, strings.Repeat("b", 52))
		})
	}
}

// TestTokensWithoutALedger: nothing is shown that was not kept.
func TestTokensWithoutALedger(t *testing.T) {
	t.Parallel()
	books := &fakeArchive{fakeTokens: fakeTokens{tokenErr: ledger.ErrUnreachable}}
	got := calling{args: []string{"token", "create", "x", "--auditor"}, books: books}.run(t)
	require.Equal(t, 5, got.status)
	require.Empty(t, got.out)
	require.Equal(t, 5, calling{args: []string{"token", "list"}, books: books}.run(t).status)
}

func TestTokenCompletion(t *testing.T) {
	t.Parallel()
	books := &fakeArchive{fakeTokens: fakeTokens{tokens: someTokens()}}
	got := calling{args: []string{"__complete", "token", "revoke", ""}, books: books}.run(t)
	require.Contains(t, got.out, "aaaaaaaaaaaaa\tlaptop")
	require.NotContains(t, got.out, "bbbbbbbbbbbbb")
	require.NotContains(t, got.out, "ccccccccccccc")
}
