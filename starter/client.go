package starter

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"
	"google.golang.org/grpc"

	"closeloop/contract"
)

// EnvTaskQueue names the variable with the task queue of the workers.
const EnvTaskQueue = "CLOSELOOP_TASK_QUEUE"

// DefaultTimeout bounds each call when [Options] say nothing else. A person
// waits for the answer, and a worker that is there answers within milliseconds.
const DefaultTimeout = 15 * time.Second

// dialTimeout bounds the first contact, which is made with retries.
const dialTimeout = 5 * time.Second

// Env looks variables up.
type Env = envconfig.EnvLookup

// Options say where Temporal is. The zero value follows the process's
// environment: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_PROFILE, TLS and
// the rest as Temporal's own tools read them, and CLOSELOOP_TASK_QUEUE.
type Options struct {
	// Env replaces the process's environment.
	Env Env
	// Timeout bounds each call; [DefaultTimeout] when zero.
	Timeout time.Duration
	// Logger for the Temporal client; it is silent when nil.
	Logger *slog.Logger
	// Interceptor, when not nil, sees every call to Temporal.
	Interceptor grpc.UnaryClientInterceptor
}

// Client talks to the requirements' workflows. It is safe for concurrent use.
type Client struct {
	temporal  client.Client
	namespace string
	taskQueue string
	timeout   time.Duration
}

// Dial connects. The error is [ErrUnreachable] when there is no answer, and a
// plain one when the configuration cannot be read. Close the client after use.
func Dial(ctx context.Context, o Options) (*Client, error) {
	if o.Env == nil {
		o.Env = environment{}
	}
	options, err := envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{EnvLookup: o.Env})
	if err != nil {
		return nil, fmt.Errorf("the configuration of the Temporal client cannot be read: %w", err)
	}
	logger := o.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	options.Logger = log.NewStructuredLogger(logger)
	if o.Interceptor != nil {
		options.ConnectionOptions.DialOptions = append(options.ConnectionOptions.DialOptions, grpc.WithChainUnaryInterceptor(o.Interceptor))
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	temporal, err := client.DialContext(ctx, options)
	if err != nil {
		address := options.HostPort
		if address == "" {
			address = client.DefaultHostPort
		}
		return nil, &Unreachable{Service: "Temporal at " + address, Cause: err}
	}
	c := New(temporal, TaskQueue(o.Env), o.Timeout)
	if options.Namespace != "" {
		c.namespace = options.Namespace
	}
	return c, nil
}

// New returns a client on a connection that is made already. A timeout of zero
// means [DefaultTimeout].
func New(temporal client.Client, taskQueue string, timeout time.Duration) *Client {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	return &Client{temporal: temporal, namespace: client.DefaultNamespace, taskQueue: taskQueue, timeout: timeout}
}

// TaskQueue returns the task queue that the environment names, or the default.
func TaskQueue(env Env) string {
	if q, ok := env.LookupEnv(EnvTaskQueue); ok && strings.TrimSpace(q) != "" {
		return strings.TrimSpace(q)
	}
	return contract.DefaultTaskQueue
}

// Close ends the connection.
func (c *Client) Close() { c.temporal.Close() }

// Namespace returns the namespace of the connection.
func (c *Client) Namespace() string { return c.namespace }

// Temporal returns the connection, for what has no method here.
func (c *Client) Temporal() client.Client { return c.temporal }

func (c *Client) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.timeout)
}

// environment is the process's own.
type environment struct{}

func (environment) Environ() []string { return os.Environ() }

func (environment) LookupEnv(key string) (string, bool) { return os.LookupEnv(key) }
