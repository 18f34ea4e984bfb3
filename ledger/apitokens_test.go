package ledger_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"closeloop/access"
	"closeloop/ledger"
)

// token makes one that is good for an hour after noon, and its text.
func token(t testing.TB, change func(*access.Token)) (made access.Token, text string) {
	t.Helper()
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	id, text := access.NewTokenText()
	made = access.Token{
		ID: id, Name: "计费系统", Hash: access.HashToken(text), Person: "li.na",
		CreatedAt: noon, CreatedBy: "zhang.wei", ExpiresAt: noon.Add(time.Hour),
	}
	if change != nil {
		change(&made)
	}
	return made, text
}

func TestAPITokens(t *testing.T) {
	t.Parallel()
	l, conn := open(t)
	person, text := token(t, nil)
	system, _ := token(t, func(t *access.Token) {
		t.Person, t.Upstream, t.Scopes = "", "jira", []access.Scope{access.ScopeSubmit, access.ScopeRead}
		t.CreatedAt = t.CreatedAt.Add(time.Minute)
	})
	auditor, _ := token(t, func(t *access.Token) {
		t.Person, t.Auditor, t.CreatedAt = "", true, t.CreatedAt.Add(2*time.Minute)
	})
	for _, made := range []access.Token{person, system, auditor} {
		require.NoError(t, l.KeepAPIToken(t.Context(), made))
		found, err := l.APIToken(t.Context(), made.ID)
		require.NoError(t, err)
		require.Equal(t, made, found)
	}
	require.Error(t, l.KeepAPIToken(t.Context(), person), "an id is given once")
	list, err := l.APITokens(t.Context())
	require.NoError(t, err)
	require.Equal(t, []access.Token{auditor, system, person}, list)

	_, err = l.APIToken(t.Context(), "no-such\x00id")
	require.ErrorIs(t, err, ledger.ErrNotFound)

	// The token itself is nowhere, in no table and in no form that is text.
	secret := text[strings.LastIndex(text, "_")+1:]
	rows, err := conn.Query(t.Context(), `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`)
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Contains(t, tables, "api_token")
	for _, table := range tables {
		var found int
		require.NoError(t, conn.QueryRow(t.Context(),
			`SELECT count(*) FROM `+pgx.Identifier{table}.Sanitize()+` AS t WHERE t::text LIKE '%' || $1 || '%' OR t::text LIKE '%' || encode($1::text::bytea, 'hex') || '%'`,
			secret).Scan(&found))
		require.Zero(t, found, table)
	}
}

func TestAPITokensAreRevokedOnce(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	made, _ := token(t, nil)
	require.NoError(t, l.KeepAPIToken(t.Context(), made))
	at := made.CreatedAt.Add(time.Minute)
	revoked, err := l.RevokeAPIToken(t.Context(), made.ID, "gao.yuan", at)
	require.NoError(t, err)
	require.Equal(t, access.TokenRevoked, revoked.State(at))
	require.Equal(t, at, *revoked.RevokedAt)
	require.Equal(t, "gao.yuan", revoked.RevokedBy)
	again, err := l.RevokeAPIToken(t.Context(), made.ID, "li.na", at.Add(time.Minute))
	require.NoError(t, err)
	require.Equal(t, revoked, again, "who did it first, and when")
	_, err = l.RevokeAPIToken(t.Context(), "nosuch", "li.na", at)
	require.ErrorIs(t, err, ledger.ErrNotFound)
}

// TestUseOfAPITokensNeverGoesBack: gateways side by side note it in any order.
func TestUseOfAPITokensNeverGoesBack(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	made, _ := token(t, nil)
	require.NoError(t, l.KeepAPIToken(t.Context(), made))
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if err := l.APITokenUsed(t.Context(), made.ID, made.CreatedAt.Add(time.Duration(i*7%20)*time.Minute)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	found, err := l.APIToken(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, made.CreatedAt.Add(19*time.Minute), *found.LastUsedAt)
	require.NoError(t, l.APITokenUsed(t.Context(), "nosuch", made.CreatedAt), "one that is gone is nobody's fault")
}

// TestAPITokensBelongToOne: the database itself takes no token of nobody, and
// none of two.
func TestAPITokensBelongToOne(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	for name, change := range map[string]func(*access.Token){
		"nobody":              func(t *access.Token) { t.Person = "" },
		"a person and system": func(t *access.Token) { t.Upstream = "jira" },
		"a person who audits": func(t *access.Token) { t.Auditor = true },
		"a system that does":  func(t *access.Token) { t.Person, t.Upstream, t.Auditor = "", "jira", true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made, _ := token(t, change)
			require.ErrorContains(t, l.KeepAPIToken(t.Context(), made), "api_token_check")
		})
	}
}
