package channel

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"closeloop/policy"
)

// secretPrefix begins the secrets of webhooks.
const secretPrefix = "whsec_"

// Bounds of a secret, in bytes, as the Standard Webhooks specification has them.
const (
	shortestSecret = 24
	longestSecret  = 64
)

var errNoSecrets = errors.New("there is no secret to sign with")

// secrets returns the keys that webhooks to a system are signed with. Errors name
// the variable and never repeat what is in it.
func (w *webhook) secrets(u policy.Upstream) ([][]byte, error) {
	name := u.WriteBackSecretsEnv()
	var keys [][]byte
	for i, text := range strings.FieldsFunc(w.getenv(name), func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\t' }) {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, secretPrefix))
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: secret %d is not base64 after %s", name, i+1, secretPrefix)
		case len(key) < shortestSecret || len(key) > longestSecret:
			return nil, fmt.Errorf("%s: secret %d has %d bytes; make one with: echo %s$(openssl rand -base64 32)", name, i+1, len(key), secretPrefix)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: set %s", errNoSecrets, name)
	}
	return keys, nil
}

// signatures returns one signature for each key, so that a receiver can change
// from one secret to the next while both are good.
func signatures(keys [][]byte, id, timestamp string, body []byte) string {
	list := make([]string, len(keys))
	for i, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + timestamp + "."))
		mac.Write(body)
		list[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(list, " ")
}
