package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"closeloop/ledger"
)

// Repeatable has the header by which a request is known again.
type Repeatable struct {
	Key string `header:"Idempotency-Key" maxLength:"200" doc:"The same key and request happen once and get the same answer, for 24 hours; the same key with another request is refused with 422. Whoever repeats a request after a failure should send one." example:"3f0d2c9e-6a55-4f3f-9a0e-1c1b3a9f2b77"`
}

// keepTime bounds what is done about a request after it has happened; the caller
// may be gone by then.
const keepTime = 5 * time.Second

// tidyMost is how many old requests are deleted at once. One request in 256 does
// that, so none are left over.
const tidyMost = 1024

// once does what a request asks for, and answers a repetition as before. Without
// a key nothing is looked up and nothing kept.
//
// do is given an id that is the same for each repetition, so that what it does
// happens once even when a repetition comes before the answer was kept. What was
// refused has changed nothing, so its key is free again.
func once[O any](ctx context.Context, g *Gateway, key string, do func(actID string) (*O, error)) (*O, error) {
	if key == "" {
		return do("")
	}
	if strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' }) {
		return nil, wrongField("header.Idempotency-Key", "control_character")
	}
	c := callOf(ctx)
	r := ledger.Request{Principal: c.who.ID, Key: key, Digest: c.digest()}
	before, err := g.Books.BeginRequest(ctx, r)
	switch {
	case errors.Is(err, ledger.ErrRequest):
		return nil, newProblem("idempotency_key_reused")
	case err != nil:
		return nil, err
	case before != nil:
		return replayed[O](before)
	}
	out, err := do(actIDOf(r))
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	defer g.tidy(after, r)
	if err != nil {
		if p := problemOf(err); p != nil && p.Status < 500 {
			g.shrug(c, g.Books.DropRequest(after, r))
		}
		return nil, err
	}
	answer, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	kept, err := g.Books.AnswerRequest(after, r, answer)
	if err != nil {
		// It has happened. A repetition finds that out another way.
		g.shrug(c, err)
		return out, nil
	}
	return replayed[O](kept)
}

func replayed[O any](answer []byte) (*O, error) {
	out := new(O)
	return out, json.Unmarshal(answer, out)
}

// actIDOf is the id that what a request does has in the process. The process
// remembers longer than the key is known, so another request under the same key
// has another one.
func actIDOf(r ledger.Request) string {
	sum := sha256.Sum256([]byte(r.Principal + "\x00" + r.Key + "\x00" + string(r.Digest)))
	return "http:" + hex.EncodeToString(sum[:16])
}

// digest tells this request from another one.
func (c *call) digest() []byte {
	sum := sha256.Sum256([]byte(c.method + "\n" + c.path + "\n" + string(c.body)))
	return sum[:]
}

// tidy forgets old requests now and then: when the digest happens to begin with
// a zero.
func (g *Gateway) tidy(ctx context.Context, r ledger.Request) {
	if r.Digest[0] != 0 {
		return
	}
	_, err := g.Books.ForgetRequests(ctx, tidyMost)
	g.shrug(callOf(ctx), err)
}

// shrug notes an error that is nothing to the caller.
func (g *Gateway) shrug(c *call, err error) {
	if err != nil {
		g.Logger.Warn("A request under a key could not be kept or forgotten", "request", c.id, "error", err)
	}
}
