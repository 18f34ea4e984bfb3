package main

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/ledger"
	"closeloop/link"
	"closeloop/policy"
	"closeloop/requirement"
)

// linkEnv is an environment that can make links.
var linkEnv = []string{
	link.EnvURL + "=https://care.example.com",
	link.EnvKeys + "=k1:" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))),
}

// underReview is a requirement whose first round of approval asks zhang.wei.
func underReview(t *testing.T) *requirement.Requirement {
	t.Helper()
	r, err := requirement.New(someID, requirement.Submission{Title: "Discount", Customer: "Acme"}, policy.Default().Process, noon)
	require.NoError(t, err)
	r.Approval = &requirement.Approval{Round: 1, State: requirement.RoundOpen, Need: 1, Votes: []requirement.Vote{{Person: "zhang.wei", Answer: requirement.AnswerPending}}}
	return r
}

func TestLinkShow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args  []string
		path  string
		until string
	}{
		"for the customer": {[]string{"link", "show", strings.ToLower(someID)}, "/r/", "Sun 21 Feb 2027, 12:00 (UTC)"},
		"for who is asked": {[]string{"link", "show", someID, "--for", "zhang.wei"}, "/a/", "Mon 7 Dec 2026, 12:00 (UTC)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			books := &fakeArchive{held: underReview(t)}
			got := calling{args: c.args, env: linkEnv, books: books}.run(t)
			require.Zero(t, got.status, got.err)
			require.Regexp(t, `^https://care\.example\.com`+c.path+`\S+\n$`, got.out, "the link alone, for scripts")
			require.Equal(t, "good until "+c.until+"; pass it on to nobody but whom it is for\n", got.err)

			got = calling{args: append(c.args, "-o", "json"), env: linkEnv, books: books}.run(t)
			require.Zero(t, got.status, got.err)
			var shown shownLink
			require.NoError(t, json.Unmarshal([]byte(got.out), &shown))
			require.Equal(t, someID, shown.ID)
			require.True(t, shown.ExpiresAt.After(noon.Add(24*time.Hour)))
		})
	}
}

func TestLinkRevoke(t *testing.T) {
	t.Parallel()
	books := &fakeArchive{held: underReview(t)}
	got := calling{args: []string{"link", "revoke", someID, "--as", "li.na"}, books: books}.run(t)
	require.Equal(t, called{0, "Revoked: all links to " + someID + " so far (customer)\n", ""}, got)
	got = calling{args: []string{"link", "revoke", someID, "--for", "zhang.wei", "--lang", "zh-CN"}, books: books}.run(t)
	require.Equal(t, called{0, "已作废：zhang.wei对 " + someID + " 的链接\n", ""}, got)
	got = calling{args: []string{"link", "revoke", someID, "-o", "json", "--as", "li.na"}, books: books}.run(t)
	require.Zero(t, got.status, got.err)
	require.JSONEq(t, `{"id":"`+someID+`","for":"customer","version":2,"revoked_at":"2026-11-23T12:00:00Z","revoked_by":"li.na"}`, got.out)
	require.Equal(t, map[string]int{"customer": 2, "zhang.wei": 1}, books.revoked)
}

func TestLinksThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args   []string
		env    []string
		err    error
		status int
		says   string
		zh     string
	}{
		"links are not set up":         {[]string{"link", "show", someID}, nil, nil, 2, "openssl rand -base64 32", "openssl rand -base64 32"},
		"nobody asks them":             {[]string{"link", "show", someID, "--for", "wu.lei"}, linkEnv, nil, 4, "wu.lei is not asked in an open round", "没有等待 wu.lei 表决"},
		"they were never asked":        {[]string{"link", "revoke", someID, "--for", "zhang.we"}, nil, nil, 3, "zhang.we was never asked for a vote", "从未请 zhang.we 表决"},
		"no such requirement":          {[]string{"link", "show", someID}, linkEnv, ledger.ErrNotFound, 3, "closeloop list shows", "closeloop list"},
		"no such requirement's links":  {[]string{"link", "revoke", someID, "--for", "zhang.wei"}, nil, ledger.ErrNotFound, 3, "closeloop list shows", "closeloop list"},
		"the ledger cannot be reached": {[]string{"link", "revoke", someID}, nil, ledger.ErrUnreachable, 5, "", ""},
		"whose":                        {[]string{"link", "show"}, linkEnv, nil, 2, "ID is missing", "ID"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			books := &fakeArchive{held: underReview(t), err: c.err}
			got := calling{args: c.args, env: c.env, books: books}.run(t)
			require.Equal(t, c.status, got.status, got.err)
			require.Empty(t, got.out)
			require.Contains(t, got.err, c.says)
			got = calling{args: append(c.args, "--lang", "zh-CN"), env: c.env, books: books}.run(t)
			require.Equal(t, c.status, got.status, got.err)
			require.Contains(t, got.err, c.zh)
			if c.err == nil {
				require.Empty(t, books.revoked)
			}
		})
	}
}
