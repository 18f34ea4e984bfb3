package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"regexp"
	"strings"
	"time"

	"closeloop/policy"
)

// An API token reads cl_ID_SECRET, in small letters and the digits 2 to 7. The
// id is no secret: it stands in lists and in the ledger. Secret scanners find
// tokens by [TokenPattern].
const (
	TokenPrefix  = "cl_"
	TokenPattern = `cl_[a-z2-7]{13}_[a-z2-7]{52}` //nolint:gosec // what tokens look like
)

// How long tokens are good for.
const (
	DefaultTokenLife = 90 * 24 * time.Hour
	// MaxTokenLife is two years, one of them a leap year.
	MaxTokenLife = 731 * 24 * time.Hour
)

// The lengths of what an id and a secret are made of.
const (
	tokenIDBytes     = 8
	tokenSecretBytes = 32
)

var (
	tokenText     = regexp.MustCompile(`^` + TokenPattern + `$`)
	tokenAlphabet = base32.StdEncoding.WithPadding(base32.NoPadding)
)

// TokenHash is what is kept of a token: the SHA-256 of its whole text. The
// secret is random and as long as the hash, so it takes no salt and no slow
// hash.
type TokenHash [sha256.Size]byte

// Token is what is known of an API token. It belongs to a person of the policy,
// to an upstream system, or to an auditor: exactly one of them.
type Token struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Person it speaks for, whose roles are those that the directory gives them
	// whenever it is used.
	Person string `json:"person,omitempty"`
	// Upstream is the system that it speaks for.
	Upstream string `json:"upstream,omitempty"`
	// Auditor reads and is no person of the policy.
	Auditor bool `json:"auditor,omitempty"`
	// Scopes narrow what its owner may do; nil means all of it.
	Scopes     []Scope    `json:"scopes"`
	Hash       TokenHash  `json:"-"`
	CreatedAt  time.Time  `json:"created_at"`
	CreatedBy  string     `json:"created_by"`
	ExpiresAt  time.Time  `json:"expires_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
	RevokedBy  string     `json:"revoked_by,omitempty"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

// TokenState is whether a token is good.
type TokenState string

// The states.
const (
	TokenLive    TokenState = "live"
	TokenExpired TokenState = "expired"
	TokenRevoked TokenState = "revoked"
)

// NewTokenText returns a token that nobody has: its id, and its text, which is
// to be shown once.
func NewTokenText() (id, text string) {
	random := make([]byte, tokenIDBytes+tokenSecretBytes)
	_, _ = rand.Read(random) // never fails
	id = letters(random[:tokenIDBytes])
	return id, TokenPrefix + id + "_" + letters(random[tokenIDBytes:])
}

func letters(b []byte) string { return strings.ToLower(tokenAlphabet.EncodeToString(b)) }

// ReadToken returns the id in the text of a token, and its hash; false when it
// is no such text.
func ReadToken(text string) (id string, hash TokenHash, ok bool) {
	if !tokenText.MatchString(text) {
		return "", TokenHash{}, false
	}
	id, _, _ = strings.Cut(strings.TrimPrefix(text, TokenPrefix), "_")
	return id, HashToken(text), true
}

// HashToken returns what is kept of a token.
func HashToken(text string) TokenHash { return sha256.Sum256([]byte(text)) }

// Is reports whether the token is the one with that hash, in a time that does
// not depend on how alike they are.
func (t Token) Is(hash TokenHash) bool { return subtle.ConstantTimeCompare(t.Hash[:], hash[:]) == 1 }

// State returns whether the token is good at that instant. At the instant at
// which it expires it is so no longer.
func (t Token) State(now time.Time) TokenState {
	switch {
	case t.RevokedAt != nil:
		return TokenRevoked
	case !now.Before(t.ExpiresAt):
		return TokenExpired
	default:
		return TokenLive
	}
}

// Via is how somebody is known who comes with the token.
func (t Token) Via() string { return ViaToken + t.ID }

// Principal returns who comes with the token; false when the policy no longer
// knows the person.
func (t Token) Principal(p *policy.Policy) (Principal, bool) {
	var who Principal
	known := true
	switch {
	case t.Person != "":
		who, known = Person(p, t.Person, t.Via())
	case t.Upstream != "":
		who = System(t.Upstream, t.Via())
	default:
		who = Reader(t.Via(), t.Via())
	}
	who.Scopes = t.Scopes
	return who, known
}
