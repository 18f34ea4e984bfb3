package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"closeloop/access"
	"closeloop/ledger"
	"closeloop/policy"
)

const (
	// TokenTTL is how long what the ledger said of an API token is taken to be true:
	// so long after it was revoked a token may still be good.
	TokenTTL = 5 * time.Second
	// usedEvery is how often the use of a token is noted at most.
	usedEvery = time.Minute
	// tokenTimeout bounds a question about a token to the ledger.
	tokenTimeout = 5 * time.Second
	// maxTokens bounds how many tokens are remembered.
	maxTokens = 10_000
)

// TokenStore is what [Tokens] asks of the ledger.
type TokenStore interface {
	// APIToken returns the token of that id, or [ledger.ErrNotFound].
	APIToken(ctx context.Context, id string) (access.Token, error)
	// APITokenUsed notes that the token was used at that instant.
	APITokenUsed(ctx context.Context, id string, at time.Time) error
}

// Tokens knows who API tokens belong to. It remembers for [TokenTTL] what it was
// told, so that many requests with one token are one question to the ledger. It
// is safe for concurrent use.
type Tokens struct {
	store  TokenStore
	rules  policy.InForce
	now    func() time.Time
	logger *slog.Logger

	asking singleflight.Group
	// noting are uses that are being written down.
	noting sync.WaitGroup

	mu    sync.Mutex
	known map[string]knownToken
	// used is when the use of a token was last noted here.
	used map[string]time.Time
}

type knownToken struct {
	access.Token
	asked time.Time
}

// NewTokens returns Tokens that know what the store does, and roles by the rules
// in force. now and logger are as in [Config].
func NewTokens(store TokenStore, rules policy.InForce, now func() time.Time, logger *slog.Logger) *Tokens {
	if now == nil {
		now = time.Now
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &Tokens{
		store: store, rules: rules, now: now, logger: logger,
		known: map[string]knownToken{}, used: map[string]time.Time{},
	}
}

// Principal returns who the token belongs to. An id that there is not and a
// secret that is wrong are the same error, as are all others that say no.
func (t *Tokens) Principal(ctx context.Context, text string) (access.Principal, error) {
	id, hash, ok := access.ReadToken(text)
	if !ok {
		return access.Principal{}, ErrUnknownBearer
	}
	token, err := t.find(ctx, id)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return access.Principal{}, err
	}
	// Compared also when there is no such token, with a hash that no text has.
	same := token.Is(hash)
	now := t.now()
	if err != nil || !same || token.State(now) != access.TokenLive {
		return access.Principal{}, ErrUnknownBearer
	}
	who, known := token.Principal(t.rules.Current())
	if !known {
		return access.Principal{}, ErrUnknownBearer
	}
	t.note(ctx, id, now)
	return who, nil
}

// find returns the token of that id: as it is remembered, or as the ledger has
// it. Many who ask at once ask once.
func (t *Tokens) find(ctx context.Context, id string) (access.Token, error) {
	if token, ok := t.remembered(id); ok {
		return token, nil
	}
	found := t.asking.DoChan(id, func() (any, error) {
		// Somebody else may have asked just before.
		if token, ok := t.remembered(id); ok {
			return token, nil
		}
		// It is asked for all who wait, so it does not end with the first of them.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tokenTimeout)
		defer cancel()
		asked := t.now()
		token, err := t.store.APIToken(ctx, id)
		if err == nil {
			t.remember(knownToken{token, asked})
		}
		return token, err
	})
	select {
	case <-ctx.Done():
		return access.Token{}, fmt.Errorf("find the token: %w", ctx.Err())
	case answer := <-found:
		return answer.Val.(access.Token), answer.Err
	}
}

func (t *Tokens) remembered(id string) (access.Token, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok := t.known[id]
	return known.Token, ok && t.now().Sub(known.asked) < TokenTTL
}

func (t *Tokens) remember(k knownToken) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.known) >= maxTokens {
		maps.DeleteFunc(t.known, func(_ string, old knownToken) bool { return k.asked.Sub(old.asked) >= TokenTTL })
	}
	if len(t.known) >= maxTokens {
		clear(t.known)
	}
	t.known[k.ID] = k
}

// note writes down that a token was used, at most once in a while and without
// holding up who uses it.
func (t *Tokens) note(ctx context.Context, id string, now time.Time) {
	t.mu.Lock()
	last, before := t.used[id]
	due := !before || now.Sub(last) >= usedEvery
	if due {
		if len(t.used) >= maxTokens {
			clear(t.used)
		}
		t.used[id] = now
	}
	t.mu.Unlock()
	if !due {
		return
	}
	t.noting.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tokenTimeout)
		defer cancel()
		if err := t.store.APITokenUsed(ctx, id, now); err != nil {
			t.logger.Warn("The use of a token could not be noted", "token", id, "error", err.Error())
		}
	})
}

// Close waits until every use is noted. Call it once no request comes any more,
// and before the ledger is closed.
func (t *Tokens) Close() { t.noting.Wait() }
