package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"closeloop/access"
	"closeloop/policy"
)

const (
	// DefaultPersonClaim is the claim that says who somebody is.
	DefaultPersonClaim = "email"
	// clockSkew is how far the provider's clock and ours may be apart.
	clockSkew = time.Minute
	// providerAge is how long what a provider says of itself is taken to be true. A
	// key that it no longer has is good for so long.
	providerAge = time.Hour
	// providerRest is how long a provider is left alone after it was asked: tokens
	// that somebody made up must not make us ask for each. A new key is known at
	// most so much later.
	providerRest = 10 * time.Second
	// providerTimeout bounds a question to a provider.
	providerTimeout = 5 * time.Second
	// maxProviderBody bounds its answer.
	maxProviderBody = 1 << 20
)

// signing are the algorithms that tokens may be signed with: those with a public
// key, so that nobody who knows what the provider publishes can sign.
var signing = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
}

// OIDCConfig is which tokens of a provider are taken.
type OIDCConfig struct {
	// Issuer is the URL of the provider, exactly as its tokens have it.
	Issuer string
	// Audience is who the tokens must be for.
	Audience string
	// PersonClaim says who somebody is: a person's id in the directory, or their
	// e-mail address; [DefaultPersonClaim] when empty.
	PersonClaim string
	Policy      policy.InForce
	// Client asks the provider; one of its own when nil.
	Client *http.Client
	// Now is the wall clock; time.Now when nil.
	Now    func() time.Time
	Logger *slog.Logger
}

// OIDC knows who bearer tokens of an OpenID Connect provider belong to. The
// provider is first asked when a token comes, and may be down until then. What
// somebody may do is the directory's to say, as with any other token. It is safe
// for concurrent use.
type OIDC struct {
	OIDCConfig
	via string

	// asking is held by who asks the provider what it is.
	asking chan struct{}
	mu     sync.Mutex
	held   *provider
	// tried is when the provider was last asked what it is, and failed why it did not
	// answer then.
	tried  time.Time
	failed error
}

// provider is what a provider said of itself.
type provider struct {
	verifier *oidc.IDTokenVerifier
	keys     oidc.KeySet
	asked    time.Time
}

// NewOIDC returns OIDC for the provider. The error says what is wrong with the
// configuration; the provider is not asked.
func NewOIDC(c OIDCConfig) (*OIDC, error) {
	issuer, err := url.Parse(c.Issuer)
	if err != nil || issuer.Host == "" || issuer.Scheme != "https" && issuer.Scheme != "http" {
		return nil, errors.New("the OIDC issuer is no URL like https://login.example.com")
	}
	if c.Audience == "" {
		return nil, errors.New("the OIDC audience is missing: tokens that the provider made for others would be taken")
	}
	if c.PersonClaim == "" {
		c.PersonClaim = DefaultPersonClaim
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: providerTimeout}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &OIDC{OIDCConfig: c, via: access.ViaOIDC + issuer.Host, asking: make(chan struct{}, 1)}, nil
}

// Principal returns who the token belongs to. The error is [ErrProvider] when
// the provider's keys are not known and cannot be found out.
func (o *OIDC) Principal(ctx context.Context, token string) (access.Principal, error) {
	if strings.Count(token, ".") != 2 {
		return access.Principal{}, ErrUnknownBearer // no JWT, so nobody has to be asked
	}
	p, err := o.provider(ctx)
	if err != nil {
		return access.Principal{}, err
	}
	checking := &check{}
	verified, err := p.verifier.Verify(context.WithValue(ctx, checkKey{}, checking), token)
	switch {
	case err == nil:
	case checking.unknown != nil:
		return access.Principal{}, fmt.Errorf("%w: %w", ErrProvider, checking.unknown)
	default:
		return access.Principal{}, ErrUnknownBearer
	}
	var claims map[string]any
	if err := verified.Claims(&claims); err != nil {
		return access.Principal{}, ErrUnknownBearer
	}
	rules := o.Policy.Current()
	id, known := o.person(rules, claims)
	if !known {
		return access.Principal{}, ErrUnknownBearer
	}
	who, known := access.Person(rules, id, o.via)
	if !known {
		return access.Principal{}, ErrUnknownBearer
	}
	return who, nil
}

// person returns the id of whom the claims speak of: somebody of the directory
// by their id or their e-mail address, and otherwise the claim itself, for the
// policy to say what strangers may do. An address that the provider has not seen
// to be theirs is nobody's.
func (o *OIDC) person(rules *policy.Policy, claims map[string]any) (string, bool) {
	value, _ := claims[o.PersonClaim].(string)
	verified := !isFalse(claims["email_verified"])
	if value == "" || o.PersonClaim == DefaultPersonClaim && !verified {
		return "", false
	}
	if _, known := rules.Person(value); known {
		return value, true
	}
	if !strings.Contains(value, "@") {
		return value, true
	}
	if !verified {
		return "", false
	}
	found := ""
	for _, p := range rules.People {
		if strings.EqualFold(p.Email, value) {
			if found != "" {
				return "", false // an address that two share says not who it is
			}
			found = p.ID
		}
	}
	if found == "" {
		return value, true
	}
	return found, true
}

// isFalse reports whether a claim says no; some providers send it as a text.
func isFalse(claim any) bool {
	switch v := claim.(type) {
	case bool:
		return !v
	case string:
		truth, err := strconv.ParseBool(v)
		return err != nil || !truth
	default:
		return claim != nil
	}
}

// provider returns what is known of the provider, and asks it when that is
// nothing or old. One asks at a time; while it does not answer, what was known
// before stays true.
func (o *OIDC) provider(ctx context.Context) (*provider, error) {
	if p, settled, err := o.look(); settled {
		return p, err
	}
	select {
	case o.asking <- struct{}{}:
		defer func() { <-o.asking }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrProvider, ctx.Err())
	}
	// Somebody else may have asked meanwhile.
	if p, settled, err := o.look(); settled {
		return p, err
	}
	// It is asked for all who come, so it does not end with this one.
	asked := o.Now()
	p, err := o.discover(context.WithoutCancel(ctx), o.held)
	o.mu.Lock()
	o.tried, o.failed = asked, err
	if err == nil {
		o.held = p
	}
	o.mu.Unlock()
	if err != nil {
		o.Logger.Warn("The OIDC provider does not say what it is", "issuer", o.Issuer, "error", err.Error())
	}
	p, _, err = o.look()
	return p, err
}

// look returns what is known of the provider, or why nothing is; settled says
// that it is not to be asked now.
func (o *OIDC) look() (p *provider, settled bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.Now()
	rests := !o.tried.IsZero() && now.Sub(o.tried) < providerRest
	switch {
	case o.held != nil && (rests || now.Sub(o.held.asked) < providerAge):
		return o.held, true, nil
	case rests:
		return nil, true, fmt.Errorf("%w: %w", ErrProvider, o.failed)
	default:
		return nil, false, nil
	}
}

// discover asks the provider what it is. The keys that it had before are good
// while it does not tell the present ones.
func (o *OIDC) discover(ctx context.Context, before *provider) (*provider, error) {
	ctx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	asked := o.Now()
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, o.client(&bounded{next: o.transport()})), o.Issuer)
	if err != nil {
		return nil, err
	}
	var at struct {
		Keys string `json:"jwks_uri"`
	}
	if err := found.Claims(&at); err != nil {
		return nil, err
	}
	if at.Keys == "" {
		return nil, errors.New("it does not say where its keys are")
	}
	fetching := o.client(&rested{next: &bounded{next: o.transport()}, now: o.Now})
	keys := watched{present: oidc.NewRemoteKeySet(oidc.ClientContext(context.WithoutCancel(ctx), fetching), at.Keys)}
	if before != nil {
		keys.before = before.keys
	}
	return &provider{
		verifier: oidc.NewVerifier(o.Issuer, keys, &oidc.Config{
			ClientID: o.Audience, SupportedSigningAlgs: signing,
			// go-oidc takes the end of a token to the second; its start it gives five
			// minutes.
			Now: func() time.Time { return o.Now().Add(-clockSkew) },
		}),
		keys: keys.present, asked: asked,
	}, nil
}

func (o *OIDC) transport() http.RoundTripper {
	if o.Client.Transport != nil {
		return o.Client.Transport
	}
	return http.DefaultTransport
}

func (o *OIDC) client(by http.RoundTripper) *http.Client {
	c := *o.Client
	c.Transport = by
	return &c
}

// check is one look at a token; unknown is why the keys could not be had for it.
// go-oidc does not let its callers tell that from a signature that is wrong.
type check struct{ unknown error }

type checkKey struct{}

// watched are the keys of a provider. It says in the [check] when they could not
// be had.
type watched struct{ present, before oidc.KeySet }

// VerifySignature returns what was signed.
func (w watched) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := w.present.VerifySignature(ctx, jwt)
	// Only what went wrong on the way to the keys has a reason of its own: a
	// signature by none of them has not.
	if errors.Unwrap(err) == nil {
		return payload, err
	}
	if w.before != nil {
		if payload, err := w.before.VerifySignature(ctx, jwt); err == nil {
			return payload, nil
		}
	}
	if c, ok := ctx.Value(checkKey{}).(*check); ok {
		c.unknown = err
	}
	return nil, err
}

// bounded makes an error of every answer that is none or too long, and reads the
// others whole.
type bounded struct{ next http.RoundTripper }

// RoundTrip sends the request.
func (b *bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s", answer.Status)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxProviderBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxProviderBody {
		return nil, errors.New("its answer is too long")
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// rested gives the answer of a while ago to who asks again soon.
type rested struct {
	next http.RoundTripper
	now  func() time.Time

	mu     sync.Mutex
	asked  time.Time
	header http.Header
	body   []byte
	failed error
}

// RoundTrip sends the request, or gives the answer that it got before. The keys
// are asked for at one address by one at a time.
func (c *rested) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); c.asked.IsZero() || now.Sub(c.asked) >= providerRest {
		c.asked, c.body, c.header = now, nil, nil
		answer, err := c.next.RoundTrip(r)
		if c.failed = err; err == nil {
			c.header = answer.Header
			c.body, c.failed = io.ReadAll(answer.Body)
			_ = answer.Body.Close()
		}
	}
	if c.failed != nil {
		return nil, c.failed
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: c.header, Body: io.NopCloser(bytes.NewReader(c.body)), ContentLength: int64(len(c.body)), Request: r,
	}, nil
}
