package ports

import (
	"net"
	"testing"
)

func TestPreferTakesTheWantedPortOrAnotherOne(t *testing.T) {
	p := NewPicker()
	free, err := p.Free()
	if err != nil {
		t.Fatal(err)
	}

	got, err := NewPicker().Prefer(free)
	if err != nil || got != free {
		t.Fatalf("Prefer(%d) = %d, %v; want the free port itself", free, got, err)
	}

	l, err := net.Listen("tcp", Address(free))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	got, err = NewPicker().Prefer(free)
	if err != nil || got == free {
		t.Fatalf("Prefer(%d) = %d, %v; want another port, this one is taken", free, got, err)
	}
}

func TestFreeNeverGivesAPortTwiceNorOneTooHigh(t *testing.T) {
	p := NewPicker()
	seen := map[int]bool{}
	for range 200 {
		port, err := p.Free()
		if err != nil {
			t.Fatal(err)
		}
		if seen[port] {
			t.Fatalf("port %d given twice", port)
		}
		if port < lowest || port > highest {
			t.Fatalf("port %d outside %d..%d", port, lowest, highest)
		}
		seen[port] = true
	}
}
