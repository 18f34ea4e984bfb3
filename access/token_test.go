package access_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/access"
	"closeloop/policy"
)

func TestTokenText(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(`\b` + access.TokenPattern + `\b`)
	ids, texts := map[string]bool{}, map[string]bool{}
	for range 1000 {
		id, text := access.NewTokenText()
		require.Equal(t, text, pattern.FindString("export TOKEN="+text+" # mine"), "scanners find the whole of it")
		require.False(t, ids[id] || texts[text])
		ids[id], texts[text] = true, true
		read, hash, ok := access.ReadToken(text)
		require.True(t, ok)
		require.Equal(t, id, read)
		require.Equal(t, access.HashToken(text), hash)
	}
}

func TestOtherTextsAreNoTokens(t *testing.T) {
	t.Parallel()
	_, text := access.NewTokenText()
	for name, other := range map[string]string{
		"nothing":          "",
		"the prefix":       access.TokenPrefix,
		"a letter short":   text[:len(text)-1],
		"a letter more":    text + "a",
		"capitals":         strings.ToUpper(text),
		"another prefix":   "cx" + text[2:],
		"something before": " " + text,
		"a line end":       text + "\n",
		"a JWT":            "eyJhbGciOiJSUzI1NiJ9.e30.AAAA",
		"no separator":     strings.Replace(text, "_", "a", 2),
		"NUL":              text[:20] + "\x00" + text[21:],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, ok := access.ReadToken(other)
			require.False(t, ok)
		})
	}
}

// TestOnlyTheTextIsTheToken: one letter changed anywhere makes another hash.
func TestOnlyTheTextIsTheToken(t *testing.T) {
	t.Parallel()
	id, text := access.NewTokenText()
	token := access.Token{ID: id, Hash: access.HashToken(text)}
	require.True(t, token.Is(access.HashToken(text)))
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(len(access.TokenPrefix), len(text)-1).Draw(t, "at")
		letter := rapid.SampledFrom([]byte("abcdefghijklmnopqrstuvwxyz234567")).Draw(t, "letter")
		other := text[:at] + string(letter) + text[at+1:]
		_, hash, ok := access.ReadToken(other)
		if token.Is(hash) != (other == text) || (other == text && !ok) {
			t.Fatalf("%s is taken for %s", other, text)
		}
	})
	require.False(t, token.Is(access.TokenHash{}))
}

func TestTokenState(t *testing.T) {
	t.Parallel()
	ends := time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)
	revoked := ends.Add(-time.Hour)
	for name, c := range map[string]struct {
		token access.Token
		at    time.Time
		want  access.TokenState
	}{
		"before its end":        {access.Token{ExpiresAt: ends}, ends.Add(-1), access.TokenLive},
		"at its end":            {access.Token{ExpiresAt: ends}, ends, access.TokenExpired},
		"without an end":        {access.Token{}, ends, access.TokenExpired},
		"revoked":               {access.Token{ExpiresAt: ends, RevokedAt: &revoked}, ends.Add(-1), access.TokenRevoked},
		"revoked, then expired": {access.Token{ExpiresAt: ends, RevokedAt: &revoked}, ends, access.TokenRevoked},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, c.token.State(c.at))
		})
	}
}

func TestWhoComesWithAToken(t *testing.T) {
	t.Parallel()
	p := policy.Default()
	read := []access.Scope{access.ScopeRead}
	for name, c := range map[string]struct {
		token access.Token
		want  access.Principal
		known bool
	}{
		"a person": {access.Token{ID: "i", Person: "wu.lei"}, access.Principal{
			ID: "wu.lei", Via: "token:i", Person: "wu.lei", Department: "technology", Roles: []access.Role{access.Approver, access.Agent},
		}, true},
		"a person who has left": {access.Token{ID: "i", Person: "gone"}, access.Principal{}, false},
		"a system": {access.Token{ID: "i", Upstream: "jira", Scopes: read}, access.Principal{
			ID: "upstream:jira", Via: "token:i", System: "jira", Roles: []access.Role{access.Upstream}, Scopes: read,
		}, true},
		"an auditor": {access.Token{ID: "i", Auditor: true}, access.Principal{
			ID: "token:i", Via: "token:i", Roles: []access.Role{access.Auditor},
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, known := c.token.Principal(p)
			require.Equal(t, c.known, known)
			require.Equal(t, c.want, got)
		})
	}
}

// TestTheHashIsNotTold: what is printed of a token has nothing of its secret.
func TestTheHashIsNotTold(t *testing.T) {
	t.Parallel()
	id, text := access.NewTokenText()
	told, err := json.Marshal(access.Token{ID: id, Hash: access.HashToken(text)})
	require.NoError(t, err)
	require.NotContains(t, strings.ToLower(string(told)), "hash")
}
