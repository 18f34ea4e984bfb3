package worker

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
)

// TestSomePollersAlwaysAskForNewOnes: of the pollers that wait for requirements in
// memory, one too many is sent away with nothing, and may come again when another
// has its answer.
func TestSomePollersAlwaysAskForNewOnes(t *testing.T) {
	t.Parallel()
	keep := KeepAsking()
	arrived, answer := make(chan struct{}), make(chan struct{})
	server := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
		arrived <- struct{}{}
		<-answer
		return nil
	}
	call := func(req any) chan error {
		done := make(chan error, 1)
		go func() {
			done <- keep(t.Context(), "poll", req, &workflowservice.PollWorkflowTaskQueueResponse{}, nil, server)
		}()
		return done
	}
	of := func(kind enumspb.TaskQueueKind) any {
		return &workflowservice.PollWorkflowTaskQueueRequest{TaskQueue: &taskqueuepb.TaskQueue{Kind: kind}}
	}
	sticky, normal := of(enumspb.TASK_QUEUE_KIND_STICKY), of(enumspb.TASK_QUEUE_KIND_NORMAL)

	var waiting []chan error
	for range stickyPollers {
		waiting = append(waiting, call(sticky))
		<-arrived
	}
	require.NoError(t, <-call(sticky), "sent away while the others wait")
	for _, req := range []any{normal, &workflowservice.PollActivityTaskQueueRequest{}} {
		waiting = append(waiting, call(req))
		<-arrived
	}
	close(answer)
	for _, w := range waiting {
		require.NoError(t, <-w)
	}
	again := call(sticky)
	<-arrived
	require.NoError(t, <-again)
}
