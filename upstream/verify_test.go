package upstream

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/policy"
	"closeloop/sla"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func mac(secret string, parts ...string) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	for _, p := range parts {
		m.Write([]byte(p))
	}
	return m.Sum(nil)
}

// signedBy are the headers with which a system of that kind sends a body.
func signedBy(kind policy.UpstreamKind, secret, id string, at time.Time, body []byte) http.Header {
	h := http.Header{}
	switch kind {
	case policy.GitHub:
		h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac(secret, string(body))))
		h.Set("X-GitHub-Delivery", id)
	case policy.Jira:
		h.Set("X-Hub-Signature", "sha256="+hex.EncodeToString(mac(secret, string(body))))
		h.Set("X-Atlassian-Webhook-Identifier", id)
	case policy.Zendesk:
		stamp := at.Format(time.RFC3339)
		h.Set("X-Zendesk-Webhook-Signature-Timestamp", stamp)
		h.Set("X-Zendesk-Webhook-Signature", base64.StdEncoding.EncodeToString(mac(secret, stamp, string(body))))
		h.Set("X-Zendesk-Webhook-Invocation-Id", id)
	case policy.Freshdesk, policy.ServiceNow:
		h.Set("Authorization", "Bearer "+secret)
	default:
		stamp := strconv.FormatInt(at.Unix(), 10)
		h.Set("webhook-id", id)
		h.Set("webhook-timestamp", stamp)
		h.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac(secret, id, ".", stamp, ".", string(body))))
	}
	return h
}

var kinds = policy.UpstreamKinds

func timed(kind policy.UpstreamKind) bool {
	return kind == policy.Zendesk || kind == policy.StandardWebhooks
}

func TestVerify(t *testing.T) {
	t.Parallel()
	body := []byte(`{"a": 1}`)
	for _, kind := range kinds {
		u := policy.Upstream{Name: "shop", Kind: kind, MaxAge: policy.DefaultMaxAge}
		good := func(at time.Time) http.Header { return signedBy(kind, "right", "delivery-1", at, body) }
		hasID := kind != policy.Freshdesk && kind != policy.ServiceNow
		for name, tc := range map[string]struct {
			secrets []string
			header  http.Header
			body    []byte
			want    error
		}{
			"signed":                         {[]string{"right"}, good(noon), body, nil},
			"signed with the new secret":     {[]string{"old", "right"}, good(noon), body, nil},
			"signed with the old secret":     {[]string{"right", "new"}, good(noon), body, nil},
			"a secret that was withdrawn":    {[]string{"new"}, good(noon), body, ErrSignature},
			"no secret set here":             {nil, good(noon), body, ErrNoSecret},
			"no signature":                   {[]string{"right"}, http.Header{}, body, ErrUnsigned},
			"another system's headers alone": {[]string{"right"}, http.Header{"X-Slack-Signature": {"v0=00"}}, body, ErrUnsigned},
		} {
			t.Run(string(kind)+": "+name, func(t *testing.T) {
				t.Parallel()
				p, err := Verify(u, tc.secrets, tc.header, tc.body, noon)
				require.ErrorIs(t, err, tc.want)
				if tc.want != nil {
					return
				}
				if hasID {
					require.Equal(t, "delivery-1", p.ID)
				} else {
					require.Contains(t, p.ID, "sha256-")
				}
				require.Equal(t, timed(kind), !p.At.IsZero())
			})
		}
		if hasID {
			t.Run(string(kind)+": another body", func(t *testing.T) {
				t.Parallel()
				for _, forged := range []string{`{"a": 2}`, `{"a": 1`, "", `{"a": 1} `} {
					_, err := Verify(u, []string{"right"}, good(noon), []byte(forged), noon)
					require.ErrorIs(t, err, ErrSignature, forged)
				}
			})
			t.Run(string(kind)+": a signature cut short", func(t *testing.T) {
				t.Parallel()
				for _, header := range []string{"X-Hub-Signature-256", "X-Hub-Signature", "X-Zendesk-Webhook-Signature", "Webhook-Signature"} {
					h := good(noon)
					if v := h.Get(header); v != "" {
						for _, bad := range []string{v[:len(v)-4], v[:8], "sha256=", "v1,", "sha256=zz", "v1,!!", "v2," + v} {
							h.Set(header, bad)
							_, err := Verify(u, []string{"right"}, h, body, noon)
							require.Error(t, err, bad)
							require.NotErrorIs(t, err, ErrStale)
						}
					}
				}
			})
		}
		t.Run(string(kind)+": age", func(t *testing.T) {
			t.Parallel()
			for distance, want := range map[time.Duration]error{
				-4*time.Minute - 59*time.Second: nil, 4*time.Minute + 59*time.Second: nil,
				-5 * time.Minute: ErrStale, 5 * time.Minute: ErrStale, -240 * time.Hour: ErrStale,
			} {
				if !timed(kind) {
					want = nil
				}
				_, err := Verify(u, []string{"right"}, good(noon.Add(distance)), body, noon)
				require.ErrorIs(t, err, want, distance)
			}
			patient := u
			patient.MaxAge = sla.Exactly(time.Hour)
			_, err := Verify(patient, []string{"right"}, good(noon.Add(-59*time.Minute)), body, noon)
			require.NoError(t, err)
		})
	}
}

// The id is not signed everywhere: the same content under another id is the same
// delivery all the same.
func TestReplaysAreKnownByWhatWasSigned(t *testing.T) {
	t.Parallel()
	body := []byte(`{"a": 1}`)
	for _, kind := range []policy.UpstreamKind{policy.GitHub, policy.Jira, policy.Zendesk} {
		u := policy.Upstream{Kind: kind}
		first, err := Verify(u, []string{"s"}, signedBy(kind, "s", "one", noon, body), body, noon)
		require.NoError(t, err)
		again, err := Verify(u, []string{"s"}, signedBy(kind, "s", "two", noon, body), body, noon)
		require.NoError(t, err)
		require.NotEqual(t, first.ID, again.ID)
		require.Equal(t, first.Signed, again.Signed, kind)
	}
}

func TestBareSecrets(t *testing.T) {
	t.Parallel()
	u := policy.Upstream{Kind: policy.Freshdesk}
	basic := func(name, password string) http.Header {
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(name, password)
		return r.Header
	}
	for name, tc := range map[string]struct {
		header http.Header
		want   error
	}{
		"a header of its own":      {http.Header{"X-Closeloop-Secret": {"s3cret"}}, nil},
		"a bearer token":           {http.Header{"Authorization": {"Bearer s3cret"}}, nil},
		"in small letters":         {http.Header{"Authorization": {"bearer s3cret"}}, nil},
		"a password":               {basic("closeloop", "s3cret"), nil},
		"an API key as the name":   {basic("s3cret", "X"), nil},
		"another header":           {http.Header{"X-Closeloop-Secret": {"s3cre"}}, ErrSignature},
		"another token":            {http.Header{"Authorization": {"Bearer s3cret2"}}, ErrSignature},
		"another scheme":           {http.Header{"Authorization": {"Digest s3cret"}}, ErrUnsigned},
		"an empty one":             {http.Header{"X-Closeloop-Secret": {""}}, ErrUnsigned},
		"an unsigned body, signed": {signedBy(policy.StandardWebhooks, "s3cret", "1", noon, nil), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Verify(u, []string{"s3cret"}, tc.header, nil, noon)
			require.ErrorIs(t, err, tc.want)
		})
	}
}

// The reference library of Standard Webhooks signs, we verify.
func TestStandardWebhooksOfTheReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 24, 64).Draw(t, "key")
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		id := rapid.StringMatching(`msg_[a-zA-Z0-9]{1,30}`).Draw(t, "id")
		secret := "whsec_" + base64.StdEncoding.EncodeToString(key)
		peer, err := standardwebhooks.NewWebhook(secret)
		require.NoError(t, err)
		signature, err := peer.Sign(id, noon, body)
		require.NoError(t, err)
		h := http.Header{}
		h.Set("webhook-id", id)
		h.Set("webhook-timestamp", strconv.FormatInt(noon.Unix(), 10))
		h.Set("webhook-signature", "v1,AAAA v1a,x "+signature)
		p, err := Verify(policy.Upstream{Kind: policy.StandardWebhooks}, []string{"whsec_b3RoZXI=", secret}, h, body, noon)
		require.NoError(t, err)
		require.Equal(t, id, p.ID)
		require.Equal(t, noon, p.At)
		_, err = Verify(policy.Upstream{Kind: policy.StandardWebhooks}, []string{"whsec_b3RoZXI="}, h, body, noon)
		require.ErrorIs(t, err, ErrSignature)
	})
}

// Vectors as the specifications publish them.
func TestPublishedVectors(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	h.Set("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
	h.Set("webhook-timestamp", "1614265330")
	h.Set("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	_, err := Verify(policy.Upstream{Kind: policy.StandardWebhooks}, []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
		h, []byte(`{"test": 2432232314}`), time.Unix(1614265330, 0))
	require.NoError(t, err)

	h = http.Header{}
	h.Set("X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
	_, err = Verify(policy.Upstream{Kind: policy.GitHub}, []string{"It's a Secret to Everybody"}, h, []byte("Hello, World!"), noon)
	require.NoError(t, err)
}

// Vectors of other schemes must not pass for ours, and ours must pass.
func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "shared", "data", "signatures", "vectors.json"))
	if os.IsNotExist(err) {
		t.Skip("there are no vectors in ../shared/data/signatures")
	}
	require.NoError(t, err)
	var vectors []struct{ Name, Secret, Body, Signature, Timestamp string }
	require.NoError(t, json.Unmarshal(text, &vectors))
	passed := 0
	for _, v := range vectors {
		if v.Signature == "" || v.Body == "" {
			continue
		}
		hub := strings.HasPrefix(v.Signature, "sha256=")
		for header, kind := range map[string]policy.UpstreamKind{"X-Hub-Signature-256": policy.GitHub, "X-Hub-Signature": policy.Jira} {
			h := http.Header{}
			h.Set(header, v.Signature)
			_, err := Verify(policy.Upstream{Kind: kind}, []string{v.Secret}, h, []byte(v.Body), noon)
			require.Equal(t, hub, err == nil, "%s as %s: %v", v.Name, kind, err)
			if err == nil {
				passed++
			}
		}
	}
	require.Equal(t, 2, passed)
}

func TestSecretsOfAVariable(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"a", "whsec_b=", "c"}, Secrets(" a, whsec_b=\n,c "))
	require.Empty(t, Secrets("whsec_, whsec_"), "anybody could sign with an empty key")
	require.Empty(t, Secrets(" , "))
}
