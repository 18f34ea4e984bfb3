package worker

import (
	"context"
	"sync/atomic"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
)

// The pollers for workflow tasks. All but one may ask for tasks of requirements that the
// worker has in its memory, which come first; one always asks for new ones.
const (
	workflowPollers = 8
	stickyPollers   = workflowPollers - 1
)

// KeepAsking is for the connection of a worker: after a burst it goes on asking for
// new requirements. The SDK lets its pollers turn to the requirements in memory as
// long as it has last heard that tasks of theirs are waiting. When that word is out
// of date, all of them end up waiting there, and nobody takes new ones in until one
// gives up: that was seen to take seven seconds, and may take a minute. Here one
// poll too many is answered at once with nothing, which is also the word that
// nothing is waiting.
func KeepAsking() grpc.UnaryClientInterceptor {
	var waiting atomic.Int32
	return func(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		poll, ok := req.(*workflowservice.PollWorkflowTaskQueueRequest)
		if !ok || poll.GetTaskQueue().GetKind() != enumspb.TASK_QUEUE_KIND_STICKY {
			return invoke(ctx, method, req, reply, conn, opts...)
		}
		defer waiting.Add(-1)
		if waiting.Add(1) > stickyPollers {
			return nil
		}
		return invoke(ctx, method, req, reply, conn, opts...)
	}
}
