package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"closeloop/access"
	"closeloop/requirement"
	"closeloop/starter"
	"closeloop/upstream"
)

const (
	// maxWebhook bounds the body of a webhook, in bytes. A ticket with all of its
	// comments is larger than anything that people send to the API.
	maxWebhook = 5 << 20
	// webhookTime is how long one may take. It goes on when the system that sent it
	// waits no longer.
	webhookTime = 40 * time.Second
)

// mountWebhooks adds the webhooks of upstream systems.
func (g *Gateway) mountWebhooks(mux *http.ServeMux) {
	mux.HandleFunc("POST /v1/upstreams/{name}/webhook", g.webhook)
}

// accepted is the answer to a webhook.
type accepted struct {
	// Delivery is the id under which it is kept.
	Delivery string `json:"delivery"`
	// State and Outcome are what came of it, Requirements those that it was about.
	State        upstream.DeliveryState `json:"state"`
	Outcome      string                 `json:"outcome,omitempty"`
	Requirements []string               `json:"requirements,omitempty"`
	// Repeated says that it was there before and nothing more was done.
	Repeated bool `json:"repeated,omitempty"`
}

// webhook takes in what an upstream system sends. Nothing in it is read before
// its signature was found good; then it is kept, and only then something is done
// about it. Whatever it says is answered 202: only what may succeed later is not,
// so that the system sends it again.
func (g *Gateway) webhook(w http.ResponseWriter, r *http.Request) {
	p := g.Policy.Current()
	u, known := p.Upstream(r.PathValue("name"))
	if !known {
		notHere.write(w, r)
		return
	}
	body, err := bodyWithin(w, r, maxWebhook) // the signature is about its bytes
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	proof, err := upstream.Verify(u, g.secretsIn(u.SecretsEnv()), r.Header, body, g.Now())
	if err != nil {
		g.Logger.Warn("A webhook was not believed", "upstream", u.Name, "why", err.Error())
		g.refuse(w, r, unbelieved(err))
		return
	}
	// Counted only now: nobody else uses up what the system may send.
	if wait, ok := g.limits.take(access.System(u.Name, "").ID); !ok {
		limited := newProblem("rate_limited")
		limited.wait = wait
		limited.write(w, r)
		return
	}
	// What the server allows for reading is over.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), webhookTime)
	defer cancel()
	kept, fresh, err := g.Books.KeepDelivery(ctx, upstream.Keep(u, proof, upstream.Event(r.Header), body, g.Now()))
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	answer := accepted{Delivery: kept.ID, State: kept.State, Outcome: kept.Outcome, Repeated: !fresh}
	if !kept.State.Settled() {
		clerk := upstream.Clerk{Desk: starter.Counter{Desk: g.Desk}, Register: g.Books, Who: access.System(u.Name, access.ViaWebhook+u.Name)}
		result, err := clerk.Process(ctx, u, p.Process, kept)
		if err != nil {
			g.Logger.Error("A webhook has to wait", "upstream", u.Name, "delivery", kept.ID, "error", err.Error())
			g.refuse(w, r, later(err))
			return
		}
		answer = accepted{Delivery: kept.ID, State: result.State, Outcome: result.Outcome(), Requirements: result.Requirements()}
		if result.State == upstream.Refused || result.State == upstream.Failed {
			g.Logger.Warn("A webhook came to nothing", "upstream", u.Name, "delivery", kept.ID, "state", result.State)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(answer)
}

// later is what came between a webhook and what it says. That a requirement is
// not ready yet is a conflict to others; not every system sends again what is
// answered so.
func later(err error) error {
	if _, refused := errors.AsType[*requirement.Error](err); refused {
		return newProblem("unreachable")
	}
	return err
}

// unbelieved is the problem of a webhook that could not be verified.
func unbelieved(err error) *Problem {
	switch {
	case errors.Is(err, upstream.ErrNoSecret):
		return newProblem("no_upstream_secret")
	case errors.Is(err, upstream.ErrStale):
		return newProblem("stale_signature")
	default:
		return newProblem("bad_signature")
	}
}

// secretsIn are the secrets that a variable holds.
func (g *Gateway) secretsIn(variable string) []string {
	if g.Secrets == nil {
		return nil
	}
	return upstream.Secrets(g.Secrets(variable))
}
