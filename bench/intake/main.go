package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"closeloop/starter"
)

// Bounds of what may be asked for.
const (
	mostCalls       = 100_000
	mostConcurrency = 512
	mostTime        = 30 * time.Minute
)

// options are what the command line says.
type options struct {
	rounds, calls, warm, concurrency int
	gateway, token, only             string
	within                           time.Duration
}

func main() {
	o := options{}
	flag.IntVar(&o.rounds, "rounds", 5, "rounds; each takes every way in turn")
	flag.IntVar(&o.calls, "calls", 500, "calls of each way in each round")
	flag.IntVar(&o.warm, "warm", 100, "calls of each way before the first round, not counted")
	flag.IntVar(&o.concurrency, "concurrency", 16, "calls at the same time")
	flag.StringVar(&o.gateway, "gateway", os.Getenv("CLOSELOOP_URL"), "address of the gateway, like http://127.0.0.1:8480; left out, HTTP is not measured")
	flag.StringVar(&o.token, "token", os.Getenv("CLOSELOOP_TOKEN"), "API token that may submit")
	flag.StringVar(&o.only, "only", "", "one way alone: bare, verdict, submit or http")
	flag.DurationVar(&o.within, "within", 5*time.Minute, "when to give up")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

// check refuses what is out of bounds.
func (o options) check() error {
	switch {
	case o.rounds < 1 || o.calls < 1 || o.warm < 0 || o.rounds*(o.calls+o.warm) > mostCalls:
		return fmt.Errorf("at least one round and one call, and at most %d calls of each way in all", mostCalls)
	case o.concurrency < 1 || o.concurrency > mostConcurrency:
		return fmt.Errorf("a concurrency of 1 to %d, not %d", mostConcurrency, o.concurrency)
	case o.within <= 0 || o.within > mostTime:
		return fmt.Errorf("a time of at most %s, not %s", mostTime, o.within)
	}
	return nil
}

// loopback refuses an address that is not on this machine.
func loopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is not HOST:PORT", address)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%s is not on this machine", address)
	}
	return nil
}

func measure(ctx context.Context, o options) error {
	if err := o.check(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.within)
	defer cancel()
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return err
	}
	if options.HostPort == "" {
		options.HostPort = client.DefaultHostPort
	}
	if err := loopback(options.HostPort); err != nil {
		return err
	}
	options.Logger = log.NewStructuredLogger(slog.New(slog.DiscardHandler))
	temporal, err := client.DialContext(ctx, options)
	if err != nil {
		return err
	}
	defer temporal.Close()

	bare, err := newBare(temporal)
	if err != nil {
		return err
	}
	defer bare.stop()
	books, err := openBooks(ctx, os.Getenv("CLOSELOOP_DATABASE_URL"))
	if err != nil {
		return err
	}
	defer books.close()
	ways := []way{bare, verdict{bare}, &submit{desk: starter.New(temporal, taskQueue(), 0), books: books}}
	if o.gateway != "" {
		u, err := url.Parse(o.gateway)
		if err != nil {
			return err
		}
		if err := loopback(u.Host); err != nil {
			return err
		}
		if o.token == "" {
			return errors.New("the gateway asks for a token: -token or CLOSELOOP_TOKEN")
		}
		ways = append(ways, newPost(o, books))
	}
	if o.only != "" {
		ways = slices.DeleteFunc(ways, func(w way) bool { return w.word() != o.only })
	}
	if len(ways) == 0 {
		return fmt.Errorf("there is no way called %q here", o.only)
	}
	return run(ctx, os.Stdout, o, ways)
}

func taskQueue() string { return starter.TaskQueue(environment{}) }

// environment is the process's own.
type environment struct{}

func (environment) Environ() []string { return os.Environ() }

func (environment) LookupEnv(key string) (string, bool) { return os.LookupEnv(key) }
