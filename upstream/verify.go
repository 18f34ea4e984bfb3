package upstream

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"closeloop/policy"
)

// Why a webhook is not believed. Test with [errors.Is].
var (
	// ErrNoSecret: no secret is known here by which it could be verified.
	ErrNoSecret = errors.New("no secret is set for this system")
	// ErrUnsigned: it has no signature, or not all that belongs to one.
	ErrUnsigned = errors.New("the signature is missing")
	// ErrSignature: it was signed with another secret, or is another body.
	ErrSignature = errors.New("the signature does not fit the body")
	// ErrStale: its signed timestamp is too old, or lies ahead.
	ErrStale = errors.New("the signed timestamp is too old or lies ahead")
)

// Headers of the signatures.
const (
	headerHub256          = "X-Hub-Signature-256"
	headerHub             = "X-Hub-Signature"
	headerGitHubDelivery  = "X-GitHub-Delivery"
	headerGitHubEvent     = "X-GitHub-Event"
	headerJiraDelivery    = "X-Atlassian-Webhook-Identifier"
	headerZendeskSign     = "X-Zendesk-Webhook-Signature"
	headerZendeskTime     = "X-Zendesk-Webhook-Signature-Timestamp"
	headerZendeskDelivery = "X-Zendesk-Webhook-Invocation-Id"
	headerID              = "Webhook-Id"
	headerTime            = "Webhook-Timestamp"
	headerSign            = "Webhook-Signature"
	// HeaderSecret is where systems that cannot sign send their secret.
	HeaderSecret = "X-Closeloop-Secret" //nolint:gosec // the name of a header
)

// Proof is what is known of a webhook once it is verified.
type Proof struct {
	// ID of the delivery: what the system calls it, or a digest of what was signed.
	ID string
	// At is the timestamp that was signed; zero when the system signs none.
	At time.Time
	// Signed is the digest of what the signature is about. The same again is the
	// same delivery, whatever it is called: not every system signs the id.
	Signed [sha256.Size]byte
}

// maxID bounds what a system calls its deliveries and tickets.
const maxID = 120

// secretPrefix begins the secrets of Standard Webhooks; base64 follows.
const secretPrefix = "whsec_"

// Secrets splits the secrets that a variable holds: separated by spaces or
// commas, all of them good. The prefix of a secret without one is none: its key
// would be empty, and anybody could sign with it.
func Secrets(variable string) []string {
	list := strings.FieldsFunc(variable, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' })
	return slices.DeleteFunc(list, func(s string) bool { return s == secretPrefix })
}

// Verify tells whether the system sent the body, by any of the secrets. Signed
// timestamps may be as far from now as the system's max_age. The body is not
// parsed; comparisons take the same time whatever is wrong.
func Verify(u policy.Upstream, secrets []string, h http.Header, body []byte, now time.Time) (Proof, error) {
	if len(secrets) == 0 {
		return Proof{}, ErrNoSecret
	}
	switch u.Kind {
	case policy.GitHub:
		return hub(headerHub256, headerGitHubDelivery, secrets, h, body)
	case policy.Jira:
		return hub(headerHub, headerJiraDelivery, secrets, h, body)
	case policy.Zendesk:
		return zendesk(u, secrets, h, body, now)
	case policy.Freshdesk, policy.ServiceNow:
		if h.Get(headerSign) != "" {
			return standard(u, secrets, h, body, now)
		}
		return bare(secrets, h, body)
	default:
		return standard(u, secrets, h, body, now)
	}
}

// hub is the signature that GitHub and Jira send: sha256=HEX over the body.
func hub(header, delivery string, secrets []string, h http.Header, body []byte) (Proof, error) {
	signature, ok := strings.CutPrefix(h.Get(header), "sha256=")
	if !ok {
		return Proof{}, ErrUnsigned
	}
	given, err := hex.DecodeString(signature)
	if err != nil {
		return Proof{}, ErrSignature
	}
	if !signed(secrets, plain, [][]byte{given}, body) {
		return Proof{}, ErrSignature
	}
	return proof(h.Get(delivery), time.Time{}, body), nil
}

// zendesk signs the timestamp and the body: base64.
func zendesk(u policy.Upstream, secrets []string, h http.Header, body []byte, now time.Time) (Proof, error) {
	stamp, signature := h.Get(headerZendeskTime), h.Get(headerZendeskSign)
	if stamp == "" || signature == "" {
		return Proof{}, ErrUnsigned
	}
	given, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return Proof{}, ErrSignature
	}
	if !signed(secrets, plain, [][]byte{given}, []byte(stamp), body) {
		return Proof{}, ErrSignature
	}
	at, err := time.Parse(time.RFC3339, stamp)
	if err != nil || !fresh(u, at, now) {
		return Proof{}, ErrStale
	}
	return proof(h.Get(headerZendeskDelivery), at, []byte(stamp), body), nil
}

// standard is the scheme of Standard Webhooks: id.timestamp.body.
func standard(u policy.Upstream, secrets []string, h http.Header, body []byte, now time.Time) (Proof, error) {
	id, stamp := h.Get(headerID), h.Get(headerTime)
	if id == "" || stamp == "" || h.Get(headerSign) == "" {
		return Proof{}, ErrUnsigned
	}
	var given [][]byte
	for _, s := range strings.Fields(h.Get(headerSign)) {
		encoded, ok := strings.CutPrefix(s, "v1,")
		if !ok {
			continue
		}
		if signature, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			given = append(given, signature)
		}
	}
	if !signed(secrets, whsec, given, []byte(id), []byte("."), []byte(stamp), []byte("."), body) {
		return Proof{}, ErrSignature
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if at := time.Unix(seconds, 0).UTC(); err == nil && fresh(u, at, now) {
		return proof(id, at, []byte(id), []byte("."), body), nil
	}
	return Proof{}, ErrStale
}

// bare is for systems that cannot sign: the secret itself, in a header of its
// own, as a bearer token, or as the password of basic authentication.
func bare(secrets []string, h http.Header, body []byte) (Proof, error) {
	var given []string
	if s := h.Get(HeaderSecret); s != "" {
		given = append(given, s)
	}
	request := http.Request{Header: h}
	if name, password, ok := request.BasicAuth(); ok {
		given = append(given, password, name)
	} else if scheme, token, ok := strings.Cut(h.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		given = append(given, strings.TrimSpace(token))
	}
	if len(given) == 0 {
		return Proof{}, ErrUnsigned
	}
	found := 0
	for _, s := range secrets {
		want := sha256.Sum256([]byte(s))
		for _, g := range given {
			got := sha256.Sum256([]byte(g))
			found |= subtle.ConstantTimeCompare(want[:], got[:])
		}
	}
	if found == 0 {
		return Proof{}, ErrSignature
	}
	return proof("", time.Time{}, body), nil
}

// signed reports whether one of the secrets made one of the signatures over the
// parts. All are tried, so that nothing is told by how long it takes.
func signed(secrets []string, key func(string) []byte, given [][]byte, parts ...[]byte) bool {
	found := false
	for _, s := range secrets {
		mac := hmac.New(sha256.New, key(s))
		for _, p := range parts {
			mac.Write(p)
		}
		want := mac.Sum(nil)
		for _, g := range given {
			found = hmac.Equal(want, g) || found
		}
	}
	return found
}

func plain(secret string) []byte { return []byte(secret) }

// whsec is the key of a Standard Webhooks secret: base64 behind whsec_. Any other
// text is the key as it stands.
func whsec(secret string) []byte {
	if encoded, ok := strings.CutPrefix(secret, secretPrefix); ok {
		if key, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			return key
		}
	}
	return []byte(secret)
}

func fresh(u policy.Upstream, at, now time.Time) bool {
	age := u.MaxAge.Time
	if age <= 0 {
		age = policy.DefaultMaxAge.Time
	}
	return at.After(now.Add(-age)) && at.Before(now.Add(age))
}

// proof is that of a body whose signature fits; parts are what was signed.
func proof(id string, at time.Time, parts ...[]byte) Proof {
	digest := sha256.New()
	for _, p := range parts {
		digest.Write(p)
	}
	p := Proof{ID: identifier(id), At: at, Signed: [sha256.Size]byte(digest.Sum(nil))}
	if p.ID == "" {
		p.ID = digestID(p.Signed)
	}
	return p
}

func digestID(sum [sha256.Size]byte) string { return "sha256-" + hex.EncodeToString(sum[:16]) }

// identifier is what a system calls something, as it can stand in references and
// ids of acts: printable, without spaces, bounded. What cannot becomes a digest,
// so that two of them never become one.
func identifier(id string) string {
	fine := len(id) <= maxID && strings.IndexFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
	if fine {
		return id
	}
	return digestID(sha256.Sum256([]byte(id)))
}
