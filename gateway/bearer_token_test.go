package gateway

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/access"
	"closeloop/ledger"
	"closeloop/policy"
)

// noon is when these tests begin.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// clock is a wall clock that a test moves.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(noon.UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) forward(d time.Duration) { c.at.Add(int64(d)) }

// storedTokens is a ledger of tokens in memory.
type storedTokens struct {
	mu     sync.Mutex
	tokens map[string]access.Token
	asked  int
	used   []time.Time
	err    error
	// hold, when not nil, keeps answers back until it is closed.
	hold chan struct{}
}

func (s *storedTokens) APIToken(ctx context.Context, id string) (access.Token, error) {
	s.mu.Lock()
	s.asked++
	token, ok := s.tokens[id]
	err, hold := s.err, s.hold
	s.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return access.Token{}, ctx.Err()
		}
	}
	switch {
	case err != nil:
		return access.Token{}, err
	case !ok:
		return access.Token{}, ledger.ErrNotFound
	default:
		return token, nil
	}
}

func (s *storedTokens) APITokenUsed(_ context.Context, _ string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = append(s.used, at)
	return s.err
}

// add makes a token that is good for an hour, and returns its text.
func (s *storedTokens) add(change func(*access.Token)) (id, text string) {
	id, text = access.NewTokenText()
	token := access.Token{ID: id, Person: "li.na", Hash: access.HashToken(text), CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}
	if change != nil {
		change(&token)
	}
	s.change(func() { s.tokens[id] = token })
	return id, text
}

func (s *storedTokens) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

func (s *storedTokens) revoke(id string, at time.Time) {
	s.change(func() {
		token := s.tokens[id]
		token.RevokedAt = &at
		s.tokens[id] = token
	})
}

func newTokens(t *testing.T) (*Tokens, *storedTokens, *clock) {
	t.Helper()
	store, at := &storedTokens{tokens: map[string]access.Token{}}, newClock()
	tokens := NewTokens(store, policy.Default(), at.now, nil)
	t.Cleanup(tokens.Close)
	return tokens, store, at
}

func TestTokens(t *testing.T) {
	t.Parallel()
	read := []access.Scope{access.ScopeRead}
	for name, c := range map[string]struct {
		token access.Token
		text  func(string) string
		after time.Duration
		want  access.Principal
		err   error
	}{
		"a person": {token: access.Token{Person: "wu.lei"}, want: access.Principal{
			ID: "wu.lei", Person: "wu.lei", Department: "technology", Roles: []access.Role{access.Approver, access.Agent},
		}},
		"a system, narrowed": {token: access.Token{Upstream: "jira", Scopes: read}, want: access.Principal{
			ID: "upstream:jira", System: "jira", Roles: []access.Role{access.Upstream}, Scopes: read,
		}},
		"an auditor":           {token: access.Token{Auditor: true}, want: access.Principal{Roles: []access.Role{access.Auditor}}},
		"just before its end":  {token: access.Token{Upstream: "jira"}, after: time.Hour - 1, want: access.Principal{ID: "upstream:jira", System: "jira", Roles: []access.Role{access.Upstream}}},
		"at its end":           {token: access.Token{Upstream: "jira"}, after: time.Hour, err: ErrUnknownBearer},
		"revoked":              {token: access.Token{Upstream: "jira", RevokedAt: &noon}, err: ErrUnknownBearer},
		"somebody who left":    {token: access.Token{Person: "gone"}, err: ErrUnknownBearer},
		"another secret":       {token: access.Token{Upstream: "jira"}, text: func(s string) string { return s[:len(s)-52] + strings.Repeat("a", 52) }, err: ErrUnknownBearer},
		"another id":           {token: access.Token{Upstream: "jira"}, text: func(s string) string { return "cl_aaaaaaaaaaaaa" + s[16:] }, err: ErrUnknownBearer},
		"no token":             {token: access.Token{Upstream: "jira"}, text: func(string) string { return "cl_" }, err: ErrUnknownBearer},
		"the id alone":         {token: access.Token{Upstream: "jira"}, text: func(s string) string { return s[:16] }, err: ErrUnknownBearer},
		"an id made of quotes": {token: access.Token{Upstream: "jira"}, text: func(s string) string { return "cl_' OR 1=1 --a" + s[15:] }, err: ErrUnknownBearer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tokens, store, at := newTokens(t)
			id, text := store.add(func(made *access.Token) {
				c.token.ID, c.token.Hash, c.token.ExpiresAt = made.ID, made.Hash, made.ExpiresAt
				*made = c.token
			})
			if c.text != nil {
				text = c.text(text)
			}
			at.forward(c.after)
			got, err := tokens.Principal(t.Context(), text)
			if c.err != nil {
				require.Equal(t, c.err, err, "nothing says why")
				require.Zero(t, got)
				return
			}
			require.NoError(t, err)
			c.want.Via = "token:" + id
			if c.want.ID == "" {
				c.want.ID = c.want.Via
			}
			require.Equal(t, c.want, got)
		})
	}
}

// TestManyRequestsAskOnce: a load of requests is a question every few seconds,
// and a note of use every minute.
func TestManyRequestsAskOnce(t *testing.T) {
	t.Parallel()
	tokens, store, at := newTokens(t)
	_, text := store.add(nil)
	store.hold = make(chan struct{})
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if who, err := tokens.Principal(t.Context(), text); err != nil || who.Person != "li.na" {
				t.Errorf("%v, %v", who, err)
			}
		})
	}
	close(store.hold)
	all.Wait()
	tokens.Close()
	require.Equal(t, 1, store.asked)
	require.Equal(t, []time.Time{noon}, store.used)

	for range 120 { // a second each
		_, err := tokens.Principal(t.Context(), text)
		require.NoError(t, err)
		at.forward(time.Second)
	}
	tokens.Close()
	require.Equal(t, 120/5, store.asked)
	require.Equal(t, []time.Time{noon, noon.Add(time.Minute)}, store.used)
}

// TestRevocationTakesEffect: within [TokenTTL], and the expiry at once.
func TestRevocationTakesEffect(t *testing.T) {
	t.Parallel()
	tokens, store, at := newTokens(t)
	id, text := store.add(nil)
	_, err := tokens.Principal(t.Context(), text)
	require.NoError(t, err)
	store.revoke(id, at.now())
	at.forward(TokenTTL - 1)
	_, err = tokens.Principal(t.Context(), text)
	require.NoError(t, err, "as it was remembered")
	at.forward(1)
	_, err = tokens.Principal(t.Context(), text)
	require.Equal(t, ErrUnknownBearer, err)

	// One that replaces it is good at once: rotation needs no pause.
	_, next := store.add(nil)
	_, err = tokens.Principal(t.Context(), next)
	require.NoError(t, err)
	at.forward(time.Hour - TokenTTL - 1)
	_, err = tokens.Principal(t.Context(), next)
	require.NoError(t, err)
	at.forward(1)
	_, err = tokens.Principal(t.Context(), next)
	require.Equal(t, ErrUnknownBearer, err, "it expires while it is remembered")
}

// TestAWrongSecretIsNoUse: nothing is noted for who does not have the token, and
// what is remembered of it does not help them.
func TestAWrongSecretIsNoUse(t *testing.T) {
	t.Parallel()
	tokens, store, _ := newTokens(t)
	id, text := store.add(nil)
	wrong := "cl_" + id + "_" + strings.Repeat("a", 52)
	for range 3 {
		_, err := tokens.Principal(t.Context(), wrong)
		require.Equal(t, ErrUnknownBearer, err)
	}
	tokens.Close()
	require.Empty(t, store.used)
	_, err := tokens.Principal(t.Context(), text)
	require.NoError(t, err)
	_, err = tokens.Principal(t.Context(), wrong)
	require.Equal(t, ErrUnknownBearer, err)
}

// TestRolesAreThoseOfNow: a token gives what the directory gives when it is used.
func TestRolesAreThoseOfNow(t *testing.T) {
	t.Parallel()
	rules := &changing{}
	rules.set(policy.Default())
	store := &storedTokens{tokens: map[string]access.Token{}}
	tokens := NewTokens(store, rules, newClock().now, nil)
	defer tokens.Close()
	_, text := store.add(nil)
	who, err := tokens.Principal(t.Context(), text)
	require.NoError(t, err)
	require.True(t, who.Is(access.Operator))

	demoted := *policy.Default()
	demoted.People = slices.Clone(demoted.People)
	for i := range demoted.People {
		if demoted.People[i].ID == "li.na" {
			demoted.People[i].Roles = []string{"agent"}
		}
	}
	rules.set(&demoted)
	who, err = tokens.Principal(t.Context(), text)
	require.NoError(t, err)
	require.False(t, who.Is(access.Operator))

	gone := *policy.Default()
	gone.People = nil
	rules.set(&gone)
	_, err = tokens.Principal(t.Context(), text)
	require.Equal(t, ErrUnknownBearer, err)
}

// changing are rules that a test changes.
type changing struct{ held atomic.Pointer[policy.Policy] }

func (c *changing) set(p *policy.Policy)    { c.held.Store(p) }
func (c *changing) Current() *policy.Policy { return c.held.Load() }

// TestTheLedgerIsDown: that is no word about the token, and what is remembered
// stays good for as long as it is.
func TestTheLedgerIsDown(t *testing.T) {
	t.Parallel()
	tokens, store, at := newTokens(t)
	_, text := store.add(nil)
	_, err := tokens.Principal(t.Context(), text)
	require.NoError(t, err)
	store.change(func() { store.err = ledger.ErrUnreachable })
	_, err = tokens.Principal(t.Context(), text)
	require.NoError(t, err)
	at.forward(TokenTTL)
	_, err = tokens.Principal(t.Context(), text)
	require.ErrorIs(t, err, ledger.ErrUnreachable)
	require.NotErrorIs(t, err, ErrUnknownBearer)
	store.change(func() { store.err = nil })
	_, err = tokens.Principal(t.Context(), text)
	require.NoError(t, err)
}

// TestWhoGoesAwayDoesNotSpoilIt: the answer that others wait for comes though
// the first who asked has gone.
func TestWhoGoesAwayDoesNotSpoilIt(t *testing.T) {
	t.Parallel()
	tokens, store, _ := newTokens(t)
	_, text := store.add(nil)
	store.hold = make(chan struct{})
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := tokens.Principal(ctx, text)
		left <- err
	}()
	require.Eventually(t, func() bool {
		store.mu.Lock()
		defer store.mu.Unlock()
		return store.asked == 1
	}, 10*time.Second, time.Millisecond)
	leave()
	err := <-left
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ErrUnknownBearer)
	close(store.hold)
	_, err = tokens.Principal(t.Context(), text)
	require.NoError(t, err)
}

// TestWhatIsRememberedIsBounded: however many tokens there are.
func TestWhatIsRememberedIsBounded(t *testing.T) {
	t.Parallel()
	tokens, store, at := newTokens(t)
	for range maxTokens + 10 {
		_, text := store.add(nil)
		_, err := tokens.Principal(t.Context(), text)
		require.NoError(t, err)
	}
	require.LessOrEqual(t, len(tokens.known), maxTokens)
	require.LessOrEqual(t, len(tokens.used), maxTokens)
	at.forward(TokenTTL)
	_, text := store.add(nil)
	_, err := tokens.Principal(t.Context(), text)
	require.NoError(t, err)
	require.NotContains(t, tokens.known, text)
}

// TestUseThatIsNotNoted: the log says so, and has nothing of the token but its
// id.
func TestUseThatIsNotNoted(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	store := &storedTokens{tokens: map[string]access.Token{}}
	tokens := NewTokens(usesFail{store}, policy.Default(), newClock().now, slog.New(slog.NewJSONHandler(&log, nil)))
	id, text := store.add(nil)
	_, err := tokens.Principal(t.Context(), text)
	require.NoError(t, err)
	tokens.Close()
	require.Contains(t, log.String(), `"token":"`+id+`"`)
	require.NotContains(t, log.String(), text[len("cl_")+len(id):])
}

type usesFail struct{ *storedTokens }

func (usesFail) APITokenUsed(context.Context, string, time.Time) error {
	return errors.New("the database is full")
}

// named is who knows every token by one name.
type named string

func (n named) Principal(context.Context, string) (access.Principal, error) {
	return access.Principal{ID: string(n)}, nil
}

func TestBearersOf(t *testing.T) {
	t.Parallel()
	_, text := access.NewTokenText()
	for name, c := range map[string]struct {
		bearers Bearers
		token   string
		want    string
	}{
		"an API token":                    {BearersOf(named("tokens"), named("others")), text, "tokens"},
		"one that begins like it":         {BearersOf(named("tokens"), named("others")), "cl_x", "tokens"},
		"another":                         {BearersOf(named("tokens"), named("others")), "eyJ.e30.x", "others"},
		"another, when there are no such": {BearersOf(named("tokens"), nil), "eyJ.e30.x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			who, err := c.bearers.Principal(t.Context(), c.token)
			require.Equal(t, c.want, who.ID)
			require.Equal(t, c.want == "", errors.Is(err, ErrUnknownBearer))
		})
	}
}

func TestBearerOfARequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ header, token string }{
		"a token":            {"Bearer cl_x", "cl_x"},
		"in small letters":   {"bearer cl_x", "cl_x"},
		"with spaces":        {"Bearer   cl_x ", "cl_x"},
		"none":               {"", ""},
		"the scheme alone":   {"Bearer", ""},
		"another scheme":     {"Basic dXNlcjpwYXNz", ""},
		"without the scheme": {"cl_x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Authorization", c.header)
			require.Equal(t, c.token, bearerOf(r))
			who, err := (&Gateway{Config: Config{Bearers: named("known")}}).principal(r)
			require.Equal(t, c.token == "", errors.Is(err, ErrUnknownBearer))
			require.Equal(t, c.token != "", who.ID == "known")
			_, err = (&Gateway{}).principal(r)
			require.ErrorIs(t, err, ErrUnknownBearer, "a gateway that knows nobody lets nobody in")
		})
	}
}
