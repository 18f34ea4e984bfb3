package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	rpc "github.com/nexus-rpc/sdk-go/nexus"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporalnexus"

	"closeloop/contract"
	"closeloop/ledger"
	"closeloop/nexus"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/starter"
)

// office is desk and books in one.
type office struct {
	receipt contract.Receipt
	running bool
	err     error
	ended   *requirement.Requirement

	submitted requirement.Submission
	key       string
}

func (o *office) Submit(_ context.Context, s requirement.Submission, key string) (contract.Receipt, error) {
	o.submitted, o.key = s, key
	return o.receipt, o.err
}

func (o *office) Running(context.Context, string) (bool, error) { return o.running, o.err }

func (o *office) Get(_ context.Context, id string) (*requirement.Requirement, error) {
	if o.ended == nil {
		return nil, fmt.Errorf("find %s: %w", id, ledger.ErrNotFound)
	}
	return o.ended, nil
}

func TestSubmissionIsRecordedAsTheUpstreams(t *testing.T) {
	t.Parallel()
	o := &office{receipt: contract.Receipt{ID: "REQ-7K2M9QXA", Created: true, Stage: requirement.Received, Ref: "crm:1", Key: "k", Attempt: "a"}}
	s := &service{o, o}
	input := `{"upstream":"crm","title":"t","description":"d","customer":"c","contact":"li@acme.example","background":"b","scenario":"s",
		"outcome":"o","pain":"p","type":"fault","channel":"mail","priority":"high","urgency":"urgent","tier":"P1","ref":"crm:1",
		"attachments":["https://a"],"language":"en","on_hold":"which version?"}`
	receipt, err := s.submit(t.Context(), json.RawMessage(input), rpc.StartOperationOptions{RequestID: "r-1"})
	require.NoError(t, err)
	require.Equal(t, nexus.Receipt{ID: "REQ-7K2M9QXA", Created: true, Stage: "received", Ref: "crm:1"}, receipt)
	require.Equal(t, "nexus:r-1", o.key, "a repeated request has the same key")
	require.Equal(t, requirement.Submission{
		Title: "t", Description: "d", Customer: "c", Contact: "li@acme.example", Background: "b", Scenario: "s", Outcome: "o", Pain: "p",
		Attributes: policy.Attributes{Type: "fault", Channel: "mail", Priority: "high", Urgency: "urgent", Tier: "P1"},
		Ref:        "crm:1", Attachments: []string{"https://a"}, Language: "en", OnHold: "which version?", SubmittedBy: "upstream:crm", Via: "nexus",
	}, o.submitted)
}

func TestSubmissionThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ input, field string }{
		"nothing":            {``, "input"},
		"null":               {`null`, "upstream"},
		"no upstream":        {`{"title":"t"}`, "upstream"},
		"a person's words":   {`{"upstream":"our crm"}`, "upstream"},
		"a long name":        {`{"upstream":"` + strings.Repeat("x", 65) + `"}`, "upstream"},
		"a line break":       {`{"upstream":"crm\n"}`, "upstream"},
		"an unknown field":   {`{"upstream":"crm","titel":"t"}`, "input"},
		"who submitted":      {`{"upstream":"crm","submitted_by":"li.na"}`, "input"},
		"a list":             {`[]`, "input"},
		"another's ref":      {`{"upstream":"crm","ref":"jira:7"}`, "ref"},
		"a ref of no system": {`{"upstream":"crm","ref":"7"}`, "ref"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &office{}
			s := &service{o, o}
			_, err := s.submit(t.Context(), json.RawMessage(c.input), rpc.StartOperationOptions{RequestID: "r"})
			requireRefused(t, err, rpc.HandlerErrorTypeBadRequest, nexus.CodeInvalid)
			refusal, _ := nexus.RefusalOf(err)
			require.Equal(t, c.field, refusal.Params["field"])
			require.Empty(t, o.key, "nothing was submitted")
		})
	}
}

func requireRefused(t *testing.T, err error, kind rpc.HandlerErrorType, code string) {
	t.Helper()
	var h *rpc.HandlerError
	require.ErrorAs(t, err, &h)
	require.Equal(t, kind, h.Type)
	require.False(t, h.Retryable())
	refusal, ok := nexus.RefusalOf(err)
	require.True(t, ok)
	require.Equal(t, code, refusal.Code)
}

func TestOutcomeOfWhatDoesNotRun(t *testing.T) {
	t.Parallel()
	closed := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	state := requirement.State{ID: "REQ-7K2M9QXA", Stage: requirement.Archived, CreatedAt: closed.Add(-time.Hour), ClosedAt: &closed}
	open := state
	open.ClosedAt, open.Stage = nil, requirement.Executing
	for name, c := range map[string]struct {
		office office
		kind   rpc.HandlerErrorType
		final  bool
	}{
		"it has ended":                    {office: office{ended: requirement.Restore(state, policy.Process{})}},
		"Temporal has forgotten it":       {office: office{err: starter.ErrNotFound, ended: requirement.Restore(state, policy.Process{})}},
		"nobody has heard of it":          {office: office{err: starter.ErrNotFound}, kind: rpc.HandlerErrorTypeNotFound, final: true},
		"its end is not in the books yet": {office: office{ended: requirement.Restore(open, policy.Process{})}, kind: rpc.HandlerErrorTypeUnavailable},
		"Temporal is away":                {office: office{err: starter.ErrUnreachable}, kind: rpc.HandlerErrorTypeUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := c.office
			s := &service{&o, &o}
			r, err := s.awaitOutcome(t.Context(), temporalnexus.NexusClient{}, json.RawMessage(`{"id":"7k2m9qxa"}`), temporalnexus.StartTemporalOperationOptions{})
			if c.kind == "" {
				require.NoError(t, err)
				require.Equal(t, temporalnexus.NewSyncResult(contract.Outcome{
					ID: "REQ-7K2M9QXA", Stage: requirement.Archived, Created: true, CreatedAt: closed.Add(-time.Hour), ClosedAt: closed,
				}), r)
				return
			}
			var h *rpc.HandlerError
			require.ErrorAs(t, err, &h)
			require.Equal(t, c.kind, h.Type)
			require.Equal(t, !c.final, h.Retryable())
		})
	}
}

func TestEveryErrorIsFinalOrTriedAgain(t *testing.T) {
	t.Parallel()
	require.NoError(t, failure(nil))
	requireRefused(t, failure(fmt.Errorf("x: %w", &requirement.Error{Code: requirement.CodeStage, Message: "not now"})), rpc.HandlerErrorTypeBadRequest, "wrong_stage")
	requireRefused(t, failure(fmt.Errorf("REQ-1: %w", starter.ErrNotFound)), rpc.HandlerErrorTypeNotFound, nexus.CodeNotFound)
	for name, c := range map[string]struct {
		err  error
		kind rpc.HandlerErrorType
	}{
		"still being taken in": {requirement.NotReady("REQ-1"), rpc.HandlerErrorTypeUnavailable},
		"no worker":            {starter.ErrNoWorker, rpc.HandlerErrorTypeUnavailable},
		"no Temporal":          {&starter.Unreachable{Service: "Temporal", Cause: errors.New("refused")}, rpc.HandlerErrorTypeUnavailable},
		"no database":          {fmt.Errorf("find: %w", ledger.ErrUnreachable), rpc.HandlerErrorTypeUnavailable},
		"no time left":         {context.DeadlineExceeded, rpc.HandlerErrorTypeUnavailable},
		"too many callers":     {errTooMany, rpc.HandlerErrorTypeResourceExhausted},
	} {
		var h *rpc.HandlerError
		require.ErrorAs(t, failure(c.err), &h, name)
		require.Equal(t, c.kind, h.Type, name)
		require.True(t, h.Retryable(), name)
	}
	plain := errors.New("a mistake")
	require.Equal(t, plain, failure(plain), "Temporal tries what it does not know again")
}
