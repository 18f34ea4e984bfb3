package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"

	"closeloop/devstack/ports"
)

// startUI starts the Web UI and waits until it answers. The port must be
// free: the UI ends the whole process when it is not.
func startUI(ctx context.Context, port int, frontend string) (*uiserver.Server, error) {
	if !ports.Available(port) {
		return nil, fmt.Errorf("port %d for the Web UI was taken just now; start again", port)
	}
	ui := uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
		Host:                ports.Host,
		Port:                port,
		TemporalGRPCAddress: frontend,
		EnableUI:            true,
		DefaultNamespace:    namespace,
		HideLogs:            true,
		DisableNewsFetch:    true,                                // no calls to the outside
		CORS:                uiconfig.CORS{CookieInsecure: true}, // plain http on the loopback address
	}))
	go func() { _ = ui.Start() }()

	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	for {
		err := get(ctx, "http://"+ports.Address(port)+"/healthz")
		if err == nil {
			return ui, nil
		}
		select {
		case <-ctx.Done():
			ui.Stop()
			return nil, fmt.Errorf("the Web UI does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func get(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return nil
}
