package gateway

import "net/http"

const healthRoute = "GET /healthz"

// mountHealth lets whoever runs the gateway see that it is alive.
func (g *Gateway) mountHealth(mux *http.ServeMux) {
	mux.HandleFunc(healthRoute, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
	})
}
