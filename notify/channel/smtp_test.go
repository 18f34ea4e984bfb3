package channel_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"log"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"closeloop/notify"
	"closeloop/notify/channel"
)

const password = "pass word/ü+1"

// desk is a mail server in this process. It answers what a test says and keeps
// what it took.
type desk struct {
	addr string
	port int
	// needAuth: only user `desk` with the password may send.
	needAuth bool
	// fail answers MAIL, RCPT, DATA (before the text) and END (after it).
	fail map[string]error
	// stall is called after the text was read, before the answer.
	stall func(c *smtp.Conn)

	mu    sync.Mutex
	taken []letter
}

type letter struct {
	from, user string
	to         []string
	secure     bool
	body       []byte
}

func (d *desk) NewSession(c *smtp.Conn) (smtp.Session, error) { return &session{desk: d, conn: c}, nil }

type session struct {
	desk *desk
	conn *smtp.Conn
	letter
}

func (*session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, pass string) error {
		if user != "desk" || pass != password {
			// A careless server repeats what it was given.
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "wrong: " + pass}
		}
		s.user = user
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.desk.needAuth && s.user == "" {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return s.desk.fail["MAIL"]
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return s.desk.fail["RCPT"]
}

func (s *session) Data(r io.Reader) error {
	if err := s.desk.fail["DATA"]; err != nil {
		return err
	}
	var err error
	if s.body, err = io.ReadAll(r); err != nil {
		return err
	}
	_, s.secure = s.conn.TLSConnectionState()
	if s.desk.stall != nil {
		s.desk.stall(s.conn)
	}
	if err := s.desk.fail["END"]; err != nil {
		return err
	}
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	s.desk.taken = append(s.desk.taken, s.letter)
	return nil
}

func (*session) Reset()        {}
func (*session) Logout() error { return nil }

// serve starts the server; how is the encryption that it offers.
func (d *desk) serve(t *testing.T, how channel.TLS) *x509.CertPool {
	t.Helper()
	certificate, roots := selfSigned(t)
	s := smtp.NewServer(d)
	s.Domain = "localhost"
	s.AllowInsecureAuth = true
	s.ErrorLog = log.New(io.Discard, "", 0)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d.addr, d.port = listener.Addr().String(), listener.Addr().(*net.TCPAddr).Port
	encryption := &tls.Config{Certificates: []tls.Certificate{certificate}}
	switch how {
	case channel.StartTLS:
		s.TLSConfig = encryption
	case channel.Implicit:
		listener = tls.NewListener(listener, encryption)
	default: // in clear
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(listener) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	return roots
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// config reaches the desk.
func (d *desk) config(how channel.TLS, roots *x509.CertPool) channel.SMTPConfig {
	return channel.SMTPConfig{
		Host: "127.0.0.1", Port: d.port, TLS: how, Roots: roots, Timeout: 10 * time.Second,
		From: mail.Address{Name: "客户服务台, \"Desk\"", Address: "desk@example.com"},
	}
}

func message() notify.Message {
	return notify.Message{
		Key:     notify.Key{Requirement: "REQ-1", Seq: 12, Recipient: "customer", Channel: "email"},
		Address: "buyer@example.com", Language: "zh-CN", At: time.Date(2026, 11, 23, 14, 15, 0, 0, time.UTC),
		Subject: "[REQ-1] 您的需求已解决，请确认 - 导出报表失败，" + strings.Repeat("长标题", 20),
		Text:    "尊敬的客户：\n\n.一行以点开头\n> 引用 = 100%\n" + strings.Repeat("很长的一行", 300) + "\n",
		HTML:    "<!DOCTYPE html><p>尊敬的客户：</p>",
	}
}

func TestSMTPDelivers(t *testing.T) {
	t.Parallel()
	for _, how := range []channel.TLS{channel.StartTLS, channel.Implicit, channel.Plain} {
		for _, auth := range []bool{false, true} {
			name := string(how)
			if auth {
				name += " with auth"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				d := &desk{needAuth: auth}
				c := d.config(how, d.serve(t, how))
				if auth {
					c.User, c.Password = "desk", password
				}
				smtp, err := channel.SMTP(c)
				require.NoError(t, err)
				require.Equal(t, "email", smtp.Name())
				require.NoError(t, smtp.Send(t.Context(), message()))
				require.Len(t, d.taken, 1)
				got := d.taken[0]
				require.Equal(t, "desk@example.com", got.from)
				require.Equal(t, []string{"buyer@example.com"}, got.to)
				require.Equal(t, how != channel.Plain, got.secure)
				require.Equal(t, auth, got.user == "desk")
			})
		}
	}
}

func TestSMTPLetter(t *testing.T) {
	t.Parallel()
	d := &desk{}
	smtp, err := channel.SMTP(d.config(channel.Plain, d.serve(t, channel.Plain)))
	require.NoError(t, err)
	sent, later := message(), message()
	later.Seq = 20
	require.NoError(t, smtp.Send(t.Context(), sent))
	require.NoError(t, smtp.Send(t.Context(), later))

	read, err := mail.ReadMessage(bytes.NewReader(d.taken[0].body))
	require.NoError(t, err)
	h := read.Header
	words := new(mime.WordDecoder)
	subject, err := words.DecodeHeader(h.Get("Subject"))
	require.NoError(t, err)
	require.Equal(t, sent.Subject, subject)
	from, err := h.AddressList("From")
	require.NoError(t, err)
	require.Equal(t, []*mail.Address{{Name: "客户服务台, \"Desk\"", Address: "desk@example.com"}}, from)
	to, err := h.AddressList("To")
	require.NoError(t, err)
	require.Equal(t, "buyer@example.com", to[0].Address)
	date, err := h.Date()
	require.NoError(t, err)
	require.True(t, sent.At.Equal(date))
	require.Equal(t, "<"+sent.Digest()+"@closeloop>", h.Get("Message-Id"))
	require.Equal(t, "<"+sent.Thread()+"@closeloop>", h.Get("In-Reply-To"))
	require.Equal(t, h.Get("In-Reply-To"), h.Get("References"))
	require.Equal(t, "auto-generated", h.Get("Auto-Submitted"))
	require.Equal(t, "zh-CN", h.Get("Content-Language"))
	require.Empty(t, h.Get("User-Agent"))
	require.Empty(t, h.Get("X-Mailer"))
	require.NotContains(t, strings.ToLower(string(d.taken[0].body)), "go-mail")
	for l := range bytes.Lines(d.taken[0].body) {
		require.LessOrEqual(t, len(l), 1000, "longer than a line of a mail may be")
	}

	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	parts := multipart.NewReader(read.Body, params["boundary"])
	var bodies []string
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		kind, params, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		require.NoError(t, err)
		require.Equal(t, "utf-8", strings.ToLower(params["charset"]))
		bodies = append(bodies, kind, decode(t, part))
	}
	crlf := strings.ReplaceAll(sent.Text, "\n", "\r\n")
	require.Equal(t, []string{"text/plain", crlf, "text/html", sent.HTML}, bodies)

	// Another message of the same conversation: another id, the same thread.
	read, err = mail.ReadMessage(bytes.NewReader(d.taken[1].body))
	require.NoError(t, err)
	require.NotEqual(t, h.Get("Message-Id"), read.Header.Get("Message-Id"))
	require.Equal(t, h.Get("References"), read.Header.Get("References"))
}

func decode(t *testing.T, part *multipart.Part) string {
	t.Helper()
	var r io.Reader = part
	switch strings.ToLower(part.Header.Get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		r = quotedprintable.NewReader(part)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, part)
	}
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(text)
}

func TestSMTPHeadersCannotBeForged(t *testing.T) {
	t.Parallel()
	d := &desk{}
	smtp, err := channel.SMTP(d.config(channel.Plain, d.serve(t, channel.Plain)))
	require.NoError(t, err)
	m := message()
	m.Subject = "hello\r\nBcc: all@example.com\r\n\r\nbody"
	require.NoError(t, smtp.Send(t.Context(), m))
	read, err := mail.ReadMessage(bytes.NewReader(d.taken[0].body))
	require.NoError(t, err)
	require.Empty(t, read.Header.Get("Bcc"))
	require.Equal(t, []string{"buyer@example.com"}, d.taken[0].to)

	m.Address = "buyer@example.com>\r\nRCPT TO:<all@example.com"
	err = smtp.Send(t.Context(), m)
	var failed *notify.SendError
	require.ErrorAs(t, err, &failed)
	require.True(t, failed.Permanent)
	require.Len(t, d.taken, 1)
}

func TestSMTPReplies(t *testing.T) {
	t.Parallel()
	reply := func(code int) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 0, 0}, Message: "no"}
	}
	for _, c := range []struct {
		name      string
		at        string
		code      int
		permanent bool
	}{
		{"mailbox busy", "RCPT", 450, false},
		{"local error", "RCPT", 451, false},
		{"greylisted at the start", "MAIL", 451, false},
		{"no such user", "RCPT", 550, true},
		{"sender refused", "MAIL", 553, true},
		{"text refused later", "END", 451, false},
		{"text refused for good", "END", 554, true},
		{"too big", "DATA", 552, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := &desk{fail: map[string]error{c.at: reply(c.code)}}
			smtp, err := channel.SMTP(d.config(channel.Plain, d.serve(t, channel.Plain)))
			require.NoError(t, err)
			err = smtp.Send(t.Context(), message())
			var failed *notify.SendError
			require.ErrorAs(t, err, &failed)
			require.Equal(t, c.permanent, failed.Permanent, err)
			require.False(t, failed.MayHaveArrived, "the server said no: %v", err)
			require.Empty(t, d.taken)
		})
	}
}

func TestSMTPNoServer(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d := &desk{port: listener.Addr().(*net.TCPAddr).Port}
	require.NoError(t, listener.Close())
	smtp, err := channel.SMTP(d.config(channel.Plain, nil))
	require.NoError(t, err)
	err = smtp.Send(t.Context(), message())
	var failed *notify.SendError
	require.ErrorAs(t, err, &failed)
	require.False(t, failed.Permanent || failed.MayHaveArrived, err)
}

func TestSMTPNotLetIn(t *testing.T) {
	t.Parallel()
	t.Run("wrong password", func(t *testing.T) {
		t.Parallel()
		d := &desk{needAuth: true}
		c := d.config(channel.StartTLS, d.serve(t, channel.StartTLS))
		c.User, c.Password = "desk", "very-secret"
		smtp, err := channel.SMTP(c)
		require.NoError(t, err)
		err = smtp.Send(t.Context(), message())
		var failed *notify.SendError
		require.ErrorAs(t, err, &failed)
		// Somebody will mend the password; the recipient is not to blame.
		require.False(t, failed.Permanent || failed.MayHaveArrived, err)
		require.ErrorContains(t, err, "535")
		require.NotContains(t, err.Error(), "very-secret")
	})
	t.Run("unknown certificate", func(t *testing.T) {
		t.Parallel()
		for _, how := range []channel.TLS{channel.StartTLS, channel.Implicit} {
			d := &desk{}
			d.serve(t, how)
			smtp, err := channel.SMTP(d.config(how, x509.NewCertPool()))
			require.NoError(t, err)
			require.ErrorContains(t, smtp.Send(t.Context(), message()), "certificate")
			require.Empty(t, d.taken)
		}
	})
	t.Run("no encryption offered", func(t *testing.T) {
		t.Parallel()
		d := &desk{}
		d.serve(t, channel.Plain)
		smtp, err := channel.SMTP(d.config(channel.StartTLS, nil))
		require.NoError(t, err)
		require.ErrorContains(t, smtp.Send(t.Context(), message()), "STARTTLS")
		require.Empty(t, d.taken)
	})
}

func TestSMTPResetAfterTheText(t *testing.T) {
	t.Parallel()
	d := &desk{stall: func(c *smtp.Conn) {
		conn := c.Conn().(*net.TCPConn)
		_ = conn.SetLinger(0)
		_ = conn.Close()
	}}
	smtp, err := channel.SMTP(d.config(channel.Plain, d.serve(t, channel.Plain)))
	require.NoError(t, err)
	err = smtp.Send(t.Context(), message())
	var failed *notify.SendError
	require.ErrorAs(t, err, &failed)
	// The server had it all: nobody knows whether it keeps it.
	require.True(t, failed.MayHaveArrived, err)
	require.False(t, failed.Permanent)
}

func TestSMTPResetBeforeTheText(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	d := &desk{port: listener.Addr().(*net.TCPAddr).Port}
	smtp, err := channel.SMTP(d.config(channel.Plain, nil))
	require.NoError(t, err)
	err = smtp.Send(t.Context(), message())
	var failed *notify.SendError
	require.ErrorAs(t, err, &failed)
	require.False(t, failed.Permanent || failed.MayHaveArrived, err)
}

func TestSMTPSlowServer(t *testing.T) {
	t.Parallel()
	t.Run("before the text", func(t *testing.T) {
		t.Parallel()
		// It takes the connection and never says a word.
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = listener.Close() })
		d := &desk{port: listener.Addr().(*net.TCPAddr).Port}
		smtp, err := channel.SMTP(d.config(channel.Plain, nil))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		began := time.Now()
		err = smtp.Send(ctx, message())
		var failed *notify.SendError
		require.ErrorAs(t, err, &failed)
		require.False(t, failed.Permanent || failed.MayHaveArrived, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(began), 5*time.Second)
	})
	t.Run("after the text", func(t *testing.T) {
		t.Parallel()
		release := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		d := &desk{stall: func(*smtp.Conn) { cancel(); <-release }}
		smtp, err := channel.SMTP(d.config(channel.Plain, d.serve(t, channel.Plain)))
		require.NoError(t, err)
		err = smtp.Send(ctx, message())
		close(release)
		var failed *notify.SendError
		require.ErrorAs(t, err, &failed)
		require.True(t, failed.MayHaveArrived, err)
		require.ErrorIs(t, err, context.Canceled)
	})
}
