package gateway

import (
	"crypto/rand"
	"net/http"
	"runtime/debug"
)

// requestID is the header by which a request is found again in the log.
const requestID = "X-Request-Id"

// guarded is what every request goes through: a number to find it by, headers
// that keep browsers from doing harm, and a net for what goes wrong inside.
func (g *Gateway) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		h := w.Header()
		h.Set(requestID, id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		h.Set("Strict-Transport-Security", "max-age=31536000")
		defer func() {
			switch fault := recover(); fault {
			case nil:
			case http.ErrAbortHandler:
				panic(fault)
			default:
				g.Logger.Error("A request failed", "request", id, "method", r.Method, "fault", fault, "stack", string(debug.Stack()))
				brokenInner.write(w)
			}
		}()
		next.ServeHTTP(w, r)
	})
}
