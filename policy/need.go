package policy

import (
	"fmt"
	"strconv"
	"time"
)

// epoch is an arbitrary instant from which lengths are compared.
var epoch = time.Unix(0, 0).UTC()

// Need is how many approvals decide a round: `all`, `any`, or a number (R2).
type Need string

// The needs that have names.
const (
	NeedAll Need = "all"
	NeedAny Need = "any"
)

// Of returns the number of approvals needed among that many seats.
func (n Need) Of(seats int) int {
	switch n {
	case NeedAll:
		return seats
	case NeedAny:
		return min(1, seats)
	default:
		count, err := strconv.Atoi(string(n))
		if err != nil {
			return seats
		}
		return max(1, min(count, seats))
	}
}

// UnmarshalText reads `all`, `any` or a positive number.
func (n *Need) UnmarshalText(text []byte) error {
	s := string(text)
	if s != string(NeedAll) && s != string(NeedAny) {
		if count, err := strconv.Atoi(s); err != nil || count < 1 {
			return fmt.Errorf("%q is not a quorum: write all, any, or a number from 1", s)
		}
	}
	*n = Need(s)
	return nil
}
