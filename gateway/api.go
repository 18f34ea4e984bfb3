package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"closeloop/locale"
)

// apiPath is where the API is.
const apiPath = "/v1/"

// mountAPI adds the API and its description.
func (g *Gateway) mountAPI(mux *http.ServeMux) {
	inside := http.NewServeMux()
	api := humago.New(inside, apiConfig())
	api.UseMiddleware(withLanguage)
	g.register(api)
	g.mountDescription(mux, api.OpenAPI())
	mux.Handle(apiPath, g.gate(inside))
}

// register adds all operations of the API.
func (g *Gateway) register(api huma.API) {
	g.registerSubmit(api)
	g.registerList(api)
	g.registerShow(api)
	g.registerHistory(api)
	g.registerExplain(api)
	g.registerActs(api)
	g.registerAcknowledge(api)
	g.registerStream(api)
	describeAnswers(api.OpenAPI())
}

// operation adds an operation whose handler returns errors as they are.
func operation[I, O any](g *Gateway, api huma.API, op huma.Operation, do func(context.Context, *I) (*O, error)) {
	// The gate has read the body already.
	op.BodyReadTimeout = -1
	op.MaxBodyBytes = -1
	op.Security = []map[string][]string{{"bearer": {}}}
	op.Errors = append([]int{
		http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusTooManyRequests,
		http.StatusServiceUnavailable,
	}, op.Errors...)
	if op.Method == http.MethodPost {
		op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusConflict,
			http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, g.problem(ctx, err).in(languageOf(ctx))
		}
		return out, nil
	})
}

// problem returns the problem that an error is. What is none of the known ones
// is in the log afterwards, unless the caller has gone away.
func (g *Gateway) problem(ctx context.Context, err error) *Problem {
	if p := problemOf(err); p != nil {
		return p
	}
	if !errors.Is(err, context.Canceled) || ctx.Err() == nil {
		g.Logger.Error("A request failed", "request", callOf(ctx).id, "error", err)
	}
	return brokenInner
}

type languageKey struct{}

// languageOf is the language that the request prefers.
func languageOf(ctx context.Context) string {
	if lang, ok := ctx.Value(languageKey{}).(string); ok {
		return lang
	}
	return locale.English
}

// withLanguage notes the language that the request prefers.
func withLanguage(ctx huma.Context, next func(huma.Context)) {
	next(huma.WithValue(ctx, languageKey{}, locale.Match(ctx.Header("Accept-Language"))))
}

// mistaken is the problem of a request that huma refuses.
func mistaken(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
	var p *Problem
	switch status {
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		p = newProblem("invalid")
	default:
		return brokenInner
	}
	for _, err := range errs {
		detail, ok := errors.AsType[*huma.ErrorDetail](err)
		if !ok {
			continue
		}
		word, param, _ := strings.Cut(detail.Message, " ")
		name := limitOf[word]
		if param == "" || name == "" {
			p.addField(detail.Location, plainly(word))
			continue
		}
		if name == nameOfField {
			p.addField(detail.Location+"."+param, plainly(word))
			continue
		}
		p.addField(detail.Location, plainly(word), name, param)
	}
	if ctx == nil {
		return p
	}
	return p.in(locale.Match(ctx.Header("Accept-Language")))
}
