package gateway

import "net/http"

// mountAPI adds the API.
func (g *Gateway) mountAPI(*http.ServeMux) {}
