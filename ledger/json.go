package ledger

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// encode returns v as JSON that PostgreSQL takes. The character U+0000, which it
// has no place for, becomes U+FFFD: a text that somebody sent must never hold up
// a requirement.
func encode(v any) (json.RawMessage, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return withoutNUL(text), nil
}

// withoutNUL replaces the escape of U+0000. A backslash that is itself escaped
// does not begin one.
func withoutNUL(text []byte) []byte {
	if !bytes.Contains(text, []byte(`\u0000`)) {
		return text
	}
	clean := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			clean = append(clean, text[i])
			continue
		}
		if bytes.HasPrefix(text[i:], []byte(`\u0000`)) {
			clean = append(clean, `\ufffd`...)
			i += len(`u0000`)
			continue
		}
		clean = append(clean, text[i], text[i+1])
		i++
	}
	return clean
}

// storable returns the text as PostgreSQL takes it: as [encode] does in JSON.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// compact returns JSON as short as it was written: PostgreSQL adds spaces.
func compact(text []byte) json.RawMessage {
	if text == nil {
		return nil
	}
	var short bytes.Buffer
	if json.Compact(&short, text) != nil {
		return text
	}
	return short.Bytes()
}

// stamp is the instant as PostgreSQL keeps it. It is cut off, not rounded, so
// that an instant is never kept as one to come.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func stampOrNull(t *time.Time) *time.Time {
	if t == nil || t.IsZero() {
		return nil
	}
	cut := stamp(*t)
	return &cut
}
