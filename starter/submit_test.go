package starter

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/mocks"

	"closeloop/contract"
	"closeloop/requirement"
)

// desk answers intakes like a worker would: owner says to which key each id
// belongs, answered is the attempt to which Temporal remembers the answer.
type desk struct {
	mocks.Client
	owner    map[string]string
	answered map[string]string
	closed   map[string]*client.WorkflowExecutionDescription
	started  []client.StartWorkflowOptions
	// refused are Updates that Temporal remembers a refusal for.
	refused map[string]error
}

type operation struct {
	client.WithStartWorkflowOperation
	options client.StartWorkflowOptions
}

func (d *desk) NewWithStartWorkflowOperation(o client.StartWorkflowOptions, _ any, _ ...any) client.WithStartWorkflowOperation {
	return operation{options: o}
}

func (d *desk) UpdateWithStartWorkflow(_ context.Context, o client.UpdateWithStartWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	options := o.StartWorkflowOperation.(operation).options
	request := o.UpdateOptions.Args[0].(contract.SubmitRequest)
	d.started = append(d.started, options)
	if err := d.refused[o.UpdateOptions.UpdateID]; err != nil {
		handle := &mocks.WorkflowUpdateHandle{}
		handle.On("Get", mock.Anything, mock.Anything).Return(err)
		return handle, nil
	}
	if d.closed[options.ID] != nil {
		return nil, fmt.Errorf("failed workflow start: %w", serviceerror.NewWorkflowExecutionAlreadyStarted("already", "", ""))
	}
	owner, there := d.owner[options.ID]
	if !there {
		owner = request.Key
		d.owner[options.ID] = owner
	}
	receipt := contract.Receipt{ID: options.ID, Key: owner, Created: !there, Stage: requirement.Received, Attempt: request.Attempt}
	if owner == request.Key {
		if first, ok := d.answered[o.UpdateOptions.UpdateID]; ok {
			receipt.Attempt, receipt.Created = first, true
		}
		d.answered[o.UpdateOptions.UpdateID] = receipt.Attempt
	}
	handle := &mocks.WorkflowUpdateHandle{}
	handle.On("Get", mock.Anything, mock.Anything).Run(func(args mock.Arguments) {
		*args.Get(1).(*contract.Receipt) = receipt
	}).Return(nil)
	return handle, nil
}

func newDesk() *desk {
	return &desk{owner: map[string]string{}, answered: map[string]string{}, closed: map[string]*client.WorkflowExecutionDescription{}}
}

func TestSubmitTwiceIsOneRequirement(t *testing.T) {
	t.Parallel()
	d := newDesk()
	c := New(d, "q", time.Second)
	s := requirement.Submission{Title: "导出报表", Customer: "云栖", Ref: "jira:OPS-17"}
	first, err := c.Submit(t.Context(), s, "")
	require.NoError(t, err)
	require.True(t, first.Created)
	require.Equal(t, contract.RequirementID("ref:jira:OPS-17", 0), first.ID)

	d.On("DescribeWorkflow", mock.Anything, first.ID, "").
		Return(described(enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, requirement.Executing), nil)
	again, err := c.Submit(t.Context(), s, "act:another")
	require.NoError(t, err)
	require.Equal(t, first.ID, again.ID)
	require.False(t, again.Created, "Temporal repeats the first answer; it is not ours")
	require.Equal(t, requirement.Executing, again.Stage, "the stage is the present one")
}

func TestSubmitFindsTheKeysOwnID(t *testing.T) {
	t.Parallel()
	d := newDesk()
	taken := contract.RequirementID("ref:a:1", 0)
	d.owner[taken] = "ref:other:9"
	got, err := New(d, "q", time.Second).Submit(t.Context(), requirement.Submission{Ref: "a:1"}, "")
	require.NoError(t, err)
	require.Equal(t, contract.RequirementID("ref:a:1", 1), got.ID)
	require.True(t, got.Created)
}

func TestSubmitOfWhatWasTurnedAwayBefore(t *testing.T) {
	t.Parallel()
	d := newDesk()
	d.refused = map[string]error{
		"submit/ref:a:1": contract.Refusal(&requirement.Error{Code: requirement.CodeInvalid, Message: "type: no", Params: map[string]string{"field": "type"}}),
	}
	got, err := New(d, "q", time.Second).Submit(t.Context(), requirement.Submission{Ref: "a:1"}, "")
	require.NoError(t, err, "the refusal that Temporal remembers was for another wording")
	require.True(t, got.Created)
}

func TestSubmitOfWhatHasEnded(t *testing.T) {
	t.Parallel()
	id := contract.RequirementID("ref:a:1", 0)
	for name, tc := range map[string]struct {
		key     string
		created bool
	}{
		"under the same key":   {"ref:a:1", false},
		"under another key":    {"ref:b:2", true},
		"started without ours": {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk()
			d.closed[id] = described(enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, requirement.Archived)
			if tc.key != "" {
				p, err := converter.GetDefaultDataConverter().ToPayload(tc.key)
				require.NoError(t, err)
				d.closed[id].Memo = &commonpb.Memo{Fields: map[string]*commonpb.Payload{memoKey: p}}
			}
			d.On("DescribeWorkflow", mock.Anything, id, "").Return(d.closed[id], nil)
			run := mocks.NewWorkflowRun(t)
			run.On("Get", mock.Anything, mock.Anything).Run(func(args mock.Arguments) {
				*args.Get(1).(*contract.Outcome) = contract.Outcome{ID: id, Stage: requirement.Archived}
			}).Return(nil)
			d.On("GetWorkflow", mock.Anything, id, "").Return(run)
			got, err := New(d, "q", time.Second).Submit(t.Context(), requirement.Submission{Ref: "a:1"}, "")
			require.NoError(t, err)
			require.Equal(t, tc.created, got.Created)
			if !tc.created {
				require.Equal(t, requirement.Archived, got.Stage)
				require.Equal(t, id, got.ID)
			}
		})
	}
}

func TestStartOptions(t *testing.T) {
	t.Parallel()
	d := newDesk()
	s := requirement.Submission{Title: "一行\n两行", Customer: "云栖"}
	s.Priority, s.Type = "high", "functional"
	_, err := New(d, "q", time.Second).Submit(t.Context(), s, "act:1")
	require.NoError(t, err)
	o := d.started[0]
	require.Equal(t, enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING, o.WorkflowIDConflictPolicy)
	require.Equal(t, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY, o.WorkflowIDReusePolicy)
	require.Zero(t, o.WorkflowExecutionTimeout, "a requirement lives as long as it takes")
	require.Equal(t, 1, o.Priority.PriorityKey)
	require.Equal(t, "一行 两行", o.StaticSummary)
	stage, _ := o.TypedSearchAttributes.GetKeyword(contract.Stage)
	require.Equal(t, "received", stage)
	status, _ := o.TypedSearchAttributes.GetKeyword(contract.Status)
	require.Equal(t, "pending", status)
	priority, _ := o.TypedSearchAttributes.GetKeyword(contract.Priority)
	require.Equal(t, "high", priority)
}

func TestKeyOf(t *testing.T) {
	t.Parallel()
	require.Equal(t, "ref:a:1", KeyOf(requirement.Submission{Ref: "a:1"}, "act:x"))
	require.Equal(t, "act:x", KeyOf(requirement.Submission{}, "act:x"))
	require.NotEqual(t, KeyOf(requirement.Submission{}, ""), KeyOf(requirement.Submission{}, ""))
}

func TestMergeIntoWhatCannotTakeIt(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		described *client.WorkflowExecutionDescription
		want      requirement.Code
	}{
		"archived":     {described: described(enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, requirement.Archived), want: requirement.CodeOver},
		"itself ended": {described: described(enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, requirement.Merged), want: requirement.CodeMergeCycle},
		"being merged": {described: described(enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, requirement.Merged), want: requirement.CodeMergeCycle},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			temporalClient := mocks.NewClient(t)
			temporalClient.On("DescribeWorkflow", mock.Anything, "REQ-00000002", "").Return(tc.described, nil)
			_, err := New(temporalClient, "q", time.Second).Do(t.Context(), someID, requirement.Merge{Into: "REQ-00000002"})
			refused, ok := errors.AsType[*requirement.Error](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, tc.want, refused.Code)
			require.NotEmpty(t, refused.Hint)
		})
	}
	temporalClient := mocks.NewClient(t)
	temporalClient.On("DescribeWorkflow", mock.Anything, "REQ-00000002", "").Return(nil, serviceerror.NewNotFound("no"))
	_, err := New(temporalClient, "q", time.Second).Do(t.Context(), someID, requirement.Merge{Into: "REQ-00000002"})
	require.ErrorIs(t, err, ErrNotFound)
	require.ErrorContains(t, err, "REQ-00000002", "it says which one is not there")
}
