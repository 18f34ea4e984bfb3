package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"time"
	"unicode/utf8"
)

// maxBody bounds the body of a request, in bytes: the longest texts of a
// requirement in full, and some.
const maxBody = 1 << 20

// gate lets a request into the API once it is known who sent it, that they may
// send another one now, and that its body is JSON. What is inside need not look
// at any of that again.
func (g *Gateway) gate(inside *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := callOf(r.Context())
		who, err := g.principal(r)
		if err != nil {
			g.refuse(w, r, err)
			return
		}
		c.who, c.again = who, g.again(r)
		if wait, ok := g.limits.take(who.ID); !ok {
			p := newProblem("rate_limited")
			p.wait = wait
			p.write(w, r)
			return
		}
		// Its pattern is empty when there is no such route, or not with this method.
		handler, pattern := inside.Handler(r)
		if pattern == "" {
			nowhere(w, r, handler)
			return
		}
		c.route = pattern
		if err := c.read(w, r); err != nil {
			g.refuse(w, r, err)
			return
		}
		// What the server allows for reading is over; were it still set, it would end
		// the request when it passes.
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		r.Body = io.NopCloser(bytes.NewReader(c.body))
		inside.ServeHTTP(w, r)
	})
}

// refuse answers with the problem that the error is.
func (g *Gateway) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, ErrUnknownBearer) {
		err = unknownWho
	}
	g.problem(r.Context(), err).write(w, r)
}

// nowhere answers a request that has no route, as the handler would which the
// mux found for that.
func nowhere(w http.ResponseWriter, r *http.Request, handler http.Handler) {
	found := &unsent{header: http.Header{}}
	handler.ServeHTTP(found, r)
	switch found.status {
	case http.StatusMethodNotAllowed:
		p := newProblem("method_not_allowed")
		p.allow = found.header.Get("Allow")
		p.write(w, r)
	default:
		notHere.write(w, r)
	}
}

// unsent keeps the head of an answer and drops the rest.
type unsent struct {
	header http.Header
	status int
}

func (u *unsent) Header() http.Header         { return u.header }
func (u *unsent) WriteHeader(status int)      { u.status = status }
func (u *unsent) Write(p []byte) (int, error) { return len(p), nil }

// bodyWithin reads the body of a request as it was sent, when it has no more than
// that many bytes.
func bodyWithin(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "" {
		return nil, newProblem("unsupported_media_type")
	}
	if r.ContentLength > most {
		return nil, newProblem("too_large", "max", most)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var network net.Error
	switch _, large := errors.AsType[*http.MaxBytesError](err); {
	case large:
		return nil, newProblem("too_large", "max", most)
	case errors.As(err, &network) && network.Timeout():
		return nil, newProblem("too_slow")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, newProblem("malformed", "offset", len(body))
	default:
		return body, err
	}
}

// read takes in the body of a request that has one. Without any, it is an empty
// object: acts may have no fields that are needed.
func (c *call) read(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		return nil
	}
	body, err := bodyWithin(w, r, maxBody)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		c.body = []byte("{}")
		return nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return newProblem("unsupported_media_type")
	}
	if !utf8.Valid(body) {
		return newProblem("malformed", "text", true)
	}
	if err := json.Unmarshal(body, new(json.RawMessage)); err != nil {
		offset := int64(len(body))
		if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
			offset = wrong.Offset
		}
		return newProblem("malformed", "offset", offset)
	}
	c.body = body
	return nil
}
