package channel_test

import (
	"bytes"
	"log/slog"
	"net/mail"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/notify/channel"
	"closeloop/policy"
)

func TestSMTPFromURL(t *testing.T) {
	t.Parallel()
	from := mail.Address{Address: "desk@example.com"}
	for _, c := range []struct {
		name, url string
		want      channel.SMTPConfig
	}{
		{
			"the usual", "smtp://desk:p%40ss%2Fword@mail.example.com?from=desk@example.com",
			channel.SMTPConfig{Host: "mail.example.com", Port: 587, TLS: channel.StartTLS, From: from, User: "desk", Password: "p@ss/word", Timeout: 15 * time.Second},
		},
		{
			"everything", "smtp://mail.example.com:2465/?from=Desk+%3Cdesk@example.com%3E&tls=tls&timeout=3s",
			channel.SMTPConfig{Host: "mail.example.com", Port: 2465, TLS: channel.Implicit, From: mail.Address{Name: "Desk", Address: "desk@example.com"}, Timeout: 3 * time.Second},
		},
		{
			"implicit has a port of its own", "smtp://mail.example.com?from=desk@example.com&tls=tls",
			channel.SMTPConfig{Host: "mail.example.com", Port: 465, TLS: channel.Implicit, From: from, Timeout: 15 * time.Second},
		},
		{
			"plain on this machine", "smtp://[::1]?from=desk@example.com&tls=none",
			channel.SMTPConfig{Host: "::1", Port: 25, TLS: channel.Plain, From: from, Timeout: 15 * time.Second},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := channel.SMTPFromURL(c.url)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			_, err = channel.SMTP(got)
			require.NoError(t, err)
		})
	}
}

func TestSMTPFromURLRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, url, says string }{
		{"another scheme", "https://u:hunter2@h?from=a@b.c", "write smtp://"},
		{"no host", "smtp://?from=a@b.c", "write smtp://"},
		{"a slash in the password", "smtp://u:hunter2/x@h?from=a@b.c", "%XX"},
		{"no URL at all", "smtp://u:hunter2%zz@h", "%XX"},
		{"no sender", "smtp://u:hunter2@h", "from is missing"},
		{"a sender that is none", "smtp://u:hunter2@h?from=desk", "not an e-mail address"},
		{"unknown encryption", "smtp://u:hunter2@h?from=a@b.c&tls=maybe", "starttls, tls, none"},
		{"in clear over the net", "smtp://u:hunter2@mail.example.com?from=a@b.c&tls=none", "this machine only"},
		{"a password alone", "smtp://:hunter2@h?from=a@b.c", "no user"},
		{"unknown parameter", "smtp://u:hunter2@h?from=a@b.c&ssl=1", `unknown parameter "ssl"`},
		{"timeout", "smtp://u:hunter2@h?from=a@b.c&timeout=soon", "such as 15s"},
		{"port", "smtp://u:hunter2@h:99999?from=a@b.c", "1 to 65535"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := channel.SMTPFromURL(c.url)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestFromEnv(t *testing.T) {
	t.Parallel()
	env := func(url string) func(string) string {
		return func(name string) string { return map[string]string{channel.EnvSMTP: url}[name] }
	}
	out := new(bytes.Buffer)
	logger := slog.New(slog.NewTextHandler(out, nil))

	channels, err := channel.FromEnv(env(""), policy.Default(), logger)
	require.NoError(t, err)
	require.Len(t, channels, 2)
	require.Contains(t, channels, "log")
	require.Contains(t, out.String(), "No mail server is set up")

	out.Reset()
	channels, err = channel.FromEnv(env("smtp://desk:hunter2@mail.example.com?from=desk@example.com"), policy.Default(), logger)
	require.NoError(t, err)
	require.Len(t, channels, 3)
	require.Contains(t, channels, "email")
	require.Empty(t, out.String())

	_, err = channel.FromEnv(env("smtp://desk:hunter2@mail.example.com"), policy.Default(), logger)
	require.ErrorContains(t, err, "CLOSELOOP_SMTP_URL: from is missing")
	require.NotContains(t, err.Error(), "hunter2")
}

func TestLog(t *testing.T) {
	t.Parallel()
	for level, withText := range map[slog.Level]bool{slog.LevelInfo: false, slog.LevelDebug: true} {
		out := new(bytes.Buffer)
		log := channel.Log(slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level})))
		require.Equal(t, "log", log.Name())
		m := message()
		m.Link = "https://care.example.com/r/SECRET-TOKEN"
		m.Text = "line one\nline two\n" + m.Link
		require.NoError(t, log.Send(t.Context(), m))
		require.Contains(t, out.String(), "requirement=REQ-1 seq=12 recipient=customer")
		require.Equal(t, withText, bytes.Contains(out.Bytes(), []byte("line two")))
		require.Equal(t, 1, bytes.Count(out.Bytes(), []byte("\n")), "one line a message")
		require.NotContains(t, out.String(), "SECRET-TOKEN")
	}
}
