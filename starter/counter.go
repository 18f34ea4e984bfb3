package starter

import (
	"context"
	"errors"

	"closeloop/contract"
	"closeloop/requirement"
	"closeloop/upstream"
)

var _ upstream.Desk = Counter{}

// Counter is the desk that deliveries of upstream systems are brought to.
type Counter struct {
	// Desk is a [Client], or what does the same.
	Desk interface {
		Submit(ctx context.Context, s requirement.Submission, key string) (contract.Receipt, error)
		Do(ctx context.Context, id string, act requirement.Act) (requirement.Verdict, error)
	}
}

// Submit takes in a requirement, or finds the one of its reference.
func (c Counter) Submit(ctx context.Context, s requirement.Submission) (string, error) {
	receipt, err := c.Desk.Submit(ctx, s, "")
	return receipt.ID, err
}

// Do does an act. That the requirement has ended is a refusal as well, also when
// Temporal has forgotten it meanwhile.
func (c Counter) Do(ctx context.Context, id string, act requirement.Act) error {
	_, err := c.Desk.Do(ctx, id, act)
	if errors.Is(err, ErrOver) || errors.Is(err, ErrNotFound) {
		return &requirement.Error{Code: requirement.CodeOver, Message: id + " has ended", Params: map[string]string{"id": id, "act": string(act.Name())}}
	}
	return err
}
