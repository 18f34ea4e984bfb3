package channel_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"closeloop/notify"
	"closeloop/notify/channel"
	"closeloop/policy"
)

const (
	oldSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	newSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
)

// towards is a policy with one upstream system, whose webhooks go to that URL.
func towards(url string) *policy.Policy {
	return &policy.Policy{Directory: policy.Directory{Upstreams: []policy.Upstream{
		{Name: "jira", WriteBack: &policy.WriteBack{URL: url}}, {Name: "mute"},
	}}}
}

func hooks(t *testing.T, url, secrets string) notify.Channel {
	t.Helper()
	c, err := channel.Webhook(towards(url), func(name string) string {
		return map[string]string{"CLOSELOOP_WRITEBACK_JIRA_SECRETS": secrets}[name]
	}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return c
}

func hook() notify.Message {
	return notify.Message{
		Key: notify.Key{Requirement: "REQ-1", Seq: 12, Recipient: "upstream:jira", Channel: "webhook"},
		ID:  "5f2b", Address: "jira", Payload: []byte(`{"type":"requirement.resolved","data":{"solution":"好了 \u003cb\u003e"}}`),
		At: time.Now(),
	}
}

// received is what an endpoint was sent.
type received struct {
	header http.Header
	body   []byte
}

// endpoint answers as the function says and tells what it was sent.
func endpoint(t *testing.T, answer http.HandlerFunc) (url string, got chan received) {
	t.Helper()
	got = make(chan received, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- received{r.Header, body}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/hook?token=in-the-url", got
}

// TestWebhookIsSignedForEachSecret has the reference library verify what is sent,
// with the secret before and the one after a change.
func TestWebhookIsSignedForEachSecret(t *testing.T) {
	t.Parallel()
	url, got := endpoint(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	m := hook()
	require.NoError(t, hooks(t, url, oldSecret+", "+newSecret).Send(t.Context(), m))
	r := <-got
	require.Equal(t, m.Payload, r.body, "byte for byte")
	require.Equal(t, "application/json", r.header.Get("Content-Type"))
	require.Equal(t, "5f2b", r.header.Get("webhook-id"))
	for _, secret := range []string{oldSecret, newSecret} {
		reference, err := standardwebhooks.NewWebhook(secret)
		require.NoError(t, err)
		require.NoError(t, reference.Verify(r.body, r.header))
		require.Error(t, reference.Verify(append(r.body, ' '), r.header))
	}
	stranger, err := standardwebhooks.NewWebhook("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	require.NoError(t, err)
	require.Error(t, stranger.Verify(r.body, r.header))

	// Sent once more it has the same id, and a signature of its own time.
	m.At = m.At.Add(time.Minute)
	require.NoError(t, hooks(t, url, newSecret).Send(t.Context(), m))
	again := <-got
	require.Equal(t, r.header.Get("webhook-id"), again.header.Get("webhook-id"))
	require.NotEqual(t, r.header.Get("webhook-timestamp"), again.header.Get("webhook-timestamp"))
	require.Len(t, strings.Fields(again.header.Get("webhook-signature")), 1)
}

// TestWebhookSignsAsTheSpecificationSays has the example of the specification.
func TestWebhookSignsAsTheSpecificationSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ id, timestamp, body, secret, signature string }{{
		"msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", `{"test": 2432232314}`,
		oldSecret, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
	}} {
		require.Equal(t, c.signature, channel.Sign(t, c.secret, c.id, c.timestamp, c.body))
	}
}

func TestWebhookAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		answer     http.HandlerFunc
		permanent  bool
		retryAfter time.Duration
		says       string
	}{
		{"500", status(500), false, 0, "500"},
		{"502", status(502), false, 0, "502"},
		{"503 with a time", status(503, "Retry-After", "120"), false, 2 * time.Minute, "503"},
		{"429 with a time", status(429, "Retry-After", "7"), false, 7 * time.Second, "429"},
		{"429 for too long", status(429, "Retry-After", "31536000"), false, 4 * time.Hour, "429"},
		{"429 with nonsense", status(429, "Retry-After", "soon"), false, 0, "429"},
		{"429 with the past", status(429, "Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"), false, 0, "429"},
		{"408", status(408), false, 0, "408"},
		{"425", status(425), false, 0, "425"},
		{"400", status(400), true, 0, "400"},
		{"401", status(401), true, 0, "401"},
		{"404", status(404), true, 0, "404"},
		{"410", status(410), true, 0, "410"},
		{"a redirect", status(307, "Location", "http://127.0.0.1:1/elsewhere"), true, 0, "not followed"},
		{"a connection that is reset", reset, false, 0, ""},
		{"a long answer to a refusal", long, true, 0, "422"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url, got := endpoint(t, c.answer)
			err := hooks(t, url, oldSecret).Send(t.Context(), hook())
			require.Len(t, got, 1, "it is sent once")
			var failed *notify.SendError
			require.ErrorAs(t, err, &failed)
			require.Equal(t, c.permanent, failed.Permanent, err)
			require.Equal(t, c.retryAfter, failed.RetryAfter)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "in-the-url")
		})
	}
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}
}

// long never comes to an end by itself.
func long(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusUnprocessableEntity)
	for r.Context().Err() == nil {
		if _, err := w.Write(bytes.Repeat([]byte("x"), 32<<10)); err != nil {
			return
		}
	}
}

func TestWebhookGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	url, got := endpoint(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- hooks(t, url, oldSecret).Send(ctx, hook()) }()
	<-got
	cancel()
	var failed *notify.SendError
	require.ErrorAs(t, <-done, &failed)
	require.False(t, failed.Permanent)
}

func TestWebhookWhatIsWrongHere(t *testing.T) {
	t.Parallel()
	nobody := func(http.ResponseWriter, *http.Request) { t.Error("nothing is to be sent") }
	url, _ := endpoint(t, nobody)
	elsewhere := func(address string) notify.Message { m := hook(); m.Address = address; return m }
	letter := hook()
	letter.Payload = nil
	for _, c := range []struct {
		name    string
		channel notify.Channel
		message notify.Message
		says    string
	}{
		{"no secret", hooks(t, url, ""), hook(), "set CLOSELOOP_WRITEBACK_JIRA_SECRETS"},
		{"no write-back", hooks(t, url, oldSecret), elsewhere("mute"), `no write_back for the upstream system "mute"`},
		{"unknown", hooks(t, url, oldSecret), elsewhere("gone"), `no write_back for the upstream system "gone"`},
		{"for a person", hooks(t, url, oldSecret), letter, "is for systems"},
		{"metadata of a cloud", hooks(t, "http://169.254.169.254/latest", oldSecret), hook(), "not sent to this address"},
		{"metadata of another", hooks(t, "http://100.100.100.200/latest", oldSecret), hook(), "not sent to this address"},
		{"link-local", hooks(t, "https://[fe80::1]/hook", oldSecret), hook(), "not sent to this address"},
		{"nowhere", hooks(t, "https://0.0.0.0/hook", oldSecret), hook(), "not sent to this address"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var failed *notify.SendError
			require.ErrorAs(t, c.channel.Send(t.Context(), c.message), &failed)
			require.True(t, failed.Permanent)
			require.ErrorContains(t, failed, c.says)
		})
	}
}

// TestWebhookNameForThisMachine: a name that leads here without saying so is not
// connected to.
func TestWebhookNameForThisMachine(t *testing.T) {
	t.Parallel()
	require.NoError(t, channel.Allowed(t, "127.0.0.1", true))
	require.Error(t, channel.Allowed(t, "127.0.0.1", false))
	require.Error(t, channel.Allowed(t, "::ffff:127.0.0.1", false))
	require.Error(t, channel.Allowed(t, "::ffff:169.254.169.254", true))
	require.Error(t, channel.Allowed(t, "fd00:ec2::254", true))
	require.NoError(t, channel.Allowed(t, "10.1.2.3", false))
	require.NoError(t, channel.Allowed(t, "93.184.215.14", false))
}

func TestWebhookChecksCertificates(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("nothing is to be sent") }))
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	var failed *notify.SendError
	require.ErrorAs(t, hooks(t, s.URL, oldSecret).Send(t.Context(), hook()), &failed)
	require.ErrorContains(t, failed, "certificate")
	require.False(t, failed.Permanent, "they may put it right")
}

func TestWebhookSecrets(t *testing.T) {
	t.Parallel()
	out := new(bytes.Buffer)
	with := func(secrets string) error {
		out.Reset()
		_, err := channel.Webhook(towards("https://jira.example.com"), func(string) string { return secrets }, slog.New(slog.NewTextHandler(out, nil)))
		return err
	}
	require.NoError(t, with(oldSecret+" "+newSecret))
	require.Empty(t, out.String())
	require.NoError(t, with(""))
	require.Contains(t, out.String(), "CLOSELOOP_WRITEBACK_JIRA_SECRETS")
	for _, secret := range []string{"whsec_c2hvcnQ=", "whsec_&&&", oldSecret + ",whsec_c2hvcnQ="} {
		err := with(secret)
		require.ErrorContains(t, err, "CLOSELOOP_WRITEBACK_JIRA_SECRETS: secret")
		require.NotContains(t, err.Error(), "c2hvcnQ")
	}
}

func TestWebhookTerms(t *testing.T) {
	t.Parallel()
	c, ok := hooks(t, "https://jira.example.com", oldSecret).(interface{ Terms() notify.Terms })
	require.True(t, ok)
	terms := c.Terms()
	require.True(t, terms.Repeatable && terms.InOrder)
	require.Equal(t, 24*time.Hour, terms.Patience)
}
