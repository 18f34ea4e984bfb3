package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"closeloop/access"
)

var (
	// ErrUnknownBearer says that nobody is known by a token: there is no such one, it
	// has expired, or it was revoked.
	ErrUnknownBearer = errors.New("the token is not known, has expired, or was revoked")
	// ErrProvider says that the OIDC provider did not tell its keys, so that nothing
	// can be said of a token. Trying again later may help.
	ErrProvider = errors.New("the OIDC provider cannot be asked for its keys")
)

// Bearers knows who bearer tokens belong to.
type Bearers interface {
	// Principal returns who the token belongs to. The error is [ErrUnknownBearer]
	// when nobody is known by it; any other says that it could not be found out.
	Principal(ctx context.Context, token string) (access.Principal, error)
}

// byPrefix asks about API tokens, which begin as nothing else does, where these
// are known, and about all others somewhere else.
type byPrefix struct{ tokens, others Bearers }

// BearersOf returns who knows API tokens from tokens and all others from others,
// which may be nil: then there are no others.
func BearersOf(tokens, others Bearers) Bearers { return byPrefix{tokens, others} }

// Principal returns who the token belongs to.
func (b byPrefix) Principal(ctx context.Context, token string) (access.Principal, error) {
	switch {
	case strings.HasPrefix(token, access.TokenPrefix):
		return b.tokens.Principal(ctx, token)
	case b.others != nil:
		return b.others.Principal(ctx, token)
	default:
		return access.Principal{}, ErrUnknownBearer
	}
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
