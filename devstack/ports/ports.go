// Package ports chooses the TCP ports of the stack, all on the loopback
// address.
package ports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Host is the only address the stack listens on.
const Host = "127.0.0.1"

// Free ports come from below 32768 for two reasons: Temporal keeps its
// internal ports in a PostgreSQL smallint, and Linux hands out ports from
// 32768 up to outgoing connections, which could take ours between choosing
// and listening.
const (
	lowest  = 18000
	highest = 32767
)

// Picker chooses ports and never gives the same one twice.
type Picker struct {
	given map[int]bool
}

// NewPicker returns a Picker that has given nothing yet.
func NewPicker() *Picker {
	return &Picker{given: map[int]bool{}}
}

// Prefer gives the wanted port if it is free, and another free one otherwise.
func (p *Picker) Prefer(wanted int) (int, error) {
	if !p.given[wanted] && Available(wanted) {
		p.given[wanted] = true
		return wanted, nil
	}
	return p.Free()
}

// Free gives a free port. It is drawn at random, so that stacks started at the
// same moment on one machine do not all go for the same one.
func (p *Picker) Free() (int, error) {
	for range 200 {
		port := lowest + rand.IntN(highest-lowest+1) //nolint:gosec // spreads the choice, keeps no secret
		if !p.given[port] && Available(port) {
			p.given[port] = true
			return port, nil
		}
	}
	return 0, errors.New("found no free TCP port between " + strconv.Itoa(lowest) + " and " + strconv.Itoa(highest))
}

// Available tells whether a listener could be opened on the port right now.
func Available(port int) bool {
	l, err := net.Listen("tcp", Address(port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// Address is the loopback address with the port.
func Address(port int) string {
	return fmt.Sprintf("%s:%d", Host, port)
}
