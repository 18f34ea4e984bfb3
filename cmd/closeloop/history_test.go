package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/requirement"
)

// TestHistoryTellsHowActorsWereKnown: to programs always, to people where it
// does not go without saying.
func TestHistoryTellsHowActorsWereKnown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		actor, via string
		en, zh     string
	}{
		"at the command line":         {"li.na", "cli", "Li Na (li.na)", "李娜 (li.na)"},
		"by a token":                  {"li.na", "token:mzxw6ytboi4tg", "Li Na (li.na) · token:mzxw6ytboi4tg", "李娜 (li.na) · token:mzxw6ytboi4tg"},
		"by a link":                   {"customer", "link:customer", "customer · link:customer", "客户 · link:customer"},
		"by a signal that was silent": {"li.na", "", "Li Na (li.na) · unsaid how known", "李娜 (li.na) · 未说明凭据"},
		"the system by itself":        {"system", "", "system", "系统"},
		"the system, for somebody":    {"system", "nexus", "system · nexus", "系统 · nexus"},
		"by hostile words":            {"li.na", "x\x1b[31m\nInjected", "Li Na (li.na) · x\ufffd[31m Injected", "李娜 (li.na) · x\ufffd[31m Injected"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			books := &fakeArchive{events: []requirement.Event{{Seq: 1, At: noon, Kind: requirement.Commented, Actor: c.actor, Via: c.via}}}
			for lang, want := range map[string]string{"en": c.en, "zh-CN": c.zh} {
				got := calling{args: []string{"history", someID, "--lang", lang}, books: books}.run(t)
				require.Zero(t, got.status, got.err)
				lines := strings.Split(strings.TrimSpace(got.out), "\n")
				require.True(t, strings.HasSuffix(lines[len(lines)-1], "  "+want), lines[len(lines)-1])
			}
			got := calling{args: []string{"history", someID, "-o", "json"}, books: books}.run(t)
			var list []map[string]any
			require.NoError(t, json.Unmarshal([]byte(got.out), &list))
			via, said := list[0]["via"]
			require.Equal(t, c.via != "", said)
			require.True(t, !said || via == c.via)
			got = calling{args: []string{"history", someID, "-o", "csv"}, books: books}.run(t)
			require.True(t, strings.HasPrefix(got.out, "seq,at,kind,actor,data,via\n"), got.out)
		})
	}
}
