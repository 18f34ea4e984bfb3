package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// release says what this program is made of.
type release struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	// SDK is the version of Temporal's Go SDK.
	SDK string `json:"temporal_sdk"`
	// Revision of the source, when it was built from a checkout.
	Revision string `json:"revision,omitempty"`
}

func thisRelease() release {
	r := release{Version: version, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return r
	}
	for _, m := range info.Deps {
		if m.Path == "go.temporal.io/sdk" {
			r.SDK = m.Version
		}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			r.Revision = s.Value
		}
	}
	return r
}

func (a *app) versionCommand() *cobra.Command {
	c := a.command("version", "version", "closeloop version -o json")
	c.Args = a.takes(0)
	c.RunE = func(*cobra.Command, []string) error {
		r := thisRelease()
		return a.print(r, func(s *screen) {
			s.line("closeloop ", s.strong.Render(r.Version), " (", s.facts(r.Go, "Temporal SDK "+r.SDK), ")")
		})
	}
	return c
}
