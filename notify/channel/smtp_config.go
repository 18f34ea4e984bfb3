package channel

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"time"
)

// TLS is how the connection to a mail server is encrypted.
type TLS string

// The ways.
const (
	StartTLS TLS = "starttls" // upgrade, or fail
	Implicit TLS = "tls"      // encrypted from the start
	Plain    TLS = "none"     // to this machine only
)

// SMTPConfig says how to reach a mail server.
type SMTPConfig struct {
	Host string
	// Port; by default 587, 465 with Implicit and 25 with Plain.
	Port int
	TLS  TLS
	// From is the sender, such as `Service desk <desk@example.com>`.
	From mail.Address
	// User and Password; no authentication when User is empty.
	User     string
	Password string
	// Timeout of each step of the conversation; 15 seconds by default.
	Timeout time.Duration
	// Roots are the certificates to trust instead of the machine's.
	Roots *x509.CertPool
}

var ports = map[TLS]int{StartTLS: 587, Implicit: 465, Plain: 25}

// SMTPFromURL reads `smtp://user:password@host:587?from=desk@example.com` with
// the optional parameters tls (starttls, the default; tls; none, for a server on
// this machine) and timeout. Errors never repeat the URL, which has the password
// in it.
func SMTPFromURL(text string) (SMTPConfig, error) {
	u, err := url.Parse(text)
	if err != nil {
		return SMTPConfig{}, errors.New("it is not a URL: write smtp://user:password@host:587?from=desk@example.com, with special characters of the password as %XX")
	}
	if u.Scheme != "smtp" || u.Hostname() == "" || (u.Path != "" && u.Path != "/") || u.Opaque != "" {
		return SMTPConfig{}, errors.New("write smtp://host or smtp://user:password@host:587, followed by ?from=desk@example.com; special characters of the password as %XX")
	}
	c := SMTPConfig{Host: u.Hostname(), TLS: StartTLS, User: u.User.Username(), Timeout: 15 * time.Second}
	c.Password, _ = u.User.Password()
	query := u.Query()
	for name := range query {
		value := query.Get(name)
		switch name {
		case "from":
			from, err := mail.ParseAddress(value)
			if err != nil {
				return SMTPConfig{}, fmt.Errorf("from: %q is not an e-mail address", value)
			}
			c.From = *from
		case "tls":
			c.TLS = TLS(value)
		case "timeout":
			if c.Timeout, err = time.ParseDuration(value); err != nil || c.Timeout <= 0 {
				return SMTPConfig{}, fmt.Errorf("timeout: %q is not a duration such as 15s", value)
			}
		default:
			return SMTPConfig{}, fmt.Errorf("unknown parameter %q: there are from, tls and timeout", name)
		}
	}
	if port := u.Port(); port != "" {
		// url.Parse allows digits only.
		if c.Port, err = strconv.Atoi(port); err != nil {
			return SMTPConfig{}, fmt.Errorf("port %q is not a number from 1 to 65535", port)
		}
	}
	err = c.check()
	return c, err
}

// check fills the port and returns what is wrong.
func (c *SMTPConfig) check() error {
	standard, known := ports[c.TLS]
	if c.Port == 0 {
		c.Port = standard
	}
	switch {
	case !known:
		return fmt.Errorf("tls: %q is not one of starttls, tls, none", c.TLS)
	case c.Port < 1 || c.Port > 65535:
		return fmt.Errorf("port %d is not a number from 1 to 65535", c.Port)
	case c.From.Address == "":
		return errors.New("from is missing: add ?from=desk@example.com")
	case c.TLS == Plain && !loopback(c.Host):
		return errors.New("tls=none is for a mail server on this machine only: use starttls or tls")
	case c.User == "" && c.Password != "":
		return errors.New("there is a password but no user")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
