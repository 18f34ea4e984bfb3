package link_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/link"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func secret(fill byte) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(rune(fill)), 32)))
}

func keys(t testing.TB, text string) link.Keys {
	t.Helper()
	k, err := link.ParseKeys(text)
	require.NoError(t, err)
	return k
}

func someLink() link.Link {
	return link.Link{Requirement: "REQ-7K2M9QXA", Recipient: link.ToCustomer, Purpose: link.ForCustomer, Version: 1, Expires: noon.Add(time.Hour)}
}

func TestTokenIsShort(t *testing.T) {
	t.Parallel()
	token, err := keys(t, "2026a:"+secret('a')).Sign(someLink())
	require.NoError(t, err)
	require.Less(t, len(token), 120)
	require.Regexp(t, `^[A-Za-z0-9_-]+$`, token)
}

func TestOpen(t *testing.T) {
	t.Parallel()
	now, old, other := keys(t, "new:"+secret('n')+",old:"+secret('o')), keys(t, "old:"+secret('o')), keys(t, "old:"+secret('x'))
	sign := func(k link.Keys, l link.Link) string {
		token, err := k.Sign(l)
		require.NoError(t, err)
		return token
	}
	late := someLink()
	late.Expires = noon
	for _, c := range []struct {
		name  string
		by    link.Keys
		token string
		err   error
	}{
		{"ours", now, sign(now, someLink()), nil},
		{"of a key that no longer signs", now, sign(old, someLink()), nil},
		{"of a key that was taken out", old, sign(now, someLink()), link.ErrUnknownKey},
		{"of somebody else's key with our name", now, sign(other, someLink()), link.ErrTampered},
		{"expired at this instant", now, sign(now, late), link.ErrExpired},
		{"nothing", now, "", link.ErrTampered},
		{"a word", now, "hello", link.ErrTampered},
		{"padded", now, sign(now, someLink()) + "=", link.ErrTampered},
		{"a line more", now, sign(now, someLink()) + "\n", link.ErrTampered},
		{"endless", now, strings.Repeat("A", 100_000), link.ErrTampered},
		{"zeros", now, strings.Repeat("A", 100), link.ErrTampered},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := c.by.Open(c.token, noon)
			require.ErrorIs(t, err, c.err)
			switch {
			case c.err == nil:
				require.Equal(t, someLink(), got)
			case errors.Is(err, link.ErrExpired):
				require.Equal(t, late, got)
			default:
				require.Zero(t, got)
				require.NotContains(t, err.Error(), "REQ")
			}
		})
	}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*link.Link){
		"no requirement":     func(l *link.Link) { l.Requirement = "" },
		"a long requirement": func(l *link.Link) { l.Requirement = strings.Repeat("R", 256) },
		"nobody":             func(l *link.Link) { l.Recipient = "" },
		"a long name":        func(l *link.Link) { l.Recipient = strings.Repeat("R", 256) },
		"no purpose":         func(l *link.Link) { l.Purpose = 0 },
		"no version":         func(l *link.Link) { l.Version = 0 },
		"a negative round":   func(l *link.Link) { l.Round = -1 },
		"before 1970":        func(l *link.Link) { l.Expires = time.Time{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := someLink()
			change(&l)
			_, err := keys(t, "a:"+secret('a')).Sign(l)
			require.Error(t, err)
		})
	}
	_, err := link.Keys{}.Sign(someLink())
	require.Error(t, err)
}

func anyLink(t *rapid.T) link.Link {
	l := link.Link{
		Requirement: rapid.StringN(1, 40, 255).Draw(t, "requirement"),
		Recipient:   rapid.StringN(1, 40, 255).Draw(t, "recipient"),
		Purpose:     rapid.SampledFrom([]link.Purpose{link.ForCustomer, link.ForApprover}).Draw(t, "purpose"),
		Round:       rapid.IntRange(0, 1<<40).Draw(t, "round"),
		Version:     rapid.IntRange(1, 1<<40).Draw(t, "version"),
		Expires:     time.Unix(rapid.Int64Range(0, 1<<35).Draw(t, "expires"), 0).UTC(),
	}
	return l
}

// TestAnyLink: what was signed is read again as it was, and a token in which any
// one bit is another is refused, whatever bit that is.
func TestAnyLink(t *testing.T) {
	t.Parallel()
	k := keys(t, "one:"+secret('1')+",two:"+secret('2'))
	rapid.Check(t, func(t *rapid.T) {
		l := anyLink(t)
		token, err := k.Sign(l)
		require.NoError(t, err)
		got, err := k.Open(token, l.Expires.Add(-time.Nanosecond))
		require.NoError(t, err)
		require.Equal(t, l, got)

		raw := []byte(token)
		raw[rapid.IntRange(0, len(raw)-1).Draw(t, "character")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		_, err = k.Open(string(raw), noon)
		require.Error(t, err)
		require.NotErrorIs(t, err, link.ErrExpired)

		bytes, err := base64.RawURLEncoding.DecodeString(token)
		require.NoError(t, err)
		bytes[rapid.IntRange(0, len(bytes)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit of the byte")
		_, err = k.Open(base64.RawURLEncoding.EncodeToString(bytes), noon)
		require.Error(t, err)
		require.NotErrorIs(t, err, link.ErrExpired)
	})
}

func FuzzOpen(f *testing.F) {
	k := keys(f, "a:"+secret('a'))
	good, err := k.Sign(someLink())
	require.NoError(f, err)
	for _, seed := range []string{good, good[:40], "", "AQ", "AQFh", strings.Repeat("_", 64)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		l, err := k.Open(token, noon)
		if (err == nil) != (token == good) {
			t.Fatalf("%q: %v, %v", token, l, err)
		}
		if err != nil && k.Seal(token, "x") != "" {
			t.Fatalf("%q is not ours and was sealed", token)
		}
	})
}

func TestSeal(t *testing.T) {
	t.Parallel()
	k := keys(t, "a:"+secret('a'))
	one, err := k.Sign(someLink())
	require.NoError(t, err)
	l := someLink()
	l.Version = 2
	two, err := k.Sign(l)
	require.NoError(t, err)
	seal := k.Seal(one, "nonce", "3")
	require.True(t, k.Sealed(seal, one, "nonce", "3"))
	require.False(t, k.Sealed(seal, two, "nonce", "3"), "of another link")
	require.False(t, k.Sealed(seal, one, "nonce", "4"))
	require.False(t, k.Sealed(seal, one, "nonc", "e3"))
	require.False(t, k.Sealed("", "rubbish", "nonce"), "nothing is the seal of what is not ours")
	require.False(t, keys(t, "a:"+secret('b')).Sealed(seal, one, "nonce", "3"))
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, problem string }{
		{"nothing", "", "no key"},
		{"commas", ",,", "no key"},
		{"no name", ":" + secret('a'), "NAME:BASE64"},
		{"no colon", secret('a'), "NAME:BASE64"},
		{"a long name", strings.Repeat("n", 17) + ":" + secret('a'), "NAME:BASE64"},
		{"not base64", "a:%%%", "not base64"},
		{"short", "a:c2hvcnRzZWNyZXQ=", "too short"},
		{"the same name twice", "a:" + secret('a') + ",a:" + secret('b'), "key 2 has the name of another"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := link.ParseKeys(c.text)
			require.ErrorContains(t, err, c.problem)
			require.NotContains(t, err.Error(), "c2hvcnRzZWNyZXQ")
			require.NotContains(t, err.Error(), secret('a'))
		})
	}
	raw := strings.TrimRight(secret('a'), "=")
	token, err := keys(t, "a:"+raw).Sign(someLink())
	require.NoError(t, err)
	_, err = keys(t, "b:"+secret('b')+" a:"+secret('a')).Open(token, noon)
	require.NoError(t, err)
}

func TestFromEnv(t *testing.T) {
	t.Parallel()
	usual := map[string]string{link.EnvKeys: "a:" + secret('a'), link.EnvURL: "https://care.example.com/desk/"}
	for _, c := range []struct {
		name    string
		set     map[string]string
		problem string
	}{
		{"no keys", map[string]string{link.EnvKeys: ""}, link.EnvKeys},
		{"no address", map[string]string{link.EnvURL: ""}, link.EnvURL},
		{"a wrong key", map[string]string{link.EnvKeys: "a:b"}, link.EnvKeys},
		{"an address without scheme", map[string]string{link.EnvURL: "care.example.com"}, link.EnvURL},
		{"an address with a password", map[string]string{link.EnvURL: "https://u:p@care.example.com"}, link.EnvURL},
		{"a script", map[string]string{link.EnvURL: "javascript:alert(1)"}, link.EnvURL},
		{"no days", map[string]string{link.EnvDays: "0"}, link.EnvDays},
		{"words for days", map[string]string{link.EnvApproverDays: "two"}, link.EnvApproverDays},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := link.FromEnv(func(name string) string {
				if v, ok := c.set[name]; ok {
					return v
				}
				return usual[name]
			})
			require.ErrorContains(t, err, c.problem)
			require.Equal(t, strings.HasPrefix(c.name, "no ") && c.name != "no days", errors.Is(err, link.ErrNotSetUp))
		})
	}
	i, err := link.FromEnv(func(name string) string { return usual[name] })
	require.NoError(t, err)
	w := link.Writer{Issuer: i, Versions: fixed(3)}
	customer, err := w.Issue(t.Context(), "REQ-1", link.ToCustomer, 7, noon)
	require.NoError(t, err)
	require.Equal(t, link.Link{Requirement: "REQ-1", Recipient: "customer", Purpose: link.ForCustomer, Version: 3, Expires: noon.AddDate(0, 0, 90)}, customer.Link)
	token, ok := strings.CutPrefix(customer.URL, "https://care.example.com/desk/r/")
	require.True(t, ok)
	read, err := i.Open(token, noon)
	require.NoError(t, err)
	require.Equal(t, customer.Link, read)
	approver, err := w.Issue(t.Context(), "REQ-1", "wang.fang", 2, noon)
	require.NoError(t, err)
	require.Contains(t, approver.URL, "/desk/a/")
	require.Equal(t, link.Link{Requirement: "REQ-1", Recipient: "wang.fang", Purpose: link.ForApprover, Round: 2, Version: 3, Expires: noon.AddDate(0, 0, 14)}, approver.Link)

	_, err = link.Writer{Issuer: i, Versions: broken{}}.Customer(t.Context(), "REQ-1", noon)
	require.ErrorIs(t, err, errBroken)
}

type fixed int

func (f fixed) LinkVersion(context.Context, string, string) (int, error) { return int(f), nil }

var errBroken = errors.New("broken")

type broken struct{}

func (broken) LinkVersion(context.Context, string, string) (int, error) { return 0, errBroken }
