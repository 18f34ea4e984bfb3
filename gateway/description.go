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

// orNull are fields of answers that are an object or null.
var orNull = map[string][]string{"View": {"approval"}, "ClockExplanation": {"breach"}}

// describeAnswers lists the codes that problems have, and says of what is
// answered that more fields may be added: only requests are held to theirs.
func describeAnswers(api *huma.OpenAPI) {
	all := api.Components.Schemas
	asked := map[*huma.Schema]bool{}
	for _, path := range api.Paths {
		if path.Post != nil && path.Post.RequestBody != nil {
			body := all.SchemaFromRef(path.Post.RequestBody.Content["application/json"].Schema.Ref)
			asked[body] = true
			for _, p := range body.Properties {
				if p.Items != nil && p.Items.Ref != "" {
					asked[all.SchemaFromRef(p.Items.Ref)] = true
				}
			}
		}
	}
	for name, schema := range all.Map() {
		if !asked[schema] {
			schema.AdditionalProperties = nil
		}
		for _, field := range orNull[name] {
			schema.Properties[field] = &huma.Schema{OneOf: []*huma.Schema{schema.Properties[field], {Type: "null"}}}
		}
	}
	code := all.Map()["Problem"].Properties["code"]
	for _, c := range codes {
		code.Enum = append(code.Enum, c)
	}
}
