package worker

import (
	"context"
	"errors"
	"fmt"

	nexuspb "go.temporal.io/api/nexus/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

// errNotOurs: the service lets nobody make Nexus endpoints this way.
var errNotOurs = errors.New("this Temporal does not let us make Nexus endpoints")

// ensureEndpoint creates the Nexus endpoint through which other namespaces reach
// the worker's service, once. One of that name that leads elsewhere is an error:
// callers would get there. The error is [errNotOurs] where the service lets
// nobody make one, as managed services do.
func ensureEndpoint(ctx context.Context, c client.Client, name, namespace, taskQueue string) error {
	target := &nexuspb.EndpointTarget_Worker{Namespace: namespace, TaskQueue: taskQueue}
	there, err := endpoint(ctx, c, name)
	if err != nil {
		return err
	}
	if there == nil {
		_, err = c.OperatorService().CreateNexusEndpoint(ctx, &operatorservice.CreateNexusEndpointRequest{
			Spec: &nexuspb.EndpointSpec{Name: name, Target: &nexuspb.EndpointTarget{
				Variant: &nexuspb.EndpointTarget_Worker_{Worker: target},
			}},
		})
		var raced *serviceerror.AlreadyExists
		if !errors.As(err, &raced) {
			return denied(err, "create", name)
		}
		if there, err = endpoint(ctx, c, name); err != nil {
			return err
		}
	}
	if got := there.GetSpec().GetTarget().GetWorker(); got.GetNamespace() != target.GetNamespace() || got.GetTaskQueue() != target.GetTaskQueue() {
		return fmt.Errorf("the Nexus endpoint %s leads to task queue %q of namespace %q and not to %q of %q: give this worker another name for its endpoint, or mend that one",
			name, got.GetTaskQueue(), got.GetNamespace(), taskQueue, namespace)
	}
	return nil
}

// endpoint returns the endpoint of that name, nil when there is none.
func endpoint(ctx context.Context, c client.Client, name string) (*nexuspb.Endpoint, error) {
	found, err := c.OperatorService().ListNexusEndpoints(ctx, &operatorservice.ListNexusEndpointsRequest{Name: name, PageSize: 1})
	if err != nil {
		return nil, denied(err, "look for", name)
	}
	for _, e := range found.GetEndpoints() {
		if e.GetSpec().GetName() == name {
			return e, nil
		}
	}
	return nil, nil //nolint:nilnil // none is an answer
}

func denied(err error, doing, name string) error {
	var permission *serviceerror.PermissionDenied
	var unimplemented *serviceerror.Unimplemented
	switch {
	case err == nil:
		return nil
	case errors.As(err, &permission), errors.As(err, &unimplemented):
		return fmt.Errorf("%s the Nexus endpoint %s: %w: %w", doing, name, errNotOurs, err)
	default:
		return fmt.Errorf("%s the Nexus endpoint %s: %w", doing, name, err)
	}
}
