package channel

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/wneessen/go-mail"

	"closeloop/notify"
	"closeloop/policy"
)

// idDomain is the right half of our message ids.
const idDomain = "@closeloop"

// SMTP returns the channel for e-mail. Each message makes a connection of its
// own: notices are few, and a connection that is kept breaks unnoticed.
func SMTP(c SMTPConfig) (notify.Channel, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	s := &smtpChannel{config: c}
	if _, err := s.client(context.Background()); err != nil {
		return nil, s.redacted(err)
	}
	return s, nil
}

type smtpChannel struct{ config SMTPConfig }

func (*smtpChannel) Name() string { return policy.ChannelEmail }

func (s *smtpChannel) Send(ctx context.Context, m notify.Message) error {
	letter, err := s.letter(m)
	if err != nil {
		return &notify.SendError{Permanent: true, Err: err}
	}
	// The library heeds ctx only while it connects: closing the connection ends
	// everything after that.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client, err := s.client(ctx)
	if err != nil {
		return &notify.SendError{Err: s.redacted(err)}
	}
	err = client.DialAndSendWithContext(ctx, letter)
	if err == nil || letter.IsDelivered() {
		// What goes wrong after the server took the message is not its failure.
		return nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("%w (%w)", ctx.Err(), err)
	}
	return s.failure(err)
}

// letter writes the message as an e-mail.
func (s *smtpChannel) letter(m notify.Message) (*mail.Msg, error) {
	letter := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := letter.From(s.config.From.String()); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	if err := letter.To(m.Address); err != nil {
		return nil, fmt.Errorf("address %q: %w", m.Address, err)
	}
	letter.Subject(m.Subject)
	letter.SetDateWithValue(m.At)
	letter.SetMessageIDWithValue(m.Digest() + idDomain)
	// The first message of the conversation is one that nobody has: programs
	// gather the others under it all the same.
	thread := "<" + m.Thread() + idDomain + ">"
	letter.SetGenHeader(mail.HeaderInReplyTo, thread)
	letter.SetGenHeader(mail.HeaderReferences, thread)
	letter.SetGenHeader(mail.HeaderContentLang, m.Language)
	// RFC 3834: no out-of-office reply to a machine.
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	letter.SetBodyString(mail.TypeTextPlain, m.Text)
	letter.AddAlternativeString(mail.TypeTextHTML, m.HTML)
	return letter, nil
}

func (s *smtpChannel) client(ctx context.Context) (*mail.Client, error) {
	c := s.config
	encryption := &tls.Config{ServerName: c.Host, RootCAs: c.Roots, MinVersion: tls.VersionTLS12}
	options := []mail.Option{
		mail.WithPort(c.Port), mail.WithTimeout(c.Timeout), mail.WithTLSConfig(encryption),
		mail.WithDialContextFunc(func(dial context.Context, network, address string) (net.Conn, error) {
			return connect(ctx, dial, network, address, c.TLS, encryption)
		}),
		mail.WithoutNoop(), mail.WithoutRset(),
	}
	switch c.TLS {
	case Plain:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	case Implicit:
		options = append(options, mail.WithSSL())
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if c.User != "" {
		// A plain password is fine: every connection is encrypted or stays on
		// this machine.
		options = append(options, mail.WithOpportunisticSMTPAuth(
			mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthPlain, mail.SMTPAuthLogin, mail.SMTPAuthCramMD5),
			mail.WithUsername(c.User), mail.WithPassword(c.Password))
	}
	return mail.NewClient(c.Host, options...)
}

// connect dials, and closes the connection as soon as ctx is done.
func connect(ctx, dial context.Context, network, address string, how TLS, encryption *tls.Config) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(dial, network, address)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	if how != Implicit {
		return conn, nil
	}
	secure := tls.Client(conn, encryption)
	if err := secure.HandshakeContext(dial); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

// failure says what kind of failure it was. Only what the server says of this
// message can be final: a server that does not let us in, or not at all, may do
// so later.
func (s *smtpChannel) failure(err error) error {
	failed := &notify.SendError{Err: s.redacted(err)}
	var said *mail.SendError
	if !errors.As(err, &said) {
		return failed
	}
	code := said.ErrorCode()
	failed.Permanent = code >= 500 || said.Reason == mail.ErrGetRcpts || said.Reason == mail.ErrGetSender
	// The end of the message was written and no verdict came: nobody knows.
	failed.MayHaveArrived = said.Reason == mail.ErrSMTPDataClose && code == 0
	return failed
}

// redacted returns the error without the password, should a server or a library
// repeat it.
func (s *smtpChannel) redacted(err error) error {
	c := s.config
	if c.Password == "" {
		return err
	}
	text := err.Error()
	for _, secret := range []string{
		c.Password,
		base64.StdEncoding.EncodeToString([]byte(c.Password)),
		base64.StdEncoding.EncodeToString([]byte("\x00" + c.User + "\x00" + c.Password)),
	} {
		text = strings.ReplaceAll(text, secret, "…")
	}
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}
