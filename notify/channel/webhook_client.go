package channel

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// errForbidden says that an address is none that a webhook may go to.
var errForbidden = errors.New("webhooks are not sent to this address")

// metadata are addresses at which clouds give secrets to whoever asks from
// inside, besides the link-local ones.
var metadata = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),
	netip.MustParseAddr("100.100.100.200"),
}

// hookClient returns a client that follows nothing and looks before it connects.
func hookClient() *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            connectWarily,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    10 * time.Second,
			ResponseHeaderTimeout:  15 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			IdleConnTimeout:        30 * time.Second,
			MaxIdleConnsPerHost:    2,
			ForceAttemptHTTP2:      true,
		},
	}
}

// connectWarily connects to the addresses that a host name turns out to have
// where they are allowed. A name that was typed as this machine may be it.
func connectWarily(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	meant := loopback(host)
	d := net.Dialer{Timeout: 10 * time.Second, Control: func(_, resolved string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(resolved)
		if err != nil {
			return fmt.Errorf("%w: %w", errForbidden, err)
		}
		return allowed(at.Addr().Unmap(), meant)
	}}
	return d.DialContext(ctx, network, address)
}

// allowed refuses what no receiver of webhooks can be reached at. Private networks
// are fine: that is where many upstream systems are.
func allowed(a netip.Addr, loopbackMeant bool) error {
	switch {
	case a.IsLoopback() && !loopbackMeant,
		a.IsLinkLocalUnicast(), a.IsMulticast(), a.IsUnspecified(), slices.Contains(metadata, a.WithZone("")):
		return fmt.Errorf("%w: %s", errForbidden, a)
	default:
		return nil
	}
}
