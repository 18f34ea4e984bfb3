package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"closeloop/ledger"
	"closeloop/link"
	"closeloop/policy"
	"closeloop/starter"
)

// The bounds of a connection. An event stream lifts the one on writing for
// itself.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10
	// answerTime is how long it may take to find an answer: less than there is to
	// write it, and less than proxies wait.
	answerTime = 20 * time.Second
	// drainTime is how long requests may take to end once the gateway is told to
	// stop.
	drainTime = 10 * time.Second
)

// Config is what a gateway works with.
type Config struct {
	Desk   *starter.Client
	Books  *ledger.Ledger
	Policy policy.InForce
	// Bearers knows who a bearer token belongs to.
	Bearers Bearers
	Logger  *slog.Logger
	// Links makes and reads the links to the pages of customers and approvers; there
	// are no pages when nil.
	Links *link.Issuer
	// Secrets looks up the variables with the secrets of upstream systems, which
	// [policy.Upstream] names; no webhook is believed when nil.
	Secrets func(variable string) string
	// Zone in which pages tell the time; that of the machine when nil.
	Zone *time.Location
	// Rate is how many requests a second each principal may send in the long run, in
	// this process; twice as many at once. Zero is no limit.
	Rate float64
	// Now is the wall clock; time.Now when nil.
	Now func() time.Time
}

// Gateway answers HTTP requests. It is safe for concurrent use, and several may
// run side by side.
type Gateway struct {
	Config
	handler http.Handler
	limits  *limits
	streams streams
	ears    *ears
	// beat is how often streams say something when nothing happens.
	beat time.Duration
	// patience is how long it may take to find an answer.
	patience time.Duration
	// stopping ends when the gateway is told to stop: streams end with it.
	stopping context.Context
	stop     context.CancelFunc
}

// New returns a gateway that is ready to answer.
func New(c Config) *Gateway {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Zone == nil {
		c.Zone = time.Local
	}
	g := &Gateway{Config: c, limits: newLimits(c.Rate, max(1, int(2*c.Rate)), c.Now)}
	g.streams.open, g.beat, g.patience = map[string]int{}, heartbeat, answerTime
	g.ears = &ears{listen: c.Books.Listen, logger: c.Logger, waiting: map[chan struct{}]bool{}}
	g.stopping, g.stop = context.WithCancel(context.Background())
	mux := http.NewServeMux()
	g.mountHealth(mux)
	g.mountAPI(mux)
	g.mountPages(mux)
	g.mountWebhooks(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { notHere.write(w, r) })
	g.handler = g.guarded(mux)
	return g
}

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.handler.ServeHTTP(w, r) }

// Serve answers requests on the listener until ctx ends; then it takes no more
// and lets those under way end, for a bounded time.
func (g *Gateway) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: g, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(g.Logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	g.Logger.Info("The gateway answers", "address", l.Addr().String())
	select {
	case err := <-failed:
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
	}
	g.stop()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	err := server.Shutdown(drain)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	g.Logger.Info("The gateway has stopped")
	return err
}
