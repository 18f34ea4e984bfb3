package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// variable is one environment variable of the stack.
type variable struct{ name, value string }

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// parseVariable reads NAME=VALUE.
func parseVariable(text string) (variable, error) {
	name, value, ok := strings.Cut(text, "=")
	switch {
	case !ok:
		return variable{}, fmt.Errorf("%q is not NAME=VALUE", text)
	case !variableName.MatchString(name):
		return variable{}, fmt.Errorf("%q is not the name of an environment variable", name)
	}
	return variable{name, value}, nil
}

// formatEnv gives the shell lines that set the variables.
func formatEnv(variables []variable) string {
	var b strings.Builder
	b.WriteString("# Written by devstack while it runs. In a shell:  . .closeloop/env\n")
	for _, v := range variables {
		fmt.Fprintf(&b, "export %s=%s\n", v.name, quoteWord(v.value))
	}
	return b.String()
}

// writeEnv writes the variables to path in one step: scripts wait for the
// file and must never read half of it.
func writeEnv(path string, variables []variable) error {
	fresh, err := os.CreateTemp(filepath.Dir(path), ".env-") // mode 0600: it holds a password
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(fresh.Name()) }()
	if _, err := fresh.WriteString(formatEnv(variables)); err != nil {
		_ = fresh.Close()
		return err
	}
	if err := fresh.Close(); err != nil {
		return err
	}
	return os.Rename(fresh.Name(), path)
}

// environ is our own environment with the variables set.
func environ(variables []variable) []string {
	env := os.Environ()
	for _, v := range variables {
		env = append(env, v.name+"="+v.value) // the last one counts
	}
	return env
}
