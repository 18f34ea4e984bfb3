package contract

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// RedeliverRequest starts a Redeliver workflow: it has notices of one requirement
// sent again, whether that has ended or not.
type RedeliverRequest struct {
	// ID of the requirement.
	ID string `json:"id"`
	// Numbers of the notices, as the ledger counts them.
	Numbers []int64 `json:"numbers"`
	// By is who asked for it; empty when nobody said.
	By string `json:"by,omitempty"`
}

// WorkflowID returns the id of the workflow that does it: the same request that
// is made twice at the same time is one.
func (r RedeliverRequest) WorkflowID() string {
	sum := sha256.Sum256(fmt.Append(nil, r.Numbers))
	return r.ID + "/redeliver/" + hex.EncodeToString(sum[:4])
}

// Reopened says what is to be sent again.
type Reopened struct {
	// Notices is how many there are, of the events From to To.
	Notices int `json:"notices"`
	From    int `json:"from"`
	To      int `json:"to"`
}
