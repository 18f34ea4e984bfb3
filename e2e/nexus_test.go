package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	rpc "github.com/nexus-rpc/sdk-go/nexus"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	nexuspb "go.temporal.io/api/nexus/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	sdktemporal "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/durationpb"

	"closeloop/contract"
	"closeloop/nexus"
	"closeloop/nexus/service"
	"closeloop/requirement"
	"closeloop/starter"
)

// upstreamTeam is a team with a namespace and workflows of its own, which know
// nothing of closeloop but the endpoint and package nexus.
type upstreamTeam struct {
	temporal        client.Client
	endpoint, queue string
}

const upstreamNamespace = "upstream-team"

// upstream sets the team up, and an office whose worker opens an endpoint.
func upstream(t *testing.T) (*upstreamTeam, *office) {
	t.Helper()
	team := &upstreamTeam{endpoint: "e2e-" + t.Name(), queue: t.Name()}
	o := newOffice(t, func(o *office) {
		o.env = append(o.env, "CLOSELOOP_NEXUS_ENDPOINT="+team.endpoint)
		o.policy = repoFile("e2e", "testdata", "calm.yaml")
	})
	options := envconfig.MustLoadDefaultClientOptions()
	options.Namespace, options.Logger = upstreamNamespace, log.NewStructuredLogger(slog.New(slog.DiscardHandler))
	_, err := temporal.WorkflowService().RegisterNamespace(t.Context(), &workflowservice.RegisterNamespaceRequest{
		Namespace: upstreamNamespace, WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
	})
	var there *serviceerror.NamespaceAlreadyExists
	if !errors.As(err, &there) {
		require.NoError(t, err)
	}
	team.temporal, err = client.Dial(options)
	require.NoError(t, err)
	t.Cleanup(team.temporal.Close)
	w := worker.New(team.temporal, team.queue, worker.Options{})
	for name, f := range map[string]any{
		"submit": team.submit, "await": team.await, "both": team.both, "raw": team.raw, "awaitFirst": team.awaitFirst,
	} {
		w.RegisterWorkflowWithOptions(f, workflow.RegisterOptions{Name: name})
	}
	eventually(t, func() bool { return w.Start() == nil }, "the team's worker starts")
	t.Cleanup(w.Stop)
	return team, o
}

func (u *upstreamTeam) submit(ctx workflow.Context, s nexus.Submission) (nexus.Receipt, error) {
	return nexus.At(u.endpoint).Submit(ctx, s)
}

func (u *upstreamTeam) await(ctx workflow.Context, id string) (nexus.Outcome, error) {
	return nexus.At(u.endpoint).AwaitOutcome(ctx, id)
}

// awaitFirst waits for two requirements at once, and stops waiting for the second
// when it knows the first.
func (u *upstreamTeam) awaitFirst(ctx workflow.Context, first, second string) (string, error) {
	waiting, stop := workflow.WithCancel(ctx)
	ended := workflow.NewChannel(ctx)
	workflow.Go(waiting, func(ctx workflow.Context) {
		_, err := nexus.At(u.endpoint).AwaitOutcome(ctx, second)
		ended.Send(ctx, sdktemporal.IsCanceledError(err))
	})
	if _, err := nexus.At(u.endpoint).AwaitOutcome(ctx, first); err != nil {
		return "", err
	}
	stop()
	var cancelled bool
	ended.Receive(ctx, &cancelled)
	return fmt.Sprint("cancelled: ", cancelled), nil
}

func (u *upstreamTeam) both(ctx workflow.Context, s nexus.Submission) (nexus.Outcome, error) {
	return nexus.At(u.endpoint).SubmitAndAwait(ctx, s)
}

// raw calls an operation with JSON, as a team in another language would.
func (u *upstreamTeam) raw(ctx workflow.Context, operation string, input map[string]any) (map[string]any, error) {
	var output map[string]any
	c := workflow.NewNexusClient(u.endpoint, "closeloop")
	err := c.ExecuteOperation(ctx, operation, input, workflow.NexusOperationOptions{}).Get(ctx, &output)
	return output, err
}

// begin starts a workflow of the team.
func (u *upstreamTeam) begin(t *testing.T, name string, args ...any) client.WorkflowRun {
	t.Helper()
	run, err := u.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: u.queue}, name, args...)
	require.NoError(t, err)
	return run
}

// result is what a workflow of the team returns.
func result[T any](t *testing.T, run client.WorkflowRun) T {
	t.Helper()
	value, err := resultOf[T](t, run)
	require.NoError(t, err)
	return value
}

func resultOf[T any](t *testing.T, run client.WorkflowRun) (T, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var value T
	err := run.Get(ctx, &value)
	require.NoError(t, ctx.Err())
	return value, err
}

// waits waits until the operation of a team's workflow is on its way.
func (u *upstreamTeam) waits(t *testing.T, run client.WorkflowRun) {
	t.Helper()
	eventually(t, func() bool {
		events := u.temporal.GetWorkflowHistory(t.Context(), run.GetID(), run.GetRunID(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			e, err := events.Next()
			require.NoError(t, err)
			if e.GetNexusOperationStartedEventAttributes() != nil {
				return true
			}
		}
		return false
	}, "%s waits for an outcome", run.GetID())
}

func submission(ref string) nexus.Submission {
	return nexus.Submission{
		Upstream: "crm", Ref: ref, Title: "导出报表超时", Customer: "Acme", Contact: "li@acme.example", Type: "fault",
	}
}

// resolved has a requirement dealt with up to where the customer is asked.
func resolved(t *testing.T, desk *starter.Client, id string) {
	t.Helper()
	for _, act := range []requirement.Act{
		requirement.Triage{Header: by("wang.fang")},
		requirement.Assign{Header: by("wang.fang"), To: "li.na", Department: "service"},
		requirement.Resolve{Header: by("li.na"), Solution: "加了索引", RootCause: "全表扫描"},
	} {
		_, err := desk.Do(t.Context(), id, act)
		require.NoError(t, err, act.Name())
	}
}

func TestUpstreamTeamSubmitsAndLearnsTheOutcome(t *testing.T) {
	t.Parallel()
	team, o := upstream(t)
	desk := starter.New(temporal, o.queue, patience)
	ref := "crm:" + stamp()

	receipt := result[nexus.Receipt](t, team.begin(t, "submit", submission(ref)))
	id := receipt.ID
	require.Equal(t, nexus.Receipt{ID: contract.RequirementID("ref:"+ref, 0), Created: true, Stage: "received", Ref: ref}, receipt)
	again := result[nexus.Receipt](t, team.begin(t, "submit", submission(ref)))
	require.Equal(t, nexus.Receipt{ID: id, Stage: "received", Ref: ref}, again)
	o.until(t, id, "in the ledger", func(v map[string]any) bool { return v["submitted_by"] == "upstream:crm" })
	events, err := books(t).Events(t.Context(), id, 0, 1)
	require.NoError(t, err)
	require.Equal(t, []string{"upstream:crm", "nexus"}, []string{events[0].Actor, events[0].Via})

	// Two wait in different ways, before and after the workflow has gone on in
	// another run.
	first := team.begin(t, "await", id)
	team.waits(t, first)
	before := historyOf(t, id).GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetOriginalExecutionRunId()
	require.NoError(t, temporal.SignalWorkflow(t.Context(), id, "", contract.SignalContinueAsNew, nil))
	eventually(t, func() bool {
		return historyOf(t, id).GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetOriginalExecutionRunId() != before
	}, "%s continues as new", id)
	second := team.begin(t, "both", submission(ref))
	team.waits(t, second)

	resolved(t, desk, id)
	_, err = desk.Do(t.Context(), id, requirement.Dispute{Header: by("customer"), Reason: "还是慢"})
	require.NoError(t, err)
	_, err = desk.Do(t.Context(), id, requirement.Resolve{Header: by("li.na"), Solution: "又加了缓存"})
	require.NoError(t, err)
	_, err = desk.Do(t.Context(), id, requirement.Confirm{Header: by("customer"), Rating: 5, Comment: "很快"})
	require.NoError(t, err)

	outcome := result[nexus.Outcome](t, first)
	require.WithinRange(t, outcome.ClosedAt, outcome.CreatedAt, time.Now().Add(time.Minute))
	require.False(t, outcome.CreatedAt.IsZero())
	want := nexus.Outcome{
		ID: id, Stage: nexus.Archived, Ref: ref, Solution: "又加了缓存", Rating: 5, Comment: "很快", Reopened: 1,
		CreatedAt: outcome.CreatedAt, ClosedAt: outcome.ClosedAt,
	}
	require.Equal(t, want, outcome)
	require.Equal(t, want, result[nexus.Outcome](t, second))

	t.Run("asked after the end", func(t *testing.T) {
		settled(t, id)
		for _, run := range []client.WorkflowRun{team.begin(t, "await", id), team.begin(t, "both", submission(ref))} {
			require.Equal(t, want, result[nexus.Outcome](t, run))
		}
		receipt := result[nexus.Receipt](t, team.begin(t, "submit", submission(ref)))
		require.Equal(t, nexus.Receipt{ID: id, Stage: "archived", Ref: ref}, receipt)
	})
}

func TestUpstreamTeamLearnsHowElseItEnded(t *testing.T) {
	t.Parallel()
	team, o := upstream(t)
	desk := starter.New(temporal, o.queue, patience)
	begun := func(t *testing.T) string {
		return result[nexus.Receipt](t, team.begin(t, "submit", submission("crm:"+t.Name()+stamp()))).ID
	}
	act := func(t *testing.T, id string, a requirement.Act) {
		t.Helper()
		_, err := desk.Do(t.Context(), id, a)
		require.NoError(t, err)
	}

	t.Run("rejected", func(t *testing.T) {
		t.Parallel()
		id := begun(t)
		run := team.begin(t, "await", id)
		team.waits(t, run)
		for range 2 {
			if o.show(t, id)["stage"] == "rejected" {
				act(t, id, requirement.Appeal{Header: by("customer"), Reason: "请再看一次"})
			} else {
				act(t, id, requirement.Triage{Header: by("wang.fang"), NeedApproval: true})
			}
			o.until(t, id, "asked", func(v map[string]any) bool {
				a, ok := v["approval"].(map[string]any)
				return ok && a["state"] == "open"
			})
			act(t, id, requirement.Decline{Header: by("zhao.lei"), Reason: "太贵"})
			o.untilStage(t, id, "rejected")
		}
		outcome := result[nexus.Outcome](t, run)
		require.Equal(t, nexus.Rejected, outcome.Stage)
		require.Equal(t, "太贵", outcome.Reason)
	})
	t.Run("merged", func(t *testing.T) {
		t.Parallel()
		duplicate, survivor := begun(t), begun(t)
		run := team.begin(t, "await", duplicate)
		team.waits(t, run)
		act(t, duplicate, requirement.Merge{Header: by("wang.fang"), Into: survivor})
		outcome := result[nexus.Outcome](t, run)
		require.Equal(t, []string{nexus.Merged, survivor}, []string{outcome.Stage, outcome.MergedInto})
	})
	t.Run("withdrawn", func(t *testing.T) {
		t.Parallel()
		id := begun(t)
		run := team.begin(t, "await", id)
		team.waits(t, run)
		act(t, id, requirement.Withdraw{Header: by("customer"), Reason: "不需要了"})
		require.Equal(t, nexus.Withdrawn, result[nexus.Outcome](t, run).Stage)
	})
	t.Run("cancelled in Temporal", func(t *testing.T) {
		t.Parallel()
		id := begun(t)
		run := team.begin(t, "await", id)
		team.waits(t, run)
		require.NoError(t, temporal.CancelWorkflow(t.Context(), id, ""))
		_, err := resultOf[nexus.Outcome](t, run)
		var cancelled *sdktemporal.CanceledError
		require.ErrorAs(t, err, &cancelled)
		require.Equal(t, nexus.Withdrawn, result[nexus.Outcome](t, team.begin(t, "await", id)).Stage)
	})
	t.Run("terminated in Temporal", func(t *testing.T) {
		t.Parallel()
		id := begun(t)
		o.untilStage(t, id, "received")
		run := team.begin(t, "await", id)
		team.waits(t, run)
		require.NoError(t, temporal.TerminateWorkflow(t.Context(), id, "", "a test"))
		_, err := resultOf[nexus.Outcome](t, run)
		var failed *sdktemporal.NexusOperationError
		require.ErrorAs(t, err, &failed)
		_, refused := nexus.RefusalOf(err)
		require.False(t, refused)
		// The ledger hears of it by the audit; until then the question waits.
		later := team.begin(t, "await", id)
		// It may find something of the other tests' requirements as well.
		o.audit(t)
		require.Equal(t, nexus.Withdrawn, result[nexus.Outcome](t, later).Stage)
	})
	t.Run("no longer waited for", func(t *testing.T) {
		t.Parallel()
		first, second := begun(t), begun(t)
		run := team.begin(t, "awaitFirst", first, second)
		act(t, first, requirement.Withdraw{Header: by("customer"), Reason: "不需要了"})
		require.Equal(t, "cancelled: true", result[string](t, run))
		require.Equal(t, "received", o.show(t, second)["stage"], "whoever stops waiting withdraws nothing")
		running, err := desk.Running(t.Context(), second)
		require.NoError(t, err)
		require.True(t, running)
	})
}

func TestUpstreamTeamIsRefusedForGood(t *testing.T) {
	t.Parallel()
	team, _ := upstream(t)
	ref := "crm:" + stamp()
	for name, c := range map[string]struct {
		operation string
		input     map[string]any
		kind      rpc.HandlerErrorType
		code      string
		field     string
	}{
		"no title":         {"submit", map[string]any{"upstream": "crm", "customer": "Acme", "ref": ref}, rpc.HandlerErrorTypeBadRequest, nexus.CodeInvalid, "title"},
		"no upstream":      {"submit", map[string]any{"title": "a", "customer": "Acme"}, rpc.HandlerErrorTypeBadRequest, nexus.CodeInvalid, "upstream"},
		"a bad upstream":   {"submit", map[string]any{"upstream": "<crm>", "title": "a", "customer": "Acme"}, rpc.HandlerErrorTypeBadRequest, nexus.CodeInvalid, "upstream"},
		"another's ref":    {"submit", map[string]any{"upstream": "crm", "title": "a", "customer": "Acme", "ref": "jira:1"}, rpc.HandlerErrorTypeBadRequest, nexus.CodeInvalid, "ref"},
		"an unknown type":  {"submit-and-await", map[string]any{"upstream": "crm", "title": "a", "customer": "Acme", "type": "wish"}, rpc.HandlerErrorTypeBadRequest, nexus.CodeInvalid, "type"},
		"an unknown field": {"submit", map[string]any{"upstream": "crm", "titel": "a", "customer": "Acme"}, rpc.HandlerErrorTypeBadRequest, nexus.CodeInvalid, "input"},
		"a wrong type":     {"submit", map[string]any{"upstream": 7}, rpc.HandlerErrorTypeBadRequest, nexus.CodeInvalid, "input"},
		"no id":            {"await-outcome", map[string]any{}, rpc.HandlerErrorTypeBadRequest, nexus.CodeInvalid, "id"},
		"no such id":       {"await-outcome", map[string]any{"id": "REQ-00000000"}, rpc.HandlerErrorTypeNotFound, nexus.CodeNotFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := resultOf[map[string]any](t, team.begin(t, "raw", c.operation, c.input))
			var handler *rpc.HandlerError
			require.ErrorAs(t, err, &handler)
			require.Equal(t, c.kind, handler.Type)
			require.False(t, handler.Retryable())
			refusal, ok := nexus.RefusalOf(err)
			require.True(t, ok, err)
			require.Equal(t, c.code, refusal.Code)
			require.Equal(t, c.field, refusal.Params["field"])
			require.NotEmpty(t, refusal.Message)
		})
	}
	t.Run("and may correct it", func(t *testing.T) {
		t.Parallel()
		ref := "crm:corrected-" + stamp()
		_, err := resultOf[map[string]any](t, team.begin(t, "raw", "submit", map[string]any{"upstream": "crm", "customer": "Acme", "ref": ref}))
		require.Error(t, err)
		require.True(t, result[nexus.Receipt](t, team.begin(t, "submit", submission(ref))).Created)
	})
}

func TestEndpointIsMadeOnceAndLeadsToOneQueue(t *testing.T) {
	t.Parallel()
	team, o := upstream(t)
	second := &office{queue: o.queue, policy: o.policy, env: o.env}
	require.NoError(t, second.open(), "another worker finds the endpoint")
	second.kill()
	found, err := temporal.OperatorService().ListNexusEndpoints(t.Context(), &operatorservice.ListNexusEndpointsRequest{Name: team.endpoint})
	require.NoError(t, err)
	require.Len(t, found.GetEndpoints(), 1)
	require.Equal(t, o.queue, found.GetEndpoints()[0].GetSpec().GetTarget().GetWorker().GetTaskQueue())

	elsewhere := &office{queue: o.queue + "-elsewhere", policy: o.policy, env: o.env}
	a := elsewhere.try(t, "worker")
	require.Equal(t, 1, a.status)
	require.Contains(t, a.stderr, "leads to task queue")
}

// again has every operation begun twice, as when the first answer is lost on its
// way to Temporal.
type again struct {
	interceptor.WorkerInterceptorBase
}

func (*again) InterceptNexusOperation(_ context.Context, next interceptor.NexusOperationInboundInterceptor) interceptor.NexusOperationInboundInterceptor {
	i := &beganAgain{}
	i.Next = next
	return i
}

type beganAgain struct {
	interceptor.NexusOperationInboundInterceptorBase
}

func (i *beganAgain) StartOperation(ctx context.Context, in interceptor.NexusStartOperationInput) (rpc.HandlerStartOperationResult[any], error) {
	if r, err := i.Next.StartOperation(ctx, in); err != nil {
		return r, err
	}
	return i.Next.StartOperation(ctx, in)
}

func TestRequestThatIsRepeatedHappensOnce(t *testing.T) {
	t.Parallel()
	team, o := upstream(t)
	desk := starter.New(temporal, o.queue, patience)
	answers, err := service.New(desk, books(t))
	require.NoError(t, err)
	w := worker.New(temporal, "e2e-again", worker.Options{Interceptors: []interceptor.WorkerInterceptor{&again{}}})
	w.RegisterNexusService(answers)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	team.endpoint = fmt.Sprint("e2e-again-", time.Now().UnixNano())
	_, err = temporal.OperatorService().CreateNexusEndpoint(t.Context(), &operatorservice.CreateNexusEndpointRequest{
		Spec: &nexuspb.EndpointSpec{Name: team.endpoint, Target: &nexuspb.EndpointTarget{
			Variant: &nexuspb.EndpointTarget_Worker_{Worker: &nexuspb.EndpointTarget_Worker{Namespace: "default", TaskQueue: "e2e-again"}},
		}},
	})
	require.NoError(t, err)

	// Without a reference only the request tells one submission from another.
	receipt := result[nexus.Receipt](t, team.begin(t, "submit", submission("")))
	require.False(t, receipt.Created, "the repetition has found what the first call made")
	run := team.begin(t, "await", receipt.ID)
	team.waits(t, run)
	attached := 0
	for _, e := range historyOf(t, receipt.ID).GetEvents() {
		attached += len(e.GetWorkflowExecutionOptionsUpdatedEventAttributes().GetAttachedCompletionCallbacks())
	}
	require.Equal(t, 1, attached, "one request is told once")
	_, err = desk.Do(t.Context(), receipt.ID, requirement.Withdraw{Header: by("customer"), Reason: "不需要了"})
	require.NoError(t, err)
	require.Equal(t, nexus.Withdrawn, result[nexus.Outcome](t, run).Stage)
}
