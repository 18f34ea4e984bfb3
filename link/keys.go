package link

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of a key and of its name.
const (
	minKey     = 32
	maxKeyName = 16
)

// Keys are the secrets that links are signed with. The zero value has none.
type Keys struct{ list []key }

type key struct {
	name   string
	secret []byte
}

// ParseKeys reads keys as NAME:BASE64, several separated by commas: the first
// signs, all are believed. A secret has at least 32 bytes. Errors say which key
// is meant by its place, and never have a part of it.
func ParseKeys(text string) (Keys, error) {
	var k Keys
	for i, one := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
		name, encoded, ok := strings.Cut(one, ":")
		if !ok || name == "" || len(name) > maxKeyName || !utf8.ValidString(name) {
			return Keys{}, fmt.Errorf("key %d: write NAME:BASE64, the name at most %d characters long", i+1, maxKeyName)
		}
		if _, known := k.find(name); known {
			return Keys{}, fmt.Errorf("key %d has the name of another", i+1)
		}
		secret, err := decodeKey(encoded)
		if err != nil {
			return Keys{}, fmt.Errorf("key %d is not base64", i+1)
		}
		if len(secret) < minKey {
			return Keys{}, fmt.Errorf("key %d is too short: it has %d bytes and needs %d; make one with: openssl rand -base64 32", i+1, len(secret), minKey)
		}
		k.list = append(k.list, key{name, secret})
	}
	if len(k.list) == 0 {
		return Keys{}, errors.New("there is no key: write NAME:BASE64")
	}
	return k, nil
}

// decodeKey takes both alphabets, with or without padding.
func decodeKey(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	return base64.RawStdEncoding.DecodeString(text)
}

func (k Keys) find(name string) (key, bool) {
	for _, one := range k.list {
		if one.name == name {
			return one, true
		}
	}
	return key{}, false
}

// The uses of a key. A code for one of them is never one for the other.
const (
	useLink = "closeloop link"
	useForm = "closeloop form"
)

// code returns the HMAC of the parts for a use. The length of each part goes in,
// so that no two lists of parts are the same to it.
func (k key) code(use string, parts ...string) []byte {
	mac := hmac.New(sha256.New, k.secret)
	for _, part := range append([]string{use}, parts...) {
		_, _ = fmt.Fprintf(mac, "%d:%s", len(part), part)
	}
	return mac.Sum(nil)
}
