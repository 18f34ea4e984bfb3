package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"closeloop/access"
)

// ErrUnknownBearer says that nobody is known by a token: there is no such one, it
// has expired, or it was revoked.
var ErrUnknownBearer = errors.New("the token is not known, has expired, or was revoked")

// Bearers knows who bearer tokens belong to.
type Bearers interface {
	// Principal returns who the token belongs to. The error is [ErrUnknownBearer]
	// when nobody is known by it; any other says that it could not be found out.
	Principal(ctx context.Context, token string) (access.Principal, error)
}

// bearerOf returns the token of a request; empty when it has none.
func bearerOf(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// principal finds out who sent the request.
func (g *Gateway) principal(r *http.Request) (access.Principal, error) {
	token := bearerOf(r)
	if token == "" || g.Bearers == nil {
		return access.Principal{}, ErrUnknownBearer
	}
	return g.Bearers.Principal(r.Context(), token)
}
