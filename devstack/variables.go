package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"closeloop/devstack/ports"
)

// listening is a variable that gets the address of a port we choose.
type listening struct {
	name string
	// usual port, taken when it is free.
	usual int
}

// parseListening reads NAME=PORT.
func parseListening(text string) (listening, error) {
	v, err := parseVariable(text)
	if err != nil {
		return listening{}, err
	}
	port, err := strconv.Atoi(v.value)
	if err != nil || port < 1 || port > 65535 {
		return listening{}, fmt.Errorf("%q is not a TCP port; write NAME=PORT", v.value)
	}
	return listening{name: v.name, usual: port}, nil
}

// ownVariables are those that the command line asks for.
func (s *stack) ownVariables(picker *ports.Picker) ([]variable, error) {
	var own []variable
	var chosen []string
	for _, l := range s.opts.listens {
		port, err := s.port(picker, l.name, l.usual)
		if err != nil {
			return nil, err
		}
		own = append(own, variable{l.name, ports.Address(port)})
		chosen = append(chosen, "${"+l.name+"}", ports.Address(port))
	}
	for _, v := range s.opts.secrets {
		secret, err := s.dir.secret(v.name)
		if err != nil {
			return nil, err
		}
		own = append(own, variable{v.name, v.value + secret})
	}
	for _, v := range s.opts.exports {
		own = append(own, variable{v.name, strings.NewReplacer(chosen...).Replace(v.value)})
	}
	return own, nil
}

// secret returns 32 random bytes in base64 that stay the same for the directory.
func (d *stateDir) secret(name string) (string, error) {
	path := d.file(name + ".secret")
	kept, err := os.ReadFile(path)
	switch {
	case err == nil:
		return string(kept), nil
	case !errors.Is(err, os.ErrNotExist):
		return "", err
	}
	bytes := make([]byte, 32)
	_, _ = rand.Read(bytes)
	text := base64.StdEncoding.EncodeToString(bytes)
	return text, os.WriteFile(path, []byte(text), 0o600)
}
