package policy

import (
	"encoding/json"
	"fmt"
	"strconv"
)

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
		count, err := strconv.Atoi(s)
		if err != nil || count < 1 {
			return fmt.Errorf("%q is not a quorum: write all, any, or a number from 1", s)
		}
		s = strconv.Itoa(count)
	}
	*n = Need(s)
	return nil
}

// UnmarshalJSON reads what [Need.UnmarshalText] reads, and a number as well.
func (n *Need) UnmarshalJSON(data []byte) error {
	text := string(data)
	if text == "null" {
		return nil
	}
	if len(data) > 0 && data[0] == '"' {
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
	}
	return n.UnmarshalText([]byte(text))
}
