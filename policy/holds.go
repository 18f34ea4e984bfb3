package policy

import (
	"encoding/json"
	"errors"
	"slices"
)

// HoldCustomer is the kind of a hold that waits for the customer (E5). Every
// policy has it.
const HoldCustomer = "customer"

// Holds says which holds pause a clock: none when empty, or those of some kinds.
// In a policy file it is true, false or a list of kinds.
type Holds []string

// AllHolds are the holds of every kind.
var AllHolds = Holds{"*"}

// Include reports whether a hold of that kind pauses the clock.
func (h Holds) Include(kind string) bool {
	return slices.Equal(h, AllHolds) || slices.Contains(h, kind)
}

// MarshalJSON returns true, false or a list.
func (h Holds) MarshalJSON() ([]byte, error) {
	switch {
	case len(h) == 0:
		return []byte("false"), nil
	case slices.Equal(h, AllHolds):
		return []byte("true"), nil
	default:
		return json.Marshal([]string(h))
	}
}

// UnmarshalJSON reads true, false or a list.
func (h *Holds) UnmarshalJSON(data []byte) error {
	var every bool
	if json.Unmarshal(data, &every) == nil {
		if *h = nil; every {
			*h = AllHolds
		}
		return nil
	}
	var kinds []string
	if err := json.Unmarshal(data, &kinds); err != nil {
		return errors.New("it is true, false or a list of kinds of holds")
	}
	*h = kinds
	return nil
}

// HoldKinds returns the kinds of holds that the policy has, the customer first.
func (p Process) HoldKinds() []string {
	kinds := []string{HoldCustomer}
	for _, k := range p.Holds {
		if !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	return kinds
}
