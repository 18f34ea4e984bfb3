package link

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// Purpose is what a link lets its holder do.
type Purpose byte

// The purposes.
const (
	// ForCustomer lets the customer see the requirement and answer.
	ForCustomer Purpose = 'c'
	// ForApprover lets a person vote in one round of approval.
	ForApprover Purpose = 'a'
)

// ToCustomer is the recipient of the links of a requirement's customer; every
// other recipient is a person's id.
const ToCustomer = "customer"

// Link is what a token says. The customer of a requirement that was merged into
// another keeps the links of their own requirement.
type Link struct {
	Requirement string
	// Recipient is [ToCustomer] or a person's id.
	Recipient string
	Purpose   Purpose
	// Round of approval that the link is for; zero for customers.
	Round int
	// Version counts from 1: revoking the links of a recipient ends all of the
	// present version.
	Version int
	// Expires is exact to the second.
	Expires time.Time
}

// What can be wrong with a token. The errors themselves tell nothing of it.
var (
	// ErrTampered: it was not made here, or was changed since.
	ErrTampered = errors.New("the link is not one of ours, or was changed")
	// ErrUnknownKey: it names a key that is not known here, any longer perhaps.
	ErrUnknownKey = errors.New("the link was signed with a key that is not known")
	// ErrExpired: it is ours, and its time is over.
	ErrExpired = errors.New("the link has expired")
)

// format is the first byte of every payload.
const format = 1

// MaxToken bounds the length of a token, in characters.
const MaxToken = 800

// maxField bounds the texts in a token, in bytes.
const maxField = 255

// encoding is strict: bits that no byte has must be zero, so that each link has
// one spelling.
var encoding = base64.RawURLEncoding.Strict()

// Sign returns the token of a link, signed with the first key. The error says
// what of the link cannot be in a token.
func (k Keys) Sign(l Link) (string, error) {
	if len(k.list) == 0 {
		return "", errors.New("there is no key to sign a link with")
	}
	seconds := l.Expires.Unix()
	switch {
	case l.Requirement == "" || len(l.Requirement) > maxField:
		return "", fmt.Errorf("a link needs the id of a requirement, of at most %d bytes", maxField)
	case l.Recipient == "" || len(l.Recipient) > maxField:
		return "", fmt.Errorf("a link needs a recipient, of at most %d bytes", maxField)
	case l.Purpose != ForCustomer && l.Purpose != ForApprover:
		return "", fmt.Errorf("a link cannot have the purpose %q", byte(l.Purpose))
	case l.Round < 0 || l.Version < 1 || seconds < 0:
		return "", fmt.Errorf("a link needs a version from 1, and an end after 1970")
	}
	signer := k.list[0]
	recipient := l.Recipient
	if recipient == ToCustomer {
		recipient = ""
	}
	payload := []byte{format}
	payload = appendText(payload, signer.name)
	payload = append(payload, byte(l.Purpose))
	payload = binary.AppendUvarint(payload, uint64(l.Version))
	payload = binary.AppendUvarint(payload, uint64(l.Round))
	payload = binary.AppendUvarint(payload, uint64(seconds))
	payload = appendText(payload, l.Requirement)
	payload = appendText(payload, recipient)
	return encoding.EncodeToString(append(payload, signer.code(useLink, string(payload))...)), nil
}

// Open returns the link that a token is, if it is one of ours and still good at
// now; otherwise [ErrTampered], [ErrUnknownKey] or [ErrExpired]. With ErrExpired
// the link is returned too: it was ours.
func (k Keys) Open(token string, now time.Time) (Link, error) {
	l, _, err := k.read(token)
	if err != nil {
		return Link{}, err
	}
	if !now.Before(l.Expires) {
		return l, ErrExpired
	}
	return l, nil
}

// read takes a token apart, whatever the time, and returns the key that signed
// it.
func (k Keys) read(token string) (Link, key, error) {
	if len(token) > MaxToken {
		return Link{}, key{}, ErrTampered
	}
	raw, err := encoding.DecodeString(token)
	// The decoder passes over line ends; a link has one spelling only.
	if err != nil || len(raw) < sha256.Size || encoding.EncodeToString(raw) != token {
		return Link{}, key{}, ErrTampered
	}
	payload, code := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	p := parser{rest: payload}
	if p.byte() != format {
		return Link{}, key{}, ErrTampered
	}
	name := p.text()
	if p.failed {
		return Link{}, key{}, ErrTampered
	}
	signer, known := k.find(name)
	if !known {
		return Link{}, key{}, ErrUnknownKey
	}
	if !hmac.Equal(code, signer.code(useLink, string(payload))) {
		return Link{}, key{}, ErrTampered
	}
	l := Link{Purpose: Purpose(p.byte()), Version: p.number(), Round: p.number()}
	l.Expires = time.Unix(int64(p.number()), 0).UTC()
	l.Requirement, l.Recipient = p.text(), p.text()
	if p.failed || len(p.rest) > 0 {
		return Link{}, key{}, ErrTampered
	}
	if l.Recipient == "" {
		l.Recipient = ToCustomer
	}
	return l, signer, nil
}

// Seal returns a short code that only we can make and that is bound to the token
// and the parts: forms carry it, so that nobody else can write them. It is empty
// when the token is not ours.
func (k Keys) Seal(token string, parts ...string) string {
	_, signer, err := k.read(token)
	if err != nil {
		return ""
	}
	return encoding.EncodeToString(signer.code(useForm, append([]string{token}, parts...)...)[:sha256.Size/2])
}

// Sealed reports whether the code is the seal of token and parts.
func (k Keys) Sealed(code, token string, parts ...string) bool {
	seal := k.Seal(token, parts...)
	return seal != "" && hmac.Equal([]byte(code), []byte(seal))
}

// appendText appends a text of at most [maxField] bytes.
func appendText(to []byte, text string) []byte {
	return append(append(to, byte(len(text))), text...)
}

// parser reads a payload; failed is set once it has not what is asked for.
type parser struct {
	rest   []byte
	failed bool
}

func (p *parser) byte() byte {
	if len(p.rest) == 0 {
		p.failed = true
		return 0
	}
	b := p.rest[0]
	p.rest = p.rest[1:]
	return b
}

func (p *parser) text() string {
	n := int(p.byte())
	if n > len(p.rest) {
		p.failed = true
		return ""
	}
	text := string(p.rest[:n])
	p.rest = p.rest[n:]
	return text
}

func (p *parser) number() int {
	n, size := binary.Uvarint(p.rest)
	if size <= 0 || n > math.MaxInt64 {
		p.failed = true
		return 0
	}
	p.rest = p.rest[size:]
	return int(n)
}
