package worker

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	nexuspb "go.temporal.io/api/nexus/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/mocks"
	"google.golang.org/grpc"
)

// operator is an operator service with at most one endpoint.
type operator struct {
	operatorservice.OperatorServiceClient
	there *nexuspb.EndpointSpec
	// list and create are the errors of the two calls; raced appears just before an
	// endpoint is created.
	list, create error
	raced        *nexuspb.EndpointSpec
	created      int
}

func (o *operator) ListNexusEndpoints(context.Context, *operatorservice.ListNexusEndpointsRequest, ...grpc.CallOption) (*operatorservice.ListNexusEndpointsResponse, error) {
	found := &operatorservice.ListNexusEndpointsResponse{}
	if o.there != nil {
		found.Endpoints = append(found.Endpoints, &nexuspb.Endpoint{Spec: o.there})
	}
	return found, o.list
}

func (o *operator) CreateNexusEndpoint(_ context.Context, in *operatorservice.CreateNexusEndpointRequest, _ ...grpc.CallOption) (*operatorservice.CreateNexusEndpointResponse, error) {
	if o.raced != nil {
		o.there = o.raced
		return nil, serviceerror.NewAlreadyExists("there")
	}
	if o.create != nil {
		return nil, o.create
	}
	o.there = in.GetSpec()
	o.created++
	return &operatorservice.CreateNexusEndpointResponse{}, nil
}

func leadingTo(queue string) *nexuspb.EndpointSpec {
	return &nexuspb.EndpointSpec{Name: "desk", Target: &nexuspb.EndpointTarget{Variant: &nexuspb.EndpointTarget_Worker_{
		Worker: &nexuspb.EndpointTarget_Worker{Namespace: "default", TaskQueue: queue},
	}}}
}

func TestEndpointIsSeenTo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		operator operator
		endpoint string
		created  int
		err      string
		warned   bool
	}{
		"none is asked for":       {operator: operator{list: serviceerror.NewInternal("not to be asked")}},
		"it is made":              {endpoint: "desk", created: 1},
		"it is there":             {endpoint: "desk", operator: operator{there: leadingTo("closeloop")}},
		"it leads elsewhere":      {endpoint: "desk", operator: operator{there: leadingTo("other")}, err: `leads to task queue "other" of namespace "default" and not to "closeloop" of "default"`},
		"another worker made it":  {endpoint: "desk", operator: operator{raced: leadingTo("closeloop")}},
		"another was faster":      {endpoint: "desk", operator: operator{raced: leadingTo("other")}, err: "leads to task queue"},
		"a name that cannot be":   {endpoint: "desk", operator: operator{create: serviceerror.NewInvalidArgument("bad name")}, err: "bad name"},
		"it may not be made":      {endpoint: "desk", operator: operator{create: serviceerror.NewPermissionDenied("no", "")}, warned: true},
		"it may not be looked at": {endpoint: "desk", operator: operator{list: serviceerror.NewUnimplemented("no such call")}, warned: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := c.operator
			temporal := &mocks.Client{}
			temporal.On("OperatorService").Return(&o)
			var log bytes.Buffer
			config := Config{Temporal: temporal, Endpoint: c.endpoint, Logger: slog.New(slog.NewTextHandler(&log, nil))}
			config.fill()
			err := config.openEndpoint(t.Context())
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.created, o.created)
			if c.warned {
				require.Contains(t, log.String(), "temporal operator nexus endpoint create --name desk --target-namespace default --target-task-queue closeloop")
				return
			}
			require.Empty(t, log.String())
		})
	}
}

func TestEndpointOnARealServer(t *testing.T) {
	t.Parallel()
	c, name := namespace(t)
	endpoint := fmt.Sprint("worker-test-", time.Now().UnixNano())
	for range 2 {
		require.NoError(t, ensureEndpoint(t.Context(), c, endpoint, name, "closeloop"))
	}
	require.ErrorContains(t, ensureEndpoint(t.Context(), c, endpoint, name, "other"), "leads to task queue")
	require.ErrorContains(t, ensureEndpoint(t.Context(), c, "no name!", name, "closeloop"), "no name!")
}
