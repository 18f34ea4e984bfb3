package gateway

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc/oidctest"
	"github.com/stretchr/testify/require"

	"closeloop/access"
	"closeloop/policy"
)

// identity is an OpenID Connect provider in this process.
type identity struct {
	*httptest.Server
	mu     sync.Mutex
	inner  oidctest.Server
	broken string
	// asked are how often each path was asked for.
	asked map[string]int
	body  string
}

// signer is a key of the provider.
type signer struct {
	id, alg string
	private crypto.Signer
}

func newSigner(t *testing.T, id, alg string) signer {
	t.Helper()
	var key crypto.Signer
	var err error
	if strings.HasPrefix(alg, "ES") {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	require.NoError(t, err)
	return signer{id, alg, key}
}

func newIdentity(t *testing.T, keys ...signer) *identity {
	t.Helper()
	p := &identity{asked: map[string]int{}}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	p.inner.SetIssuer(p.URL)
	p.inner.Algorithms = []string{"RS256", "ES256"}
	p.rotate(keys...)
	return p
}

func (p *identity) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[r.URL.Path]++
	switch {
	case p.broken != "" && strings.HasSuffix(r.URL.Path, p.broken):
		http.Error(w, "down for the night", http.StatusBadGateway)
	case p.body != "" && r.URL.Path == "/keys":
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(p.body))
	default:
		p.inner.ServeHTTP(w, r)
	}
}

func (p *identity) change(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do()
}

func (p *identity) rotate(keys ...signer) {
	p.change(func() {
		p.inner.PublicKeys = nil
		for _, k := range keys {
			p.inner.PublicKeys = append(p.inner.PublicKeys, oidctest.PublicKey{PublicKey: k.private.Public(), KeyID: k.id, Algorithm: k.alg})
		}
	})
}

// count is how often the path was asked for.
func (p *identity) count(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[path]
}

const discoveryPath = "/.well-known/openid-configuration"

// claims are those of Li Na at noon, with changes; a nil value takes one out.
func (p *identity) claims(changes map[string]any) map[string]any {
	claims := map[string]any{
		"iss": p.URL, "aud": "closeloop", "sub": "00u1", "email": "li.na@example.com", "email_verified": true,
		"iat": noon.Unix(), "exp": noon.Add(time.Hour).Unix(),
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return claims
}

func (k signer) sign(t *testing.T, claims map[string]any) string {
	t.Helper()
	text, err := json.Marshal(claims)
	require.NoError(t, err)
	return oidctest.SignIDToken(k.private, k.id, k.alg, string(text))
}

func newOIDC(t *testing.T, p *identity, at *clock, change func(*OIDCConfig)) *OIDC {
	t.Helper()
	c := OIDCConfig{Issuer: p.URL, Audience: "closeloop", Policy: policy.Default(), Now: at.now, Client: p.Client()}
	if change != nil {
		change(&c)
	}
	o, err := NewOIDC(c)
	require.NoError(t, err)
	return o
}

func TestOIDC(t *testing.T) {
	t.Parallel()
	key, ec, other := newSigner(t, "k1", "RS256"), newSigner(t, "k2", "ES256"), newSigner(t, "k1", "RS256")
	provider := newIdentity(t, key, ec)
	host := strings.TrimPrefix(provider.URL, "http://")
	lenient := *policy.Default()
	lenient.UnknownPeople = policy.UnknownAreAgents
	doubled := *policy.Default()
	doubled.People = append(slices.Clone(doubled.People), policy.Person{ID: "li.na2", Email: "li.na@example.com"})
	sure, _ := policy.Default().Person("li.na")
	require.Equal(t, "li.na@example.com", sure.Email)

	claim := func(name string) func(*OIDCConfig) { return func(c *OIDCConfig) { c.PersonClaim = name } }
	rules := func(p *policy.Policy) func(*OIDCConfig) { return func(c *OIDCConfig) { c.Policy = p } }
	for name, c := range map[string]struct {
		key    signer
		claims map[string]any
		config func(*OIDCConfig)
		after  time.Duration
		person string
	}{
		"by e-mail":                                 {key: key, person: "li.na"},
		"in capitals":                               {key: key, claims: map[string]any{"email": "Li.Na@Example.com"}, person: "li.na"},
		"nothing said of the address":               {key: key, claims: map[string]any{"email_verified": nil}, person: "li.na"},
		"verified, as a text":                       {key: key, claims: map[string]any{"email_verified": "true"}, person: "li.na"},
		"by an elliptic key":                        {key: ec, person: "li.na"},
		"by id in the claim":                        {key: key, claims: map[string]any{"email": "wu.lei"}, person: "wu.lei"},
		"by another claim, an id":                   {key: key, claims: map[string]any{"preferred_username": "wu.lei"}, config: claim("preferred_username"), person: "wu.lei"},
		"by another claim, an id, address unsure":   {key: key, claims: map[string]any{"preferred_username": "wu.lei", "email_verified": false}, config: claim("preferred_username"), person: "wu.lei"},
		"by another claim, an address":              {key: key, claims: map[string]any{"upn": "wu.lei@example.com"}, config: claim("upn"), person: "wu.lei"},
		"for several, us among them":                {key: key, claims: map[string]any{"aud": []string{"crm", "closeloop"}}, person: "li.na"},
		"expired within the skew":                   {key: key, after: time.Hour + clockSkew - time.Second, person: "li.na"},
		"valid from soon":                           {key: key, claims: map[string]any{"nbf": noon.Add(clockSkew).Unix()}, person: "li.na"},
		"a stranger, where these are agents":        {key: key, claims: map[string]any{"email": "new@example.com"}, config: rules(&lenient), person: "new@example.com"},
		"a stranger":                                {key: key, claims: map[string]any{"email": "new@example.com"}},
		"the system":                                {key: key, claims: map[string]any{"email": "system"}, config: rules(&lenient)},
		"the customer":                              {key: key, claims: map[string]any{"email": "customer"}, config: rules(&lenient)},
		"an address that is not verified":           {key: key, claims: map[string]any{"email_verified": false}},
		"an address not verified, as a text":        {key: key, claims: map[string]any{"email_verified": "false"}},
		"an address of which something odd is said": {key: key, claims: map[string]any{"email_verified": 1}},
		"an id in an address not verified":          {key: key, claims: map[string]any{"email": "wu.lei", "email_verified": false}},
		"another claim, address not verified":       {key: key, claims: map[string]any{"upn": "wu.lei@example.com", "email_verified": false}, config: claim("upn")},
		"an address of two people":                  {key: key, config: rules(&doubled)},
		"no such claim":                             {key: key, claims: map[string]any{"email": nil}},
		"a claim that is no text":                   {key: key, claims: map[string]any{"email": []string{"li.na@example.com"}}},
		"another audience":                          {key: key, claims: map[string]any{"aud": "crm"}},
		"no audience":                               {key: key, claims: map[string]any{"aud": nil}},
		"another issuer":                            {key: key, claims: map[string]any{"iss": "https://login.example.com"}},
		"the issuer with a slash more":              {key: key, claims: map[string]any{"iss": provider.URL + "/"}},
		"expired":                                   {key: key, after: time.Hour + clockSkew + time.Second},
		"without an end":                            {key: key, claims: map[string]any{"exp": nil}},
		"valid from later":                          {key: key, claims: map[string]any{"nbf": noon.Add(time.Hour).Unix()}},
		"a key of somebody else under that id":      {key: other},
		"a key that the provider does not have":     {key: newSigner(t, "k9", "RS256")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := newClock()
			at.forward(c.after)
			o := newOIDC(t, provider, at, c.config)
			who, err := o.Principal(t.Context(), c.key.sign(t, provider.claims(c.claims)))
			if c.person == "" {
				require.Equal(t, ErrUnknownBearer, err, "nothing says why")
				require.Zero(t, who)
				return
			}
			require.NoError(t, err)
			want, known := access.Person(o.Policy.Current(), c.person, "oidc:"+host)
			require.True(t, known)
			require.Equal(t, want, who, "the directory says what they may do")
		})
	}
}

// TestOIDCForgeries are tokens that nobody signed with a key of the provider.
func TestOIDCForgeries(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "k1", "RS256")
	provider := newIdentity(t, key)
	good := key.sign(t, provider.claims(nil))
	parts := strings.Split(good, ".")
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	payload, err := json.Marshal(provider.claims(map[string]any{"email": "zhou.tao@example.com"}))
	require.NoError(t, err)
	for name, token := range map[string]string{
		"nothing":                      "",
		"no JWT":                       "hello",
		"dots":                         "..",
		"garbage":                      "a.b.c",
		"the signature left out":       parts[0] + "." + parts[1] + ".",
		"no algorithm":                 encode(`{"alg":"none"}`) + "." + parts[1] + ".",
		"no algorithm, in capitals":    encode(`{"alg":"NONE"}`) + "." + parts[1] + "." + parts[2],
		"a shared key":                 encode(`{"alg":"HS256","kid":"k1"}`) + "." + parts[1] + "." + parts[2],
		"other claims":                 parts[0] + "." + encode(string(payload)) + "." + parts[2],
		"one part more":                good + ".x",
		"a key that the token brings":  encode(`{"alg":"RS256","jwk":{"kty":"RSA","n":"AQAB","e":"AQAB"}}`) + "." + parts[1] + "." + parts[2],
		"a place where the key is":     encode(`{"alg":"RS256","jku":"http://127.0.0.1:9/keys"}`) + "." + parts[1] + "." + parts[2],
		"as long as a header may be":   strings.Repeat("a", 30<<10) + ".b.c",
		"a billion laughs of nesting":  encode(strings.Repeat("[", 10_000)) + "." + parts[1] + "." + parts[2],
		"several signatures as a JSON": `{"payload":"` + parts[1] + `","signatures":[{"protected":"` + parts[0] + `","signature":"` + parts[2] + `.."}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOIDC(t, provider, newClock(), nil)
			_, err := o.Principal(t.Context(), token)
			require.Equal(t, ErrUnknownBearer, err)
			_, err = o.Principal(t.Context(), good)
			require.NoError(t, err, "it spoils nothing for others")
		})
	}
}

// TestOIDCKeysRotate: a new key is known once it is used, an old one is forgotten
// with the next look at the provider.
func TestOIDCKeysRotate(t *testing.T) {
	t.Parallel()
	first, second := newSigner(t, "k1", "RS256"), newSigner(t, "k2", "RS256")
	provider, at := newIdentity(t, first), newClock()
	o := newOIDC(t, provider, at, nil)
	ask := func(k signer) error {
		_, err := o.Principal(t.Context(), k.sign(t, provider.claims(map[string]any{"exp": at.now().Add(time.Minute).Unix()})))
		return err
	}
	require.NoError(t, ask(first))
	require.Equal(t, 1, provider.count(discoveryPath))
	require.Equal(t, 1, provider.count("/keys"))
	provider.rotate(first, second)
	require.Equal(t, ErrUnknownBearer, ask(second), "it was asked a moment ago")
	at.forward(providerRest)
	require.NoError(t, ask(second))
	require.NoError(t, ask(first))
	provider.rotate(second)
	at.forward(providerAge - providerRest - 1)
	require.NoError(t, ask(first), "as it was known")
	at.forward(1)
	require.Equal(t, ErrUnknownBearer, ask(first))
	require.NoError(t, ask(second))
	require.Equal(t, 2, provider.count(discoveryPath))
}

// TestOIDCMadeUpKeysAskNothing: a flood of tokens with keys that nobody has does
// not become a flood at the provider.
func TestOIDCMadeUpKeysAskNothing(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "k1", "RS256")
	provider, at := newIdentity(t, key), newClock()
	o := newOIDC(t, provider, at, nil)
	forged := newSigner(t, "k1", "RS256")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			forged := forged
			forged.id = rand.Text()
			if _, err := o.Principal(t.Context(), forged.sign(t, provider.claims(nil))); !errors.Is(err, ErrUnknownBearer) {
				t.Error(err)
			}
			if _, err := o.Principal(t.Context(), key.sign(t, provider.claims(nil))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.Equal(t, 1, provider.count(discoveryPath))
	require.Equal(t, 1, provider.count("/keys"))
}

// TestOIDCProviderIsDown: that is no word about the token, and it is asked again
// without a restart.
func TestOIDCProviderIsDown(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "k1", "RS256")
	for name, path := range map[string]string{"it does not say what it is": discoveryPath, "it does not tell its keys": "/keys"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			provider, at := newIdentity(t, key), newClock()
			provider.change(func() { provider.broken = path })
			var log bytes.Buffer
			o := newOIDC(t, provider, at, func(c *OIDCConfig) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
			token := key.sign(t, provider.claims(nil))
			for range 5 {
				_, err := o.Principal(t.Context(), token)
				require.ErrorIs(t, err, ErrProvider)
				require.NotErrorIs(t, err, ErrUnknownBearer)
				require.NotContains(t, err.Error(), "down for the night", "its words stay there")
			}
			require.Equal(t, 1, provider.count(path), "it is left alone for a while")
			provider.change(func() { provider.broken = "" })
			at.forward(providerRest)
			_, err := o.Principal(t.Context(), token)
			require.NoError(t, err)
			require.NotContains(t, log.String(), token)
		})
	}
}

// TestOIDCProviderGoesAway: keys that are known stay good while it is away, also
// after it would have been asked again.
func TestOIDCProviderGoesAway(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"whole": "", "its keys alone": "/keys"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, next := newSigner(t, "k1", "RS256"), newSigner(t, "k2", "RS256")
			provider, at := newIdentity(t, key), newClock()
			o := newOIDC(t, provider, at, nil)
			ask := func(k signer) error {
				_, err := o.Principal(t.Context(), k.sign(t, provider.claims(map[string]any{"exp": at.now().Add(time.Minute).Unix()})))
				return err
			}
			require.NoError(t, ask(key))
			if path == "" {
				provider.Close()
			} else {
				provider.change(func() { provider.broken = path })
			}
			for range 3 {
				at.forward(providerAge / 2)
				require.NoError(t, ask(key))
				at.forward(providerRest)
				require.ErrorIs(t, ask(next), ErrProvider, "of a key that is not known nothing can be said")
				if path != "" && at.now().Sub(noon) > providerAge {
					return // and the keys of the time before are those that are good
				}
			}
		})
	}
}

// TestOIDCOddProviders: what cannot be understood is the provider's fault, not
// that of who comes with a token.
func TestOIDCOddProviders(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "k1", "RS256")
	for name, body := range map[string]string{
		"no JSON":       "<html>maintenance</html>",
		"half a JSON":   `{"keys":[`,
		"endless":       `{"keys":[],"x":"` + strings.Repeat("a", maxProviderBody) + `"}`,
		"a broken key":  `{"keys":[{"kty":"RSA","n":"!","e":"AQAB"}]}`,
		"another thing": `[1,2,3]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			provider := newIdentity(t, key)
			provider.change(func() { provider.body = body })
			_, err := newOIDC(t, provider, newClock(), nil).Principal(t.Context(), key.sign(t, provider.claims(nil)))
			require.ErrorIs(t, err, ErrProvider)
		})
	}
	t.Run("another issuer than its address", func(t *testing.T) {
		t.Parallel()
		provider := newIdentity(t, key)
		provider.inner.SetIssuer("https://login.example.com")
		_, err := newOIDC(t, provider, newClock(), nil).Principal(t.Context(), key.sign(t, provider.claims(nil)))
		require.ErrorIs(t, err, ErrProvider)
	})
}

// TestOIDCIsAskedOnceByMany: those who come at once wait for one answer, and who
// goes away meanwhile does not spoil it.
func TestOIDCIsAskedOnceByMany(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "k1", "RS256")
	provider := newIdentity(t, key)
	token := key.sign(t, provider.claims(nil))
	var waiting atomic.Int64
	entered, hold := make(chan struct{}), make(chan struct{})
	o := newOIDC(t, provider, newClock(), func(c *OIDCConfig) {
		next := c.Client.Transport
		c.Client = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if waiting.Add(1) == 1 {
				close(entered)
			}
			<-hold
			return next.RoundTrip(r)
		})}
	})
	first, leave := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { _, _ = o.Principal(first, token) })
	<-entered
	second, leaveToo := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := o.Principal(second, token)
		gone <- err
	}()
	leave()
	leaveToo()
	require.ErrorIs(t, <-gone, ErrProvider)
	for range 20 {
		all.Go(func() {
			if _, err := o.Principal(t.Context(), token); err != nil {
				t.Error(err)
			}
		})
	}
	close(hold)
	all.Wait()
	require.Equal(t, 1, provider.count(discoveryPath))
	require.Equal(t, 1, provider.count("/keys"))
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestOIDCConfiguration(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		issuer, audience, wrong string
	}{
		"complete":            {"https://login.example.com/realms/a", "closeloop", ""},
		"no audience":         {"https://login.example.com", "", "audience"},
		"no issuer":           {"", "closeloop", "issuer"},
		"a host alone":        {"login.example.com", "closeloop", "issuer"},
		"another scheme":      {"ftp://login.example.com", "closeloop", "issuer"},
		"what is no URL":      {"https://[", "closeloop", "issuer"},
		"a path without host": {"https:///realms", "closeloop", "issuer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := NewOIDC(OIDCConfig{Issuer: c.issuer, Audience: c.audience, Policy: policy.Default()})
			if c.wrong != "" {
				require.ErrorContains(t, err, c.wrong)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "oidc:login.example.com", o.via)
			require.Equal(t, "email", o.PersonClaim)
		})
	}
}
