package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"closeloop/access"
)

// requestID is the header by which a request is found again in the log.
const requestID = "X-Request-Id"

// call is what is known of a request while it is answered.
type call struct {
	id string
	// who sent it; the zero value as long as nobody is known.
	who access.Principal
	// again finds out anew who sent it.
	again func(context.Context) (access.Principal, error)
	// route is the pattern that took the request, where the outermost mux does not
	// know it.
	route string
	// method, path and body as they came.
	method, path string
	body         []byte
}

type callKey struct{}

// callOf returns the call that the context belongs to.
func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}

// guarded is what every request goes through: a number to find it by, headers
// that keep browsers from doing harm, a line in the log, and a net for what goes
// wrong inside.
func (g *Gateway) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		c := &call{id: rand.Text(), method: r.Method, path: r.URL.Path}
		w := &answer{ResponseWriter: out}
		ctx := context.WithValue(r.Context(), callKey{}, c)
		if r.URL.Path != streamPath {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, g.patience)
			defer cancel()
		}
		r = r.WithContext(ctx)
		began := time.Now()
		h := w.Header()
		h.Set(requestID, c.id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		h.Set("Strict-Transport-Security", "max-age=31536000")
		defer func() {
			fault := recover()
			err, _ := fault.(error)
			aborted := errors.Is(err, http.ErrAbortHandler)
			if fault != nil && !aborted {
				g.Logger.Error("A request failed", "request", c.id, "method", r.Method, "fault", fault, "stack", string(debug.Stack()))
				if w.status == 0 {
					brokenInner.write(w, r)
				} else {
					// Half an answer must not look like a whole one.
					aborted = true
				}
			}
			g.note(c, r, w, time.Since(began))
			if aborted {
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// note writes the request's line in the log. It has nothing that the caller
// wrote: no token, no body, no query, and of the path only which route it took.
func (g *Gateway) note(c *call, r *http.Request, w *answer, took time.Duration) {
	level := slog.LevelInfo
	if r.Pattern == healthRoute {
		level = slog.LevelDebug
	}
	route := c.route
	if route == "" {
		route = r.Pattern
	}
	g.Logger.LogAttrs(r.Context(), level, "A request was answered",
		slog.String("request", c.id), slog.String("method", known(r.Method)), slog.String("route", route),
		slog.Int("status", w.status), slog.Float64("ms", float64(took.Microseconds())/1000), slog.String("principal", c.who.ID))
}

// known returns the method when it is one; anybody may make one up.
func known(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	default:
		return "other"
	}
}

// answer notes the status that is sent.
type answer struct {
	http.ResponseWriter
	status int
}

// WriteHeader sends the status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap lets [http.ResponseController] flush and set deadlines.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
