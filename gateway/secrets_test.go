package gateway

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/access"
)

// keep stores a token that is good for an hour, and returns its text.
func (s *site) keep(token access.Token) string {
	s.t.Helper()
	id, text := access.NewTokenText()
	now := time.Now()
	token.ID, token.Name, token.Hash = id, s.t.Name(), access.HashToken(text)
	token.CreatedAt, token.CreatedBy, token.ExpiresAt = now, "system", now.Add(time.Hour)
	require.NoError(s.t, s.books.KeepAPIToken(s.t.Context(), token))
	return text
}

// tokens has the gateway know API tokens of the ledger, and those of the
// provider.
func (s *site) tokens(provider *identity) {
	s.t.Helper()
	logger := s.config.Logger
	tokens := NewTokens(s.books, s.config.Policy, nil, logger)
	others, err := NewOIDC(OIDCConfig{Issuer: provider.URL, Audience: "closeloop", Policy: s.config.Policy, Logger: logger, Client: provider.Client()})
	require.NoError(s.t, err)
	s.serve(func(c *Config) { c.Bearers = BearersOf(tokens, others) })
	s.t.Cleanup(tokens.Close)
}

// TestNoSecretsInTheLog: whatever is sent as a token, right or wrong, at whatever
// place, the log has nothing of it, and says all the same who came.
func TestNoSecretsInTheLog(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	lines := &lockedWriter{to: &bytes.Buffer{}}
	s.config.Logger = slog.New(slog.NewJSONHandler(lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	key := newSigner(t, "k1", "RS256")
	provider := newIdentity(t, key)
	s.tokens(provider)
	now := time.Now()
	signed := func(changes map[string]any) string {
		changes["exp"] = now.Add(time.Hour).Unix()
		return key.sign(t, provider.claims(changes))
	}
	person, system := s.keep(access.Token{Person: "wang.fang"}), s.keep(access.Token{Upstream: "jira"})
	jwt := signed(map[string]any{"email": "wang.fang"})
	body := map[string]any{"title": "Kennwort vergessen", "customer": "Acme", "ref": ref("jira")}
	s.post(system, "/v1/requirements", body).is(http.StatusCreated)
	_, unknown := access.NewTokenText()
	wrong := person[:len(person)-52] + strings.Repeat("q", 52)
	bad := []string{
		unknown, wrong, strings.ToUpper(person), person + "x", jwt[:len(jwt)-4] + "AAAA", signed(map[string]any{"aud": "crm"}),
		signed(map[string]any{"email": "stranger-to-us@example.com"}), "hunter2-hunter2-hunter2", "Basic-d2FuZzpwYXNz",
	}
	for _, token := range bad {
		s.get(token, "/v1/requirements").refused(http.StatusUnauthorized, "unauthenticated")
		s.post(token, "/v1/requirements", body).refused(http.StatusUnauthorized, "unauthenticated")
	}
	for _, token := range []string{person, system, jwt} {
		s.get(token, "/v1/requirements").is(http.StatusOK)
		// Where a token does not belong, it is in no log either.
		s.get(token, "/v1/requirements?token="+token).is(http.StatusUnprocessableEntity)
		s.get(token, "/v1/requirements/"+token)
		s.get(token, "/"+token)
		s.get("", "/v1/requirements", "X-Api-Key", token, "Cookie", "session="+token)
		s.get("", "/v1/requirements", "Authorization", "Basic "+token)
		s.send("", token[:2]+"X"+token[len(token)-20:], "/v1/requirements", nil)
		s.post(token, "/v1/requirements", `{"title":"`+token+`","customer":`)
	}
	provider.change(func() { provider.broken = "/keys" })
	other := newSigner(t, "k2", "RS256")
	s.get(other.sign(t, provider.claims(map[string]any{"exp": now.Add(time.Hour).Unix()})), "/v1/requirements")

	// The line of a request is written after its answer.
	s.server.Close()
	lines.mu.Lock()
	defer lines.mu.Unlock()
	log := lines.to.String()
	require.Contains(t, log, `"principal":"wang.fang"`)
	require.Contains(t, log, `"principal":"upstream:jira"`)
	require.Contains(t, log, `"status":401`)
	for _, token := range append(bad, person, system, jwt) {
		parts := []string{token}
		if id, _, ok := access.ReadToken(token); ok {
			parts = append(parts, token[len(access.TokenPrefix)+len(id)+1:])
		} else if strings.Count(token, ".") == 2 {
			parts = strings.Split(token, ".")[1:]
		}
		for _, part := range parts {
			require.NotContains(t, log, part)
			require.NotContains(t, log, part[len(part)-16:])
		}
	}
	require.NotContains(t, log, "Kennwort", "nor what customers wrote")
	require.NotContains(t, log, "stranger-to-us")
}

// TestEveryAnswerHasItsHeaders: also those that are no answer of the API.
func TestEveryAnswerHasItsHeaders(t *testing.T) {
	t.Parallel()
	g := New(Config{Bearers: named("nobody")})
	t.Cleanup(g.stop)
	for name, path := range map[string]string{
		"health": "/healthz", "the API": "/v1/requirements/x", "its description": "/openapi.json", "nothing": "/nowhere", "a way out": "/../../etc/passwd",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := answered(g, path)
			require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
			require.Equal(t, "DENY", h.Get("X-Frame-Options"))
			require.Equal(t, "no-referrer", h.Get("Referrer-Policy"))
			require.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'")
			require.Contains(t, h.Get("Content-Security-Policy"), "frame-ancestors 'none'")
			require.NotEmpty(t, h.Get("Strict-Transport-Security"))
			require.NotEmpty(t, h.Get("X-Request-Id"))
			require.NotEmpty(t, h.Get("Cache-Control"))
			require.Empty(t, h.Get("Server"))
			require.Empty(t, h.Get("Access-Control-Allow-Origin"), "no other site's scripts may read it")
			require.Empty(t, h.Get("Set-Cookie"))
		})
	}
}

// answered is the head of the answer to a request for the path.
func answered(g *Gateway, path string) http.Header {
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Result().Header
}
