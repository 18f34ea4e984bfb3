package gateway

import (
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// apiConfig is that of the API and of its description.
func apiConfig() huma.Config {
	config := huma.DefaultConfig("closeloop", "1")
	config.Info.Description = "Each requirement of a customer is taken in, acted on and read here. " +
		"Errors are problem+json (RFC 9457) with a stable `code`; titles and details are in Chinese or English, as " +
		"`Accept-Language` asks for."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil
	config.RejectUnknownQueryParameters = true
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "An API token (`closeloop token create`), or a token of the OIDC provider"},
	}
	return config
}

// mountDescription serves the description of the API, which anybody may read.
func (g *Gateway) mountDescription(mux *http.ServeMux, api *huma.OpenAPI) {
	for path, form := range map[string]struct {
		kind   string
		encode func() ([]byte, error)
	}{
		"/openapi.json": {"application/openapi+json", sync.OnceValues(api.MarshalJSON)},
		"/openapi.yaml": {"application/openapi+yaml", sync.OnceValues(api.YAML)},
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			text, err := form.encode()
			if err != nil {
				g.problem(r.Context(), err).write(w, r)
				return
			}
			w.Header().Set("Content-Type", form.kind)
			_, _ = w.Write(text)
		})
	}
}
